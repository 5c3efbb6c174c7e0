"""Parse the options in a model's name, such as `offline/teaching?accuracy=.8&seed=2`."""

from __future__ import annotations

from ...errors import SetupError, nearest


def parse_options(name: str, options: dict[str, str], defaults: dict[str, float]) -> dict[str, float]:
    """Parse options as numbers, and fill in defaults.

    Parameters
    ----------
    name
        The model's name, for messages.
    options
        The options as texts.
    defaults
        All options of this model, with their defaults.

    Raises
    ------
    SetupError
        An option is unknown or not a number.

    Examples
    --------
    >>> parse_options("offline/teaching", {"accuracy": ".8"}, {"accuracy": 0.9, "seed": 1})
    {'accuracy': 0.8, 'seed': 1}
    """
    for key in options:
        if key not in defaults:
            raise SetupError(f"model `{name}` has no option `{key}`; {nearest(key, defaults)}")
    try:
        return {key: float(options[key]) if key in options else value for key, value in defaults.items()}
    except ValueError:
        key = next(key for key, text in options.items() if not _is_number(text))
        raise SetupError(f"model `{name}`: `{key}={options[key]}` is not a number.") from None


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
