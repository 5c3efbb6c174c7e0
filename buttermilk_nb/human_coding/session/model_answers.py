"""Models' answers on a record, and which coders have seen them.

Before a coder is shown a model's answer, an event records it. A later code by the same person on the same record is
then not blind, even if they open the form again with `blind=True`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, fields

from ..._internal.ids import canonical, uuid7
from ...codebook.criteria import Criteria
from ...corpus.record import Record
from ...project.project import Project
from ...schema import EventRow, now
from ...store.write_batch import WriteBatch

_EXPOSURE_SOURCE = "coding"
_ANSWERS = """
    select s.trace_id, s.criterion, s.judge, s.model, s.replicate, s.category, s.value, s.status, s.reasons,
           s.conclusion
    from {scores} s where s.record_id = ? and s.record_hash = ? and s.criteria_hash = ? {of_run}
    order by s.criterion, s.judge, s.model, s.replicate, s.trace_id
"""


@dataclass(frozen=True, slots=True)
class ModelAnswer:
    """The answer of one model on one criterion of one record."""

    trace_id: str
    criterion: str
    judge: str
    model: str
    replicate: int
    category: str | None
    value: float | None
    status: str
    reasons: tuple[str, ...]
    conclusion: str

    @property
    def answer(self) -> str:
        """The answer as text, or the status if there is no answer."""
        if self.status != "ok":
            return self.status
        return self.category if self.category is not None else f"{self.value:g}"

    @property
    def answered_by(self) -> str:
        """The judge, the model and the replicate, as text."""
        return f"{self.judge} · {self.model}" + (f" · {self.replicate}" if self.replicate else "")


def model_answers(
    project: Project, record: Record, criteria: Criteria, run_id: str | None = None
) -> tuple[ModelAnswer, ...]:
    """The answers on this version of the record and of the criteria: those of a run, or the newest of each design."""
    query = _ANSWERS.format(scores="scores" if run_id else "latest_scores", of_run="and s.run_id = ?" if run_id else "")
    params = [record.record_id, record.record_hash, criteria.criteria_hash]
    with project.store.reading() as con:
        values = con.execute(query, [*params, run_id] if run_id else params).fetchall()
    names = tuple(field.name for field in fields(ModelAnswer))
    rows = [dict(zip(names, row, strict=True)) for row in values]
    return tuple(
        ModelAnswer(**{**row, "reasons": tuple(row["reasons"] or ()), "conclusion": row["conclusion"] or ""})
        for row in rows
    )


def record_exposure(project: Project, coder: str, record: Record, trace_ids: Sequence[str]) -> None:
    """Record that these answers are shown to a coder now. The event is on disk when this returns."""
    payload = {"coder": coder, "record_id": record.record_id, "saw_trace_ids": list(trace_ids)}
    event = EventRow(
        event_id=uuid7(), type="StatusEvent", transaction_id=None, correlation_id=None, source=_EXPOSURE_SOURCE,
        payload=canonical(payload), happened_at=now(),
    )  # fmt: skip
    project.store.write(WriteBatch(rows=[event]))


def seen_trace_ids(project: Project, coder: str) -> dict[str, set[str]]:
    """The traces that a coder was ever shown, by record id. A person who decided on a record has seen all its votes."""
    query = "select payload from events where source = ? order by event_id"
    with project.store.reading() as con:
        payloads = con.execute(query, [_EXPOSURE_SOURCE]).fetchall()
        decisions = con.execute(
            "select record_id, saw_trace_ids from labels where coder = ? and source = 'adjudication'", [coder]
        ).fetchall()
    trace_ids: dict[str, set[str]] = {}
    for (payload,) in payloads:
        exposure = json.loads(payload)
        if exposure.get("coder") == coder:
            trace_ids.setdefault(exposure["record_id"], set()).update(exposure["saw_trace_ids"])
    for record_id, saw_trace_ids in decisions:
        trace_ids.setdefault(record_id, set()).update(saw_trace_ids or ())
    return trace_ids
