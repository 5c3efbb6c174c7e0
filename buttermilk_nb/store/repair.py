"""Repairs a batch that DuckDB rejects.

One bad value must not cost more than its own unit. A rejected batch is halved until the units that are rejected on
their own are found. This is tried in an empty database in memory with the same tables, so that no process waits for the
file meanwhile. Each such unit becomes an `error` trace with the reason. Its scores have no answers, and its calls
(which may have cost money) are kept as far as DuckDB accepts them. The other units of the batch are written unchanged.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import duckdb

from .._internal.ids import canonical
from .._internal.text import replace_surrogates
from ..schema import EventRow, Row, Unit
from .connection import RowsRejected, first_line, transaction
from .migrate import prepare_tables
from .write import write_batch
from .write_batch import WriteBatch

_INT_MAX = 2**31 - 1  # the largest INTEGER
_SCRATCH = Path("scratch")
_R = TypeVar("_R", bound=Row)
_T = TypeVar("_T")


def repair_batch(batch: WriteBatch) -> WriteBatch:
    """The batch with every rejected unit and event replaced by one that DuckDB accepts.

    Raises
    ------
    RowsRejected
        A unit is rejected even without its texts, or the rejected row is neither in a unit nor an event.
    """
    with duckdb.connect(":memory:") as scratch:
        prepare_tables(scratch, _SCRATCH)
        unit_reasons = _rejection_reasons(scratch, batch.units, lambda units: WriteBatch(units=units))
        units = [
            _repair_unit(scratch, unit, unit_reasons[i]) if i in unit_reasons else unit
            for i, unit in enumerate(batch.units)
        ]
        row_reasons = _rejection_reasons(scratch, batch.rows, lambda rows: WriteBatch(rows=rows))
        rows = [_repair_row(row, row_reasons[i]) if i in row_reasons else row for i, row in enumerate(batch.rows)]
    return replace(batch, units=units, rows=rows)


def _rejection_reasons(
    scratch: duckdb.DuckDBPyConnection, items: Sequence[_T], as_batch: Any, start: int = 0
) -> dict[int, str]:
    """The positions of the items that are rejected on their own, with the reasons."""
    reason = _rejection_reason(scratch, as_batch(items))
    if reason is None or not items:
        return {}
    if len(items) == 1:
        return {start: reason}
    half = len(items) // 2
    return {
        **_rejection_reasons(scratch, items[:half], as_batch, start),
        **_rejection_reasons(scratch, items[half:], as_batch, start + half),
    }


def _rejection_reason(scratch: duckdb.DuckDBPyConnection, batch: WriteBatch) -> str | None:
    """Why DuckDB rejects a batch; None if it accepts it. The trial is rolled back."""
    try:
        with transaction(scratch, "the batch"):
            write_batch(scratch, batch)
            raise _TrialWrite
    except _TrialWrite:
        return None
    except RowsRejected as error:
        return first_line(error.__cause__ or error)


class _TrialWrite(Exception):  # not an error: it ends a trial
    """The batch was accepted."""


def _repair_unit(scratch: duckdb.DuckDBPyConnection, unit: Unit, reason: str) -> Unit:
    message = (
        f"the rows of this answer could not be stored, so the answer is missing here: {replace_surrogates(reason)}"
    )
    trace = _sanitise_row(
        unit.trace, status="error", output=None, flagged=None, error_type="StoreError", error_message=message
    )
    empty_values = {"status": "error", "value": None, "category": None, "answer_note": None, "flagged": None,
               "uncertainty": None, "conclusion": None, "reasons": None}  # fmt: skip
    scores = tuple(_sanitise_row(score, **empty_values) for score in unit.scores)
    without_calls = Unit(trace=trace, scores=scores)
    with_calls = replace(
        without_calls,
        calls=tuple(_sanitise_row(call) for call in unit.calls),
        inputs=tuple(map(_sanitise_row, unit.inputs)),
    )
    complete = replace(with_calls, texts=unit.texts, redacted=tuple(map(_sanitise_row, unit.redacted)))
    for attempt in (complete, with_calls, without_calls):
        if (rejection := _rejection_reason(scratch, WriteBatch(units=[attempt]))) is None:
            return attempt
    raise RowsRejected(
        f"trace `{replace_surrogates(trace.trace_id)}` cannot be written, not even as an error: {rejection}"
    )


def _repair_row(row: Row, reason: str) -> Row:
    if isinstance(row, EventRow):
        return _sanitise_row(
            row,
            payload=canonical({"error": f"what this event said could not be written: {replace_surrogates(reason)}"}),
        )
    raise RowsRejected(f"a row of `{row.table}` cannot be written: {reason}")


def _sanitise_row(row: _R, **changes: Any) -> _R:
    """The row with sanitised values and with these changes."""
    values = {name: sanitise_value(getattr(row, name)) for name in type(row).model_fields}
    return row.model_copy(update={**values, **changes})


def sanitise_value(value: Any) -> Any:
    """The value if DuckDB accepts it; else the text without lone surrogates, or None for a number that is too large."""
    if isinstance(value, str):
        return replace_surrogates(value)
    if isinstance(value, int) and abs(value) > _INT_MAX:
        return None
    return value
