"""What may be spent, what was, and what calls in flight may still cost.

A call is let through when its likely cost fits into what is left; while it is in flight that much is set aside. Where
it would only not fit because of what others have set aside, it waits for them: what they really cost is usually less.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from ...errors import BudgetReached


class SpendingLimit:
    """One sum of money that is spent call by call.

    Parameters
    ----------
    limit_usd
        How much; None for no limit.
    spent_usd
        What has been spent of it already.
    label
        For the message: `the project's budget`.
    hint
        How to raise it.
    """

    def __init__(self, limit_usd: float | None, *, spent_usd: float = 0.0, label: str, hint: str) -> None:
        self.limit_usd = limit_usd
        self.spent_usd = spent_usd
        self.label = label
        self.hint = hint
        self.reserved_usd = 0.0
        self.waiting: list[asyncio.Future[None]] = []

    def exceeds(self, cost_usd: float) -> bool:
        """Whether a call would exceed it whatever those in flight turn out to cost."""
        return self.limit_usd is not None and self.spent_usd + cost_usd > self.limit_usd + 1e-12

    def fits(self, cost_usd: float) -> bool:
        """Whether a call fits beside those in flight."""
        return not self.exceeds(self.reserved_usd + cost_usd)


class Budget:
    """The purses that a run spends from, all at once: its own and the project's.

    Parameters
    ----------
    purses
        The purses.

    Examples
    --------
    >>> import asyncio
    >>> purse = SpendingLimit(0.10, label="the run's budget", hint="budget_usd=...")
    >>> budget = Budget([purse])
    >>> async def spend():
    ...     await budget.reserve(0.08)
    ...     budget.settle(0.08, 0.05)
    >>> asyncio.run(spend())
    >>> purse.spent_usd
    0.05
    >>> asyncio.run(budget.reserve(0.08))  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    buttermilk_nb.errors.BudgetReached: the next call might cost $0.0800, and $0.0500 of the run's budget ($0.10) is ...
    """

    def __init__(self, limits: Sequence[SpendingLimit] = ()) -> None:
        self._limits = [purse for purse in limits if purse.limit_usd is not None]

    async def reserve(self, cost_usd: float) -> None:
        """Set aside what a call may cost.

        Raises
        ------
        BudgetReached
            It does not fit into what is left.
        """
        while self._limits:
            for limit in self._limits:
                if limit.exceeds(cost_usd):
                    assert limit.limit_usd is not None
                    raise BudgetReached(
                        f"the next call might cost ${cost_usd:,.4f}, and ${limit.limit_usd - limit.spent_usd:,.4f} of "
                        f"{limit.label} ({_dollars(limit.limit_usd)}) is left. {limit.hint}"
                    )
            full = next((limit for limit in self._limits if not limit.fits(cost_usd)), None)
            if full is None:
                break
            settled: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            full.waiting.append(settled)
            await settled
        for limit in self._limits:
            limit.reserved_usd += cost_usd

    def settle(self, reserved_usd: float, cost_usd: float) -> None:
        """What a call cost instead of what was set aside for it."""
        for purse in self._limits:
            purse.reserved_usd -= reserved_usd
            purse.spent_usd += cost_usd
            waiting, purse.waiting = purse.waiting, []
            for settled in waiting:
                if not settled.done():
                    settled.set_result(None)


def _dollars(amount: float) -> str:
    """An amount of money, to the cent where it has cents.

    Examples
    --------
    >>> _dollars(5.0), _dollars(0.0042)
    ('$5.00', '$0.0042')
    """
    return f"${amount:,.2f}" if amount >= 0.01 or not amount else f"${amount:,.4f}"
