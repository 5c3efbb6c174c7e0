"""The way of a coder through the texts: which one is shown, since when, and when a break is due."""

from __future__ import annotations

from collections.abc import Callable

from ...corpus.record import Record
from ..worklist import Item

BREAK_AFTER = 20
"""After so many texts of a sensitive corpus a break is suggested."""


class Navigation:
    """A place in a list of records.

    Parameters
    ----------
    items
        The records in their order.
    sensitive
        Whether each text is hidden until it is asked for.
    clock
        What time is measured with, in seconds.
    """

    def __init__(self, items: tuple[Item, ...], *, sensitive: bool, clock: Callable[[], float]) -> None:
        self.items = items
        self.sensitive = sensitive
        self._clock = clock
        self._done_now = set[str]()
        """Records that were completed in this sitting."""
        self._rested = 0
        self._show(0)

    @property
    def current(self) -> Record:
        """The record that is shown."""
        return self.items[self.place].record

    @property
    def break_due(self) -> bool:
        """Whether a break should be suggested."""
        return self.sensitive and len(self._done_now) >= self._rested + BREAK_AFTER

    def next(self) -> None:
        """Go to the next record; at the last, stay."""
        if self.place < len(self.items) - 1:
            self._show(self.place + 1)

    def back(self) -> None:
        """Go to the record before; at the first, stay."""
        if self.place:
            self._show(self.place - 1)

    def show_text(self) -> None:
        """Show a hidden text; time is measured from here."""
        self.hidden = False
        self._since = self._clock()

    def dismiss_break(self) -> None:
        """Take note that a break was suggested; the next suggestion comes after 20 more texts."""
        self._rested = len(self._done_now)

    def _show(self, place: int) -> None:
        self.place = place
        self.hidden = self.sensitive
        self._since = self._clock()
