"""`Tally`: counts the progress of a run from its events, and shows it as a line of text."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING

from ..._internal.text import pluralise
from ...events import Bus
from ...events.event import Event, ResultEvent, StatusEvent, WaitEvent

if TYPE_CHECKING:
    from ..run import Run

_PAINT_EVERY_S = 0.1
KINDS = ("new", "cached", "refused or invalid", "failed", "skipped")


class Tally:
    """The progress of a run: finished answers by kind, cost and time.

    Parameters
    ----------
    run_id
        The run whose events it counts.
    total
        The number of planned answers.

    Examples
    --------
    >>> tally = Tally("r", total=2)
    >>> tally.count(ResultEvent(payload={"run_id": "r", "status": "ok", "cached": True, "cost_usd": 0.0}))
    True
    >>> tally.counts
    {'new': 0, 'cached': 1, 'refused or invalid': 0, 'failed': 0, 'skipped': 0}
    """

    def __init__(self, run_id: str, total: int) -> None:
        self.run_id = run_id
        self.total = total
        self.state = "running"
        self.spent_usd = 0.0
        self.n_unknown_costs = 0
        """Calls of remote models that have cost something, and nobody says how much."""
        self.waits: dict[str, tuple[float, str]] = {}
        """The end and the reason of the wait, by model; only for models whose calls wait."""
        self._kinds: Counter[str] = Counter()
        self._start = time.perf_counter()
        self._end: float | None = None

    def count(self, event: Event) -> bool:
        """Count an event; returns whether it belongs to this run."""
        payload = event.payload
        if payload.get("run_id") != self.run_id:
            return False
        if isinstance(event, StatusEvent):
            self.state = str(payload["state"])
            if self.state != "running":
                self._end = time.perf_counter()
        elif isinstance(event, WaitEvent):
            until = time.perf_counter() + float(payload["seconds"])
            if until > self.waits.get(str(payload["model"]), (0.0, ""))[0]:
                self.waits[str(payload["model"])] = (until, str(payload["why"]))
        elif isinstance(event, ResultEvent):
            status = payload["status"]
            kind = "skipped" if status == "skipped" else "failed"
            if status == "ok":
                kind = "cached" if payload["cached"] else "new"
            elif status in ("invalid", "refused", "filtered"):
                kind = "refused or invalid"
            self._kinds[kind] += int(payload.get("n", 1))
            self.spent_usd += float(payload["cost_usd"])
            self.n_unknown_costs += int(payload.get("n_unknown_costs", 0))
        return True

    @property
    def counts(self) -> dict[str, int]:
        """Finished answers by kind."""
        return {kind: self._kinds[kind] for kind in KINDS}

    @property
    def done(self) -> int:
        """The number of finished answers."""
        return self._kinds.total()

    @property
    def elapsed_s(self) -> float:
        """Seconds since the start."""
        return (self._end or time.perf_counter()) - self._start

    @property
    def per_second(self) -> float:
        """Finished answers per second so far."""
        return self.done / max(self.elapsed_s, 1e-9)

    @property
    def eta_s(self) -> float | None:
        """The remaining seconds at this rate; None before the first answer."""
        return (self.total - self.done) / self.per_second if self.done else None

    @property
    def line(self) -> str:
        """One line of text: finished answers by kind, rate, remaining time and cost."""
        kinds = ", ".join(f"{n:,} {kind}" for kind, n in self.counts.items() if n)
        parts = [f"{self.done:,}/{self.total:,} answers", *([kinds] if kinds else []), f"{self.per_second:,.0f}/s"]
        if self.state == "running" and self.eta_s is not None:
            parts.append(f"{format_duration(self.eta_s)} left")
        elif self.state != "running":
            parts.append(f"{self.state} in {format_duration(self.elapsed_s)}")
        if self.spent_usd:
            parts.append(f"${self.spent_usd:,.4f} spent")
        if self.n_unknown_costs:
            parts.append(f"cost of {pluralise(self.n_unknown_costs, 'call')} not known")
        parts += self._wait_notes()
        return " · ".join(parts)

    def _wait_notes(self) -> list[str]:
        """A note on each model that waits: for how long, and why."""
        now = time.perf_counter()
        self.waits = {model: wait for model, wait in self.waits.items() if wait[0] > now}
        return [
            f"`{model}` waits {format_duration(until - now)}: {why}"
            for model, (until, why) in (self.waits.items() if self.state == "running" else ())
        ]


def format_duration(seconds: float) -> str:
    """A duration as a short text.

    Examples
    --------
    >>> format_duration(0.42), format_duration(75), format_duration(3700)
    ('0.4 s', '1:15', '1:01:40')
    """
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, seconds_left = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds_left:02d}" if hours else f"{minutes}:{seconds_left:02d}"


def watch(bus: Bus, tally: Tally, paint: Callable[[bool], None]) -> None:
    """Count the events of a bus. Calls `paint(over)` at most ten times a second, and once at the end of the run."""
    last_painted = 0.0
    stop: Callable[[], None]

    def listen(event: Event) -> None:
        nonlocal last_painted
        if not tally.count(event):
            return
        over = tally.state != "running"
        now = time.perf_counter()
        if over or now - last_painted > _PAINT_EVERY_S:
            last_painted = now
            paint(over)
        if over:
            stop()

    stop = bus.subscribe(listen)


def follow(bus: Bus, run: Run) -> None:
    """Show the progress of a run: in a terminal as one line that is updated, else as one line at the end."""
    tally = Tally(run.run_id, run.planned)
    live = sys.stderr.isatty()

    def paint(over: bool) -> None:
        if live or over:
            start, end = ("\r\x1b[2K", "\n" if over else "") if live else ("", "\n")
            sys.stderr.write(f"{start}{tally.line}{end}")
            sys.stderr.flush()

    watch(bus, tally, paint)
