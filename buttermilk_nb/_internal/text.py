"""Text helpers used across the package."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from typing import Any

_SURROGATE = re.compile("[\ud800-\udfff]")
_WIDE = frozenset("WF")
MAX_DEPTH = 100
MAX_BITS = 13_000


def replace_surrogates(text: str) -> str:
    r"""Replace lone surrogates, which files and databases cannot store, by U+FFFD.

    Examples
    --------
    >>> replace_surrogates("a\ud800b") == "a\ufffdb"
    True
    """
    if text.isascii():
        return text
    try:
        text.encode()  # ten times as fast as searching for them
    except UnicodeEncodeError:
        return _SURROGATE.sub("\ufffd", text)
    return text


def is_blank(text: str) -> bool:
    r"""Whether a text shows nothing: blanks, line breaks, and characters without a width.

    Examples
    --------
    >>> is_blank(" \n\u200b\ufeff"), is_blank(" a ")
    (True, False)
    """
    return not text.strip() or all(char.isspace() or unicodedata.category(char) in ("Cf", "Cc") for char in text)


def shorten(text: str, width: int = 80) -> str:
    r"""The text as one line of at most `width` characters, with spaces in place of control characters.

    Examples
    --------
    >>> shorten("a\nb   c", 4)
    'a b…'
    """
    one_line = " ".join("".join(c if c.isprintable() else " " for c in text[: width * 4]).split())
    return one_line if len(one_line) <= width else one_line[: width - 1].rstrip() + "…"


def estimate_tokens(text: str) -> int:
    """A rough number of tokens: one for four characters, or one for each character in wide scripts.

    It does not count words between spaces, because Chinese, Japanese and Thai have none.

    Examples
    --------
    >>> estimate_tokens("four char"), estimate_tokens("判决书")
    (3, 3)
    """
    if text.isascii():
        return -(-len(text) // 4)
    wide = sum(unicodedata.east_asian_width(c) in _WIDE for c in text)
    other = sum(ord(c) > 0x2FF for c in text) - wide
    return wide + -(-max(other, 0) // 2) + -(-(len(text) - wide - max(other, 0)) // 4)


def to_jsonable(value: Any) -> Any:
    """The value in a form that JSON can express.

    Lone surrogates are replaced, NaN and infinity become None, and values of other types become text.

    Raises
    ------
    ValueError
        Lists and mappings are nested more than 100 deep (or contain themselves), or a whole number is too long to be
        written.

    Examples
    --------
    >>> to_jsonable({"n": float("nan"), "when": __import__("datetime").date(2026, 1, 1)})
    {'n': None, 'when': '2026-01-01'}
    """
    return _to_jsonable(value, 0)


def _to_jsonable(value: Any, depth: int) -> Any:
    if isinstance(value, str):
        return replace_surrogates(value)
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        if value.bit_length() > MAX_BITS:
            raise ValueError("a whole number has more than 4,000 digits, which cannot be written")
        return int(value)
    if depth > MAX_DEPTH:
        raise ValueError(f"lists or mappings are nested more than {MAX_DEPTH} deep, or contain themselves")
    if isinstance(value, float):
        return value if value == value and abs(value) != float("inf") else None  # NaN
    if isinstance(value, dict):
        return {replace_surrogates(str(k)): _to_jsonable(v, depth + 1) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_to_jsonable(item, depth + 1) for item in value]
    if hasattr(value, "tolist"):
        return _to_jsonable(value.tolist(), depth + 1)  # a numpy scalar or array
    return replace_surrogates(str(value))


def pluralise(n: int, noun: str) -> str:
    """A number with its noun in the singular or plural.

    Examples
    --------
    >>> pluralise(1, "request"), pluralise(1200, "request")
    ('1 request', '1,200 requests')
    """
    return f"{n:,} {noun}{'' if n == 1 else 's'}"


def texts_in(value: Any) -> Iterator[str]:
    """All texts in plain data, in no particular order; the keys of mappings are none of them.

    Examples
    --------
    >>> sorted(texts_in({"a": ["x", {"b": "y"}], "c": 1}))
    ['x', 'y']
    """
    remaining = [value]
    while remaining:
        item = remaining.pop()
        if isinstance(item, str):
            yield item
        elif isinstance(item, Mapping):
            remaining += item.values()
        elif isinstance(item, list | tuple):
            remaining += item
