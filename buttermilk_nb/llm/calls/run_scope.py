"""What a run lends to its calls: how the cache is used, what may be spent, which models it has given up."""

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

_PERMANENT_ERRORS = (AuthenticationError, QuotaError)  # the next call would fail in the same way


class Policy(NamedTuple):
    """How one step's calls are made, where it differs from the model's settings."""

    timeout_s: float | None = None
    retries: int | None = None


NO_POLICY = Policy()


@dataclass
class RunScope:
    """One run's side of the call path.

    Parameters
    ----------
    run_id
        Whom the Call rows belong to.
    mode
        How the cache is used: `use`, `refresh`, `only`, `off`.
    semaphore
        What each call waits for while it is open; looking into the cache and writing to it do not.
    budget
        What may be spent.
    failure_threshold
        After so many failures in a row a model is not asked again.
    """

    run_id: str
    mode: CacheMode = "use"
    semaphore: AbstractAsyncContextManager[Any] = field(default_factory=contextlib.nullcontext)
    budget: Budget = field(default_factory=Budget)
    failure_threshold: int = 20
    stopped: bool = False
    open_circuits: dict[str, ModelError] = field(default_factory=dict)
    model_info: dict[str, dict[str, Any]] = field(default_factory=dict)
    """What each model that was called is known to be."""
    _identifying: dict[str, asyncio.Task[dict[str, Any]]] = field(default_factory=dict)
    _waiting_tasks: set[asyncio.Task[Any]] = field(default_factory=set)
    _consecutive_failures: Counter[str] = field(default_factory=Counter)

    def stop(self) -> None:
        """Send nothing more, and wake what only waits until it may be sent. Called on the run's loop."""
        self.stopped = True
        for task in self._waiting_tasks:
            task.cancel()

    @contextmanager
    def cancellable_wait(self) -> Iterator[None]:
        """A call waits until it may be sent: that much can be ended without losing an answer.

        Raises
        ------
        RunStopped
            The run was stopped meanwhile.
        """
        task = asyncio.current_task()
        assert task is not None
        self._waiting_tasks.add(task)
        try:
            yield
        except asyncio.CancelledError:
            if not self.stopped or task.uncancel():  # it was also cancelled from elsewhere
                raise
            raise RunStopped("it was stopped before this call was sent.") from None
        finally:
            self._waiting_tasks.discard(task)

    async def identify(self, model: Model, wait_s: float) -> None:
        """Let a model say what it is before its first call; a model that is never called is not asked.

        Raises
        ------
        ConsentError
            It runs elsewhere than it was thought to.
        """
        if model.name in self.model_info:
            return
        task = self._identifying.get(model.name)
        if task is None:
            task = self._identifying[model.name] = asyncio.create_task(model.identify(wait_s))
            task.add_done_callback(lambda done: done.cancelled() or done.exception())  # its callers may have left
        self.model_info[model.name] = await asyncio.shield(task)

    def record_success(self, model: str) -> None:
        """A model has answered."""
        self._consecutive_failures.pop(model, None)

    def record_failure(self, model: str, error: ModelError) -> None:
        """A call has failed for good. The model is given up where the next one would fail too."""
        self._consecutive_failures[model] += error.transient
        if isinstance(error, _PERMANENT_ERRORS) or self._consecutive_failures[model] >= self.failure_threshold:
            self.open_circuits.setdefault(model, error)

    def circuit_error(self, model: str) -> ModelError | None:
        """The error of a call that is not sent, because the model is given up."""
        last = self.open_circuits.get(model)
        if last is None:
            return None
        why = "" if isinstance(last, _PERMANENT_ERRORS) else f" {self._consecutive_failures[model]} times in a row"
        return type(last)(f"not asked: `{model}` failed{why} in this run. {last}", code=last.code)
