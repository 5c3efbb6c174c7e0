"""`Polling`: waits for batches until the run is stopped or reaches its time limit.

Every wait of a batch run uses it, so that a Ctrl-C takes effect at once. Temporary failures are retried after growing
pauses (the settings `backoff_s`, doubled up to `backoff_max_s`, and `retries`).
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import TypeVar

from ..._internal.backoff import Backoff
from ...config.settings import Settings
from ...errors import ModelError, RunStopped

T = TypeVar("T")
_SLICE_S = 0.01  # the longest time without giving control back to the loop


class BatchPending(RunStopped):
    """A run was stopped, or reached its time limit, before its batches ended. They are still at the provider."""


class Polling:
    """Waits, retries, and checks whether to stop.

    Parameters
    ----------
    settings
        The project's settings for pauses and retries.
    stop
        An event that is set when the run must stop.
    time_limit_s
        The time limit in seconds from now; by default there is no limit.
    """

    def __init__(self, settings: Settings, stop: asyncio.Event, time_limit_s: float | None = None) -> None:
        self._settings = settings
        self._stop = stop
        self._deadline = None if time_limit_s is None else time.monotonic() + time_limit_s
        self._slice_began = time.perf_counter()
        self.stop_message: Callable[[], str] = str
        """Makes the message of a run that stops."""

    def check(self) -> None:
        """Raise BatchPending if the run must stop."""
        if self._stop.is_set() or (self._deadline is not None and time.monotonic() >= self._deadline):
            raise BatchPending(self.stop_message())

    def backoff_delays(self) -> Iterator[float]:
        """The pauses between polls, in seconds; there is no last one."""
        return Backoff(self._settings.backoff_s, self._settings.backoff_max_s).pauses()

    async def yield_to_loop(self) -> None:
        """Give control back to the event loop from time to time, and check whether to stop."""
        if time.perf_counter() - self._slice_began > _SLICE_S:
            await asyncio.sleep(0)
            self._slice_began = time.perf_counter()
            self.check()

    async def sleep(self, seconds: float) -> None:
        """Wait, but not beyond the time limit, and check whether to stop."""
        remaining_s = seconds if self._deadline is None else min(seconds, self._deadline - time.monotonic())
        with contextlib.suppress(TimeoutError):  # the run was not stopped
            await asyncio.wait_for(self._stop.wait(), max(remaining_s, 0.0))
        self.check()

    async def retry(
        self,
        attempt: Callable[[], Awaitable[T]],
        *,
        recover: Callable[[], Awaitable[T | None]] | None = None,
        retries: int | None = None,
    ) -> T:
        """Make a call, and retry it after temporary failures.

        Parameters
        ----------
        attempt
            Makes the call.
        recover
            Called before each retry: returns a result if the failed attempt succeeded after all, else None.
        retries
            How many retries; by default as many as for a model call.

        Raises
        ------
        ModelError
            The call failed permanently, or too often.
        """
        pauses, retries_left = self.backoff_delays(), self._settings.retries if retries is None else retries
        while True:
            try:
                return await attempt()
            except ModelError as error:
                if not error.transient or not retries_left:
                    raise
                wait = error.retry_after_s
            retries_left -= 1
            pause = next(pauses)
            await self.sleep(pause if wait is None else wait)
            if recover is not None and (result := await self.retry(recover)) is not None:
                return result
