"""The way of one call to a model: consent, budget, limits, time limit, and again where that may help.

Each attempt is kept (when it went, how long it had waited, why it failed), because a study's method includes what
was asked twice. What a second attempt cannot mend (a wrong key, an empty account, a text too long, a filter) is not
sent twice; after a wrong key or an empty account nothing more is sent to that model in that run.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import itertools
import random
import time
from collections.abc import Callable, Iterable
from typing import NamedTuple, TypeVar

from ..._internal.secret_redaction import redact
from ..._internal.text import estimate_tokens
from ...config.settings import Settings
from ...errors import (
    BadResponseError,
    CallTimeout,
    ConsentError,
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
from .rate_limits import Ledger, Limiter, MemoryLedger
from .run_scope import NO_POLICY, Policy, RunScope

T = TypeVar("T")
OnWait = Callable[[str, str, float, str], None]
"""Told of a wait: the run, the model, how many seconds, and why."""

_TOO_MANY = (RateLimitError, OverloadedError)
_FIRST_ANSWER_TOKENS = 1_000  # what an answer is thought to cost at most, until a longer one is seen
_memory = MemoryLedger()
_shared_limiters: dict[tuple[object, ...], Limiter] = {}


class Attempt(NamedTuple):
    """One attempt: when it went, how long it had waited and took, and why it failed."""

    asked_at: dt.datetime
    waited_s: float
    took_s: float
    error: RunError | None


class SendResult(NamedTuple):
    """What came of a request, and the attempts that it took."""

    completion: Completion | None
    error: RunError | None
    attempts: tuple[Attempt, ...]


class Sender:
    """Sends requests to models.

    Parameters
    ----------
    settings
        The project's settings: time limit, retries, limits.
    ledger
        Where limits a minute are kept; by default in this process.
    on_wait
        Told of waits.
    """

    def __init__(self, settings: Settings, *, ledger: Ledger | None = None, on_wait: OnWait | None = None) -> None:
        self._settings = settings
        self._ledger = ledger or _memory
        self._on_wait = on_wait
        self._limiters: dict[str, Limiter] = {}
        self._longest: dict[str, int] = {}
        self.allowed: set[str] = set(settings.allow)
        self.sent = 0

    async def send(self, request: Request, scope: RunScope, policy: Policy = NO_POLICY) -> SendResult:
        """Send until there is an answer, or no hope of one.

        Raises
        ------
        ConsentError
            The text must not leave, or nobody has allowed it.
        BudgetReached
            The call might cost more than is left.
        """
        model = request.model
        if error := scope.circuit_error(model.name):
            return SendResult(None, error, ())
        if request.remote:
            self.consent(request)
        retries = _first(policy.retries, model.settings.retries, self._settings.retries)
        tries: list[Attempt] = []
        ended = time.monotonic()
        for attempt in itertools.count(1):
            completion, made = await self._attempt(request, scope, policy, ended)
            tries.append(made)
            ended = time.monotonic()
            failure = made.error
            if failure is None:
                scope.record_success(model.name)
                return SendResult(completion, None, tuple(tries))
            if isinstance(failure, SkippedCell):
                return SendResult(None, failure, ())
            if not isinstance(failure, ModelError) or not failure.transient or attempt > retries:
                break
            if not await self._wait(model, failure, attempt, scope, ended - made.took_s):
                failure = self._too_long(failure)
                break
        if isinstance(failure, ModelError):
            scope.record_failure(model.name, failure)
        return SendResult(None, failure, tuple(tries))

    def consent(self, request: Request) -> None:
        """Whether a request may leave.

        Raises
        ------
        ConsentError
            The project stays local, or nobody has allowed this provider.
        SkippedCell
            This record stays local.
        """
        model = request.model
        if self._settings.local_only:
            raise ConsentError(stays_local(model))
        if why := self.stays(request):
            raise why
        if model.recipient not in self.allowed:
            raise ConsentError(*not_allowed([model]))

    def stays(self, request: Request) -> SkippedCell | None:
        """Why a record is not put to this model, whatever is allowed or cached; None where it may be."""
        if not request.remote or request.offline_input is None or not request.offline_input.record.local_only:
            return None
        return SkippedCell(
            f"record `{request.offline_input.record.record_id}` is local_only, so it is not sent to "
            f"`{request.model.name}`."
        )

    def max_cost(self, request: Request) -> float:
        """What a call may cost, in US dollars; 0 where the price is not known, which is counted elsewhere."""
        price = request.model.price()
        if not price:
            return 0.0
        params = request.params.sent
        most = params.get("max_tokens") or params.get("max_completion_tokens")
        written = (
            most
            if isinstance(most, int | float) and most > 0
            else self._longest.get(request.model.full_name, _FIRST_ANSWER_TOKENS)
        )
        return estimate_tokens(request.text) * 1.25 * price[0] + written * price[1]  # 1.25: a heuristic may fall short

    async def _attempt(
        self, request: Request, scope: RunScope, policy: Policy, since: float
    ) -> tuple[Completion | None, Attempt]:
        """One attempt."""
        model, budget = request.model, scope.budget
        limiter = self._limiter(model)
        aside = self.max_cost(request) if request.remote else 0.0
        if request.remote:
            with scope.cancellable_wait():
                await budget.reserve(aside)
        spent = 0.0
        try:
            tokens = estimate_tokens(request.text) if limiter and limiter.limits.tokens_per_minute else 0
            if limiter:
                with scope.cancellable_wait():
                    await limiter.acquire(tokens, lambda seconds, why: self._notify(scope, model, seconds, why))
            try:
                async with scope.semaphore:
                    if scope.stopped:
                        raise RunStopped("it was stopped before this call was sent.")
                    asked_at, began = now(), time.monotonic()
                    completion, error = await self._complete(request, policy)
                    took = time.monotonic() - began
            finally:
                if limiter:
                    limiter.release()
            if completion is not None:
                spent = completion.cost_usd or 0.0
                if limiter:
                    await self._record_usage(limiter, model, completion, tokens)
        finally:
            budget.settle(aside, spent)
        return completion, Attempt(asked_at, began - since, took, error)

    async def _complete(self, request: Request, policy: Policy) -> tuple[Completion | None, RunError | None]:
        model = request.model
        timeout_s = _first(policy.timeout_s, model.settings.timeout_s, self._settings.timeout_s)
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
                "Raise `timeout_s` in buttermilk.yaml, or run the cell again later."
            )
        except Exception as error:  # noqa: BLE001  # a model may fail in any way; it costs this cell, not the run
            failure = BadResponseError(f"`{model.name}` failed: {redact(repr(error))}")
            failure.transient = False  # type: ignore[misc]  # this one will fail again: it is a mistake in the code
            failure.__cause__ = error
            return None, failure

    async def _record_usage(self, limiter: Limiter, model: Model, completion: Completion, tokens: int) -> None:
        limiter.on_success()
        used = (completion.tokens_in or 0) + (completion.tokens_out or 0)
        await limiter.add_usage(tokens, used)
        longest = self._longest.get(model.full_name, _FIRST_ANSWER_TOKENS)
        self._longest[model.full_name] = max(longest, completion.tokens_out or 0)

    async def _wait(self, model: Model, failure: ModelError, attempt: int, scope: RunScope, began: float) -> bool:
        """Wait until the next attempt may go; False where the provider asks for longer than anybody would wait."""
        longest, asked = self._settings.backoff_max_s, failure.retry_after_s
        if asked is not None and asked > longest:
            return False
        first = _first(model.backoff_s, self._settings.backoff_s)
        backoff = min(longest, first * 2 ** (attempt - 1)) * random.uniform(0.5, 1.0)  # noqa: S311  # jitter
        wait = backoff if asked is None else asked + random.uniform(0.0, 0.1) * asked  # noqa: S311  # as above
        limiter = self._limiter(model)
        if limiter and isinstance(failure, _TOO_MANY):
            limiter.on_throttle(began, wait)
            return True  # the limiter makes everybody wait, this one too
        self._notify(scope, model, wait, "it failed and is asked again")
        with scope.cancellable_wait():
            await asyncio.sleep(wait)
        return True

    def _too_long(self, failure: ModelError) -> ModelError:
        return type(failure)(
            f"{failure} The provider asks to wait {failure.retry_after_s:,.0f} s, which is longer than `backoff_max_s` "
            f"({self._settings.backoff_max_s:g} s) in buttermilk.yaml; run the cell again after that.",
            code=failure.code,
            retry_after_s=failure.retry_after_s,
        )

    def _limiter(self, model: Model) -> Limiter | None:
        if model.in_process:
            return None
        found = self._limiters.get(model.name)
        if found is None:
            of = (model.rate_limit_key, model.settings.limits, self._ledger if model.shares_limits else self)
            found = self._limiters[model.name] = _shared_limiters.setdefault(
                of, Limiter(model.rate_limit_key, model.settings.limits, self._ledger)
            )
        return found

    def _notify(self, scope: RunScope, model: Model, seconds: float, why: str) -> None:
        if self._on_wait is not None:
            self._on_wait(scope.run_id, model.name, seconds, why)


def not_allowed(models: Iterable[Model]) -> list[str]:
    """The sentences of a ConsentError, one a provider: what would leave, and the line to write."""
    by_receiver: dict[str, list[str]] = {}
    for model in models:
        where = f" at {model.settings.api_base}" if model.settings.api_base else ""
        by_receiver.setdefault(model.recipient, []).append(f"`{model.name}`{where}")
    return [
        f"texts would go to `{receiver}` (for {', '.join(names)}), which nobody has allowed in this project. Write "
        f'bm.allow("{receiver}") once, or `allow: [{receiver}]` in buttermilk.yaml; bm.data_statement(flow, corpus) '
        "says what would leave."
        for receiver, names in by_receiver.items()
    ]


def stays_local(model: Model) -> str:
    """The sentence where a project must not send anything."""
    return (
        f"this project is `local_only`, and `{model.name}` is remote. Use a model on this machine (`ollama_chat/...`, "
        "`offline/...`), say `local: true` of it under `models:` in buttermilk.yaml if its server is your own, "
        "or take `local_only` out."
    )


def _first(*values: T | None) -> T:
    """The first that is given."""
    return next(value for value in values if value is not None)
