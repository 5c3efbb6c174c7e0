"""The one path of every call: cache, single flight, sender, cache, Call.

Whoever asks gets a Call row for every attempt, whatever happens. An answer is on disk before it is handed on;
errors and timeouts are never cached. The same request asked by many at once is one call.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from typing import NamedTuple

from pydantic import ValidationError

from ...config.settings import Settings
from ...errors import CacheMiss, RunError, RunStopped
from ...schema import Call, RedactionRow, TextRow, now
from ..cache import AnswerCache
from ..completion import FROM_DISK, CacheEntry, Completion
from ..model import Request
from . import call_rows
from .run_scope import NO_POLICY, Policy, RunScope
from .sender import Attempt, Sender, SendResult


class CallResult(NamedTuple):
    """What came of a request: an answer or an error, with a row for each attempt and its bodies."""

    request: Request
    calls: tuple[Call, ...]
    completion: Completion | None
    error: RunError | None
    texts: tuple[TextRow, ...]
    redacted: tuple[RedactionRow, ...] = ()

    @property
    def call(self) -> Call | None:
        """The row of the last attempt."""
        return self.calls[-1] if self.calls else None

    @property
    def attempts(self) -> int:
        """How often a model was asked for it now."""
        return sum(not call.cached for call in self.calls)


class InFlightCall:
    """A call on its way, how many wait for it, and whether one of them has taken its cost."""

    def __init__(self, key: str, task: asyncio.Task[SendResult], scope: RunScope) -> None:
        self.key = key
        self.scope = scope
        self.task = task
        self.waiting = 0
        self.paid = False


class Client:
    """Asks models, through the cache.

    Parameters
    ----------
    cache
        Where answers are kept.
    settings
        The project's settings.
    sender
        What sends; by default one that keeps its limits in this process.
    """

    def __init__(self, cache: AnswerCache, settings: Settings, *, sender: Sender | None = None) -> None:
        self._cache = cache
        self.sender = sender or Sender(settings)
        self._probe_s = settings.probe_s
        self._flights: dict[str, InFlightCall] = {}
        self.batch_answers: dict[str, Completion] = {}
        """Answers that a provider's batch has brought, and that nobody has taken yet: they cost something now."""

    @property
    def sent(self) -> int:
        """How many requests were sent, attempts counted."""
        return self.sender.sent

    async def ask(
        self, request: Request, *, trace_id: str, scope: RunScope, policy: Policy = NO_POLICY, again: bool = False
    ) -> CallResult:
        """Ask once.

        Parameters
        ----------
        request
            The question.
        trace_id
            Whom the Call rows belong to.
        scope
            The run's side: mode of the cache, budget, models given up.
        policy
            The step's time limit and retries.
        again
            Ask although there is an answer in the cache; `only` never asks.

        Raises
        ------
        CacheMiss
            The mode is `only`, and the answer is not in the cache.
        ConsentError, BudgetReached
            It must not be sent.
        StoreError
            The cache cannot be read or written.
        """
        asked_at = now()
        if why := self.sender.stays(request):  # before the cache: the answer of a twin that may leave is not its own
            return CallResult(request, (), None, why, ())
        if scope.mode == "only" or (scope.mode == "use" and not again):
            completion = self.cached(request)
            if completion is not None:
                fresh = self.batch_answers and self.batch_answers.pop(request.key, None) is not None
                return _from_completion(request, completion, trace_id, scope.run_id, asked_at, shared=not fresh)
            if scope.mode == "only":
                if why := request.model.skip_reason(request.offline_input):
                    return CallResult(request, (), None, why, ())
                raise CacheMiss(self._missing(request))
        if request.remote:
            self.sender.consent(request)  # of this record; the call that it may join is another's
        if not request.model.in_process:
            await scope.identify(request.model, self._probe_s)
        while True:
            flight = self._join_or_start(request, scope, policy)
            try:
                flown = await self._await_shared(flight)
            except RunStopped:
                if flight.scope is scope:
                    raise
                continue  # another run was stopped or has no money left; this one asks for itself
            if flown.attempts or flown.completion or flight.scope is scope:
                break  # what was not asked because another run gave the model up, this one asks
        shared, flight.paid = flight.paid, True
        return _from_send_result(request, flown, trace_id, scope.run_id, asked_at, shared=shared)

    async def _await_shared(self, flight: InFlightCall) -> SendResult:
        flight.waiting += 1
        try:
            return await asyncio.shield(flight.task)
        finally:
            flight.waiting -= 1
            if not flight.waiting and not flight.task.done():  # stopped, and nobody else wants the answer
                self._forget(flight)
                flight.task.cancel()

    def cached(self, request: Request) -> Completion | None:
        """The answer in the cache, or None. An entry that cannot be read counts as none."""
        found = self._cache.get(request.key)
        if found is None:
            return None
        try:
            return CacheEntry.model_validate_json(found, context=FROM_DISK).completion
        except ValidationError:
            return None

    async def store_answer(self, request: Request, completion: Completion) -> None:
        """Put an answer on disk."""
        entry = CacheEntry(parts=request.parts, completion=completion)
        await self._cache.put(request.key, entry.model_dump_json())

    def _missing(self, request: Request) -> str:
        about = f" for record `{request.offline_input.record.record_id}`" if request.offline_input else ""
        return (
            f'cache="only", and the answer of `{request.model.name}` is not in the cache{about}. '
            f'{self._cache.explain(request.parts)} Run the cell with cache="use" to ask for it.'
        )

    def _join_or_start(self, request: Request, scope: RunScope, policy: Policy) -> InFlightCall:
        """The call of this request that is on its way, or a new one."""
        keep = scope.mode != "off"
        key = request.key if keep else f"{request.key} uncached"
        if key not in self._flights:
            task = asyncio.get_running_loop().create_task(self._send_and_cache(request, scope, policy, keep=keep))
            flight = self._flights[key] = InFlightCall(key, task, scope)
            task.add_done_callback(lambda _: self._forget(flight))
        return self._flights[key]

    def _forget(self, flight: InFlightCall) -> None:
        if self._flights.get(flight.key) is flight:
            del self._flights[flight.key]
        if flight.task.done() and not flight.task.cancelled():
            flight.task.exception()  # whoever waits hears of it; nobody may be waiting any more

    async def _send_and_cache(self, request: Request, scope: RunScope, policy: Policy, *, keep: bool) -> SendResult:
        flown = await self.sender.send(request, scope, policy)
        if keep and flown.completion is not None:
            await self.store_answer(request, flown.completion)
        return flown


def _from_completion(
    request: Request, completion: Completion, trace_id: str, run_id: str, asked_at: dt.datetime, *, shared: bool
) -> CallResult:
    answer = TextRow.of("response", completion.raw)
    call = call_rows.answered(request, completion, answer, trace_id, run_id, asked_at, shared=shared)
    return CallResult(request, (call,), completion, None, (request.body, answer), call_rows.redacted(request))


def _from_send_result(
    request: Request, flown: SendResult, trace_id: str, run_id: str, asked_at: dt.datetime, *, shared: bool
) -> CallResult:
    """What came of a flight; whoever only shared it has one row, and no cost."""
    tries = flown.attempts
    if shared and tries:
        tries = (Attempt(asked_at, 0.0, tries[-1].took_s, tries[-1].error),)
    calls = [
        call_rows.failed(request, made, trace_id, run_id, attempt=attempt, shared=shared)
        for attempt, made in enumerate(tries, 1)
        if made.error is not None
    ]
    texts: tuple[TextRow, ...] = (request.body,) if calls else ()
    if flown.completion is not None:
        asked = _from_completion(request, flown.completion, trace_id, run_id, tries[-1].asked_at, shared=shared)
        made = asked.calls[0].model_copy(update={"attempt": len(tries), "waited_s": round(tries[-1].waited_s, 3)})
        return asked._replace(calls=(*calls, made))
    return CallResult(request, tuple(calls), None, flown.error, texts, call_rows.redacted(request) if calls else ())
