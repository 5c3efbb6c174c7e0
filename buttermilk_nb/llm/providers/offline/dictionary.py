"""The dictionary method of content analysis: counting cue words and phrases in a text.

Cues are matched on whole words, without regard to case; `*` at the end is a wildcard; cues in scripts
that write no spaces are matched anywhere. A cue after a negating word within three words of the same
sentence is *negated* (English, German, French, Spanish and Russian negators). A cue inside quotation
marks is *quoted*. Compiled once per criterion.
"""

from __future__ import annotations

import unicodedata
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

import regex  # its \w knows combining marks, which the standard library's does not (Devanagari, Arabic)

_NEGATORS = frozenset(
    ["not", "no", "never", "without", "nobody", "none", "neither", "nor", "cannot", "hardly", "isn't",
     "aren't", "wasn't", "weren't", "don't", "doesn't", "didn't", "won't", "can't", "nicht", "kein", "keine",
     "keinen", "keinem", "keiner", "keines", "nie", "ohne", "ne", "pas", "jamais", "sans", "nunca", "jamás",
     "sin", "не", "нет", "без", "никогда"]
)  # fmt: skip
_NEGATION_WINDOW = 4  # words before a cue in which a negator counts: itself and up to three between
_PUNCTUATION = ".,;:!?()[]\"“”'‘’«»„—–-"
_SENTENCE = regex.compile(r"[.!?…。！？।؟\n]")
_QUOTES = regex.compile(r"“[^”]*”|\"[^\"\n]*\"|«[^»]*»|„[^“”]*[“”]|「[^」]*」|『[^』]*』|‘[^’]*’")
_SPACELESS = regex.compile(r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}]")


class Hit(NamedTuple):
    """A cue that stands in a text."""

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
        From answer to its words and phrases.

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
        for answer, cue in sorted(pairs, key=lambda pair: -len(pair[1])):  # the longest first, as the regex takes them
            patterns.append(f"(?P<c{len(self._entries)}>{_cue_pattern(cue)})")
            self._entries.append((answer, cue))
        self._regex = regex.compile("|".join(patterns), regex.IGNORECASE) if patterns else None

    def find(self, text: str) -> list[Hit]:
        """Every cue in a text, in order, none overlapping."""
        if self._regex is None:
            return []
        spans: list[tuple[int, int]] | None = None  # in order, none overlapping
        hits = []
        for found in self._regex.finditer(text):
            if spans is None:
                spans = [match.span() for match in _QUOTES.finditer(text)]
            answer, cue = self._entries[int(str(found.lastgroup)[1:])]
            start, end = found.span()
            within = bisect_left(spans, (start, 0)) - 1  # the last that opens before it
            quoted = within >= 0 and end < spans[within][1]
            hits.append(Hit(answer, cue, start, end, _is_negated(text, start), quoted))
        return hits


@lru_cache(maxsize=512)
def compiled_cues(cues: tuple[tuple[str, tuple[str, ...]], ...]) -> Cues:
    """Cues compiled once per process."""
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
    words = before.replace("’", "'").split()[-_NEGATION_WINDOW:]  # newspapers print the typographic apostrophe
    return any(word.strip(_PUNCTUATION).casefold() in _NEGATORS for word in words)
