"""Small things about text that several rooms need."""

from __future__ import annotations

import re
import unicodedata

_SURROGATE = re.compile("[\ud800-\udfff]")
_WIDE = frozenset("WF")


def clean(text: str) -> str:
    r"""Replace lone surrogates, which no file or database can hold, with U+FFFD.

    Examples
    --------
    >>> clean("a\ud800b") == "a\ufffdb"
    True
    """
    return _SURROGATE.sub("\ufffd", text) if not text.isascii() else text


def shorten(text: str, width: int = 80) -> str:
    r"""One line of at most `width` characters, control characters shown as spaces.

    Examples
    --------
    >>> shorten("a\nb   c", 4)
    'a b…'
    """
    flat = " ".join("".join(c if c.isprintable() else " " for c in text[: width * 4]).split())
    return flat if len(flat) <= width else flat[: width - 1].rstrip() + "…"


def rough_tokens(text: str) -> int:
    """A heuristic count of tokens: four characters each, or one each in wide scripts.

    Never counts words by spaces, which Chinese, Japanese or Thai do not have.

    Examples
    --------
    >>> rough_tokens("four char"), rough_tokens("判决书")
    (3, 3)
    """
    if text.isascii():
        return -(-len(text) // 4)
    wide = sum(unicodedata.east_asian_width(c) in _WIDE for c in text)
    other = sum(ord(c) > 0x2FF for c in text) - wide
    return wide + -(-max(other, 0) // 2) + -(-(len(text) - wide - max(other, 0)) // 4)
