"""Where a passage that was marked in another program's copy of a text is in the record."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from ..coded_texts.coded_text import Code, CodedText, Utf16Offsets

_SHOWN = 40


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

    def same_text(self, text: str) -> bool:
        """Whether a text is this one, apart from white space."""
        return self._letters.letters == "".join(text.split())

    def place(self, code: Code, coded: CodedText) -> dict[str, Any] | str:
        """The passage of a code in this text, with `start`, `end` and `text`; or the reason why it is not there.

        Parameters
        ----------
        code
            A code of a passage.
        coded
            The text of the other program that it is in.
        """
        words = self._words(code, coded)
        if words is None:
            return f"its place ({code.start} to {code.end}) is not in the text"
        if isinstance(words, tuple):
            return self._passage(*words)
        if not words.strip():
            return "it has no words"
        hint = None if coded.text is None or code.start is None else code.start / max(len(coded.text), 1)
        return self._find(words, hint)

    def _words(self, code: Code, coded: CodedText) -> str | tuple[int, int] | None:
        """The words to search, or the place itself where both texts are the same."""
        start, end = code.start, code.end
        if start is None or end is None:
            return code.text
        other = coded.text
        if other is None and coded.utf_16:
            offsets = Utf16Offsets(self.content)
            if coded.length is not None and coded.length > len(self.content.encode("utf-16-le")) // 2:
                return None
            start, end = offsets.to_characters(start), offsets.to_characters(end)
            return (start, end) if 0 <= start < end <= len(self.content) else None
        text = self.content if other is None else other
        is_inside = 0 <= start < end <= len(text)
        if code.text and (not is_inside or text[start:end].split() != code.text.split()):
            return code.text
        if not is_inside:
            return None
        return (start, end) if other is None or other == self.content else self._in_other(other, start, end)

    def _in_other(self, other: str, start: int, end: int) -> str | tuple[int, int]:
        """The place of a passage if the texts differ in white space, or if one is a part of the other."""
        theirs, words = _Letters(other), "".join(other[start:end].split())
        first = len("".join(other[:start].split()))
        shift = self._letters.letters.find(theirs.letters) if theirs.letters else -1
        if shift < 0:
            inside = theirs.letters.find(self._letters.letters)
            shift = -inside if inside >= 0 and first >= inside else len(self._letters.letters) + 1
        place = first + shift
        if words and self._letters.letters[place : place + len(words)] == words:
            return self._letters.places[place], self._letters.places[place + len(words) - 1] + 1
        return other[start:end]

    def _find(self, words: str, hint: float | None) -> dict[str, Any] | str:
        """The only place where these words are, or the one nearest to a place (from 0 to 1)."""
        wanted, places, place = "".join(words.split()), [], -1
        while (place := self._letters.letters.find(wanted, place + 1)) >= 0:
            places.append(place)
        shown = " ".join(words.split())
        shown = shown if len(shown) <= _SHOWN else f"{shown[:_SHOWN]}..."
        if not places:
            return f"`{shown}` is not in the text"
        if len(places) > 1 and hint is None:
            return f"`{shown}` is {len(places)} times in the text"
        target = (hint or 0) * len(self._letters.letters)
        first = min(places, key=lambda item: abs(item - target))
        return self._passage(self._letters.places[first], self._letters.places[first + len(wanted) - 1] + 1)

    def _passage(self, start: int, end: int) -> dict[str, Any]:
        return {"start": start, "end": end, "text": self.content[start:end]}
