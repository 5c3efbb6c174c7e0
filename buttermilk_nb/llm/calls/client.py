"""`Client`: the one path of every call: cache, consent, single flight, sender, cache, rows.

The caller gets a `Call` row for every attempt, whatever happens. An answer is on disk before it is returned; errors and
timeouts are never cached. If the same request is asked by several cells at once, it is sent once.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Callable
from typing import NamedTuple

from pydantic import ValidationError

from ...config.settings import Settings
from ...errors import CacheMiss, RunError, RunStopped
from ...schema import Call, RedactionRow, TextRow, now
from ..cache import AnswerCache
from ..completion import FROM_DISK, CacheEntry, Completion
from ..model import Request
from . import call_rows
from .attempt import Attempt, SendResult
from .consent import ClearedRequest, Consent
from .run_scope import NO_POLICY, Policy, RunScope
from .sender import Sender


class CallResult(NamedTuple):
    """The result of a request: an answer or an error, with a row for each attempt and the bodies of these rows."""

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
        """How many times a model was asked in this run."""
        return sum(not call.cached for call in self.calls)


class InFlightCall:
    """A call in flight, its attempts so far, how many callers wait for it, and whether one has booked its cost."""

    def __init__(self, key: str, scope: RunScope) -> None:
        self.key = key
        self.scope = scope
        self.task: asyncio.Task[SendResult]
        self.attempts: list[Attempt] = []
        self.n_waiting = 0
        self.is_paid = False

    def book(self) -> bool:
        """Book the cost; True for the first caller, False if another has booked it already."""
        is_first, self.is_paid = not self.is_paid, True
        return is_first


KeepAttempts = Callable[[InFlightCall], None]
"""Called with a call that is cut off, so that the rows of its attempts are kept."""


class Client:
    """Asks models, through the cache.

    Parameters
    ----------
    cache
        The cached answers.
    settings
        The project's settings.
    sender
        Sends requests; by default one that keeps its limits in this process.
    consent
        Decides which requests may be sent; by default all that the settings allow.
    """

    def __init__(
        self, cache: AnswerCache, settings: Settings, *, sender: Sender | None = None, consent: Consent | None = None
    ) -> None:
        self._cache = cache
        self.consent = consent or Consent(settings.allow, local_only=settings.local_only)
        self.sender = sender or Sender(settings)
        self._probe_s = settings.probe_s
        self._in_flight: dict[str, InFlightCall] = {}
        self.unpaid_answers: dict[str, float] = {}
        """The keys of answers from a provider's batch that no cell has read yet, each with the most that it can have
        cost: the first cell that reads one books its cost."""

    @property
    def sent(self) -> int:
        """How many requests were sent, attempts counted."""
        return self.sender.sent

    async def ask(
        self,
        request: Request,
        *,
        trace_id: str,
        scope: RunScope,
        policy: Policy = NO_POLICY,
        again: bool = False,
        on_cut_off: Callable[[CallResult], None] | None = None,
    ) -> CallResult:
        """Ask once.

        Parameters
        ----------
        request
            The question.
        trace_id
            The trace that the `Call` rows belong to.
        scope
            The run's settings and state: cache mode, budget, open circuits.
        policy
            The step's time limit and retries.
        again
            Ask although an answer is cached; the mode `only` never asks.
        on_cut_off
            Called with the rows of the attempts if the call is cut off after it was sent.

        Raises
        ------
        CacheMiss
            The mode is `only`, and the answer is not in the cache.
        ConsentError, BudgetReached
            The request must not be sent.
        StoreError
            The cache cannot be read or written.
        """
        asked_at = now()
        if reason := self.consent.local_only_reason(request):  # before the cache, which may know a twin that may leave
            return CallResult(request, (), None, reason, ())
        if scope.mode == "only" or (scope.mode == "use" and not again):
            completion = self.cached(request)
            if completion is not None:
                if request.former_key is not None and request.key not in self._cache:
                    await self.store_answer(request, completion)
                max_cost_usd = self.unpaid_answers.pop(request.key, None) if self.unpaid_answers else None
                is_paid = max_cost_usd is None
                return _from_completion(
                    request, completion, trace_id, scope.run_id, asked_at, shared=is_paid, max_cost_usd=max_cost_usd
                )
            if scope.mode == "only":
                if reason := request.model.skip_reason(request.offline_input):
                    return CallResult(request, (), None, reason, ())
                raise CacheMiss(self._missing_answer(request))
        cleared = self.consent.clear(request)  # before it joins a call that another record's consent allowed
        if not request.model.in_process:
            await scope.identify(request.model, self._probe_s)

        def keep_attempts(call: InFlightCall) -> None:
            if on_cut_off is not None and call.attempts and call.book():
                cut_off = SendResult(None, None, tuple(call.attempts))
                on_cut_off(_from_send_result(request, cut_off, trace_id, scope.run_id, asked_at, shared=False))

        result, shared = await self._send_or_join(cleared, scope, policy, keep_attempts)
        return _from_send_result(request, result, trace_id, scope.run_id, asked_at, shared=shared)

    async def _send_or_join(
        self, cleared: ClearedRequest, scope: RunScope, policy: Policy, keep_attempts: KeepAttempts
    ) -> tuple[SendResult, bool]:
        """Send a request, or wait for the same one in flight; and whether another caller has booked its cost."""
        while True:
            call = self._join_or_start(cleared, scope, policy)
            try:
                result = await self._await_shared(call, keep_attempts)
            except RunStopped:
                if call.scope is scope:
                    keep_attempts(call)
                    raise
                continue  # another run was stopped or has no money left; this one asks for itself
            if result.attempts or result.completion or call.scope is scope:
                break  # another run that has given up this model did not send it; this one does
        return result, not call.book()

    async def _await_shared(self, call: InFlightCall, keep_attempts: KeepAttempts) -> SendResult:
        call.n_waiting += 1
        try:
            return await asyncio.shield(call.task)
        finally:
            call.n_waiting -= 1
            if not call.n_waiting and not call.task.done():  # stopped, and no other caller wants the answer
                keep_attempts(call)
                self._forget(call)
                call.task.cancel()

    def cached(self, request: Request) -> Completion | None:
        """The answer in the cache, or None. An entry that cannot be read counts as missing."""
        text = self._cache.get(request.key)
        if text is None and request.former_key is not None:
            text = self._cache.get(request.former_key)
        if text is None:
            return None
        try:
            return CacheEntry.model_validate_json(text, context=FROM_DISK).completion
        except ValidationError:
            return None

    def has_cached(self, request: Request) -> bool:
        """Whether the answer is in the cache; quicker than to read it."""
        return request.key in self._cache or (request.former_key is not None and request.former_key in self._cache)

    async def store_answer(self, request: Request, completion: Completion) -> None:
        """Put an answer on disk."""
        entry = CacheEntry(parts=request.parts, completion=completion)
        await self._cache.put(request.key, entry.model_dump_json())

    def _missing_answer(self, request: Request) -> str:
        record = f" for record `{request.offline_input.record.record_id}`" if request.offline_input else ""
        return (
            f'cache="only", and the answer of `{request.model.name}` is not in the cache{record}. '
            f'{self._cache.explain(request.parts)} Run the notebook cell with cache="use" to ask for it.'
        )

    def _join_or_start(self, cleared: ClearedRequest, scope: RunScope, policy: Policy) -> InFlightCall:
        """The call of this request that is in flight, or a new one."""
        request, use_cache = cleared.request, scope.mode != "off"
        key = request.key if use_cache else f"{request.key} uncached"
        if key not in self._in_flight:
            call = self._in_flight[key] = InFlightCall(key, scope)
            sending = self._send_and_cache(cleared, scope, policy, call.attempts, use_cache=use_cache)
            call.task = asyncio.get_running_loop().create_task(sending)
            call.task.add_done_callback(lambda _: self._forget(call))
        return self._in_flight[key]

    def _forget(self, call: InFlightCall) -> None:
        if self._in_flight.get(call.key) is call:
            del self._in_flight[call.key]
        if call.task.done() and not call.task.cancelled():
            call.task.exception()  # the callers have it; without this line asyncio warns if there are none any more

    async def _send_and_cache(
        self, cleared: ClearedRequest, scope: RunScope, policy: Policy, attempts: list[Attempt], *, use_cache: bool
    ) -> SendResult:
        result = await self.sender.send(cleared, scope, policy, attempts)
        if use_cache and result.completion is not None:
            await self.store_answer(cleared.request, result.completion)
        return result


def _from_completion(
    request: Request,
    completion: Completion,
    trace_id: str,
    run_id: str,
    asked_at: dt.datetime,
    *,
    shared: bool,
    max_cost_usd: float | None = None,
) -> CallResult:
    answer = TextRow.of("response", completion.raw)
    call = call_rows.answer_row(
        request, completion, answer, trace_id, run_id, asked_at, shared=shared, max_cost_usd=max_cost_usd
    )
    return CallResult(request, (call,), completion, None, (request.body, answer), call_rows.redacted_rows(request))


def _from_send_result(
    request: Request, result: SendResult, trace_id: str, run_id: str, asked_at: dt.datetime, *, shared: bool
) -> CallResult:
    """The result of a call; callers that joined it get one row at cost 0."""
    attempts = result.attempts
    if shared and attempts:
        attempts = (Attempt(asked_at, 0.0, attempts[-1].took_s, attempts[-1].error),)
    calls = [
        call_rows.failure_row(request, attempt, trace_id, run_id, number=number, shared=shared)
        for number, attempt in enumerate(attempts, 1)
        if attempt.error is not None
    ]
    texts: tuple[TextRow, ...] = (request.body,) if calls else ()
    if result.completion is not None:
        asked_at = attempts[-1].asked_at
        answered = _from_completion(request, result.completion, trace_id, run_id, asked_at, shared=shared)
        return answered._replace(calls=(*calls, call_rows.add_attempts(answered.calls[0], attempts)))
    return CallResult(
        request, tuple(calls), None, result.error, texts, call_rows.redacted_rows(request) if calls else ()
    )
