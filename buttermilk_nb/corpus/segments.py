"""Segmentation of texts and records: paragraphs, sentences, pages, headings, turns of speakers, or a pattern.

A sentence ends with a closing sign of any script (. ! ? … 。 ！ ？ । ؟ and others). A full stop must be followed by a
space or the end of the text; signs of scripts without spaces need not be. Common abbreviations and initials do not end
a sentence. This is a rule, not a model, so it gives the same segments on every machine. Pages, headings and turns are
found by the marks that `loaders/documents` writes; see `text_parts.py`.

Segments of a record keep its metadata, its mark `local_only`, their parent and their position in it. The truth and the
codes are about the whole record, so segments do not get them. Images belong to the whole record too, and cannot be cut.
A record with images is therefore refused, because a segment without them would lack a part of its meaning.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence

from .._internal.markdown import code_list
from .._internal.patterns import compile_pattern
from .._internal.text import pluralise
from ..errors import SetupError, nearest
from .record import Record
from .text_parts import PART_FINDERS, TextPart, strip_span, uncertain_speakers

_CLOSERS = r"[\"'”’»)\]」』）]*"
_SENTENCE_END = re.compile(rf"(?:(?<![.!?…])[.!?…]++{_CLOSERS}(?=\s|$)|[。！？｡।॥؟۔]+{_CLOSERS})")
_ABBREVIATION = re.compile(
    r"(?:^|[\s(\"'“‘])(?:[A-Z]|Mr|Mrs|Ms|Dr|Prof|St|Sr|Jr|Rev|Gen|Col|Capt|No|Nr|vs|etc|e\.g|i\.e|cf|ca|z\.B|bzw|M|Mme)\.$"
)
_PARAGRAPH_END = re.compile(r"\n[ \t\r]*+\n\s*+|\f\s*+")
_KINDS = ("paragraph", "sentence", *PART_FINDERS)
_OF_THE_WHOLE = frozenset({"start_s", "end_s", "speakers", "page_names"})
"""Metadata of a transcript or play that its turns do not share."""
PATTERN_TIMEOUT_S = 5.0
"""Seconds that the user's own pattern may take on one text."""


def segment_spans(text: str, by: str) -> Iterator[tuple[int, int]]:
    """Start and end of each segment, in characters, without the white space around it.

    Parameters
    ----------
    text
        The text.
    by
        `"paragraph"`, `"sentence"`, `"page"`, `"heading"`, `"turn"`, or a regular expression that matches the text
        *between* segments.

    Examples
    --------
    >>> text = "Dr. Wu came. 他走了。你呢？"
    >>> [text[a:b] for a, b in segment_spans(text, "sentence")]
    ['Dr. Wu came.', '他走了。', '你呢？']
    """
    return ((part.start, part.end) for part in text_parts(text, by))


def text_parts(text: str, by: str, speakers: Collection[str] = ()) -> Iterator[TextPart]:
    """The segments of a text, with what is known of each: its page, its heading, its speaker, its times."""
    if by in PART_FINDERS:
        yield from PART_FINDERS[by](text, speakers)
        return
    start = 0
    for end, next_start in [*boundaries(text, by), (len(text), len(text))]:
        yield from (TextPart(*span) for span in strip_span(text, start, end))
        start = next_start


def boundaries(text: str, by: str) -> Iterator[tuple[int, int]]:
    """Start and end of each break between two paragraphs, sentences, or matches of a pattern."""
    if by == "sentence":
        for match in _SENTENCE_END.finditer(text):
            if not (match[0] == "." and _ABBREVIATION.search(text, max(0, match.end() - 12), match.end())):
                yield match.end(), match.end()
        return
    if re.fullmatch(r"\w+", by) and by != "paragraph":
        kinds = ", ".join(f"`{kind}`" for kind in _KINDS)
        raise SetupError(f"by={by!r}: write one of {kinds}, or a regular expression for the text between two segments.")
    if by == "paragraph":
        yield from (match.span() for match in _PARAGRAPH_END.finditer(text))
        return
    pattern = compile_pattern(by, "by (`paragraph`, `sentence` or a regular expression)")
    try:
        for break_ in pattern.finditer(text, timeout=PATTERN_TIMEOUT_S):
            if break_.end() > break_.start():
                yield break_.span()
    except TimeoutError:
        raise SetupError(
            f"by={by[:80]!r} takes more than {PATTERN_TIMEOUT_S:g} s on one text; write a simpler pattern."
        ) from None


def segment_record(record: Record, by: str, speakers: Mapping[str, str] | None = None) -> list[Record]:
    """The segments of one record.

    Parameters
    ----------
    record
        The record.
    by
        As in `segment_spans`.
    speakers
        Other names for the speakers of turns; those that are not in it stay as they are.

    Raises
    ------
    SetupError
        The record has images.
    """
    if record.images:
        raise SetupError(
            f"record `{record.record_id}` has {pluralise(len(record.images), 'image')}, which cannot be cut with its "
            "text; leave such records out, corpus.filter(lambda record: not record.images), or judge them whole."
        )
    shared = {**dict(record), "ground_truth": {}, "expert_reasons": {}, "labels": {}}
    shared |= {"parent_id": record.record_id, "cluster": record.cluster or record.record_id}
    segments = []
    try:
        parts = list(text_parts(record.content, by, known_speakers(record, speakers or ())))
    except SetupError as error:
        raise SetupError(f"record `{record.record_id}`: {error.problems[0]}") from None
    of_the_whole = _OF_THE_WHOLE if by == "turn" else {"page_names"} if by == "page" else ()
    inherited = {name: value for name, value in record.metadata.items() if name not in of_the_whole}
    for number, part in enumerate(parts, 1):
        facts = dict(part.facts)
        if "page" in facts and len(names := record.metadata.get("page_names") or ()) >= facts["page"]:
            facts["page"] = names[facts["page"] - 1] or facts["page"]
        if speakers and "speaker" in facts:
            facts["speaker"] = speakers.get(facts["speaker"], facts["speaker"])
        position = {"record_id": f"{record.record_id}#{number}", "start_offset": part.start, "end_offset": part.end}
        content = {"content": record.content[part.start : part.end], "metadata": {**inherited, **facts}}
        segments.append(Record(**{**shared, **position, **content}))
    return segments


def known_speakers(record: Record, speakers: Collection[str]) -> list[str]:
    """The names that are speakers in any case: those that the user names, and those that the file marks as such."""
    marked = record.metadata.get("speakers")
    return [*speakers, *(map(str, marked) if isinstance(marked, list | tuple) else ())]


def speaker_remarks(records: Sequence[Record], segments: Sequence[Record], speakers: Mapping[str, str]) -> list[str]:
    """A remark on names that begin one line only, and were not taken for speakers.

    Raises
    ------
    SetupError
        A name in `speakers` is none of the speakers.
    """
    names = {
        name: None
        for record in records
        for name in uncertain_speakers(record.content, known_speakers(record, speakers))
    }
    found = {str(segment.metadata["speaker"]) for segment in segments if "speaker" in segment.metadata}
    for name, other in speakers.items():
        if other not in found:
            raise SetupError(f"no text has the speaker `{name}`; {nearest(name, sorted(found))}")
    if not names:
        return []
    first = next(iter(names))
    return [
        f"names that begin one line only were not taken for speakers: {code_list(names)}; "
        f"speakers={{{first!r}: {first!r}}} takes such a name for one."
    ]
