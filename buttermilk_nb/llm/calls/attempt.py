"""`Attempt`, one attempt to get an answer, and `SendResult`, the answer with all attempts."""

from __future__ import annotations

import datetime as dt
from typing import NamedTuple

from ...errors import RunError
from ..completion import Completion


class Attempt(NamedTuple):
    """One attempt: when it was sent, how long it had waited before, how long it took, and why it failed."""

    asked_at: dt.datetime
    waited_s: float
    took_s: float
    error: RunError | None
    max_cost_usd: float | None = None
    """The most that it can have cost in US dollars, if no answer says what it did cost."""

    def share(self, n: int) -> Attempt:
        """The part of one of `n` texts that were sent together."""
        return self if self.max_cost_usd is None else self._replace(max_cost_usd=self.max_cost_usd / n)


class SendResult(NamedTuple):
    """The answer to a request or the last error, and every attempt."""

    completion: Completion | None
    error: RunError | None
    attempts: tuple[Attempt, ...]
