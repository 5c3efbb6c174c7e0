"""The coder's position in the list of records, the time spent there, and breaks."""

from __future__ import annotations

from collections.abc import Callable

from ...corpus.record import Record
from ..worklist import Item

BREAK_AFTER = 20
"""A break is suggested after this many texts of a sensitive corpus."""


class Navigation:
    """A position in a list of records.

    Parameters
    ----------
    items
        The records in the order of coding.
    sensitive
        Whether each text is hidden until the coder asks for it.
    clock
        Returns the current time in seconds.
    """

    def __init__(self, items: tuple[Item, ...], *, sensitive: bool, clock: Callable[[], float]) -> None:
        self.items = items
        self.sensitive = sensitive
        self._clock = clock
        self._completed_ids = set[str]()
        """The records that were completed in this session."""
        self._n_at_last_break = 0
        self.go_to(0)

    @property
    def current_item(self) -> Item:
        """The record on display, with the sample that it was drawn for."""
        return self.items[self.place]

    @property
    def current(self) -> Record:
        """The record on display."""
        return self.current_item.record

    @property
    def break_due(self) -> bool:
        """Whether a break should be suggested."""
        return self.sensitive and len(self._completed_ids) >= self._n_at_last_break + BREAK_AFTER

    @property
    def seconds(self) -> float:
        """The seconds since the text was shown, or since the last answer on it."""
        return self._clock() - self._started_at

    def go_to(self, place: int) -> None:
        """Show the record at a position, counted from 0. Its text is hidden first if the corpus is sensitive."""
        self.place = max(0, min(place, len(self.items) - 1))
        self.hidden = self.sensitive
        self.restart_timer()

    def next(self) -> None:
        """Go to the next record. Nothing happens at the last one."""
        if self.place < len(self.items) - 1:
            self.go_to(self.place + 1)

    def back(self) -> None:
        """Go to the previous record. Nothing happens at the first one."""
        if self.place:
            self.go_to(self.place - 1)

    def show_text(self) -> None:
        """Show a hidden text. The time is measured from here."""
        self.hidden = False
        self.restart_timer()

    def restart_timer(self) -> None:
        """Measure the time from now."""
        self._started_at = self._clock()

    def count_as_completed(self) -> None:
        """Count the record on display as completed in this session."""
        self._completed_ids.add(self.current.record_id)

    def dismiss_break(self) -> None:
        """Record that a break was suggested. The next suggestion comes after 20 more texts."""
        self._n_at_last_break = len(self._completed_ids)
