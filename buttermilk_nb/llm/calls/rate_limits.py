"""Rate limits of a model: requests and tokens per minute, and calls in flight.

The limits per minute use the generic cell rate algorithm (GCRA, known from ATM networks): each limit is one number, the
theoretical arrival time, so that processes can share a limit through one row of a small SQLite file. A tenth of a
minute's allowance may be used at once. The rest is spread so that *no* period of a minute exceeds the limit. A call
reserves its time when it begins to wait, so that calls go in order.

The number of calls in flight adapts to the provider: a 429 reduces it by a quarter and pauses all calls, and every four
successful calls allow one more.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections import deque
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Protocol

from ..._internal.private_files import make_private_folder, private_files
from ...config.model_settings import Limits
from ...errors import StoreError

OnLimitWait = Callable[[float, str], None]
"""Called before a wait with the seconds and the reason."""

_MINUTE_S = 60.0
_MIN_REPORTED_WAIT_S = 0.5
_DECREASE, _INCREASE = 0.75, 0.25
_ROW_LOCK_TIMEOUT_S = 30.0  # other processes may be using the row


class Ledger(Protocol):
    """Stores the theoretical arrival time of each limit."""

    async def reserve(self, name: str, amount_s: float, burst_s: float) -> float:
        """Reserve `amount_s` seconds of a limit, and return the seconds to wait; `burst_s` may be used at once."""


def gcra(theoretical_arrival: float, now: float, amount_s: float, burst_s: float) -> tuple[float, float]:
    """The generic cell rate algorithm with reservation: the wait in seconds, and the new theoretical arrival time.

    Parameters
    ----------
    theoretical_arrival
        The time up to which the limit is reserved.
    now
        The current time, in seconds of the same clock.
    amount_s
        The seconds to reserve.
    burst_s
        The seconds that may be used at once.

    Examples
    --------
    >>> gcra(theoretical_arrival=0.0, now=100.0, amount_s=6.0, burst_s=12.0)
    (0.0, 106.0)
    >>> gcra(theoretical_arrival=112.0, now=100.0, amount_s=6.0, burst_s=12.0)
    (6.0, 118.0)
    """
    start = max(theoretical_arrival, now)
    wait = max(0.0, start - now + min(amount_s - burst_s, 0.0))
    return wait, start + amount_s


class MemoryLedger:
    """A ledger in memory, shared by all projects and flows of this process."""

    def __init__(self) -> None:
        self._theoretical_arrivals: dict[str, float] = {}

    async def reserve(self, name: str, amount_s: float, burst_s: float) -> float:
        now = time.monotonic()
        wait, self._theoretical_arrivals[name] = gcra(self._theoretical_arrivals.get(name, 0.0), now, amount_s, burst_s)
        return wait


class SharedLedger:
    """A ledger in a file, shared by all notebooks that use a project.

    Parameters
    ----------
    path
        A small SQLite file; created on first use.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    async def reserve(self, name: str, amount_s: float, burst_s: float) -> float:
        return await asyncio.to_thread(self._reserve_in_file, name, amount_s, burst_s)

    def _reserve_in_file(self, name: str, amount_s: float, burst_s: float) -> float:
        try:
            make_private_folder(self.path.parent)
            with (
                private_files(self.path.parent),
                closing(sqlite3.connect(self.path, timeout=_ROW_LOCK_TIMEOUT_S, isolation_level=None)) as file,
            ):
                file.execute("pragma synchronous = off")  # a lost row costs one wait, never an answer
                file.execute("create table if not exists limits (name text primary key, empty_at real)")
                file.execute("begin immediate")
                row = file.execute("select empty_at from limits where name = ?", [name]).fetchone()
                wait, arrival = gcra(row[0] if row else 0.0, time.time(), amount_s, burst_s)
                file.execute("insert or replace into limits values (?, ?)", [name, arrival])
                file.execute("commit")
        except sqlite3.Error as error:
            raise StoreError(
                f"the shared rate limits in {self.path} cannot be read or written ({error}). Delete that file, or set "
                "`share_limits: false` in buttermilk.yaml."
            ) from error
        return wait


class RateLimit:
    """One limit per minute.

    Parameters
    ----------
    ledger
        The ledger that stores it.
    name
        Its name in the ledger.
    per_minute
        The maximum in any period of a minute.
    """

    def __init__(self, ledger: Ledger, name: str, per_minute: int) -> None:
        burst = max(1, per_minute // 10)
        self._ledger, self._name = ledger, name
        self._unit_s = _MINUTE_S / (per_minute - burst + 1)
        self._burst_s = burst * self._unit_s

    async def reserve(self, amount: float) -> float:
        """Reserve an amount, and return the seconds to wait; a negative amount cancels a reservation."""
        return await self._ledger.reserve(self._name, amount * self._unit_s, self._burst_s)


class InFlight:
    """The number of calls in flight, with a limit that adapts to the provider.

    Parameters
    ----------
    maximum
        The highest limit; None for no limit in addition to the run's own.
    """

    def __init__(self, maximum: int | None = None) -> None:
        self._maximum = maximum
        self.limit: float = float("inf") if maximum is None else maximum
        self.open = 0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._reduced_at = float("-inf")

    async def enter(self) -> None:
        """Wait for a free slot and occupy it."""
        while self.open + 1 > self.limit:
            slot: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.append(slot)
            try:
                await slot
            except asyncio.CancelledError:
                self._fill_slots()  # the next caller gets the slot of this one
                raise
        self.open += 1

    def release(self) -> None:
        """Free a slot."""
        self.open -= 1
        self._fill_slots()

    def on_success(self) -> None:
        """Raise the limit a little after a successful call."""
        if self.limit == float("inf") or self.limit == self._maximum:
            return
        self.limit = min(self.limit + _INCREASE, self._maximum or float("inf"))
        self._fill_slots()

    def on_throttle(self, began_at: float) -> None:
        """Lower the limit after a 429. Calls that began before the last reduction do not count."""
        if began_at > self._reduced_at:
            self._reduced_at = time.monotonic()
            self.limit = max(1.0, min(self.limit, self.open) * _DECREASE)

    def _fill_slots(self) -> None:
        free = self.limit - self.open
        while self._waiting and free >= 1:
            slot = self._waiting.popleft()
            if not slot.done():
                slot.set_result(None)
                free -= 1


class Limiter:
    """All limits of one model's calls.

    Parameters
    ----------
    name
        The model's full name and address; two short names of one model share a limiter.
    limits
        The limits from the settings.
    ledger
        The ledger of the limits per minute.

    Examples
    --------
    >>> import asyncio
    >>> limiter = Limiter("openai/some-model", Limits(requests_per_minute=600), MemoryLedger())
    >>> asyncio.run(limiter.acquire(1_000, lambda seconds, why: None))
    0.0
    """

    def __init__(self, name: str, limits: Limits, ledger: Ledger) -> None:
        self.name = name
        self.limits = limits
        self.in_flight = InFlight(limits.in_flight)
        self._requests = limits.requests_per_minute and RateLimit(
            ledger, f"{name} requests", limits.requests_per_minute
        )
        self._tokens = limits.tokens_per_minute and RateLimit(ledger, f"{name} tokens", limits.tokens_per_minute)
        self._paused_until = 0.0
        self._queue = asyncio.Lock()

    async def acquire(self, tokens: int, on_wait: OnLimitWait, *, check: Callable[[], None] = lambda: None) -> float:
        """Wait until a call may start. Call `release` when it has ended.

        Parameters
        ----------
        tokens
            The estimated tokens of the call.
        on_wait
            Called before a wait that is worth reporting.
        check
            Called when it is this call's turn to wait; an error ends its wait before it has begun.

        Returns
        -------
        float
            The seconds of the wait.
        """
        began = time.monotonic()
        async with self._queue:  # one reservation at a time, so that a caller further back can stop without one
            check()
            wait = await self._reserve(1, tokens)
            if wait:
                try:
                    await _pause(wait, "its rate limit", on_wait)
                except asyncio.CancelledError:
                    await self._reserve(-1, -tokens)  # the next caller gets the time
                    raise
        while True:
            await self.in_flight.enter()
            pause = self._paused_until - time.monotonic()
            if pause <= 0:
                return round(time.monotonic() - began, 3)
            self.in_flight.release()
            await _pause(pause, "the provider asked to slow down", on_wait)

    async def _reserve(self, requests: int, tokens: int) -> float:
        return max(
            await self._requests.reserve(requests) if self._requests else 0.0,
            await self._tokens.reserve(tokens) if self._tokens else 0.0,
        )

    async def add_usage(self, reserved: int, used: int) -> None:
        """Reserve the tokens that a call used in addition to the estimate."""
        if self._tokens and used > reserved:
            await self._tokens.reserve(used - reserved)

    def release(self) -> None:
        """Free the slot of a call that has ended."""
        self.in_flight.release()

    def on_success(self) -> None:
        """Allow a little more after a successful call."""
        self.in_flight.on_success()

    def on_throttle(self, began_at: float, wait_s: float) -> None:
        """Reduce the calls in flight and pause all calls, because the provider refused one of too many."""
        self.in_flight.on_throttle(began_at)
        self._paused_until = max(self._paused_until, time.monotonic() + wait_s)


async def _pause(seconds: float, reason: str, on_wait: OnLimitWait) -> None:
    if seconds > _MIN_REPORTED_WAIT_S:
        on_wait(seconds, reason)
    await asyncio.sleep(seconds)
