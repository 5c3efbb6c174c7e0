"""Dotted names: `post.text` reaches into nested objects, unless a column is really called that."""

from __future__ import annotations

from typing import Any


def has(fields: dict[str, Any], name: str) -> bool:
    """Whether there is such a field."""
    return _walk(fields, name)[0]


def get(fields: dict[str, Any], name: str) -> Any:
    """The value of a field; None where there is none, or where it is NaN.

    Examples
    --------
    >>> get({"post": {"text": "One."}}, "post.text")
    'One.'
    """
    value = _walk(fields, name)[1]
    return None if isinstance(value, float) and value != value else value  # NaN is not equal to itself


def delete(fields: Any, name: str) -> None:
    """Remove a field, wherever it is."""
    if not isinstance(fields, dict):
        return
    if name in fields:
        del fields[name]
        return
    first, dot, rest = name.partition(".")
    if dot and first in fields:
        delete(fields[first], rest)


def _walk(fields: Any, name: str) -> tuple[bool, Any]:
    if isinstance(fields, dict):
        if name in fields:
            return True, fields[name]
        first, dot, rest = name.partition(".")
        if dot and first in fields:
            return _walk(fields[first], rest)
    return False, None
