"""Events: messages about a run for listeners.

An event is a copy for listeners (the progress line, the log, another process). Results are stored as a Unit, never
taken from an event.
"""

from __future__ import annotations

import datetime as dt
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field

from .._internal.ids import canonical, uuid7
from ..schema import EventRow, now


class Event(BaseModel):
    """Base of all events.

    Parameters
    ----------
    transaction_id
        One record in one run (`run_id/record_id`), or the run itself.
    correlation_id
        The trace that the event belongs to.
    source
        The sender of the event: a step, the runner.
    payload
        The content, as plain data.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    is_stored: ClassVar[bool] = True

    transaction_id: str | None = None
    correlation_id: str | None = None
    source: str = ""
    payload: dict[str, Any] = Field(default_factory=dict)
    happened_at: dt.datetime = Field(default_factory=now)

    def as_row(self) -> EventRow:
        """The row of table `events`, with an id of its own."""
        return EventRow(
            event_id=uuid7(),
            type=type(self).__name__,
            transaction_id=self.transaction_id,
            correlation_id=self.correlation_id,
            source=self.source,
            payload=canonical(self.payload),
            happened_at=self.happened_at,
        )


class CommandEvent(Event):
    """The user has given a command."""


class ResultEvent(Event):
    """A planned answer has finished, or `n` that an earlier run had; it is not stored, because the traces are."""

    is_stored = False


class ErrorEvent(Event):
    """A planned answer failed."""


class CompensationEvent(Event):
    """A finished step was undone."""


class StatusEvent(Event):
    """The state of a run or a record has changed."""


class WaitEvent(Event):
    """Calls to a model wait for a rate limit or after a failure; used for progress only."""

    is_stored = False
