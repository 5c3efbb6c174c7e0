"""Match a raw answer with the answers of a scale, as whole words."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from functools import lru_cache

import regex


def normalise(text: str) -> str:
    """The form in which answers are compared: case, spaces, closing punctuation and composed accents are ignored."""
    plain = unicodedata.normalize("NFC", text).replace("−", "-")
    return " ".join(plain.strip().strip(".!\"'`*_").casefold().split())


def exact_match(raw: str, offered: Sequence[str]) -> str | None:
    """The offered answer that equals `raw` after normalisation, or None."""
    normalised = normalise(raw)
    return next((name for name in offered if normalise(name) == normalised), None)


def find_answer(raw: str, offered: Sequence[str]) -> str | None:
    """The one offered answer that `raw` equals, or contains as whole words; None if there is none or several."""
    match = exact_match(raw, offered)
    if match is not None or len(raw) > 400:
        return match
    remaining = normalise(raw)
    matches = []
    for name in sorted(offered, key=len, reverse=True):
        pattern = whole_word_pattern(normalise(name))
        if pattern.search(remaining):
            matches.append(name)
            remaining = pattern.sub(" ", remaining)
    return matches[0] if len(matches) == 1 else None


@lru_cache(maxsize=1024)
def whole_word_pattern(name: str) -> regex.Pattern[str]:
    """A pattern for a name as whole words: not part of a longer or hyphenated word or number, and not negated."""
    sign = "(?<![-–])" if name[:1].isdigit() else ""
    before = rf"(?<!\w)(?<!\w[-‐‑])(?<!\d[.,])(?<!\bnot ){sign}"
    return regex.compile(rf"{before}{regex.escape(name)}(?!\w)(?![-‐‑]\w)(?![.,]\d)")
