"""`Sender`: send one request: budget, rate limit, time limit, retries.

Each attempt is recorded (when it was sent, how long it had waited, why it failed), because it belongs to a study's
method how often a model was asked. A failure that another attempt cannot cure (a wrong key, an empty account, a text
too long, a filter) is not retried; after a wrong key or an empty account that run sends nothing more to that model.
"""

from __future__ import annotations

import asyncio
import itertools
import random
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

from ..._internal.backoff import Backoff
from ..._internal.secret_redaction import redact
from ...config.settings import Settings
from ...errors import (
    BadResponseError,
    CallCancelled,
    CallTimeout,
    ModelError,
    OverloadedError,
    RateLimitError,
    RunError,
    RunStopped,
    SetupError,
    SkippedCell,
    StoreError,
)
from ...schema import now
from ..completion import Completion
from ..model import Model, Request
from .attempt import Attempt, SendResult
from .budget import Budget
from .consent import ClearedRequest
from .rate_limits import Ledger, Limiter, MemoryLedger
from .run_scope import NO_POLICY, Policy, RunScope

T = TypeVar("T")
OnWait = Callable[[str, str, float, str], None]
"""Called before a wait with the run's id, the model's name, the seconds, and the reason."""

_THROTTLING = (RateLimitError, OverloadedError)
_FIRST_ANSWER_TOKENS = 1_000  # the longest answer that is expected, until there is a longer one
_CUT_OFF = "The run was stopped before the model answered; run the notebook cell again to ask it."
_MARGIN = 1.25  # the estimated number of tokens that a model reads may be too low
_memory = MemoryLedger()
_shared_limiters: dict[tuple[object, ...], Limiter] = {}


class _Reservation:
    """The money that is reserved for a call in flight."""

    def __init__(self, request: Request, budget: Budget, amount_usd: float) -> None:
        self.request = request
        self.budget = budget
        self.amount_usd = amount_usd
        self.cost_usd = 0.0


class Sender:
    """Sends requests to models.

    Parameters
    ----------
    settings
        The project's settings: time limit, retries, limits.
    ledger
        The ledger of rate limits; by default one for this process.
    on_wait
        Called before each wait.
    """

    def __init__(self, settings: Settings, *, ledger: Ledger | None = None, on_wait: OnWait | None = None) -> None:
        self._settings = settings
        self._ledger = ledger or _memory
        self._on_wait = on_wait
        self._limiters: dict[str, Limiter] = {}
        self._longest_answers: dict[str, int] = {}
        self._unexpected_tokens: dict[str, float] = {}
        """By how many tokens a model has read more than was estimated, at most."""
        self._in_flight: dict[str, set[_Reservation]] = {}
        self.sent = 0

    async def send(
        self,
        cleared: ClearedRequest,
        scope: RunScope,
        policy: Policy = NO_POLICY,
        attempts: list[Attempt] | None = None,
    ) -> SendResult:
        """Send a request, and retry until there is an answer or another attempt cannot help.

        Parameters
        ----------
        cleared
            The request.
        scope
            The run's state.
        policy
            The step's time limit and retries.
        attempts
            A list that gets every attempt as soon as it begins, so that it is known if the call is cut off.

        Raises
        ------
        BudgetReached
            The call might cost more than is left.
        """
        request = cleared.request
        model = request.model
        retries = _first_set(policy.retries, model.settings.retries, self._settings.retries)
        attempts = [] if attempts is None else attempts
        ended = time.monotonic()
        for number in itertools.count(1):
            try:
                completion = await self._attempt(request, scope, policy, ended, attempts)
            except ModelError as error:  # the model has failed too often for other calls
                return SendResult(None, error, tuple(attempts))
            attempt = attempts[-1]
            ended = time.monotonic()
            failure = attempt.error
            if failure is None:
                scope.record_success(model.name)
                return SendResult(completion, None, tuple(attempts))
            if isinstance(failure, SkippedCell):
                return SendResult(None, failure, ())
            if not isinstance(failure, ModelError) or not failure.transient or number > retries:
                break
            if not await self._wait(model, failure, number, scope, ended - attempt.took_s):
                failure = self._wait_too_long(failure)
                break
        if isinstance(failure, ModelError):
            scope.record_failure(model.name, failure)
        return SendResult(None, failure, tuple(attempts))

    def max_cost(self, request: Request) -> float:
        """The most that a call may cost, in US dollars; 0 if the price is not known, which is counted separately."""
        price = request.model.price()
        if not price:
            return 0.0
        limits = [request.params.sent.get(name) for name in ("max_tokens", "max_completion_tokens")]
        valid_limits = [limit for limit in limits if isinstance(limit, int | float) and limit > 0]
        limit = max(valid_limits or [self._longest_answers.get(request.model.full_name, _FIRST_ANSWER_TOKENS)])
        tokens_in = request.estimated_tokens * _MARGIN + self._unexpected_tokens.get(request.model.full_name, 0.0)
        return tokens_in * price[0] + limit * price[1]

    async def _attempt(
        self, request: Request, scope: RunScope, policy: Policy, ready_since: float, attempts: list[Attempt]
    ) -> Completion | None:
        """Send once: wait for the limits, reserve the money, call the model, settle the cost; add the attempt.

        A call that would not be sent after its wait does not wait.
        """
        model = request.model
        limiter = self._limiter(model)
        tokens = request.estimated_tokens if limiter and limiter.limits.tokens_per_minute else 0

        def check() -> None:
            if error := scope.circuit_error(model.name):
                raise error
            if request.remote:
                scope.budget.check(self.max_cost(request))

        if limiter is None:
            check()
        else:
            with scope.cancellable_wait():
                await limiter.acquire(tokens, lambda *wait: self._notify(scope, model, *wait), check=check)
        try:
            async with scope.semaphore, self._reserved(request, scope) as reservation:
                if scope.stopped:
                    raise RunStopped("it was stopped before this call was sent.")
                asked_at, began = now(), time.monotonic()
                waited_s, cut_off = began - ready_since, CallCancelled(_CUT_OFF)
                attempts.append(Attempt(asked_at, waited_s, 0.0, cut_off, reservation.amount_usd or None))
                try:
                    completion, error = await self._complete(request, policy)
                except asyncio.CancelledError:  # the provider may go on with it, and ask for its price
                    reservation.cost_usd = reservation.amount_usd
                    raise
                except (SetupError, StoreError):  # nothing was sent
                    attempts.pop()
                    raise
                cost_usd = _known_cost(completion, error)
                reservation.cost_usd = reservation.amount_usd if cost_usd is None else cost_usd
                max_cost_usd = (reservation.amount_usd or None) if cost_usd is None else None
                attempts[-1] = Attempt(asked_at, waited_s, time.monotonic() - began, error, max_cost_usd)
                if completion is not None and reservation.amount_usd:
                    self._raise_reservations(request, completion)
        finally:
            if limiter:
                limiter.release()
        if completion is not None and limiter:
            limiter.on_success()
            await limiter.add_usage(tokens, (completion.tokens_in or 0) + (completion.tokens_out or 0))
        return completion

    @asynccontextmanager
    async def _reserved(self, request: Request, scope: RunScope) -> AsyncIterator[_Reservation]:
        """Reserve the highest cost of a call in the budget, and settle its real cost at the end of the block."""
        amount_usd = 0.0
        if request.remote:
            with scope.cancellable_wait():
                amount_usd = await scope.budget.reserve(lambda: self.max_cost(request))
        reservation = _Reservation(request, scope.budget, amount_usd)
        in_flight = self._in_flight.setdefault(request.model.full_name, set())
        in_flight.add(reservation)
        try:
            yield reservation
        finally:
            in_flight.discard(reservation)
            scope.budget.settle(reservation.amount_usd, reservation.cost_usd)

    async def _complete(self, request: Request, policy: Policy) -> tuple[Completion | None, RunError | None]:
        model = request.model
        timeout_s = _first_set(policy.timeout_s, model.settings.timeout_s, self._settings.timeout_s)
        self.sent += 1
        try:
            async with asyncio.timeout(timeout_s):
                return await model.complete(request), None
        except (SetupError, StoreError):
            raise
        except RunError as error:
            return None, error
        except TimeoutError:
            return None, CallTimeout(
                f"`{model.name}` gave no answer within {timeout_s:g} s. "
                "Raise `timeout_s` in buttermilk.yaml, or run the notebook cell again later."
            )
        except Exception as error:  # noqa: BLE001  # a model may fail in any way; it costs this answer, not the run
            failure = BadResponseError(f"`{model.name}` failed: {redact(repr(error))}")
            failure.transient = False  # type: ignore[misc]  # a mistake in the code fails again
            failure.__cause__ = error
            return None, failure

    def _raise_reservations(self, request: Request, completion: Completion) -> None:
        """If a model has read or written more than any call before, reserve as much for each of its calls in flight."""
        name = request.model.full_name
        written, longest = completion.tokens_out or 0, self._longest_answers.get(name, _FIRST_ANSWER_TOKENS)
        unexpected = (completion.tokens_in or 0) - request.estimated_tokens * _MARGIN
        if written <= longest and unexpected <= self._unexpected_tokens.get(name, 0.0):
            return
        self._longest_answers[name] = max(written, longest)
        self._unexpected_tokens[name] = max(unexpected, self._unexpected_tokens.get(name, 0.0))
        for reservation in self._in_flight[name]:
            missing_usd = self.max_cost(reservation.request) - reservation.amount_usd
            if reservation.amount_usd and missing_usd > 0:
                reservation.budget.raise_reservation(missing_usd)
                reservation.amount_usd += missing_usd

    async def _wait(self, model: Model, failure: ModelError, attempt: int, scope: RunScope, began: float) -> bool:
        """Wait before the next attempt; False if the provider asks for a longer wait than the settings allow."""
        longest, requested = self._settings.backoff_max_s, failure.retry_after_s
        if requested is not None and requested > longest:
            return False
        if requested is None:
            wait = Backoff(_first_set(model.backoff_s, self._settings.backoff_s), longest).pause(attempt)
        else:
            wait = requested * random.uniform(1.0, 1.1)  # noqa: S311  # jitter, not a secret
        limiter = self._limiter(model)
        if limiter and isinstance(failure, _THROTTLING):
            limiter.on_throttle(began, wait)
            return True  # the limiter makes every caller wait, this one too
        self._notify(scope, model, wait, "it failed and is asked again")
        with scope.cancellable_wait():
            await asyncio.sleep(wait)
        return True

    def _wait_too_long(self, failure: ModelError) -> ModelError:
        return type(failure)(
            f"{failure} The provider asks to wait {failure.retry_after_s:,.0f} s, which is longer than `backoff_max_s` "
            f"({self._settings.backoff_max_s:g} s) in buttermilk.yaml; run the notebook cell again after that time.",
            code=failure.code,
            retry_after_s=failure.retry_after_s,
        )

    def _limiter(self, model: Model) -> Limiter | None:
        if model.in_process:
            return None
        limiter = self._limiters.get(model.name)
        if limiter is None:
            key = (model.rate_limit_key, model.settings.limits, self._ledger if model.shares_limits else self)
            new = Limiter(model.rate_limit_key, model.settings.limits, self._ledger)
            limiter = self._limiters[model.name] = _shared_limiters.setdefault(key, new)
        return limiter

    def _notify(self, scope: RunScope, model: Model, seconds: float, why: str) -> None:
        if self._on_wait is not None:
            self._on_wait(scope.run_id, model.name, seconds, why)


def _known_cost(completion: Completion | None, error: RunError | None) -> float | None:
    """The cost of a call in US dollars; None if nobody says what it is, so that a budget counts the most it can be."""
    if completion is not None:
        return completion.cost_usd
    return None if isinstance(error, ModelError) and error.may_have_cost else 0.0


def _first_set(*values: T | None) -> T:
    """The first value that is not None."""
    return next(value for value in values if value is not None)
