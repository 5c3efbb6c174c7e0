"""`ProgressLine`: one line on standard error that says how far a long loop is."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_QUIET_S = 2.0
"""Seconds before the first line: most loops are over by then."""
_EVERY_S = 0.5
_listener: ContextVar[Callable[[str], None] | None] = ContextVar("listener", default=None)


@contextmanager
def send_progress_to(listener: Callable[[str], None]) -> Iterator[None]:
    """Let a function have the lines of the loops in this block, at most two a second; an error in it ends the loop.

    Examples
    --------
    >>> lines = []
    >>> with send_progress_to(lines.append):
    ...     ProgressLine("read", "files", total=2).update(1)
    >>> lines
    ['read 1 of 2 files']
    """
    token = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(token)


class ProgressLine:
    """Shows how many items are done, once a loop takes long.

    In a terminal and in a notebook the line is updated in place; in a file it is written only at the end.

    Parameters
    ----------
    verb, noun
        What is done with what, for the line: `read 1,200 of 10,000 files`.
    total
        The number of items; None if only the end of the loop shows it.

    Examples
    --------
    >>> line = ProgressLine("read", "files", total=2)
    >>> line.text(1)
    'read 1 of 2 files'
    """

    def __init__(self, verb: str, noun: str, total: int | None = None) -> None:
        self._verb, self._noun, self._total = verb, noun, total
        self._began = time.monotonic()
        self._listener = _listener.get()
        self._next = self._began + (0 if self._listener else _QUIET_S)
        self._is_shown = False
        self._is_live = sys.stderr.isatty() or "ipykernel" in sys.modules

    def text(self, done: int) -> str:
        """The line."""
        return f"{self._verb} {done:,}{'' if self._total is None else f' of {self._total:,}'} {self._noun}"

    def note(self, text: str) -> None:
        """A line of its own, before the progress."""
        if self._listener:
            self._listener(text)
            return
        sys.stderr.write(f"{text}\n")
        sys.stderr.flush()

    def update(self, done: int) -> None:
        """Show the line if it is time; at the end it stays, with the time that the loop took."""
        now = time.monotonic()
        over = done == self._total
        if now < self._next and not (over and self._is_shown):
            return
        self._next = now + _EVERY_S
        self._is_shown = True
        rest_s = (now - self._began) / max(done, 1) * ((self._total or done) - done)
        line = f"{self.text(done)}{f', about {rest_s:,.0f} s left' if rest_s >= 1 else ''}"
        if self._listener:
            self._listener(line)
        elif over:
            sys.stderr.write(f"\r{self.text(done)} in {now - self._began:,.0f} s\n")
        elif self._is_live:
            sys.stderr.write(f"\r{line} ")
        sys.stderr.flush()
