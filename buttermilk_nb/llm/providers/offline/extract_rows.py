"""Rows that an offline model extracts by rule: passages with cues.

One row for each sentence with a cue of the criteria that is not negated; without cues, one row for the first sentence.
The column of the quotation holds the sentence. A column of which one value is the criterion holds the criterion; a
column of *yes* and *no* says whether the cue speaks for a flagged answer. What no rule can tell is "not answered".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from ....codebook.criteria import Criteria
from ....codebook.criterion import Criterion
from ....corpus.record import Record
from ....errors import SkippedCell
from .dictionary import compiled_cues
from .fill_schema import NOT_ANSWERED, empty_choice
from .sentences import first_sentence, sentence_at

_MAX_ROWS = 50


class _CuePassage(NamedTuple):
    """A sentence, and the cue in it: its words, its criterion, and the answer that it speaks for."""

    sentence: str
    cue: str = ""
    criterion: Criterion | None = None
    answer: str = ""


def extract_rows(
    record: Record,
    columns: Mapping[str, str | tuple[str, ...]],
    quote: str | None,
    criteria: Criteria | None,
    *,
    with_quoted: bool,
) -> list[dict[str, str]]:
    """The rows of a baseline.

    Parameters
    ----------
    record
        The record.
    columns
        What each column holds, or its allowed values.
    quote
        The column with the quotation.
    criteria
        The criteria whose cues are looked for.
    with_quoted
        Whether cues in quotation marks count.

    Raises
    ------
    SkippedCell
        The record has no text.
    """
    if not record.content.strip():
        raise SkippedCell(f"record `{record.record_id}` has no text, and the baselines do not read images.")
    passages = list(_passages(record.content, criteria, with_quoted=with_quoted))[:_MAX_ROWS]
    if criteria is None or not any(criterion.cues for criterion in criteria):
        passages = [_CuePassage(first_sentence(record.content))]
    return [
        {name: passage.sentence if name == quote else _value(content, passage) for name, content in columns.items()}
        for passage in passages
    ]


def _passages(text: str, criteria: Criteria | None, *, with_quoted: bool) -> Iterator[_CuePassage]:
    for criterion in criteria or ():
        known: set[str] = set()
        for hit in compiled_cues(tuple(criterion.cues.items())).find(text):
            sentence = sentence_at(text, hit.start, hit.end)
            if hit.negated or (hit.quoted and not with_quoted) or sentence in known:
                continue
            known.add(sentence)
            yield _CuePassage(sentence, text[hit.start : hit.end], criterion, hit.answer)


def _value(content: str | tuple[str, ...], passage: _CuePassage) -> str:
    criterion = passage.criterion
    if isinstance(content, str):
        return f"The cue {passage.cue!r} of {criterion.name}." if criterion else NOT_ANSWERED
    if criterion and criterion.name in content:
        return criterion.name
    if criterion and criterion.flag is not None and set(content) == {"yes", "no"}:
        return "yes" if criterion.flagged(criterion.parse(passage.answer)) else "no"
    return str(empty_choice(content))
