"""`StoredAnswers`: the planned answers that an earlier run has, copied instead of worked out once more.

A design id names everything that an answer depends on. If the Store has a finished trace of the design, and the cache
still has what its calls received, then rendering, asking and reading would give the same rows again. So these rows are
copied, thousands at a time. Everything else is left to the runner: answers that are new, invalid or to be retried,
calls that failed, agents that read other steps or run code of the user, records that must stay on this machine, and
answers that another version of this package has read.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from operator import itemgetter
from typing import NamedTuple

from pydantic import ValidationError

from ..._internal.ids import uuid7
from ...agents.base import Context, Slot
from ...corpus.record import Record
from ...events.event import ResultEvent
from ...llm.calls.call_rows import answer_status
from ...llm.completion import FROM_DISK, CacheEntry
from ...schema import now, text_hash
from ...store.connection import FileLocked
from ...store.copy_answers import (
    AskedAnswer,
    CachedCall,
    StoredCall,
    copy_units,
    drop_tables,
    find_calls,
    newest_traces,
)
from ..plan import Plan
from .code_hash import code_hash, is_own_code

_CHUNK = 32_000
"""Answers that are copied in one transaction: enough to make opening the file worthwhile, and progress still moves."""
_NO_TRACE = " " * 36


class CopiedAnswers(NamedTuple):
    """How many answers of one step and model were copied, and their status."""

    step: str
    status: str
    model: str | None
    n: int

    def event(self, run_id: str) -> ResultEvent:
        """The event of these answers, for the progress of a run."""
        payload = {"status": self.status, "cached": True, "model": self.model, "cost_usd": 0.0, "n": self.n}
        return ResultEvent(transaction_id=run_id, source=self.step, payload={"run_id": run_id, **payload})


class StoredAnswers:
    """Copies what an earlier run has answered.

    Parameters
    ----------
    plan
        The plan, which the Store has already.
    context
        The run.
    """

    def __init__(self, plan: Plan, context: Context) -> None:
        self._plan = plan
        self._context = context
        self._slots = [(slot, _is_copyable(slot)) for step in plan.steps for slot in plan.slots[step.name]]
        self.copied = bytearray(len(plan.corpus) * len(self._slots))
        """For each planned answer, in the order of the plan, whether it was copied."""

    @property
    def is_possible(self) -> bool:
        """Whether any answer of this run may be copied."""
        scope = self._context.scope
        is_alone = not any(step.needs for step in self._plan.steps)
        return scope.mode in ("use", "only") and is_alone and any(copyable for _, copyable in self._slots)

    async def copy_all(self, is_stopped: Callable[[], bool], time_limit_s: float | None) -> int:
        """Copy chunk by chunk, and publish what was copied, until the run is stopped or out of time.

        Returns
        -------
        int
            How many answers were copied.
        """
        n_copied, began = 0, time.monotonic()
        chunks = self.copy()
        while not is_stopped() and (copied := await asyncio.to_thread(next, chunks, None)) is not None:
            for group in copied:
                n_copied += group.n
                self._context.project.bus.publish(group.event(self._context.run_id))
            if time_limit_s is not None and time.monotonic() - began > time_limit_s:
                break
        return n_copied

    def copy(self) -> Iterator[list[CopiedAnswers]]:
        """Copy in chunks, and yield what was copied after each one. Runs in a thread of its own."""
        trace_ids = self._newest_traces()
        asked: list[AskedAnswer] = []
        cells = ((record, slot, ok) for record in self._plan.corpus.records for slot, ok in self._slots)
        designs = (design for record in self._plan.corpus.records for _, _, design in self._plan.designs(record))
        for position, ((record, slot, is_copyable), design) in enumerate(zip(cells, designs, strict=True)):
            old = trace_ids[position * 36 : position * 36 + 36].decode()
            if old == _NO_TRACE or not is_copyable or not _may_be_shown(record, slot):
                continue
            asked.append(_asked(position, old, design, record, slot))
            if len(asked) >= _CHUNK:
                groups = self._copy_chunk(asked)
                if groups is None:
                    return
                yield groups
                asked = []
        yield (self._copy_chunk(asked) or []) if asked else []

    def _newest_traces(self) -> bytearray:
        """For each planned answer the id of the trace that may answer it, or blanks; 36 bytes each."""
        ids = bytearray()
        with self._context.project.store.reading() as con:
            rows = newest_traces(con, self._context.run_id, code_hash())
            while chunk := list(itertools.islice(rows, _CHUNK)):
                ids += "".join([trace_id or _NO_TRACE for _, trace_id in chunk]).encode()
        n = len(self.copied)
        return ids if len(ids) == 36 * n else bytearray(_NO_TRACE * n, "ascii")  # the plan waits in a file beside

    def _copy_chunk(self, asked: Sequence[AskedAnswer]) -> list[CopiedAnswers] | None:
        """Copy these answers, as far as the cache has them unchanged; None if another process holds the file."""
        began, at = time.perf_counter(), now()
        try:
            with self._context.project.store.writing() as con:
                cached = self._cached_calls(find_calls(con, asked, self._context.retry))
                duration_s = (time.perf_counter() - began) / len(asked)
                counts = copy_units(con, self._context.run_id, cached, at, duration_s) if cached else []
                drop_tables(con)
        except FileLocked:  # the runner works these answers out, and spools them
            return None
        for position in {call.position for call in cached}:
            self.copied[position] = 1
        return [CopiedAnswers(*row) for row in counts]

    def _cached_calls(self, calls: Sequence[StoredCall]) -> list[CachedCall]:
        """The calls of the answers for which the cache has every response as the Store has it."""
        by_key: dict[str, list[StoredCall]] = {}
        for call in calls:
            by_key.setdefault(call.cache_key, []).append(call)
        for key in self._context.project.client.unpaid_answers:  # the first cell that reads one books its cost
            by_key.pop(key, None)
        cached: list[CachedCall] = []
        for key, text in self._context.project.cache.read_many(by_key):
            entry = _entry(text)
            response_hash = text_hash("response", entry.completion.raw) if entry else None
            cached += [
                _cached_call(call, entry) for call in by_key[key] if entry and response_hash == call.response_hash
            ]
        missing = Counter(call.position for call in calls) - Counter(call.position for call in cached)
        whole = sorted((call for call in cached if call.position not in missing), key=itemgetter(0, 1))
        return [call._replace(new_call_id=uuid7()) for call in whole]  # the ids of calls are in the order of the calls


def _is_copyable(slot: Slot) -> bool:
    """Whether stored answers of a slot may be copied: only package code makes them, from what models said."""
    scales = [type(criterion.scale) for criterion in slot.criteria or ()]
    kinds = [type(slot.agent), *scales]
    return slot.agent.has_repeatable_answers and slot.model is not None and all(map(is_own_code, kinds))


def _may_be_shown(record: Record, slot: Slot) -> bool:
    """Whether a record may be shown to a model: a `local_only` one to no remote model, whatever is stored."""
    return not (record.local_only and slot.model and slot.model.remote)


def _asked(position: int, trace_id: str, design: str, record: Record, slot: Slot) -> AskedAnswer:
    return AskedAnswer(
        position=position,
        old_trace_id=trace_id,
        new_trace_id=uuid7(),
        design_id=design,
        record_id=record.record_id,
        record_hash=record.record_hash,
        model=slot.model.name if slot.model else None,
        criteria_set=slot.criteria.name if slot.criteria else None,
        criteria_hash=slot.criteria.criteria_hash if slot.criteria else None,
        remote=slot.model.remote if slot.model else None,
    )


def _entry(text: str | None) -> CacheEntry | None:
    """An entry of the cache; None if it is missing or cannot be read."""
    try:
        return CacheEntry.model_validate_json(text, context=FROM_DISK) if text is not None else None
    except ValidationError:
        return None


def _cached_call(call: StoredCall, entry: CacheEntry) -> CachedCall:
    completion = entry.completion
    return CachedCall(
        position=call.position,
        old_call_id=call.call_id,
        new_call_id="",
        model_served=completion.model_served,
        fingerprint=completion.fingerprint,
        request_id=completion.request_id,
        answered_at=completion.answered_at,
        finish_reason=completion.finish_reason,
        tokens_in=completion.tokens_in,
        tokens_out=completion.tokens_out,
        saved_usd=completion.cost_usd,
        latency_s=completion.latency_s,
        status=answer_status(completion),
        error_code=completion.category,
    )
