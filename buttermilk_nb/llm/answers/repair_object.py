"""Repair an object that is not strict JSON."""

from __future__ import annotations

from typing import Any

MAX_REPAIRED = 8_000
"""Characters; repairing a longer text would take more than 50 ms."""
_MAX_BRACKETS = 1_000  # a text with more is not an answer


def repair_object(text: str) -> dict[str, Any] | None:
    """The object that a text most probably means; None if it means none, or is too long.

    Examples
    --------
    >>> repair_object("{'answer': 'yes',")
    {'answer': 'yes'}
    """
    if len(text) > MAX_REPAIRED or text.count("{") + text.count("[") > _MAX_BRACKETS:
        return None
    from json_repair import repair_json  # only broken answers need it

    try:
        value = repair_json(text, return_objects=True)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None
