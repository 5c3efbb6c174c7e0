"""The evidence, as rows: one frozen model per table of the Store.

The models are the one place where columns are named. The tables must have a column for each field (a
test says so), the appender takes its order from here, and the views are generated from here, so a
renamed field cannot leave a view behind.

Statuses of a cell: `pending` (planned, nothing finished yet), `ok`, `invalid` (answered, but not with
an answer that was offered), `refused`, `filtered`, `error`, `timeout`, `skipped`, `cancelled`,
`undone`.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict

from ._internal.ids import digest
from ._internal.text import replace_surrogates

Status = Literal[
    "pending", "ok", "invalid", "refused", "filtered", "error", "timeout", "skipped", "cancelled", "undone"
]
STATUSES: tuple[Status, ...] = (
    "ok", "invalid", "refused", "filtered", "error", "timeout", "skipped", "cancelled", "undone", "pending",
)  # fmt: skip
FINISHED: frozenset[str] = frozenset({"ok", "invalid", "refused", "filtered"})
"""Statuses of a cell whose answer is final: asked again, the cache would say the same."""

LabelStatus = Literal["coded", "not_applicable", "cannot_tell", "skipped", "withdrawn"]
"""`withdrawn` is what undo writes: the code before it no longer counts."""
TextKind = Literal["prompt", "criteria", "schema", "request", "response", "media"]
Clean = Annotated[str, AfterValidator(replace_surrogates)]
"""Text from outside: one lone surrogate would cost the whole batch."""


def now() -> dt.datetime:
    """The time in UTC, without a zone, as the Store keeps it."""
    return dt.datetime.now(dt.UTC).replace(tzinfo=None)


class Row(BaseModel):
    """A row of the table named by `table`."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    table: ClassVar[str]


class RunRow(Row):
    """One `Flow.run`."""

    table = "runs"
    run_id: str
    flow: str
    flow_hash: str
    corpus_hash: str
    status: str
    started_at: dt.datetime
    finished_at: dt.datetime | None = None
    manifest: str
    digest: str | None = None
    """The hash of its answers alone: equal digests are equal numbers."""
    chain: str | None = None
    """The hash of all its rows and of the chain of the run that ended before it in this file."""


class CellRow(Row):
    """One planned cell of one run."""

    table = "cells"
    run_id: str
    design_id: str
    step: str
    record_id: str
    record_hash: str
    criteria_set: str | None
    criteria_hash: str | None
    model: str | None
    replicate: int
    details_hash: str
    """Which version of what is known of the record (metadata, truth, codes) this run had."""


class RecordRow(Row):
    """One version of a record: of its text, and of what is known of it."""

    table = "records"
    record_id: str
    record_hash: str
    details_hash: str
    content: str
    metadata: str
    ground_truth: str
    expert_reasons: str
    labels: str
    cluster: str | None
    parent_id: str | None
    start_offset: int | None
    end_offset: int | None
    uri: str | None
    mime: str
    first_seen_at: dt.datetime
    local_only: bool = False
    media: str | None = None
    """The hashes of its images in `texts`, as a JSON list."""


class TextRow(Row):
    """One body, kept once: a prompt, criteria, a schema, a request, a response."""

    table = "texts"
    text_hash: str
    kind: TextKind
    name: str | None = None
    version: str | None = None
    body: str

    @classmethod
    def of(cls, kind: TextKind, body: str, *, name: str | None = None, version: str | None = None) -> TextRow:
        """A row under the hash of its body."""
        return cls(text_hash=digest("t1", kind, body), kind=kind, name=name, version=version, body=body)


class Trace(Row):
    """One cell, executed in one run."""

    table = "traces"
    trace_id: str
    run_id: str
    design_id: str
    record_id: str
    record_hash: str
    step: str
    agent: str
    role: str
    model: str | None
    criteria_set: str | None
    criteria_hash: str | None
    prompt_hash: str | None
    params: str
    replicate: int
    status: Status
    output: str | None = None
    flagged: bool | None = None
    error_type: str | None = None
    error_message: Clean | None = None
    attempts: int = 0
    started_at: dt.datetime
    duration_s: float


class TraceInput(Row):
    """One answer that a trace read."""

    table = "trace_inputs"
    trace_id: str
    input_trace_id: str
    position: int


class Call(Row):
    """One LLM request inside a trace."""

    table = "calls"
    call_id: str
    trace_id: str
    run_id: str
    model_requested: str
    model_served: str | None = None
    fingerprint: str | None = None
    request_id: str | None = None
    cache_key: str
    cached: bool
    asked_at: dt.datetime
    answered_at: dt.datetime | None = None
    params_sent: str
    params_dropped: str
    attempt: int = 1
    request_hash: str
    response_hash: str | None = None
    finish_reason: str | None = None
    tokens_in: int | None = None
    tokens_out: int | None = None
    cost_usd: float | None = None
    saved_usd: float | None = None
    latency_s: float | None = None
    status: Status
    error_message: Clean | None = None
    provider: str | None = None
    """To whom the request went, or would have gone: `anthropic`, `ollama_chat`, `offline`."""
    remote: bool | None = None
    """Whether that is outside this machine and its owner's network."""
    waited_s: float | None = None
    """Seconds spent waiting before this attempt: for a rate limit, or after a failure."""
    error_code: str | None = None
    """The provider's own code of a failure, or the category of its filter."""
    redaction: str | None = None
    """The policy by which the request was redacted before it was sent."""


class Score(Row):
    """One answer on one criterion of one trace."""

    table = "scores"
    trace_id: str
    run_id: str
    design_id: str
    record_id: str
    record_hash: str
    judge: str
    criteria_set: str
    criteria_hash: str
    criterion: str
    model: str
    replicate: int
    value: float | None = None
    category: str | None = None
    flagged: bool | None = None
    uncertainty: str | None = None
    conclusion: str | None = None
    reasons: list[str] | None = None
    status: Status


class Assessment(Row):
    """One reason of an expert, held against one answer."""

    table = "assessments"
    trace_id: str
    run_id: str
    assessed_trace_id: str
    """The trace of the answer."""
    record_id: str
    criterion: str
    reason_index: int
    """Which of the expert's reasons on this criterion, from 0."""
    reason: Clean
    matched: bool | None = None
    """Whether the answer gives that reason too; empty where the scorer's answer could not be read."""
    matched_by: list[int] | None = None
    """Which of the answer's own reasons say it, from 0."""
    feedback: Clean | None = None
    status: Status


class Coder(Row):
    """One person who codes; the newest row counts."""

    table = "coders"
    coder: str
    kind: str = "human"
    groups: str = "{}"
    """What the coder belongs to, as a JSON object: `{"profession": "teacher"}`."""
    first_seen_at: dt.datetime


class SampleRow(Row):
    """One record of a sample that was drawn to be coded."""

    table = "samples"
    sample_id: str
    name: str
    method: str
    seed: int
    coder: str | None = None
    """Whom it was given to; empty where it is everybody's."""
    position: int
    record_id: str
    record_hash: str
    stratum: str | None = None
    inclusion_p: float | None = None
    """The probability with which this record was drawn; empty where the sample is no probability sample."""
    drawn_at: dt.datetime


class Label(Row):
    """One code of one person on one criterion of one record; never changed, followed by a newer one."""

    table = "labels"
    label_id: str
    record_id: str
    record_hash: str
    criteria_set: str
    criteria_hash: str
    criterion: str
    coder: str
    value: float | None = None
    category: Clean | None = None
    flagged: bool | None = None
    reasons: list[Clean] | None = None
    notes: Clean | None = None
    quotes: Clean | None = None
    """The passages that were marked, as a JSON list of `{"start": ..., "end": ..., "text": ...}`."""
    status: LabelStatus
    blind: bool | None = None
    saw_trace_ids: list[str] | None = None
    """The model answers that the person had seen when this was coded."""
    round: str = "1"
    sample_id: str | None = None
    inclusion_p: float | None = None
    seconds: float | None = None
    """How long it took, where a form has measured it."""
    source: Literal["form", "import", "adjudication"]
    coded_at: dt.datetime


class RedactionRow(Row):
    """What stood where a request as sent has a placeholder. Stays in the Store; never sent, never exported."""

    table = "redactions"
    request_hash: str
    placeholder: str
    original: Clean


class Tombstone(Row):
    """What was removed on purpose: never what it said, only that it was there, and whom its removal changed."""

    table = "tombstones"
    kind: str
    """What it was; `run_changed` where `what` is a run whose rows are no longer those that its chain covers."""
    what: str
    removed_at: dt.datetime
    reason: Clean
    n_rows: int


class LinkRow(Row):
    """One run in the chain of all that ended in this file, in order."""

    table = "links"
    position: int
    run_id: str
    rows_hash: str
    """The hash of all rows of the run."""
    chain: str
    """The hash of this, of what `runs` says of the run, and of the link before."""
    linked_at: dt.datetime


class EventRow(Row):
    """One state change, error or compensation."""

    table = "events"
    event_id: str
    type: str
    transaction_id: str | None
    correlation_id: str | None
    source: str
    payload: Clean
    happened_at: dt.datetime


ROWS: tuple[type[Row], ...] = (
    RunRow, CellRow, RecordRow, TextRow, Trace, TraceInput, Call, Score, Assessment, RedactionRow, Tombstone, LinkRow,
    EventRow, Coder, SampleRow, Label,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Unit:
    """What an agent hands back for a cell. Written together or not at all."""

    trace: Trace
    calls: tuple[Call, ...] = ()
    scores: tuple[Score, ...] = ()
    texts: tuple[TextRow, ...] = ()
    inputs: tuple[TraceInput, ...] = field(default=())
    redacted: tuple[RedactionRow, ...] = ()
    assessments: tuple[Assessment, ...] = ()

    @property
    def answers(self) -> bool:
        """Whether it has something to read: an output, or an answer on one criterion at least."""
        return self.trace.status == "ok" or any(score.status == "ok" for score in self.scores)
