"""The dictionary method of content analysis: find cue words and phrases in a text.

Cues match whole words and ignore case; `*` at the end is a wildcard. Cues in scripts without spaces match anywhere. A
cue is *negated* if a negator comes up to three words before it in the same sentence (English, German, French, Spanish
and Russian negators). A cue inside quotation marks is *quoted*. Cues are compiled once per criterion.
"""

from __future__ import annotations

import unicodedata
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

import regex  # its \w matches combining marks (Devanagari, Arabic), unlike the standard library's

_NEGATORS = frozenset(
    ["not", "no", "never", "without", "nobody", "none", "neither", "nor", "cannot", "hardly", "isn't",
     "aren't", "wasn't", "weren't", "don't", "doesn't", "didn't", "won't", "can't", "nicht", "kein", "keine",
     "keinen", "keinem", "keiner", "keines", "nie", "ohne", "ne", "pas", "jamais", "sans", "nunca", "jamás",
     "sin", "не", "нет", "без", "никогда"]
)  # fmt: skip
_NEGATION_WINDOW = 4  # words before a cue: the negator and up to three words between
_PUNCTUATION = ".,;:!?()[]\"“”'‘’«»„—–-"
_SENTENCE = regex.compile(r"[.!?…。！？।؟\n]")
_QUOTES = regex.compile(r"“[^”]*”|\"[^\"\n]*\"|«[^»]*»|„[^“”]*[“”]|「[^」]*」|『[^』]*』|‘[^’]*’")
_SPACELESS = regex.compile(r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}]")


class Hit(NamedTuple):
    """One occurrence of a cue in a text."""

    answer: str
    cue: str
    start: int
    end: int
    negated: bool
    quoted: bool


class Cues:
    """The compiled cues of one criterion.

    Parameters
    ----------
    cues
        The words and phrases of each answer.

    Examples
    --------
    >>> cues = Cues({"yes": ["vermin", "swarm*"]})
    >>> [(hit.cue, hit.negated) for hit in cues.find("They swarmed in. They are not vermin.")]
    [('swarm*', False), ('vermin', True)]
    """

    def __init__(self, cues: Mapping[str, Sequence[str]]) -> None:
        self._entries: list[tuple[str, str]] = []
        patterns = []
        pairs = [
            (answer, cue.strip()) for answer, words in cues.items() for cue in words if cue.replace("*", "").strip()
        ]
        for answer, cue in sorted(
            pairs, key=lambda pair: -len(pair[1])
        ):  # the longest first, because the regex takes the first match
            patterns.append(f"(?P<c{len(self._entries)}>{_cue_pattern(cue)})")
            self._entries.append((answer, cue))
        self._regex = regex.compile("|".join(patterns), regex.IGNORECASE) if patterns else None

    def find(self, text: str) -> list[Hit]:
        """All cues in a text, in order and without overlaps."""
        if self._regex is None:
            return []
        quotations: list[tuple[int, int]] | None = None  # in order and without overlaps
        hits = []
        for match in self._regex.finditer(text):
            if quotations is None:
                quotations = [quotation.span() for quotation in _QUOTES.finditer(text)]
            answer, cue = self._entries[int(str(match.lastgroup)[1:])]
            start, end = match.span()
            i = bisect_left(quotations, (start, 0)) - 1  # the last quotation that begins before the cue
            quoted = i >= 0 and end < quotations[i][1]
            hits.append(Hit(answer, cue, start, end, _is_negated(text, start), quoted))
        return hits


@lru_cache(maxsize=512)
def compiled_cues(cues: tuple[tuple[str, tuple[str, ...]], ...]) -> Cues:
    """The compiled cues, cached for this process."""
    return Cues(dict(cues))


def _cue_pattern(cue: str) -> str:
    stem = cue.rstrip("*")
    words = [dict.fromkeys(unicodedata.normalize(form, part) for form in ("NFC", "NFD")) for part in stem.split()]
    body = r"\s+".join(f"(?:{'|'.join(regex.escape(form) for form in forms)})" for forms in words)
    if _SPACELESS.search(stem):
        return body
    left = r"(?<![\w])" if stem[:1].isalnum() else ""
    right = r"\w*" if cue.endswith("*") else (r"(?![\w])" if regex.match(r"\w", stem[-1:]) else "")
    return f"{left}{body}{right}"


def _is_negated(text: str, start: int) -> bool:
    before = _SENTENCE.split(text[max(0, start - 60) : start])[-1]
    words = before.replace("’", "'").split()[-_NEGATION_WINDOW:]  # newspapers use the typographic apostrophe
    return any(word.strip(_PUNCTUATION).casefold() in _NEGATORS for word in words)
