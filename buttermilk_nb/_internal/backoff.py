"""`Backoff`: growing pauses between attempts."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from typing import NamedTuple


class Backoff(NamedTuple):
    """Pauses that double from `first_s` up to `longest_s` seconds, with jitter, so that callers do not retry in step.

    Examples
    --------
    >>> [round(limit) for limit in itertools.islice(map(Backoff(1, 5).limit, itertools.count(1)), 5)]
    [1, 2, 4, 5, 5]
    >>> 2.0 <= Backoff(1, 5).pause(3) <= 4.0
    True
    """

    first_s: float
    longest_s: float

    def limit(self, attempt: int) -> float:
        """The longest pause after an attempt; the first attempt is 1."""
        return min(self.longest_s, self.first_s * 2.0 ** min(attempt - 1, 62))

    def pause(self, attempt: int) -> float:
        """A pause after an attempt: between half of its limit and the limit."""
        return self.limit(attempt) * random.uniform(0.5, 1.0)  # noqa: S311  # jitter, not a secret

    def pauses(self) -> Iterator[float]:
        """The pauses after the first attempt, the second, and so on, without end."""
        return map(self.pause, itertools.count(1))
