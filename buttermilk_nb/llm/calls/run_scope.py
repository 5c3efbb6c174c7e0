"""`RunScope`: per-run settings and state of model calls: cache mode, budget, failing models."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ...config.settings import CacheMode
from ...errors import AuthenticationError, ModelError, QuotaError, RunStopped
from ..model import Model
from .budget import Budget

_PERMANENT_ERRORS = (AuthenticationError, QuotaError)  # the next call would fail, too


class Policy(NamedTuple):
    """Time limit and retries of one step's calls; None for the model's settings."""

    timeout_s: float | None = None
    retries: int | None = None


NO_POLICY = Policy()


@dataclass
class RunScope:
    """Settings and state of one run for its calls.

    Parameters
    ----------
    run_id
        The run that the `Call` rows belong to.
    mode
        How the cache is used: `use`, `refresh`, `only`, `off`.
    semaphore
        Limits the calls in flight; reading and writing the cache do not count.
    budget
        The spending limits of the run.
    failure_threshold
        The number of failures in a row after which a model is not called again.
    stopped
        Whether the run was stopped.
    open_circuits
        The last error of each model that is not called again.
    """

    run_id: str
    mode: CacheMode = "use"
    semaphore: AbstractAsyncContextManager[Any] = field(default_factory=contextlib.nullcontext)
    budget: Budget = field(default_factory=Budget)
    failure_threshold: int = 20
    stopped: bool = False
    open_circuits: dict[str, ModelError] = field(default_factory=dict)
    model_info: dict[str, dict[str, Any]] = field(default_factory=dict)
    """The facts about each model that was called, for the run's manifest."""
    _identifying: dict[str, asyncio.Task[dict[str, Any]]] = field(default_factory=dict)
    _waiting_tasks: set[asyncio.Task[Any]] = field(default_factory=set)
    _consecutive_failures: Counter[str] = field(default_factory=Counter)

    def stop(self) -> None:
        """Send nothing more, and cancel the calls that are waiting to be sent. Called on the run's event loop."""
        self.stopped = True
        for task in self._waiting_tasks:
            task.cancel()

    @contextmanager
    def cancellable_wait(self) -> Iterator[None]:
        """Mark a call as waiting to be sent, so that `stop` can cancel it without losing an answer.

        Raises
        ------
        RunStopped
            The run was stopped before or during the wait.
        """
        if self.stopped:
            raise RunStopped("it was stopped before this call was sent.")
        task = asyncio.current_task()
        assert task is not None
        self._waiting_tasks.add(task)
        try:
            yield
        except asyncio.CancelledError:
            if not self.stopped or task.uncancel():  # somebody else cancelled it, too
                raise
            raise RunStopped("it was stopped before this call was sent.") from None
        finally:
            self._waiting_tasks.discard(task)

    async def identify(self, model: Model, wait_s: float) -> None:
        """Find the facts about a model before its first call; a model that is never called is not asked.

        Parameters
        ----------
        model
            The model.
        wait_s
            Seconds that a local server may take.

        Raises
        ------
        ConsentError
            The model does not run on this machine, as its address suggests.
        """
        if model.name in self.model_info:
            return
        task = self._identifying.get(model.name)
        if task is None:
            task = self._identifying[model.name] = asyncio.create_task(model.identify(wait_s))
            task.add_done_callback(lambda ended: ended.cancelled() or ended.exception())  # its callers may be cancelled
        self.model_info[model.name] = await asyncio.shield(task)

    def record_success(self, model: str) -> None:
        """Record that a model has answered."""
        self._consecutive_failures.pop(model, None)

    def record_failure(self, model: str, error: ModelError) -> None:
        """Record that a call has failed after all retries. If the next call would fail, too, the circuit opens."""
        self._consecutive_failures[model] += error.transient
        if isinstance(error, _PERMANENT_ERRORS) or self._consecutive_failures[model] >= self.failure_threshold:
            self.open_circuits.setdefault(model, error)

    def circuit_error(self, model: str) -> ModelError | None:
        """The error of a call that is not sent because the model keeps failing; None if it may be sent."""
        last_error = self.open_circuits.get(model)
        if last_error is None:
            return None
        is_permanent = isinstance(last_error, _PERMANENT_ERRORS)
        count = "" if is_permanent else f" {self._consecutive_failures[model]} times in a row"
        return type(last_error)(f"not asked: `{model}` failed{count} in this run. {last_error}", code=last_error.code)
