"""How long a run waits for something that may take a day: until somebody says stop, or its time is up.

Every wait goes through here, so that a Ctrl-C is heard within moments, and what fails for a reason that may pass is
asked again after growing pauses (the settings `backoff_s`, doubled up to `backoff_max_s`, and `retries`).
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
_SLICE_S = 0.01  # as long as the loop may be held


class BatchPending(RunStopped):
    """A run was stopped, or out of time, before its batches were done. They are at the provider."""


class Polling:
    """How long to go on.

    Parameters
    ----------
    settings
        The project's settings: pauses and retries.
    stop
        Set where the user wants to stop.
    time_limit_s
        Seconds from now; None for no limit.
    """

    def __init__(self, settings: Settings, stop: asyncio.Event, time_limit_s: float | None = None) -> None:
        self._settings = settings
        self._stop = stop
        self._deadline = None if time_limit_s is None else time.monotonic() + time_limit_s
        self._slice_began = time.perf_counter()
        self.stop_message: Callable[[], str] = str
        """What to say where it is time to stop."""

    def check(self) -> None:
        """Go on, or raise BatchWaits."""
        if self._stop.is_set() or (self._deadline is not None and time.monotonic() >= self._deadline):
            raise BatchPending(self.stop_message())

    def backoff_delays(self) -> Iterator[float]:
        """The pauses between looks at a provider, in seconds, without end."""
        return Backoff(self._settings.backoff_s, self._settings.backoff_max_s).pauses()

    async def yield_to_loop(self) -> None:
        """Let others work now and then, and check."""
        if time.perf_counter() - self._slice_began > _SLICE_S:
            await asyncio.sleep(0)
            self._slice_began = time.perf_counter()
            self.check()

    async def sleep(self, seconds: float) -> None:
        """Wait, but not longer than there is time."""
        remaining_s = seconds if self._deadline is None else min(seconds, self._deadline - time.monotonic())
        with contextlib.suppress(TimeoutError):  # nobody said stop
            await asyncio.wait_for(self._stop.wait(), max(remaining_s, 0.0))
        self.check()

    async def retry(
        self,
        attempt: Callable[[], Awaitable[T]],
        *,
        recover: Callable[[], Awaitable[T | None]] | None = None,
        retries: int | None = None,
    ) -> T:
        """Ask, and ask again where a failure may pass.

        Parameters
        ----------
        ask
            What is asked.
        before
            Asked before each further attempt: whether the one that seemed to fail has come to something after all.
        retries
            How often; by default as often as a call is.

        Raises
        ------
        ModelError
            It failed for good.
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
