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
_HEAD = 5
"""Letters of a cue by which it is looked up, so that a dictionary of thousands takes no longer than a short list."""
_MAX_HEADS = 30
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
        pairs = [
            (answer, cue.strip()) for answer, words in cues.items() for cue in words if cue.replace("*", "").strip()
        ]
        # the longest first, because the first cue that matches at a place counts
        self._entries = sorted(pairs, key=lambda pair: -len(pair[1]))
        self._by_head: dict[str, list[int]] = {}
        heads: dict[bool, set[str]] = {True: set(), False: set()}  # of cues that begin a word, and of others
        for number, (_, cue) in enumerate(self._entries):
            stem = cue.rstrip("*")
            for form in {unicodedata.normalize(form, stem.split()[0]) for form in ("NFC", "NFD")}:
                heads[_begins_word(stem)].add(form[:_HEAD])
                self._by_head.setdefault(_fold(form[:_HEAD]), []).append(number)
        self._starts = _starts_pattern(heads[True], heads[False])

    def find(self, text: str) -> list[Hit]:
        """All cues in a text, in order and without overlaps."""
        quotations: list[tuple[int, int]] | None = None  # in order and without overlaps
        hits: list[Hit] = []
        end = 0
        for place in self._starts.finditer(text, overlapped=True) if self._starts else ():
            start = place.start()
            if start < end or (match := self._match_at(text, start)) is None:
                continue
            if quotations is None:
                quotations = [quotation.span() for quotation in _QUOTES.finditer(text)]
            number, end = match
            answer, cue = self._entries[number]
            i = bisect_left(quotations, (start, 0)) - 1  # the last quotation that begins before the cue
            quoted = i >= 0 and end < quotations[i][1]
            hits.append(Hit(answer, cue, start, end, _is_negated(text, start), quoted))
        return hits

    def _match_at(self, text: str, start: int) -> tuple[int, int] | None:
        """The first cue that matches at a place, and the end of the match."""
        head = _fold(text[start : start + _HEAD])
        numbers = [number for n in range(len(head), 0, -1) for number in self._by_head.get(head[:n], ())]
        for number in sorted(numbers):
            if match := _compiled_cue(self._entries[number][1]).match(text, start):
                return number, match.end()
        return None


@lru_cache(maxsize=512)
def compiled_cues(cues: tuple[tuple[str, tuple[str, ...]], ...]) -> Cues:
    """The compiled cues, cached for this process."""
    return Cues(dict(cues))


def _fold(text: str) -> str:
    """A text without its case, letter by letter, so that its length stays the same."""
    return "".join(_fold_letter(letter) for letter in text)


@lru_cache(maxsize=4096)
def _fold_letter(letter: str) -> str:
    if letter in "Iİı":  # with `i`, regular expressions take them for one letter
        return "i"
    folded = letter.casefold()
    return folded if len(folded) == 1 else letter.lower()[:1]


def _starts_pattern(of_words: set[str], of_others: set[str]) -> regex.Pattern[str] | None:
    """Every place at which a cue may begin; of many cues, only their first letters are searched."""
    parts = []
    for before, heads in ((r"(?<!\w)", of_words), ("", of_others)):
        if len(heads) > _MAX_HEADS:
            parts.append(f"{before}[{''.join(regex.escape(letter) for letter in sorted({head[0] for head in heads}))}]")
        elif heads:
            parts.append(f"{before}(?:{'|'.join(map(regex.escape, sorted(heads)))})")
    return regex.compile("|".join(parts), regex.IGNORECASE) if parts else None


def _begins_word(stem: str) -> bool:
    return stem[:1].isalnum() and not _SPACELESS.search(stem)


@lru_cache(maxsize=100_000)
def _compiled_cue(cue: str) -> regex.Pattern[str]:
    return regex.compile(_cue_pattern(cue), regex.IGNORECASE)


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
