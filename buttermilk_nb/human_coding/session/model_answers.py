"""What models answered on a record, and who has been shown it.

That a coder was shown a model's answer is written down before it is shown, as an event: a later code of the same
person on the same record was not given blind, also when they open the form again as a blind one.
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

_SOURCE = "coding"
_ANSWERS = """
    select s.trace_id, s.criterion, s.judge, s.model, s.replicate, s.category, s.value, s.status, s.reasons,
           s.conclusion
    from {scores} s where s.record_id = ? and s.record_hash = ? and s.criteria_hash = ? {of_run}
    order by s.criterion, s.judge, s.model, s.replicate, s.trace_id
"""


@dataclass(frozen=True, slots=True)
class ModelAnswer:
    """What one model answered on one criterion of one record."""

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
    def said(self) -> str:
        """The answer in words; where there is none, why."""
        if self.status != "ok":
            return self.status
        return self.category if self.category is not None else f"{self.value:g}"

    @property
    def who(self) -> str:
        """Judge, model and replicate."""
        return f"{self.judge} · {self.model}" + (f" · {self.replicate}" if self.replicate else "")


def model_answers(
    project: Project, record: Record, criteria: Criteria, run_id: str | None = None
) -> tuple[ModelAnswer, ...]:
    """The answers on this version of the record and of the criteria: of a run, else the newest of each design."""
    query = _ANSWERS.format(scores="scores" if run_id else "latest_scores", of_run="and s.run_id = ?" if run_id else "")
    key = [record.record_id, record.record_hash, criteria.criteria_hash]
    with project.store.reading() as con:
        rows = con.execute(query, [*key, run_id] if run_id else key).fetchall()
    names = tuple(field.name for field in fields(ModelAnswer))
    found = [dict(zip(names, row, strict=True)) for row in rows]
    return tuple(
        ModelAnswer(**{**one, "reasons": tuple(one["reasons"] or ()), "conclusion": one["conclusion"] or ""})
        for one in found
    )


def record_exposure(project: Project, coder: str, record: Record, trace_ids: Sequence[str]) -> None:
    """Write down that these answers are shown to a coder now; it is on disk when this returns."""
    said = {"coder": coder, "record_id": record.record_id, "saw_trace_ids": list(trace_ids)}
    event = EventRow(
        event_id=uuid7(), type="StatusEvent", transaction_id=None, correlation_id=None, source=_SOURCE,
        payload=canonical(said), happened_at=now(),
    )  # fmt: skip
    project.store.write(WriteBatch(rows=[event]))


def shown_to(project: Project, coder: str) -> dict[str, set[str]]:
    """The traces that a coder was ever shown, by record; who decided on one in an adjudication has seen all votes."""
    with project.store.reading() as con:
        rows = con.execute("select payload from events where source = ? order by event_id", [_SOURCE]).fetchall()
        decided = con.execute(
            "select record_id, saw_trace_ids from labels where coder = ? and source = 'adjudication'", [coder]
        ).fetchall()
    found: dict[str, set[str]] = {}
    for (payload,) in rows:
        said = json.loads(payload)
        if said.get("coder") == coder:
            found.setdefault(said["record_id"], set()).update(said["saw_trace_ids"])
    for record_id, saw in decided:
        found.setdefault(record_id, set()).update(saw or ())
    return found
