"""Cutting texts into paragraphs, sentences or pieces of one's own, with their places kept.

Sentences end where a closing sign of any script ends them (. ! ? … 。 ！ ？ । ؟ and others); a full
stop must be followed by a space or the end, signs of scripts without spaces need not be. Common
abbreviations and initials do not end one. This is a rule, not a model: it is the same everywhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..errors import SetupError

_CLOSERS = r"[\"'”’»)\]」』）]*"
_SENTENCE_END = re.compile(rf"(?:(?<![.!?…])[.!?…]++{_CLOSERS}(?=\s|$)|[。！？｡।॥؟۔]+{_CLOSERS})")
_ABBREVIATION = re.compile(
    r"(?:^|[\s(\"'“‘])(?:[A-Z]|Mr|Mrs|Ms|Dr|Prof|St|Sr|Jr|Rev|Gen|Col|Capt|No|Nr|vs|etc|e\.g|i\.e|cf|ca|z\.B|bzw|M|Mme)\.$"
)
_PARAGRAPH_END = re.compile(r"\n[ \t\r]*\n\s*")


def segment_spans(text: str, by: str) -> Iterator[tuple[int, int]]:
    """The offsets of the pieces, without the white space around them.

    Parameters
    ----------
    text
        The text.
    by
        `"paragraph"`, `"sentence"`, or a regular expression that matches what stands *between* pieces.

    Examples
    --------
    >>> text = "Dr. Wu came. 他走了。你呢？"
    >>> [text[a:b] for a, b in segment_spans(text, "sentence")]
    ['Dr. Wu came.', '他走了。', '你呢？']
    """
    start = 0
    for end, after in boundaries(text, by):
        yield from strip_span(text, start, end)
        start = after
    yield from strip_span(text, start, len(text))


def boundaries(text: str, by: str) -> Iterator[tuple[int, int]]:
    """Start and end of each break between two segments."""
    if by == "sentence":
        for found in _SENTENCE_END.finditer(text):
            if not (found[0] == "." and _ABBREVIATION.search(text, max(0, found.end() - 12), found.end())):
                yield found.end(), found.end()
        return
    if re.fullmatch(r"\w+", by) and by != "paragraph":
        raise SetupError(
            f"by={by!r}: write `paragraph`, `sentence`, or a regular expression for what parts the pieces."
        )
    try:
        pattern = _PARAGRAPH_END if by == "paragraph" else re.compile(by)
    except re.error as error:
        raise SetupError(
            f"by={by!r} is neither `paragraph` nor `sentence` nor a regular expression: {error}."
        ) from error
    for found in pattern.finditer(text):
        if found.end() > found.start():
            yield found.start(), found.end()


def strip_span(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """The span without white space at its ends; nothing if only white space remains."""
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    if end > start:
        yield start, end
