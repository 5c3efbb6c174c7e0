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
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from operator import itemgetter
from typing import NamedTuple

from pydantic import ValidationError

from ..._internal.ids import uuid7
from ...agents.base import Context, Slot
from ...corpus.record import Record
from ...events.event import ResultEvent
from ...llm.calls.call_rows import answer_status
from ...llm.completion import DiskCompletion, DiskEntry
from ...schema import now, text_hash
from ...store.connection import FileLocked
from ...store.copy_answers import (
    AskedAnswer,
    CachedCall,
    CopiedAnswer,
    StoredCall,
    copy_units,
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


class _AnswerChunk(NamedTuple):
    """Planned answers, what the cache has of them, and when the work on them began."""

    asked: list[AskedAnswer]
    cached: Future[list[CachedCall]]
    began: float


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
        await asyncio.to_thread(chunks.close)
        return n_copied

    def copy(self) -> Generator[list[CopiedAnswers]]:
        """Copy in chunks, and yield what was copied after each one, in a thread of its own.

        While a chunk is written, another thread reads the cached answers of the next one.
        """
        waiting: _AnswerChunk | None = None
        try:
            with ThreadPoolExecutor(1, thread_name_prefix="buttermilk_nb-copy") as reader:
                for asked in self._chunks(self._newest_traces()):
                    began = time.perf_counter()
                    with self._context.project.store.reading() as con:
                        calls = find_calls(con, asked, self._context.retry)
                    following = _AnswerChunk(asked, reader.submit(self._cached_calls, calls), began)
                    if waiting:
                        yield self._copy_chunk(waiting)
                    waiting = following
                if waiting:
                    yield self._copy_chunk(waiting)
        except FileLocked:  # the runner works the other answers out, and spools them
            return

    def _chunks(self, trace_ids: bytearray) -> Iterator[list[AskedAnswer]]:
        """The planned answers for which there is a trace, some thousands at a time."""
        asked: list[AskedAnswer] = []
        n_slots = len(self._slots)
        for number, record in enumerate(self._plan.corpus.records):
            for position, (slot, is_copyable) in enumerate(self._slots, number * n_slots):
                old = trace_ids[position * 36 : position * 36 + 36].decode()
                if old != _NO_TRACE and is_copyable and _may_be_shown(record, slot):
                    asked.append(AskedAnswer(position, old, bool(slot.model and slot.model.remote)))
            if len(asked) >= _CHUNK:
                yield asked
                asked = []
        if asked:
            yield asked

    def _newest_traces(self) -> bytearray:
        """For each planned answer the id of the trace that may answer it, or blanks; 36 bytes each."""
        ids = bytearray()
        with self._context.project.store.reading() as con:
            traces = newest_traces(con, self._context.run_id, code_hash(), self._context.retry)
            while chunk := list(itertools.islice(traces, _CHUNK)):
                ids += "".join([trace_id or _NO_TRACE for trace_id in chunk]).encode()
        assert len(ids) == 36 * len(self.copied), "the plan is in the Store"
        return ids

    def _copy_chunk(self, chunk: _AnswerChunk) -> list[CopiedAnswers]:
        """Copy the answers of a chunk, as far as the cache has them unchanged."""
        cached = chunk.cached.result()
        if not cached:
            return []
        at, duration_s = now(), (time.perf_counter() - chunk.began) / len(chunk.asked)
        positions = {call.position for call in cached}
        n_slots = len(self._slots)
        copied = [
            CopiedAnswer(position, old_trace_id, uuid7(), criteria.name if criteria else None)
            for position, old_trace_id, _ in chunk.asked
            if position in positions
            for criteria in [self._slots[position % n_slots][0].criteria]
        ]
        cached = [CachedCall(*call[:-1], uuid7()) for call in cached]  # the ids of calls are in their order
        with self._context.project.store.writing() as con:
            counts = copy_units(con, self._context.run_id, copied, cached, at, duration_s)
        for position in positions:
            self.copied[position] = 1
        return [CopiedAnswers(*row) for row in counts]

    def _cached_calls(self, calls: Sequence[StoredCall]) -> list[CachedCall]:
        """The calls of the answers for which the cache has every response as the Store has it."""
        by_key: dict[str, list[StoredCall]] = {}
        for call in calls:
            by_key.setdefault(call[2], []).append(call)
        for key in self._context.project.client.unpaid_answers:  # the first cell that reads one books its cost
            by_key.pop(key, None)
        cached: list[CachedCall] = []
        for key, text in self._context.project.cache.read_many(by_key):
            if completion := _completion(text):
                found = text_hash("response", completion.raw)
                for position, call_id, _, response_hash in by_key[key]:
                    if found == response_hash:
                        cached.append(_cached_call(position, call_id, completion))
        missing = Counter(call[0] for call in calls) - Counter(call.position for call in cached)
        return sorted((call for call in cached if call.position not in missing), key=itemgetter(0, 1))


def _is_copyable(slot: Slot) -> bool:
    """Whether stored answers of a slot may be copied: only package code makes them, from what models said."""
    scales = [type(criterion.scale) for criterion in slot.criteria or ()]
    kinds = [type(slot.agent), *scales]
    return slot.agent.has_repeatable_answers and slot.model is not None and all(map(is_own_code, kinds))


def _may_be_shown(record: Record, slot: Slot) -> bool:
    """Whether a record may be shown to a model: a `local_only` one to no remote model, whatever is stored."""
    return not (record.local_only and slot.model and slot.model.remote)


def _completion(text: str) -> DiskCompletion | None:
    """The answer in an entry of the cache; None if it cannot be read."""
    try:
        return DiskEntry.model_validate_json(text).completion
    except ValidationError:
        return None


def _cached_call(position: int, call_id: str, completion: DiskCompletion) -> CachedCall:
    return CachedCall(
        position,
        call_id,
        completion.model_served,
        completion.fingerprint,
        completion.request_id,
        completion.answered_at,
        completion.finish_reason,
        completion.tokens_in,
        completion.tokens_out,
        completion.cost_usd,
        completion.latency_s,
        answer_status(completion),
        completion.category,
    )
