"""The parts of a text that its marks show: pages, sections under headings, turns of speakers.

The marks are those that `loaders/documents` writes, and that people write: a form feed between pages, `# ` before a
heading, `NAME: ` at the beginning of a turn, perhaps with a time before or after the name.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from typing import Any, NamedTuple

from .._internal.markdown import code_list
from ..errors import SetupError

_HEADING = re.compile(r"^(#{1,6})[ \t]+(\S[^\n]*)$", re.MULTILINE)
_TIME = r"[\[(]?(?:\d{1,2}:)?\d{1,2}:\d{2}(?:[.,]\d{1,3})?[\])]?"
_TURN = re.compile(
    rf"^[ \t]*(?:\*\*)?(?:(?P<before>{_TIME})[ \t-]*)?(?P<speaker>[^\W\d_][\w .'’()/-]{{0,39}}?)(?:\*\*)?"
    rf"[ \t]*(?P<after>{_TIME})?[ \t]*(?:\*\*)?:(?:\*\*)?(?=[ \t]|$)",
    re.MULTILINE,
)
_NO_SPEECH = re.compile(r"^(?:#{1,6}[ \t]+\S|\| )", re.MULTILINE)
"""A heading, or the row of a table."""
_LEAST_LINES = 2
"""Lines that a name must begin to count as a speaker."""


class TextPart(NamedTuple):
    """A part of a text: its start and its end, in characters, and what is known of it."""

    start: int
    end: int
    facts: dict[str, Any] = {}  # noqa: RUF012  # of a NamedTuple; it is never changed


def strip_span(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """The span without white space at its ends; nothing if only white space remains."""
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    if end > start:
        yield start, end


def find_pages(text: str) -> Iterator[TextPart]:
    r"""The pages of a text, which form feeds separate, with their numbers.

    Examples
    --------
    >>> [(part.start, part.facts["page"]) for part in find_pages("One.\f\fThree.")]
    [(0, 1), (6, 3)]
    """
    start = 0
    for number, page in enumerate(text.split("\f"), 1):
        for span in strip_span(text, start, start + len(page)):
            yield TextPart(*span, {"page": number})
        start += len(page) + 1


def find_sections(text: str) -> Iterator[TextPart]:
    r"""The sections of a text, with their heading and its level; what is before the first heading has none.

    Examples
    --------
    >>> [part.facts for part in find_sections("# The harbour\n\nIt was closed.")]
    [{'heading': 'The harbour', 'heading_level': 1}]
    """
    matches = list(_HEADING.finditer(text))
    for span in strip_span(text, 0, matches[0].start() if matches else len(text)):
        yield TextPart(*span)
    for match, following in zip(matches, [*matches[1:], None], strict=True):
        end = following.start() if following else len(text)
        for span in strip_span(text, match.end(), end):  # a heading without a text under it is none
            yield TextPart(*span, {"heading": match[2].strip(" *#"), "heading_level": len(match[1])})


def find_turns(text: str, speakers: Collection[str] = ()) -> Iterator[TextPart]:
    r"""The turns of speakers: `ANA: Good morning.`, also `[00:01:02] Ana: ...` and `Ana (00:01:02): ...`.

    A name counts as a speaker if it begins at least two lines, is in capital letters, or is one of `speakers`; or if
    every line begins with a name. What is before the first turn, and a heading or a table, is a part without a speaker.
    A time becomes `start_s`, in seconds.

    Raises
    ------
    SetupError
        No line begins with a speaker.

    Examples
    --------
    >>> [(part.start, part.facts["speaker"]) for part in find_turns("ANA: Yes.\nBEN: No.\nANA: Why?")]
    [(5, 'ANA'), (15, 'BEN'), (24, 'ANA')]
    """
    turns, other_names = _speaker_lines(text, speakers)
    if not turns and other_names:
        named = ", ".join(f"{name!r}: {name!r}" for name in other_names)
        raise SetupError(
            f'by="turn": {code_list(other_names)} begin only one line each, so it is not certain that they are '
            f"speakers; speakers={{{named}}} says so."
        )
    if not turns:
        raise SetupError('by="turn": no line begins with the name of a speaker, such as `ANA: Good morning.`')
    for span in strip_span(text, 0, turns[0].start()):
        yield TextPart(*span)
    for match, following in zip(turns, [*turns[1:], None], strict=True):
        end = following.start() if following else len(text)
        no_speech = _NO_SPEECH.search(text, match.end(), end)
        facts: dict[str, Any] = {"speaker": match["speaker"].strip()}
        if time := match["before"] or match["after"]:
            facts["start_s"] = _seconds(time)
        end_of_speech = no_speech.start() if no_speech else end
        yield from (TextPart(*span, facts) for span in strip_span(text, match.end(), end_of_speech))
        yield from (TextPart(*span) for span in strip_span(text, end_of_speech, end))


def uncertain_speakers(text: str, speakers: Collection[str] = ()) -> list[str]:
    r"""Names that begin one line only, and were not taken for speakers.

    Examples
    --------
    >>> uncertain_speakers("Ana: Yes.\nBen: No.\nAna: Why?")
    ['Ben']
    """
    return _speaker_lines(text, speakers)[1]


def is_speaker(name: str, n_lines: int, speakers: Collection[str]) -> bool:
    """Whether a name that begins so many lines is that of a speaker.

    Examples
    --------
    >>> is_speaker("Ana", 2, ()), is_speaker("ANA", 1, ()), is_speaker("Note", 1, ()), is_speaker("Ben", 1, ["Ben"])
    (True, True, False, True)
    """
    return n_lines >= _LEAST_LINES or name.isupper() or name in speakers


def _speaker_lines(text: str, speakers: Collection[str]) -> tuple[list[re.Match[str]], list[str]]:
    """The beginnings of turns, and the names that were not taken for speakers."""
    matches = list(_TURN.finditer(text))
    counts = Counter(match["speaker"] for match in matches)
    n_lines = sum(bool(line.strip()) for line in text.splitlines())
    taken = {name for name, n in counts.items() if is_speaker(name, n, speakers)}
    if not taken and len(matches) == n_lines > 1:
        taken = set(counts)
    return [match for match in matches if match["speaker"] in taken], [name for name in counts if name not in taken]


def _seconds(time: str) -> float:
    seconds = 0.0
    for part in time.strip("[]()").replace(",", ".").split(":"):
        seconds = seconds * 60 + float(part)
    return seconds


PART_FINDERS: dict[str, Callable[[str, Collection[str]], Iterator[TextPart]]] = {
    "page": lambda text, _: find_pages(text),
    "heading": lambda text, _: find_sections(text),
    "turn": find_turns,
}
"""What finds the parts of each kind, in a text and with the speakers that the user names."""
