"""`ErasedTexts`: find the texts of a forgotten record wherever they are quoted.

Searched are all pieces of 20 characters of the record's texts, its shorter texts, and the names and numbers in it. A
piece that another record or the wording of a prompt contains too is not searched, because it says nothing about the
forgotten one. Case, white space, and the escapes of JSON and HTML make no difference. Paraphrases cannot be found.
"""

from __future__ import annotations

import calendar
import html
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

PIECE = 20
"""Characters of a piece."""
_MIN_WORD = 4
_SEPARATOR = "\x01"
_UNICODE_ESCAPE = re.compile(r"\\+u([0-9a-fA-F]{4})")
_SPACE_ESCAPE = re.compile(r"\\+[nrtbf]")
_SIGN_ESCAPE = re.compile(r"""\\+(["'/\\])""")
_WORD = re.compile(r"[\w@](?:[\w@.'’-]*\w)?")
_SENTENCE_END = re.compile(r"""[.!?:;\n“"'(\[•-]\s*$""")
_NO_NAMES = frozenset(word.casefold() for word in (*calendar.day_name, *calendar.month_name))
_BASE = np.uint64(0x9E3779B97F4A7C15)
_BUCKET_BITS = 20
_CHUNK = 2_000_000


def normalise(text: str) -> str:
    r"""The form of a text in which it is searched: without escapes, in lower case, with single spaces.

    Examples
    --------
    >>> normalise('Caf\\u00e9\\n &amp; "Bar"') == normalise('café &\t"bar"')
    True
    """
    if "\\" in text:
        text = _UNICODE_ESCAPE.sub(lambda match: chr(int(match[1], 16)), text)
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        text = _SIGN_ESCAPE.sub(r"\1", _SPACE_ESCAPE.sub(" ", text))
    if "&" in text:
        text = html.unescape(text)
    return " ".join(unicodedata.normalize("NFC", text).casefold().split())


class ErasedTexts:
    """The texts of a forgotten record, prepared for the search.

    Parameters
    ----------
    texts
        Its texts: content, metadata, reasons, notes.
    shared
        The texts of the other records, and the wordings of prompts and criteria.

    Examples
    --------
    >>> erased = ErasedTexts(["The letter of Ms Zebrafinch arrived on Monday."], ["It arrived on Monday."])
    >>> erased.find(["She quotes the letter of Ms Zeb.", "It arrived on Monday.", "Zebrafinch is named."])
    [0, 2]
    """

    def __init__(self, texts: Iterable[str], shared: Iterable[str] = ()) -> None:
        texts = [text for text in texts if text and text.strip()]
        forms = [normalise(text) for text in texts]
        self._pieces = np.unique(np.concatenate([np.empty(0, np.uint64), *map(_piece_hashes, forms)]))
        self._words = {word for text in texts for word in _names_in(text)}
        self._words |= {word for form in forms if _MIN_WORD <= len(form) < PIECE for word in [form] if " " not in word}
        self._phrases = {form for form in forms if _MIN_WORD <= len(form) < PIECE and " " in form}
        for chunk in _chunks(shared):
            if not self:
                break
            self._drop_shared(normalise(chunk))
        self._buckets = np.zeros(1 << _BUCKET_BITS, bool)
        self._buckets[self._pieces >> np.uint64(64 - _BUCKET_BITS)] = True

    def __bool__(self) -> bool:
        return bool(len(self._pieces) or self._words or self._phrases)

    def find(self, texts: Sequence[str]) -> list[int]:
        """The positions of the texts that quote the record."""
        if not self or not texts:
            return []
        if len(texts) > 1 and not self._occurs_in(normalise(_SEPARATOR.join(texts))):
            return []
        return [position for position, text in enumerate(texts) if self._occurs_in(normalise(text))]

    def occurs_in(self, text: str) -> bool:
        """Whether a text quotes the record."""
        return bool(self.find([text]))

    def blank(self, value: Any, replacement: str = "[forgotten]") -> Any:
        """Plain data, with `replacement` for each text that quotes the record."""
        if isinstance(value, str):
            return replacement if self.occurs_in(value) else value
        if isinstance(value, list):
            return [self.blank(item, replacement) for item in value]
        if isinstance(value, dict):
            return {self.blank(key, replacement): self.blank(item, replacement) for key, item in value.items()}
        return value

    def _occurs_in(self, form: str) -> bool:
        hashes = _piece_hashes(form)
        if len(hashes) and len(self._pieces):
            likely = hashes[self._buckets[hashes >> np.uint64(64 - _BUCKET_BITS)]]
            if len(likely) and np.isin(likely, self._pieces).any():
                return True
        if any(phrase in form for phrase in self._phrases):
            return True
        return bool(self._words) and not self._words.isdisjoint(_words_in(form))

    def _drop_shared(self, form: str) -> None:
        if len(self._pieces):
            self._pieces = self._pieces[~np.isin(self._pieces, _piece_hashes(form))]
        if self._words:
            self._words -= set(_words_in(form))
        self._phrases = {phrase for phrase in self._phrases if phrase not in form}


def _chunks(texts: Iterable[str]) -> Iterator[str]:
    """The texts, joined to chunks of some million characters."""
    batch: list[str] = []
    size = 0
    for text in texts:
        batch.append(text)
        size += len(text)
        if size > _CHUNK:
            yield _SEPARATOR.join(batch)
            batch, size = [], 0
    if batch:
        yield _SEPARATOR.join(batch)


def _piece_hashes(form: str) -> NDArray[np.uint64]:
    """A hash of each piece of a text."""
    if len(form) < PIECE:
        return np.empty(0, np.uint64)
    codes = np.frombuffer(form.encode("utf-32-le", "surrogatepass"), np.uint32).astype(np.uint64)
    with np.errstate(over="ignore"):
        two = _join(codes, codes, 1, 1)
        four = _join(two, two, 2, 2)
        eight = _join(four, four, 4, 4)
        sixteen = _join(eight, eight, 8, 8)
        twenty = _join(sixteen, four, 16, 4)
        return (twenty ^ (twenty >> np.uint64(29))) * _BASE


def _join(left: NDArray[np.uint64], right: NDArray[np.uint64], offset: int, width: int) -> NDArray[np.uint64]:
    """The hashes of pieces that begin with a left part and go on with a right part, `offset` characters later."""
    count = len(right) - offset
    power = np.uint64(pow(int(_BASE), width, 1 << 64))
    return left[:count] * power + right[offset : offset + count]


def _words_in(form: str) -> list[str]:
    return _WORD.findall(form)


def _names_in(text: str) -> Iterator[str]:
    """Words that look like names, numbers or handles: with capitals within a sentence, digits or @."""
    matches = list(_WORD.finditer(text))
    for n, match in enumerate(matches):
        word = match[0]
        if len(word) < _MIN_WORD or word.casefold() in _NO_NAMES:
            continue
        follows_name = n + 1 < len(matches) and matches[n + 1][0][:1].isupper()
        starts = match.start() == 0 or _SENTENCE_END.search(text[max(0, match.start() - 4) : match.start()])
        is_name = word[0].isupper() and (not starts or follows_name or word.isupper())
        if is_name or "@" in word or "_" in word or any(character.isdigit() for character in word):
            yield normalise(word)
