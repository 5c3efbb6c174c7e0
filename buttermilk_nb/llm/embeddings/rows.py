"""Make the rows of an embedding run: a cell and a trace for each text.

They have the same form as the rows of any run, so that all code that reads the store (egress, costs, erasure,
verification) works without special cases.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from ..._internal.ids import digest
from ...schema import CellRow, Status, Trace, Unit
from ..calls.client import CallResult
from .vectors import EmbeddingRequest

STEP = "embed"
"""The name of such runs, and of their step, in the tables."""


def cell_rows(requests: Iterable[EmbeddingRequest], run_id: str) -> Iterator[tuple[Any, ...]]:
    """The rows of the table `cells`, as tuples in the order of `CellRow`'s fields."""
    for request in requests:
        record = request.record
        row = CellRow(
            run_id=run_id,
            design_id=_design_id(request),
            step=STEP,
            record_id=record.record_id,
            record_hash=record.record_hash,
            criteria_set=None,
            criteria_hash=None,
            model=request.model.name,
            replicate=0,
            details_hash=record.annotations_hash,
        )
        yield tuple(getattr(row, name) for name in CellRow.model_fields)


def embedding_unit(result: CallResult, run_id: str) -> Unit:
    """The rows of one text that was sent."""
    request, calls, error = result.request, result.calls, result.error
    assert isinstance(request, EmbeddingRequest)
    status: Status = error.status if error else "ok"  # type: ignore[assignment]  # checked by Trace
    trace = Trace(
        trace_id=calls[0].trace_id,
        run_id=run_id,
        design_id=_design_id(request),
        record_id=request.record.record_id,
        record_hash=request.record.record_hash,
        step=STEP,
        agent="embedding",
        role="embedding",
        model=request.model.name,
        criteria_set=None,
        criteria_hash=None,
        prompt_hash=None,
        params=request.params.sent_json,
        replicate=0,
        status=status,
        error_type=type(error).__name__ if error else None,
        error_message=str(error) if error else None,
        attempts=result.attempts,
        started_at=calls[0].asked_at,
        duration_s=sum((call.latency_s or 0.0) + (call.waited_s or 0.0) for call in calls),
    )
    return Unit(trace=trace, calls=calls, texts=result.texts, redacted=result.redacted)


def _design_id(request: EmbeddingRequest) -> str:
    return digest("de1", request.key, request.record.record_hash)
