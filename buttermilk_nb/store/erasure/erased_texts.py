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
from urllib.parse import unquote

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

PIECE = 20
"""Characters of a piece."""
_MIN_WORD, _MIN_ID = 4, 5
_SEPARATOR = "\x01"
_UNICODE_ESCAPE = re.compile(r"\\+u([0-9a-fA-F]{4})")
_SPACE_ESCAPE = re.compile(r"\\+[nrtbf]")
_SIGN_ESCAPE = re.compile(r"""\\+(["'/\\])""")
_WORD = re.compile(r"[^\W_]+")
_HANDLE = re.compile(r"[\w.+-]*[\w]@[\w.-]+\w|@\w+")
_PERCENT = re.compile(r"(?:%[0-9A-Fa-f]{2})+")
_BYTE_ESCAPE = re.compile(r"\\+x([0-9a-fA-F]{2})")
_MARKS = re.compile(r"[*~`\u00ad\u200b-\u200f\u2060\ufeff]")
_PREFIX = 6
"""Letters of a name from which on longer forms of it are found too: the name `Finkel` in `Finkels`."""
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
        text = _BYTE_ESCAPE.sub(lambda match: chr(int(match[1], 16)), text)
    if "&" in text:
        text = html.unescape(text)
    if "%" in text:
        text = _PERCENT.sub(lambda match: unquote(match[0]), text)
    text = _MARKS.sub("", unicodedata.normalize("NFKC", text)).replace("_", " ")
    return " ".join(text.casefold().split())


class ErasedTexts:
    """The texts of a forgotten record, prepared for the search.

    Parameters
    ----------
    texts
        Its texts: content, metadata, reasons, notes.
    shared
        The texts of the other records, and the wordings of prompts and criteria.
    ids
        The ids of the record and of what was made of it.

    Examples
    --------
    >>> erased = ErasedTexts(["The letter of Ms Zebrafinch arrived on Monday."], ["It arrived on Monday."])
    >>> erased.find(["She quotes the letter of Ms Zeb.", "It arrived on Monday.", "Zebrafinch is named."])
    [0, 2]
    """

    def __init__(self, texts: Iterable[str], shared: Iterable[str] = (), ids: Iterable[str] = ()) -> None:
        texts = [text for text in texts if text and text.strip()]
        forms = [normalise(text) for text in texts]
        self._pieces = np.unique(np.concatenate([np.empty(0, np.uint64), *map(_piece_hashes, forms)]))
        short_texts = {form for form in forms if _MIN_WORD <= len(form) < PIECE}
        self._words = {word for text in texts for word in _names_in(text)}
        self._words |= {form for form in short_texts if _WORD.fullmatch(form)}
        self._phrases = {form for form in short_texts if not _WORD.fullmatch(form)}
        self._phrases |= {phrase for text in texts for phrase in _phrases_in(text)}
        for chunk in _chunks(shared):
            if not self:
                break
            self._drop_shared(normalise(chunk))
        for name in map(normalise, ids):
            if len(name) >= _MIN_ID:
                (self._words if _WORD.fullmatch(name) else self._phrases).add(name)
        self._stems = {word for word in self._words if len(word) >= _PREFIX}
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
        if any(_contains_phrase(form, phrase) for phrase in self._phrases):
            return True
        if not self._words:
            return False
        words = set(_words_in(form))
        if not self._words.isdisjoint(words):
            return True
        lengths = {len(stem) for stem in self._stems}
        return any(word[:n] in self._stems for word in words for n in lengths if n < len(word))

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


def _contains_phrase(form: str, phrase: str) -> bool:
    return phrase in form and re.search(rf"(?<!\w){re.escape(phrase)}(?!\w)", form) is not None


def _words_in(form: str) -> list[str]:
    return _WORD.findall(form)


def _names_in(text: str) -> Iterator[str]:
    """Words that look like names or numbers: with capitals within a sentence, or with digits."""
    for word, is_name, _ in _capitalised_words(text):
        has_digits = any(character.isdigit() for character in word)
        if len(word) >= _MIN_WORD and (is_name or has_digits) and word.casefold() not in _NO_NAMES:
            yield normalise(word)


def _phrases_in(text: str) -> Iterator[str]:
    """Handles and addresses, and names of several words."""
    yield from (normalise(match[0]) for match in _HANDLE.finditer(text))
    words: list[str] = []
    last_end = 0
    for word, is_name, start in [*_capitalised_words(text), ("", False, len(text) + 2)]:
        if words and not (is_name and text[last_end:start] == " "):
            for n in range(len(words) - 1):  # the first may be no name: Then Ada King left
                yield normalise(" ".join(words[n:]))
            words = []
        if is_name:
            words.append(word)
        last_end = start + len(word)


def _capitalised_words(text: str) -> list[tuple[str, bool, int]]:
    """Each word, whether its capital makes it a name, and where it begins."""
    matches = list(_WORD.finditer(text))
    result = []
    for n, match in enumerate(matches):
        word, start = match[0], match.start()
        following = matches[n + 1] if n + 1 < len(matches) else None
        follows_name = following is not None and following[0][0].isupper() and following.start() == match.end() + 1
        begins = start == 0 or _SENTENCE_END.search(text[max(0, start - 4) : start])
        is_name = not begins or follows_name or (word.isupper() and len(word) > 1)
        result.append((word, word[0].isupper() and is_name, start))
    return result
