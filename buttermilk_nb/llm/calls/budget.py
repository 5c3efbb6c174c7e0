"""`Budget`: spending limits, and the reserved cost of calls in flight.

A call starts if its highest cost fits into the remaining money, which is reserved until the call ends. If only the
reservations of other calls are in the way, the call waits for these, because their real cost is usually lower. What
other processes have spent meanwhile on the same project is read from its file every two seconds. Where nothing limits
the length of an answer, the highest cost is a guess. As soon as one answer is longer, or the model has read more tokens
than were estimated (such as those of large images), the reservations of its calls in flight are raised.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

from ...errors import BudgetReached, StoreError

_READ_EVERY_S = 2.0


class Spending(NamedTuple):
    """The spending of a project, by all processes."""

    spent_usd: float
    """The cost of its calls so far, in US dollars."""
    open_usd: float = 0.0
    """The most that its batches at providers can still cost, in US dollars."""


class SpendingLimit:
    """A limit on spending, with the money spent and reserved so far.

    Parameters
    ----------
    limit_usd
        The limit, in US dollars; None for no limit.
    spent_usd
        The money already spent, in US dollars.
    label
        The name of the limit in messages, such as `the project's budget`.
    hint
        A sentence that says how to raise it.
    total
        Returns what all processes have spent so far; None if only this one counts.
    """

    def __init__(
        self,
        limit_usd: float | None,
        *,
        spent_usd: float = 0.0,
        label: str,
        hint: str,
        total: Callable[[], Spending] | None = None,
    ) -> None:
        self.limit_usd = limit_usd
        self.label = label
        self.hint = hint
        self.reserved_usd = 0.0
        self.own_batches_usd = 0.0
        """The part of `reserved_usd` that is for batches of this process, which are also in `Spending.open_usd`."""
        self.open_usd = 0.0
        """The most that batches of other runs, which are at providers, can still cost."""
        self.waiting: list[asyncio.Future[None]] = []
        self._total = total
        self._next_reading = 0.0
        self._own_usd = 0.0
        self._others_usd = spent_usd

    @property
    def spent_usd(self) -> float:
        """The money spent so far, by this process and by others, as far as that is known."""
        return self._own_usd + self._others_usd

    def reserve(self, usd: float, *, is_batch: bool = False) -> None:
        """Reserve money for a call or a batch."""
        self.reserved_usd += usd
        self.own_batches_usd += usd if is_batch else 0.0

    def settle(self, reserved_usd: float, cost_usd: float, *, is_batch: bool = False) -> None:
        """Replace a reservation by the real cost."""
        self.reserve(-reserved_usd, is_batch=is_batch)
        self._own_usd += cost_usd

    def learn_total(self, total: Spending) -> None:
        """Count what others have spent, and their open batches: the total without the part of this process."""
        self._others_usd = max(self._others_usd, total.spent_usd - self._own_usd)
        self.open_usd = max(0.0, total.open_usd - self.own_batches_usd)

    async def read_total(self) -> None:
        """Learn the total again if the last reading is some time ago."""
        if self._total is None or time.monotonic() < self._next_reading:
            return
        self._next_reading = time.monotonic() + _READ_EVERY_S
        with contextlib.suppress(StoreError):  # another process has the file; a later call reads it
            self.learn_total(await asyncio.to_thread(self._total))

    def exceeds(self, cost_usd: float) -> bool:
        """Whether a call would exceed the limit even if the calls in flight cost nothing."""
        return self.limit_usd is not None and self.spent_usd + self.open_usd + cost_usd > self.limit_usd + 1e-12

    def fits(self, cost_usd: float) -> bool:
        """Whether a call fits in addition to the calls in flight."""
        return not self.exceeds(self.reserved_usd + cost_usd)


class Budget:
    """The spending limits of a run: its own and the project's. Each cost counts towards all of them.

    Parameters
    ----------
    limits
        The limits.

    Examples
    --------
    >>> import asyncio
    >>> limit = SpendingLimit(0.10, label="the run's budget", hint="budget_usd=...")
    >>> budget = Budget([limit])
    >>> async def spend():
    ...     reserved = await budget.reserve(lambda: 0.08)
    ...     budget.settle(reserved, 0.05)
    >>> asyncio.run(spend())
    >>> limit.spent_usd
    0.05
    >>> asyncio.run(budget.reserve(lambda: 0.08))  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    buttermilk_nb.errors.BudgetReached: the next call might cost $0.0800, and $0.0500 of the run's budget ($0.10) is ...
    """

    def __init__(self, limits: Sequence[SpendingLimit] = ()) -> None:
        self._limits = [limit for limit in limits if limit.limit_usd is not None]

    def check(self, cost_usd: float) -> None:
        """Check that a call would fit if the calls in flight cost nothing; otherwise waiting for it is useless.

        Raises
        ------
        BudgetReached
            The cost is higher than the remaining money.
        """
        for limit in self._limits:
            if limit.exceeds(cost_usd):
                assert limit.limit_usd is not None
                left_usd = limit.limit_usd - limit.spent_usd - limit.open_usd
                batches = (
                    f", because batches that are at the provider may cost up to ${limit.open_usd:,.4f}"
                    if limit.open_usd
                    else ""
                )
                raise BudgetReached(
                    f"the next call might cost ${cost_usd:,.4f}, and ${left_usd:,.4f} of {limit.label} "
                    f"({_dollars(limit.limit_usd)}) is left{batches}. {limit.hint}"
                )

    async def reserve(self, highest_cost: Callable[[], float], *, is_batch: bool = False) -> float:
        """Reserve the highest cost of a call, and wait for other calls if that is necessary.

        Parameters
        ----------
        highest_cost
            Returns the highest cost in US dollars; it is asked again after each wait.
        is_batch
            Whether it is for batches, which also count in the file as long as they are at the provider.

        Returns
        -------
        float
            The reserved amount, for `raise_reservation` and `settle`.

        Raises
        ------
        BudgetReached
            The cost is higher than the remaining money.
        """
        for limit in self._limits:
            await limit.read_total()
        cost_usd = highest_cost()
        while self._limits:
            self.check(cost_usd)
            full = next((limit for limit in self._limits if not limit.fits(cost_usd)), None)
            if full is None:
                break
            settled: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            full.waiting.append(settled)
            await settled
            cost_usd = highest_cost()
        for limit in self._limits:
            limit.reserve(cost_usd, is_batch=is_batch)
        return cost_usd

    def raise_reservation(self, by_usd: float) -> None:
        """Reserve more for a call in flight. It goes on, but no other call starts on this money."""
        for limit in self._limits:
            limit.reserve(by_usd)

    def settle(self, reserved_usd: float, cost_usd: float, *, is_batch: bool = False) -> None:
        """Replace a reservation by the real cost."""
        for limit in self._limits:
            limit.settle(reserved_usd, cost_usd, is_batch=is_batch)
            waiting, limit.waiting = limit.waiting, []
            for settled in waiting:
                if not settled.done():
                    settled.set_result(None)


def _dollars(amount: float) -> str:
    """An amount in US dollars: with two decimals, or with four if it is less than a cent.

    Examples
    --------
    >>> _dollars(5.0), _dollars(0.0042)
    ('$5.00', '$0.0042')
    """
    return f"${amount:,.2f}" if amount >= 0.01 or not amount else f"${amount:,.4f}"
