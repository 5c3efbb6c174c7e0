"""Events: what happened, as it happens, for whoever listens.

An event is a copy for observers (the progress line, the log, another process). The evidence travels
as a Unit, never as an event.
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
        Who says so: a step, the runner.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    is_stored: ClassVar[bool] = True

    event_id: str = Field(default_factory=uuid7)
    transaction_id: str | None = None
    correlation_id: str | None = None
    source: str = ""
    payload: dict[str, Any] = Field(default_factory=dict)
    happened_at: dt.datetime = Field(default_factory=now)

    def as_row(self) -> EventRow:
        """The row of table `events`."""
        return EventRow(
            event_id=self.event_id,
            type=type(self).__name__,
            transaction_id=self.transaction_id,
            correlation_id=self.correlation_id,
            source=self.source,
            payload=canonical(self.payload),
            happened_at=self.happened_at,
        )


class CommandEvent(Event):
    """Something was asked for."""


class ResultEvent(Event):
    """A cell has finished; the trace itself is the evidence, so this is not stored."""

    is_stored = False


class ErrorEvent(Event):
    """A cell failed."""


class CompensationEvent(Event):
    """A finished step was undone."""


class StatusEvent(Event):
    """A run or a record changed its state."""


class WaitEvent(Event):
    """Calls to a model wait: for a rate limit, or after a failure. For progress only."""

    is_stored = False
