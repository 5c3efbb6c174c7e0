"""The texts of others in a cell's question: those of its record, and those of earlier answers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from ..llm.answers.shown_texts import ShownTexts
from ..schema import Unit
from .base import Cell


def cell_texts(cell: Cell, *more: str) -> ShownTexts:
    """The texts that a model may have been shown in a cell, so that an answer in them does not count as its own.

    Parameters
    ----------
    cell
        The cell.
    *more
        Further texts, such as the form of the answer.
    """
    record = cell.record
    return ShownTexts(
        [
            record.content,
            *_texts_in(record.metadata),
            *_texts_in(record.expert_reasons),
            *(text for units in cell.inputs.values() for unit in units for text in _texts_of_unit(unit)),
            *more,
        ]
    )


def _texts_of_unit(unit: Unit) -> Iterator[str]:
    """The texts in an earlier answer. The answer itself is none of them: a model may agree with it."""
    for score in unit.scores:
        yield from (score.conclusion or "", *(score.reasons or ()))
    output = unit.trace.output
    if output and not unit.scores:
        try:
            yield from _texts_in(json.loads(output))
        except ValueError:
            yield output


def _texts_in(value: Any) -> Iterator[str]:
    remaining = [value]
    while remaining:
        item = remaining.pop()
        if isinstance(item, str):
            yield item
        elif isinstance(item, dict):
            remaining += item.values()
        elif isinstance(item, list | tuple):
            remaining += item
