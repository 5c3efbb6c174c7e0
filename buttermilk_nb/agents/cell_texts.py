"""The texts of others in a cell's question: those of its record, and those of earlier answers."""

from __future__ import annotations

import json
from collections.abc import Iterator

from .._internal.text import texts_in
from ..llm.answers.shown_texts import ShownTexts
from ..llm.calls.client import CallResult
from ..schema import Unit
from .base import Cell


def cell_texts(cell: Cell, result: CallResult, *more: str) -> ShownTexts:
    """The texts that a model may have been shown in a cell, so that an answer in them does not count as its own.

    Parameters
    ----------
    cell
        The cell.
    result
        The result of the call, whose request says what was redacted.
    *more
        Further texts that are the same in many questions, such as the form of the answer.
    """
    record = cell.record
    texts = [record.record_id, record.uri or "", record.content]
    for values in (record.metadata, record.expert_reasons):
        if values:
            texts += texts_in(values)
    if cell.inputs:
        texts += (text for units in cell.inputs.values() for unit in units for text in _texts_of_unit(unit))
    return ShownTexts(texts, same_for_all=more, redacted=result.request.redacted)


def _texts_of_unit(unit: Unit) -> Iterator[str]:
    """The texts in an earlier answer. The answer itself is none of them: a model may agree with it."""
    for score in unit.scores:
        yield from (score.conclusion or "", *(score.reasons or ()))
    output = unit.trace.output
    if output and not unit.scores:
        try:
            yield from texts_in(json.loads(output))
        except ValueError:
            yield output
