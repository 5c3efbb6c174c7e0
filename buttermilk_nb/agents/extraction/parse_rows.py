"""Parse the rows in an extractor's answer, and check them against the declared columns."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from ...errors import InvalidAnswer
from ...llm.calls.client import CallResult
from ..base import Cell
from ..judge.answer_format import as_text
from ..parse_output import ParsedOutput, parse_output

Columns = dict[str, str | tuple[str, ...]]
"""Columns by name: a sentence that describes the content, or the allowed values."""
RESERVED = ("record_id", "model", "replicate", "row", "verified", "start", "end")
"""Columns that `run.extractions` adds itself."""


def parse_rows(result: CallResult, columns: Columns, cell: Cell) -> ParsedOutput:
    """The rows in a model's answer, or the reason why they cannot be parsed."""
    return parse_output(result, ("rows",), partial(_parse_reply, columns=columns), cell)


def _parse_reply(reply: Mapping[str, Any], columns: Columns) -> list[dict[str, str | None]]:
    rows = reply.get("rows")
    if not isinstance(rows, list):
        raise InvalidAnswer("`rows` is not a list")
    return [_parse_row(n, row, columns) for n, row in enumerate(rows, 1)]


def _parse_row(n: int, row: Any, columns: Columns) -> dict[str, str | None]:
    if not isinstance(row, dict):
        raise InvalidAnswer(f"row {n} is not an object")
    if missing := [name for name in columns if name not in row]:
        raise InvalidAnswer(f"row {n} has no `{missing[0]}`")
    values = {name: as_text(row[name]) for name in columns}
    for name, offered in columns.items():
        if isinstance(offered, str):
            continue
        value = (values[name] or "").strip().casefold()
        match = next((offer for offer in offered if offer.casefold() == value), None)
        if match is None:
            raise InvalidAnswer(
                f"row {n}: `{name}` is `{(values[name] or '')[:40]}`, which is not one of the offered values"
            )
        values[name] = match
    return values
