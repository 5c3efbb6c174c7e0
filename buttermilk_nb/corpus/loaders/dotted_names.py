"""Dotted names: `post.text` is a nested field, unless a column has exactly that name."""

from __future__ import annotations

from typing import Any


def has_field(fields: dict[str, Any], name: str) -> bool:
    """Whether the field exists."""
    return _look_up(fields, name)[0]


def get_field(fields: dict[str, Any], name: str) -> Any:
    """The value of a field; None if the field does not exist or is NaN.

    Examples
    --------
    >>> get_field({"post": {"text": "One."}}, "post.text")
    'One.'
    """
    value = _look_up(fields, name)[1]
    return None if isinstance(value, float) and value != value else value  # NaN is not equal to itself


def delete_field(fields: Any, name: str) -> None:
    """Remove a field, nested or not. Nothing happens if it does not exist."""
    if not isinstance(fields, dict):
        return
    if name in fields:
        del fields[name]
        return
    head, dot, tail = name.partition(".")
    if dot and head in fields:
        delete_field(fields[head], tail)


def _look_up(fields: Any, name: str) -> tuple[bool, Any]:
    if isinstance(fields, dict):
        if name in fields:
            return True, fields[name]
        head, dot, tail = name.partition(".")
        if dot and head in fields:
            return _look_up(fields[head], tail)
    return False, None
