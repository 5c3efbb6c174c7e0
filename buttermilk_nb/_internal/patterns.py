"""Compile regular expressions that a user has written, within limits of memory."""

from __future__ import annotations

import re

import regex

from ..errors import SetupError

_MAX_REPEATS = 10_000
_REPEATS = re.compile(r"\{\s*(\d*)\s*,?\s*(\d*)\s*\}")
_RECURSION = re.compile(r"(?<!\\)(?:\\\\)*\(\?(?:R|[+-]?\d|&|P>)")


def compile_pattern(pattern: str, name: str) -> regex.Pattern[str]:
    """A compiled regular expression.

    Parameters
    ----------
    pattern
        The regular expression.
    name
        The name of the setting or argument, for messages.

    Raises
    ------
    SetupError
        It is no regular expression, calls itself, or repeats something so often that it would fill the memory.

    Examples
    --------
    >>> compile_pattern("[.!?]", "by").findall("Yes. No!")
    ['.', '!']
    """
    if any(int(number) > _MAX_REPEATS for found in _REPEATS.findall(pattern) for number in found if number):
        raise SetupError(f"{name}: {pattern[:80]!r} repeats something more than {_MAX_REPEATS:,} times.")
    if _RECURSION.search(pattern):
        raise SetupError(f"{name}: {pattern[:80]!r} calls itself; write it without (?R) and the like.")
    try:
        return regex.compile(pattern)
    except (regex.error, RecursionError, OverflowError, MemoryError) as error:
        raise SetupError(f"{name}: {pattern[:80]!r} is not a regular expression ({error}).") from None
