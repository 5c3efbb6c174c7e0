"""Row models of the Store's tables: one frozen model per table.

Columns are named only here. A test checks that the tables have a column for each field. The order of appended values
and the views come from here too, so a renamed field cannot be missing in a view.

Statuses of a cell (a planned answer): `pending` (nothing finished yet), `ok`, `invalid` (the answer is not one of the
possible answers), `refused`, `filtered`, `error`, `timeout`, `skipped`, `cancelled`, `undone`.
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
"""Statuses with a final answer: if it was asked again, the cache would give the same answer."""

LabelStatus = Literal["coded", "not_applicable", "cannot_tell", "skipped", "withdrawn"]
"""Undo writes `withdrawn`: the code before it no longer counts."""
TextKind = Literal["prompt", "criteria", "schema", "request", "response", "media"]
Clean = Annotated[str, AfterValidator(replace_surrogates)]
"""Text from outside: one lone surrogate would cost the whole batch."""


def now() -> dt.datetime:
    """The time in UTC without a zone, as in the Store."""
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
    """The hash of its answers alone: if two digests are equal, all numbers are equal."""
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
    """The version of the record's annotations (metadata, truth, codes) in this run."""


class RecordRow(Row):
    """One version of a record: of its text, and of its annotations."""

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


def text_hash(kind: TextKind, body: str) -> str:
    """The hash under which a text is stored."""
    return digest("t1", kind, body)


class TextRow(Row):
    """One text, stored once: a prompt, criteria, a schema, a request, a response."""

    table = "texts"
    text_hash: str
    kind: TextKind
    name: str | None = None
    version: str | None = None
    body: str

    @classmethod
    def of(cls, kind: TextKind, body: str, *, name: str | None = None, version: str | None = None) -> TextRow:
        """A row with the hash of its body."""
        return cls(text_hash=text_hash(kind, body), kind=kind, name=name, version=version, body=body)


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
    """The provider of the model, even if no request was sent: `anthropic`, `ollama_chat`, `offline`."""
    remote: bool | None = None
    """Whether the provider is outside this machine and its owner's network."""
    waited_s: float | None = None
    """Seconds spent waiting before this attempt: for a rate limit, or after a failure."""
    error_code: str | None = None
    """The provider's own code of a failure, or the category of its filter."""
    redaction: str | None = None
    """The policy by which the request was redacted before it was sent."""
    max_cost_usd: float | None = None
    """The most that the call can have cost, if no answer says what it did cost; a budget counts this."""

    @property
    def has_unknown_cost(self) -> bool:
        """Whether the call of a remote model has cost something, and nobody says how much."""
        has_cost = self.response_hash is not None or self.max_cost_usd is not None
        return bool(self.remote) and not self.cached and self.cost_usd is None and has_cost


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
    answer_note: str | None = None
    """How the answer was read, where another reading is conceivable: `0,5` with a decimal comma."""
    flagged: bool | None = None
    uncertainty: str | None = None
    conclusion: str | None = None
    reasons: list[str] | None = None
    status: Status


class Assessment(Row):
    """One reason of an expert, compared with one answer."""

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
    """Whether the answer gives that reason too; empty if the scorer's answer could not be read."""
    matched_by: list[int] | None = None
    """The numbers of the answer's own reasons that give it, from 0."""
    feedback: Clean | None = None
    status: Status


class Coder(Row):
    """One person who codes; the newest row counts."""

    table = "coders"
    coder: str
    kind: str = "human"
    groups: str = "{}"
    """The groups that the coder belongs to, as a JSON object: `{"profession": "teacher"}`."""
    first_seen_at: dt.datetime


class SampleRow(Row):
    """One record of a sample that was drawn to be coded."""

    table = "samples"
    sample_id: str
    name: str
    method: str
    seed: int
    coder: str | None = None
    """The coder that it was assigned to; empty if it is for everybody."""
    position: int
    record_id: str
    record_hash: str
    stratum: str | None = None
    inclusion_p: float | None = None
    """The probability with which this record was drawn; empty if the sample is not a probability sample."""
    drawn_at: dt.datetime


class Label(Row):
    """One code of one person on one criterion of one record; it is never changed, a newer row replaces it."""

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
    """The passages that were marked, as a JSON list of `{"start": ..., "end": ..., "text": ...}`; of several labels,
    `answer` is the one of the passage."""
    status: LabelStatus
    blind: bool | None = None
    saw_trace_ids: list[str] | None = None
    """The model answers that the person had seen when this was coded."""
    round: str = "1"
    sample_id: str | None = None
    inclusion_p: float | None = None
    seconds: float | None = None
    """The seconds that the coding took, if a form has measured them."""
    source: Literal["form", "import", "adjudication"]
    coded_at: dt.datetime


class RedactionRow(Row):
    """The original text behind a placeholder in a request. It stays in the Store: never sent, never exported."""

    table = "redactions"
    request_hash: str
    placeholder: str
    original: Clean


class Tombstone(Row):
    """A note that something was removed on purpose, without its content, and which runs this changed."""

    table = "tombstones"
    kind: str
    """The kind of thing that was removed; `run_changed` if `what` is a run with rows that its link no longer covers."""
    what: str
    removed_at: dt.datetime
    reason: Clean
    n_rows: int


class LinkRow(Row):
    """One run in the chain of all runs that ended in this file, in order."""

    table = "links"
    position: int
    run_id: str
    rows_hash: str
    """The hash of all rows of the run."""
    chain: str
    """The hash of the run's rows, of its row in `runs`, and of the previous link."""
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
    """The result of an agent for one planned answer. All its rows are written together, or none."""

    trace: Trace
    calls: tuple[Call, ...] = ()
    scores: tuple[Score, ...] = ()
    texts: tuple[TextRow, ...] = ()
    inputs: tuple[TraceInput, ...] = field(default=())
    redacted: tuple[RedactionRow, ...] = ()
    assessments: tuple[Assessment, ...] = ()

    @property
    def answers(self) -> bool:
        """Whether it has an output, or an answer on at least one criterion."""
        return self.trace.status == "ok" or any(score.status == "ok" for score in self.scores)
