"""Where a passage that was marked in another program's copy of a text is in the record."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from ..coded_texts.coded_text import Code, CodedText, Utf16Offsets

_SHOWN = 40
_CONTEXT, _MIN_CONTEXT = 60, 8
"""The letters before and after a passage that are compared, and how many of them must be the same."""


class _Letters:
    """A text without its white space, and where each letter of it was."""

    def __init__(self, text: str) -> None:
        self.text = text

    @cached_property
    def places(self) -> list[int]:
        """The place of each letter in the text."""
        return [i for i, sign in enumerate(self.text) if not sign.isspace()]

    @cached_property
    def letters(self) -> str:
        """The text without white space."""
        return "".join(self.text.split())


class RecordText:
    """The text of a record, in which passages are searched.

    Parameters
    ----------
    content
        The text.
    """

    def __init__(self, content: str) -> None:
        self.content = content
        self._letters = _Letters(content)

    def place(self, code: Code, coded: CodedText) -> dict[str, Any] | str:
        """The passage of a code in this text, with `start`, `end` and `text`; or the reason why it is not there.

        Parameters
        ----------
        code
            A code of a passage.
        coded
            The text of the other program that it is in.
        """
        start, end = code.start, code.end
        if start is None or end is None:
            return self._search(code.text or "")
        other = coded.text
        if other is None and coded.utf_16:
            if coded.length is not None and coded.length > len(self.content.encode("utf-16-le")) // 2:
                return f"the text ends before its place ({start} to {end})"
            offsets = Utf16Offsets(self.content)
            start, end = offsets.to_characters(start), offsets.to_characters(end)
        text = self.content if other is None else other
        is_inside = 0 <= start < end <= len(text)
        if code.text and (not is_inside or text[start:end].split() != code.text.split()):
            return self._search(code.text)
        if not is_inside:
            return f"its place ({start} to {end}) is not in the text"
        return self._passage(start, end) if text == self.content else self._in_other(text, start, end)

    def _in_other(self, other: str, start: int, end: int) -> dict[str, Any] | str:
        """The passage if the texts differ in white space, if one is a part of the other, or if its words are here."""
        ours, theirs = self._letters.letters, "".join(other.split())
        words, first = "".join(other[start:end].split()), len("".join(other[:start].split()))
        if not words:
            return "it has no words"
        if max(ours.count(theirs), theirs.count(ours) if ours else 0) > 1:
            return "the text of the file is several times in this record, or the record in it"
        shift = ours.find(theirs)
        inside = theirs.find(ours) if shift < 0 and ours else -1
        if shift < 0 <= inside:
            shift = -inside
            if not 0 <= first - inside <= len(ours) - len(words):
                return f"`{_shown(words)}` is in another part of the text, outside of this record"
        if shift >= 0 or inside >= 0:
            return self._passage_of_letters(first + shift, len(words))
        return self._search(other[start:end], theirs[:first], theirs[first + len(words) :])

    def _search(self, words: str, before: str = "", after: str = "") -> dict[str, Any] | str:
        """The place of these words: the only one, or the only one between the same letters as in another text."""
        wanted, ours, places, place = "".join(words.split()), self._letters.letters, [], -1
        if not wanted:
            return "it has no words"
        while (place := ours.find(wanted, place + 1)) >= 0:
            places.append(place)
        shown = _shown(" ".join(words.split()))
        if not places:
            return f"`{shown}` is not in the text"
        if len(places) > 1:
            shared = [
                _n_shared(ours[max(0, p - _CONTEXT) : p][::-1], before[-_CONTEXT:][::-1])
                + _n_shared(ours[p + len(wanted) : p + len(wanted) + _CONTEXT], after)
                for p in places
            ]
            best = max(shared)
            places = [p for p, n in zip(places, shared, strict=True) if n == best and n >= _MIN_CONTEXT]
            if len(places) != 1:
                return f"`{shown}` is in the text {len(shared)} times, and nothing says which is meant"
        return self._passage_of_letters(places[0], len(wanted))

    def _passage_of_letters(self, first: int, n: int) -> dict[str, Any]:
        """The passage that begins at a letter and has that many letters."""
        return self._passage(self._letters.places[first], self._letters.places[first + n - 1] + 1)

    def _passage(self, start: int, end: int) -> dict[str, Any]:
        return {"start": start, "end": end, "text": self.content[start:end]}


def _shown(words: str) -> str:
    return words if len(words) <= _SHOWN else f"{words[:_SHOWN]}..."


def _n_shared(a: str, b: str) -> int:
    """How many letters two texts share from their beginning, at most as many as tell one place from another."""
    return next(
        (n for n, (x, y) in enumerate(zip(a[:_CONTEXT], b[:_CONTEXT], strict=False)) if x != y),
        min(len(a), len(b), _CONTEXT),
    )
