"""The one path of every call: cache, single flight, model, cache, Call.

Whoever asks gets a Call row whatever happens. An answer is on disk before it is handed on; errors and
timeouts are never cached. The same request asked by many at once is one call.
"""

from __future__ import annotations

import asyncio
import contextlib
from contextlib import AbstractAsyncContextManager
from typing import NamedTuple

from pydantic import ValidationError

from .._ids import uuid7
from ..cache import AnswerCache
from ..errors import BadResponseError, CacheMiss, CallTimeout, RunError, SetupError, SkippedCell, StoreError
from ..settings import CacheMode
from ..traces import Call, TextRow, now
from .base import CacheEntry, Completion, Request

_OPEN: AbstractAsyncContextManager[object] = contextlib.nullcontext()


class Asked(NamedTuple):
    """What came of a request: an answer or an error, with its row and its bodies."""

    call: Call | None
    completion: Completion | None
    error: RunError | None
    texts: tuple[TextRow, ...]


class _Flight:
    """A call on its way, how many wait for it, and whether one of them has taken its cost."""

    def __init__(self, key: str, task: asyncio.Task[Completion]) -> None:
        self.key = key
        self.task = task
        self.waiting = 0
        self.paid = False


class Client:
    """Asks models, through the cache.

    Parameters
    ----------
    cache
        Where answers are kept.
    timeout_s
        Seconds that one call may take.
    """

    def __init__(self, cache: AnswerCache, *, timeout_s: float) -> None:
        self._cache = cache
        self._timeout_s = timeout_s
        self._flights: dict[str, _Flight] = {}
        self.sent = 0

    async def ask(
        self,
        request: Request,
        *,
        trace_id: str,
        run_id: str,
        mode: CacheMode = "use",
        again: bool = False,
        gate: AbstractAsyncContextManager[object] | None = None,
    ) -> Asked:
        """Ask once.

        Parameters
        ----------
        request
            The question.
        trace_id, run_id
            Whom the Call row belongs to.
        mode
            How the cache is used: `use`, `refresh`, `only`, `off`.
        again
            Ask although there is an answer in the cache; `only` never asks.
        gate
            What the call itself waits for; looking into the cache and writing to it do not.

        Raises
        ------
        CacheMiss
            `mode="only"`, and the answer is not in the cache.
        StoreError
            The cache cannot be read or written.
        """
        asked_at = now()
        if mode == "only" or (mode == "use" and not again):
            completion = self.cached(request)
            if completion is not None:
                return self._asked(request, completion, trace_id, run_id, asked_at, shared=True)
            if mode == "only":
                if why := request.model.skips(request.aside):
                    return Asked(None, None, why, ())
                raise CacheMiss(
                    f'cache="only", and the answer of `{request.model.name}` is not in the cache'
                    f'{_about(request)}. Run the cell with cache="use" to ask for it.'
                )
        flight = self._flight(request, gate or _OPEN, keep=mode != "off")
        flight.waiting += 1
        try:
            completion = await asyncio.shield(flight.task)
        except SkippedCell as error:
            return Asked(None, None, error, ())
        except RunError as error:
            return self._failed(request, error, trace_id, run_id, asked_at)
        finally:
            flight.waiting -= 1
            if not flight.waiting and not flight.task.done():  # stopped, and nobody else wants the answer
                self._landed(flight)
                flight.task.cancel()
        shared, flight.paid = flight.paid, True
        return self._asked(request, completion, trace_id, run_id, asked_at, shared=shared)

    def cached(self, request: Request) -> Completion | None:
        """The answer in the cache, or None. An entry that cannot be read counts as none."""
        found = self._cache.get(request.key)
        if found is None:
            return None
        try:
            return CacheEntry.model_validate_json(found).completion
        except ValidationError:
            return None

    def _flight(self, request: Request, gate: AbstractAsyncContextManager[object], *, keep: bool) -> _Flight:
        """The call of this request that is on its way, or a new one."""
        key = request.key if keep else f"{request.key} uncached"
        if key not in self._flights:
            flight = _Flight(key, asyncio.get_running_loop().create_task(self._fly(request, gate, keep=keep)))
            self._flights[key] = flight
            flight.task.add_done_callback(lambda _: self._landed(flight))
        return self._flights[key]

    def _landed(self, flight: _Flight) -> None:
        if self._flights.get(flight.key) is flight:
            del self._flights[flight.key]

    async def _fly(self, request: Request, gate: AbstractAsyncContextManager[object], *, keep: bool) -> Completion:
        try:
            async with gate, asyncio.timeout(self._timeout_s):
                self.sent += 1
                completion = await request.model.complete(request)
        except (RunError, SetupError, StoreError):
            raise
        except TimeoutError:
            raise CallTimeout(
                f"`{request.model.name}` gave no answer within {self._timeout_s:g} s. "
                "Raise `timeout_s` in buttermilk.yaml, or run the cell again later."
            ) from None
        except Exception as error:  # a model may fail in any way; it costs this cell, not the run
            raise BadResponseError(f"`{request.model.name}` failed: {error!r}") from error
        if keep:
            entry = CacheEntry(parts=request.parts, completion=completion)
            await self._cache.put(request.key, entry.model_dump_json())
        return completion

    def _asked(
        self, request: Request, completion: Completion, trace_id: str, run_id: str, asked_at: object, *, shared: bool
    ) -> Asked:
        answer = TextRow.of("response", completion.raw)
        status = _status(completion)
        call = Call(
            **_common(request, trace_id, run_id, asked_at),
            model_served=completion.model_served,
            fingerprint=completion.fingerprint,
            request_id=completion.request_id,
            cached=shared,
            answered_at=completion.answered_at,
            response_hash=answer.text_hash,
            finish_reason=completion.finish_reason,
            tokens_in=completion.tokens_in,
            tokens_out=completion.tokens_out,
            cost_usd=0.0 if shared else completion.cost_usd,
            saved_usd=completion.cost_usd if shared else 0.0,
            latency_s=completion.latency_s,
            status=status,
        )
        return Asked(call, completion, None, (request.body, answer))

    def _failed(self, request: Request, error: RunError, trace_id: str, run_id: str, asked_at: object) -> Asked:
        call = Call(
            **_common(request, trace_id, run_id, asked_at),
            cached=False,
            status=error.status,
            error_message=str(error),
        )
        return Asked(call, None, error, (request.body,))


def _common(request: Request, trace_id: str, run_id: str, asked_at: object) -> dict[str, object]:
    return {
        "call_id": uuid7(),
        "trace_id": trace_id,
        "run_id": run_id,
        "model_requested": request.model.name,
        "cache_key": request.key,
        "asked_at": asked_at,
        "params_sent": request.params.sent_json,
        "params_dropped": request.params.dropped_json,
        "request_hash": request.body.text_hash,
    }


def _status(completion: Completion) -> str:
    if completion.finish_reason == "content_filter":
        return "filtered"
    return "refused" if completion.refusal else "ok"


def _about(request: Request) -> str:
    return f" for record `{request.aside.record.record_id}`" if request.aside else ""
