"""Repair an object that is not strict JSON, if nothing of what it says is lost.

The library that repairs it drops signs and words that it does not understand, and keeps the last of two equal keys. An
object in which that would happen is not repaired, because its answer would be another one.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

MAX_REPAIRED = 8_000
"""Characters; repairing a longer text would take more than 50 ms."""
_MAX_BRACKETS = 1_000  # a text with more is not an answer
_BARE_VALUE = re.compile(
    r"""(?:"[^"\n]{1,80}"|'[^'\n]{1,80}'|[{,]\s*[^\W\d]\w{0,80})\s*:\s*([^\s"'`\[{“„‘«,}\]][^,}\]\n"']*)"""
)
_COMMENT = re.compile(r"\s*(?://|/\*|#).*", re.DOTALL)
_LITERALS = frozenset({"true", "false", "null", "none", "nan"})


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
    return value if isinstance(value, dict) and not _loses_something(text, value) else None


def _loses_something(text: str, value: dict[str, Any]) -> bool:
    """Whether a repaired object says less than its text: a value without its sign or unit, or one of two equal keys."""
    leaves = list(_leaves(value))
    texts = [leaf for leaf in leaves if isinstance(leaf, str)]
    numbers = {float(leaf) for leaf in leaves if isinstance(leaf, int | float)}
    for match in _BARE_VALUE.finditer(text):
        bare = _COMMENT.sub("", match[1]).strip().strip("()")
        if not (
            _is_kept(bare, texts, numbers) or any(match[0].lstrip("{, ").replace("\\", "") in whole for whole in texts)
        ):
            return True
    return any(n > 1 and _differs(key, text) for key, n in _key_counts(text, value).items())


def _is_kept(bare: str, texts: list[str], numbers: set[float]) -> bool:
    """Whether a value without quotation marks is among the values of the repaired object as it is written."""
    if not bare or bare.casefold() in _LITERALS or any(whole.startswith(bare) for whole in texts):
        return True
    try:
        return float(bare) in numbers
    except ValueError:
        return False


def _key_counts(text: str, value: dict[str, Any]) -> dict[str, int]:
    """The keys that the text has more often than the repaired object, with their number in the text."""
    kept = Counter(_keys(value))
    counts = {key: len(_places(key).findall(text)) for key in kept if key}
    return {key: n for key, n in counts.items() if n > kept[key]}


def _places(key: str) -> re.Pattern[str]:
    return re.compile(rf"""["']?\b{re.escape(key)}\b["']?\s*:\s*("[^"\n]*"|'[^'\n]*'|[^,}}\]\n]*)""")


def _differs(key: str, text: str) -> bool:
    """Whether a key has different values in a text."""
    values = {found.strip("\"' ") for found in _places(key).findall(text)}
    return len(values - {""}) > 1


def _leaves(value: Any) -> Iterator[Any]:
    """Every text, number and literal in a value."""
    if isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _leaves(item)
    else:
        yield value


def _keys(value: Any) -> list[str]:
    """Every key in a value, as often as it occurs."""
    if isinstance(value, dict):
        return [*value, *(key for item in value.values() for key in _keys(item))]
    return [key for item in value for key in _keys(item)] if isinstance(value, list) else []
