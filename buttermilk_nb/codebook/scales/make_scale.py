"""`make_scale`: a scale from its short form or a mapping."""

from __future__ import annotations

from typing import Any

from ...errors import SetupError, nearest
from .base import Scale


def make_scale(spec: str | Scale | dict[str, Any]) -> Scale:
    """Make a scale from its short form, a mapping with `kind`, or a scale.

    Parameters
    ----------
    spec
        `"yes/no"`, `"1-5"`, `"0..1"`, `"hope | fear | neither"`, `"labels: mockery | appeal"`, or a
        mapping such as `{"kind": "likert", "low": 1, "high": 5, "labels": {1: "calm"}}`.

    Raises
    ------
    SetupError
        The text is not a short form, the kind is unknown, or a field is invalid.

    Examples
    --------
    >>> make_scale("1-5").level
    'ordinal'
    """
    if isinstance(spec, Scale):
        return spec
    if isinstance(spec, dict):
        kind = str(spec.get("kind", ""))
        if kind not in Scale.kinds:
            raise SetupError(f"there is no kind of scale `{kind}`; {nearest(kind, Scale.kinds)}")
        try:
            return Scale.kinds[kind].model_validate(spec)
        except ValueError as error:
            raise SetupError(f"scale `{kind}`: {_first_message(error)}.") from error
    for scale_class in Scale.kinds.values() if isinstance(spec, str) else ():
        try:
            if scale := scale_class.from_shorthand(spec):
                return scale
        except ValueError as error:
            raise SetupError(f"scale `{spec}`: {_first_message(error)}.") from error
    raise SetupError(
        f"`{spec}` is not a scale. Write `yes/no`, `1-5`, `0..1`, `one | two | three` or `labels: one | two`."
    )


def _first_message(error: ValueError) -> str:
    errors = getattr(error, "errors", None)
    if not errors:
        return str(error)
    first = errors()[0]
    field = ".".join(str(part) for part in first["loc"])
    message = str(first["msg"]).removeprefix("Value error, ")
    return f"`{field}`: {message}" if field else message
