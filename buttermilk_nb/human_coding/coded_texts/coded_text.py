"""`CodedText`: one text as one coder coded it in another program, with the marked passages."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

NO_LABEL = "none of these"
"""The answer to a question with several labels if none of them applies."""


class Code(NamedTuple):
    """One code, of a passage or of the whole text.

    Parameters
    ----------
    path
        The names of the code, from the outermost: `("emotion", "fear")`. If an answer is given, the name of a question.
    answer
        The answer, where the program stores it apart from the name of the code.
    start, end
        The place of the passage (characters, counted from 0, the end excluded); None for the whole text.
    text
        The words of the passage, if the program stores them.
    notes
        The coder's note.
    features
        The features of an annotation with their values, each of which may be a code, or several together one.
    is_optional
        Whether it may be no code at all, such as a column with other data: it counts if a question is called so.
    """

    path: tuple[str, ...]
    answer: Any = None
    start: int | None = None
    end: int | None = None
    text: str | None = None
    notes: str | None = None
    features: tuple[tuple[str, str], ...] = ()
    is_optional: bool = False

    def checked(self) -> Code:
        """The code with a place only if that is two whole numbers, and with words and notes only if these are texts.

        A damaged file may have anything in their place.
        """
        words = self.text if isinstance(self.text, str) else None
        start, end = self.start, self.end
        if not all(isinstance(place, int) and not isinstance(place, bool) for place in (start, end)):
            nowhere = None if words or start is None else -1  # no text has it, so that the passage is listed
            start = end = nowhere
        notes = self.notes if isinstance(self.notes, str) else None
        return self._replace(path=tuple(map(str, self.path)), start=start, end=end, text=words, notes=notes)

    @property
    def is_passage(self) -> bool:
        """Whether it is the code of a passage."""
        return self.start is not None or bool(self.text)


@dataclass(frozen=True)
class CodedText:
    """One text with the codes of one coder.

    Parameters
    ----------
    where
        The file and the place in it, for messages.
    names
        The names that the program gives the text: ids and names of files.
    coder
        The coder's name; empty if the file does not contain it.
    codes
        The codes. A coder who read the text and marked nothing has none.
    text
        The text as the program has it; None if the file does not contain it.
    length
        The length of the text in characters, where that is all that the file says of it.
    utf_16
        Whether the places count in UTF-16, as programs in Java and .NET do, and are still to be counted in characters.
    problem
        The reason why it cannot be used, if that is known.
    facts
        Other data of the text, of which one may be the id of its record.
    """

    where: str
    names: tuple[str, ...]
    coder: str = ""
    codes: tuple[Code, ...] = ()
    text: str | None = None
    length: int | None = None
    utf_16: bool = False
    problem: str | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)

    def checked(self) -> CodedText:
        """The same with sound codes, and with a text only if it is one."""
        text = self.text if isinstance(self.text, str) else None
        return replace(self, text=text, codes=tuple(code.checked() for code in self.codes))


class Utf16Offsets:
    r"""Converts between places in a text that are counted in UTF-16 and in characters.

    Examples
    --------
    >>> offsets = Utf16Offsets("a😀b")
    >>> offsets.to_characters(3), offsets.from_characters(2)
    (2, 3)
    """

    def __init__(self, text: str) -> None:
        self._wide = [] if text.isascii() else [i for i, sign in enumerate(text) if sign > "\uffff"]
        self._wide_in_utf_16 = [place + n for n, place in enumerate(self._wide)]

    def to_characters(self, place: int) -> int:
        """The place in characters."""
        return place - bisect_left(self._wide_in_utf_16, place)

    def from_characters(self, place: int) -> int:
        """The place in UTF-16."""
        return place + bisect_left(self._wide, place)


def convert_places(codes: Iterable[Code], text: str) -> tuple[Code, ...]:
    """Codes whose places are counted in UTF-16, counted in characters."""
    offsets = Utf16Offsets(text)
    return tuple(
        code
        if code.start is None or code.end is None
        else code._replace(start=offsets.to_characters(code.start), end=offsets.to_characters(code.end))
        for code in codes
    )
