"""One value that DuckDB refuses must not cost its neighbours.

A refused batch is halved until the units that are refused alone are found. That is tried in an empty database
in memory with the same tables, so that nobody waits for the file meanwhile. Each such unit becomes an `error`
trace that says why, with its scores without answers and its calls (they may have cost something) as far as DuckDB
takes them; the rest of the batch lands as it is.
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
from .migrate import prepare
from .write import write_batch
from .write_batch import WriteBatch

_MOST = 2**31 - 1  # what an INTEGER holds
_SCRATCH = Path("scratch")
_R = TypeVar("_R", bound=Row)
_T = TypeVar("_T")


def repaired(batch: WriteBatch) -> WriteBatch:
    """The batch with everything in it that DuckDB refuses put so that it does not.

    Raises
    ------
    RowsRefused
        A unit is refused even without its words, or it is not a unit that is refused.
    """
    with duckdb.connect(":memory:") as scratch:
        prepare(scratch, _SCRATCH)
        whys = _refused(scratch, batch.units, lambda units: WriteBatch(units=units))
        units = [_mend_unit(scratch, unit, whys[i]) if i in whys else unit for i, unit in enumerate(batch.units)]
        bad = _refused(scratch, batch.rows, lambda rows: WriteBatch(rows=rows))
        rows = [_mend_row(row, bad[i]) if i in bad else row for i, row in enumerate(batch.rows)]
    return replace(batch, units=units, rows=rows)


def _refused(scratch: duckdb.DuckDBPyConnection, items: Sequence[_T], as_batch: Any, start: int = 0) -> dict[int, str]:
    """The places of the items that are refused alone, and why."""
    why = _refusal(scratch, as_batch(items))
    if why is None or not items:
        return {}
    if len(items) == 1:
        return {start: why}
    half = len(items) // 2
    return {
        **_refused(scratch, items[:half], as_batch, start),
        **_refused(scratch, items[half:], as_batch, start + half),
    }


def _refusal(scratch: duckdb.DuckDBPyConnection, batch: WriteBatch) -> str | None:
    """Why a batch is refused; None where it is not. Nothing of it stays."""
    try:
        with transaction(scratch, "the batch"):
            write_batch(scratch, batch)
            raise _TrialWrite
    except _TrialWrite:
        return None
    except RowsRejected as error:
        return first_line(error.__cause__ or error)


class _TrialWrite(Exception):  # no error: it ends a trial
    """It would have landed."""


def _mend_unit(scratch: duckdb.DuckDBPyConnection, unit: Unit, why: str) -> Unit:
    said = f"the Store could not take the rows of this cell, so that its answer is not here: {replace_surrogates(why)}"
    trace = _plain(unit.trace, status="error", output=None, flagged=None, error_type="StoreError", error_message=said)
    nothing = {"status": "error", "value": None, "category": None, "flagged": None, "uncertainty": None,
               "conclusion": None, "reasons": None}  # fmt: skip
    scores = tuple(_plain(score, **nothing) for score in unit.scores)
    bare = Unit(trace=trace, scores=scores)
    calls = replace(bare, calls=tuple(_plain(call) for call in unit.calls), inputs=tuple(map(_plain, unit.inputs)))
    whole = replace(calls, texts=unit.texts, redacted=tuple(map(_plain, unit.redacted)))
    for attempt in (whole, calls, bare):
        if (refusal := _refusal(scratch, WriteBatch(units=[attempt]))) is None:
            return attempt
    raise RowsRejected(f"not even an error could be written of trace `{replace_surrogates(trace.trace_id)}`: {refusal}")


def _mend_row(row: Row, why: str) -> Row:
    if isinstance(row, EventRow):
        return _plain(
            row, payload=canonical({"error": f"what this event said could not be written: {replace_surrogates(why)}"})
        )
    raise RowsRejected(f"a row of `{row.table}` cannot be written: {why}")


def _plain(row: _R, **changes: Any) -> _R:
    """A row of the same ids, with other values where DuckDB could not take them."""
    values = {name: sanitised(getattr(row, name)) for name in type(row).model_fields}
    return row.model_copy(update={**values, **changes})


def sanitised(value: Any) -> Any:
    """The value with lone surrogates replaced in every text of it."""
    if isinstance(value, str):
        return replace_surrogates(value)
    if isinstance(value, int) and abs(value) > _MOST:
        return None
    return value
