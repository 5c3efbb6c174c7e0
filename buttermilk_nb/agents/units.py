"""Make the rows of a cell, as the unit that an agent returns."""

from __future__ import annotations

import time
from collections.abc import Sequence

from .._internal.ids import uuid7
from ..llm.model import Model
from ..schema import Assessment, Call, RedactionRow, Score, Status, TextRow, Trace, TraceInput, Unit, now
from .base import Cell, Context


class Stopwatch:
    """Measures when a cell started, and how long it takes."""

    def __init__(self) -> None:
        self.started_at = now()
        self._start = time.perf_counter()

    @property
    def elapsed_s(self) -> float:
        """Seconds since the start."""
        return time.perf_counter() - self._start


def make_unit(
    cell: Cell,
    context: Context,
    watch: Stopwatch,
    *,
    trace_id: str,
    status: Status,
    output: str | None = None,
    flagged: bool | None = None,
    error: BaseException | None = None,
    attempts: int = 0,
    calls: Sequence[Call] = (),
    scores: Sequence[Score] = (),
    texts: Sequence[TextRow] = (),
    redacted: Sequence[RedactionRow] = (),
    assessments: Sequence[Assessment] = (),
    model: Model | None = None,
    input_trace_ids: Sequence[str] | None = None,
) -> Unit:
    """The rows of a finished cell.

    `model` is the model that answered, if it is not the planned one. `input_trace_ids` are the traces that the cell
    read, in the order in which they were shown; by default all of its inputs, in the order of the grid.
    """
    slot = cell.slot
    answering_model = model or slot.model
    trace = Trace(
        trace_id=trace_id,
        run_id=context.run_id,
        design_id=cell.design_id,
        record_id=cell.record.record_id,
        record_hash=cell.record.record_hash,
        step=slot.agent.name,
        agent=slot.agent.kind,
        role=slot.agent.role,
        model=answering_model.name if answering_model else None,
        criteria_set=slot.criteria.name if slot.criteria else None,
        criteria_hash=slot.criteria.criteria_hash if slot.criteria else None,
        prompt_hash=slot.prompt_hash,
        params=slot.params,
        replicate=slot.replicate,
        status=status,
        output=output,
        flagged=flagged,
        error_type=type(error).__name__ if error else None,
        error_message=str(error) if error else None,
        attempts=attempts,
        started_at=watch.started_at,
        duration_s=watch.elapsed_s,
    )
    return Unit(
        trace=trace,
        calls=tuple(calls),
        scores=tuple(scores),
        texts=tuple(texts),
        inputs=_input_rows(trace_id, _all_inputs(cell) if input_trace_ids is None else input_trace_ids),
        redacted=tuple(redacted),
        assessments=tuple(assessments),
    )


def _all_inputs(cell: Cell) -> list[str]:
    """The traces of all inputs, in the order of the grid."""
    return [unit.trace.trace_id for units in cell.inputs.values() for unit in units]


def _input_rows(trace_id: str, input_trace_ids: Sequence[str]) -> tuple[TraceInput, ...]:
    return tuple(
        TraceInput(trace_id=trace_id, input_trace_id=input_trace_id, position=position)
        for position, input_trace_id in enumerate(input_trace_ids)
    )


def failed_unit(
    cell: Cell, context: Context, status: Status, error: BaseException, watch: Stopwatch | None = None
) -> Unit:
    """The rows of a cell that did not finish (skipped, cancelled or failed), with the calls that it made."""
    results = context.completed_calls or ()
    calls = [call for result in results for call in result.calls]
    trace_id = calls[0].trace_id if calls else uuid7()
    return make_unit(
        cell,
        context,
        watch or Stopwatch(),
        trace_id=trace_id,
        status=status,
        error=error,
        scores=cell.slot.agent.empty_scores(cell, context, trace_id, status),
        attempts=sum(result.attempts for result in results),
        calls=calls,
        texts=[text for result in results for text in result.texts],
        redacted=[row for result in results for row in result.redacted],
    )
