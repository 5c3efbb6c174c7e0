"""How fast a model may be asked: requests and tokens a minute, calls in flight, and what a provider's 429 says.

The minute limits are kept by the generic cell rate algorithm (as ATM networks used it): one number a limit, the
time at which its account would be empty again, so that a limit can be shared by other processes through one row of
a small SQLite file. A tenth of a minute's allowance may go at once; the rest is spread so that *no* minute, wherever
it begins, sees more than the limit. A turn is booked when it is asked for, so that those who wait go in order.

Calls in flight follow what the provider bears: a 429 takes a quarter of them away and makes everybody wait, and each
four calls that went well allow one more.
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

from ...config.model_settings import Limits
from ...errors import StoreError

OnLimitWait = Callable[[float, str], None]
"""Told how many seconds somebody waits, and why."""

_MINUTE_S = 60.0
_MIN_REPORTED_WAIT_S = 0.5
_DECREASE, _INCREASE = 0.75, 0.25
_ROW_LOCK_TIMEOUT_S = 30.0  # for the row that other processes book in


class Ledger(Protocol):
    """Where the number of each limit is kept."""

    async def reserve(self, name: str, amount_s: float, burst_s: float) -> float:
        """Book `amount_s` seconds of an account; says how many seconds to wait before going."""


def gcra(theoretical_arrival: float, now: float, amount_s: float, burst_s: float) -> tuple[float, float]:
    """The wait in seconds, and when the account is empty again: the generic cell rate algorithm, booking.

    Examples
    --------
    >>> gcra(empty_at=0.0, now=100.0, amount_s=6.0, burst_s=12.0)
    (0.0, 106.0)
    >>> gcra(empty_at=112.0, now=100.0, amount_s=6.0, burst_s=12.0)
    (6.0, 118.0)
    """
    held = max(theoretical_arrival, now)
    wait = max(0.0, held - now + min(amount_s - burst_s, 0.0))
    return wait, held + amount_s


class MemoryLedger:
    """The limits of this process, shared by all its projects and flows."""

    def __init__(self) -> None:
        self._theoretical_arrivals: dict[str, float] = {}

    async def reserve(self, name: str, amount_s: float, burst_s: float) -> float:
        now = time.monotonic()
        wait, self._theoretical_arrivals[name] = gcra(self._theoretical_arrivals.get(name, 0.0), now, amount_s, burst_s)
        return wait


class SharedLedger:
    """The limits of a project, shared by the notebooks that work on it.

    Parameters
    ----------
    path
        A small SQLite file; made on first use.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    async def reserve(self, name: str, amount_s: float, burst_s: float) -> float:
        return await asyncio.to_thread(self._reserve_in_file, name, amount_s, burst_s)

    def _reserve_in_file(self, name: str, amount_s: float, burst_s: float) -> float:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with closing(sqlite3.connect(self.path, timeout=_ROW_LOCK_TIMEOUT_S, isolation_level=None)) as file:
                file.execute("pragma synchronous = off")  # a lost row costs one wait, never an answer
                file.execute("create table if not exists limits (name text primary key, empty_at real)")
                file.execute("begin immediate")
                row = file.execute("select empty_at from limits where name = ?", [name]).fetchone()
                wait, empty_at = gcra(row[0] if row else 0.0, time.time(), amount_s, burst_s)
                file.execute("insert or replace into limits values (?, ?)", [name, empty_at])
                file.execute("commit")
        except sqlite3.Error as error:
            raise StoreError(
                f"the shared rate limits in {self.path} cannot be kept ({error}). Delete that file, or set "
                "`share_limits: false` in buttermilk.yaml."
            ) from error
        return wait


class RateLimit:
    """One limit a minute.

    Parameters
    ----------
    ledger
        Where it is kept.
    name
        Under which name.
    per_minute
        How much there may be in any minute.
    """

    def __init__(self, ledger: Ledger, name: str, per_minute: int) -> None:
        burst = max(1, per_minute // 10)
        self._ledger, self._name = ledger, name
        self._unit_s = _MINUTE_S / (per_minute - burst + 1)
        self._burst_s = burst * self._unit_s

    async def reserve(self, amount: float) -> float:
        """Book; says how many seconds to wait before going."""
        return await self._ledger.reserve(self._name, amount * self._unit_s, self._burst_s)


class InFlight:
    """How many calls may be open at once, and how many the provider bears.

    Parameters
    ----------
    most
        The limit; None for none but the run's own.
    """

    def __init__(self, maximum: int | None = None) -> None:
        self._maximum = maximum
        self.limit: float = float("inf") if maximum is None else maximum
        self.open = 0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._reduced_at = float("-inf")

    async def enter(self) -> None:
        """Wait for a place and take it."""
        while self.open + 1 > self.limit:
            slot: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.append(slot)
            try:
                await slot
            except asyncio.CancelledError:
                self._fill_slots()  # the place that was given to this one goes to the next
                raise
        self.open += 1

    def release(self) -> None:
        """Give the place back."""
        self.open -= 1
        self._fill_slots()

    def on_success(self) -> None:
        """A call went well: a few of them allow one more."""
        if self.limit == float("inf") or self.limit == self._maximum:
            return
        self.limit = min(self.limit + _INCREASE, self._maximum or float("inf"))
        self._fill_slots()

    def on_throttle(self, began_at: float) -> None:
        """The provider said so. Calls that began before the last cut say nothing new."""
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
    """Everything that one model's calls wait for.

    Parameters
    ----------
    name
        The model as requested, and where; two names of one model share a limiter.
    limits
        The declared limits.
    ledger
        Where minute limits are kept.

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

    async def acquire(self, tokens: int, on_wait: OnLimitWait) -> float:
        """Wait until a call of about so many tokens may go; says how many seconds that took. Then `leave`."""
        began = time.monotonic()
        async with self._queue:  # one turn is booked at a time: who stops waiting further back has booked none
            wait = await self._reserve(1, tokens)
            if wait:
                try:
                    await _pause(wait, "its rate limit", on_wait)
                except asyncio.CancelledError:
                    await self._reserve(-1, -tokens)  # the turn goes to the next
                    raise
        while True:
            await self.in_flight.enter()
            closed = self._paused_until - time.monotonic()
            if closed <= 0:
                return round(time.monotonic() - began, 3)
            self.in_flight.release()
            await _pause(closed, "the provider asked to slow down", on_wait)

    async def _reserve(self, requests: int, tokens: int) -> float:
        return max(
            await self._requests.reserve(requests) if self._requests else 0.0,
            await self._tokens.reserve(tokens) if self._tokens else 0.0,
        )

    async def add_usage(self, reserved: int, used: int) -> None:
        """Book what a call used beyond what was thought."""
        if self._tokens and used > reserved:
            await self._tokens.reserve(used - reserved)

    def release(self) -> None:
        """A call is over."""
        self.in_flight.release()

    def on_success(self) -> None:
        """A call went well."""
        self.in_flight.on_success()

    def on_throttle(self, began_at: float, wait_s: float) -> None:
        """The provider refused a call because there were too many: fewer at once, and none for a while."""
        self.in_flight.on_throttle(began_at)
        self._paused_until = max(self._paused_until, time.monotonic() + wait_s)


async def _pause(seconds: float, why: str, waiting: OnLimitWait) -> None:
    if seconds > _MIN_REPORTED_WAIT_S:
        waiting(seconds, why)
    await asyncio.sleep(seconds)
