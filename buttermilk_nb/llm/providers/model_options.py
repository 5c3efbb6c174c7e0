"""The options behind a model's name: `offline/teaching?accuracy=.8&seed=2`."""

from __future__ import annotations

from ...errors import SetupError, nearest


def parse_options(name: str, options: dict[str, str], defaults: dict[str, float]) -> dict[str, float]:
    """Options as numbers, with their defaults.

    Raises
    ------
    SetupError
        An option is unknown or not a number.

    Examples
    --------
    >>> numbers("offline/teaching", {"accuracy": ".8"}, {"accuracy": 0.9, "seed": 1})
    {'accuracy': 0.8, 'seed': 1}
    """
    for key in options:
        if key not in defaults:
            raise SetupError(f"model `{name}` has no option `{key}`; {nearest(key, defaults)}")
    try:
        return {key: float(options[key]) if key in options else value for key, value in defaults.items()}
    except ValueError:
        wrong = next(key for key, text in options.items() if not _is_number(text))
        raise SetupError(f"model `{name}`: `{wrong}={options[wrong]}` is not a number.") from None


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
