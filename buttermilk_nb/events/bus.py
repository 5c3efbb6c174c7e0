"""A bus inside one process.

Listeners are called in the thread that publishes and must be quick. One that fails never stops a run
and is never silent: it is warned about once, counted, and taken off the bus.
"""

from __future__ import annotations

import contextlib
import threading
import warnings
from collections.abc import Callable

from .event import Event

Listener = Callable[[Event], None]


class Bus:
    """Publish and subscribe.

    Examples
    --------
    >>> bus, seen = Bus(), []
    >>> stop = bus.subscribe(seen.append)
    >>> bus.publish(Event(source="a test"))
    >>> stop()
    >>> [event.source for event in seen]
    ['a test']
    """

    def __init__(self) -> None:
        self._listeners: tuple[Listener, ...] = ()
        self._lock = threading.Lock()
        self.failures: list[str] = []

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Listen; the returned callable stops it."""
        with self._lock:
            self._listeners = (*self._listeners, listener)
        return lambda: self._drop(listener)

    def publish(self, event: Event) -> None:
        """Hand an event to every listener."""
        for listener in self._listeners:
            try:
                listener(event)
            except Exception as error:  # noqa: BLE001  # an observer may fail in any way; the run goes on
                self._drop(listener)
                name = getattr(listener, "__qualname__", repr(listener))
                self.failures.append(f"{name}: {error!r}")
                with contextlib.suppress(RuntimeWarning):  # where warnings are errors; it is in `failures` all the same
                    warnings.warn(
                        f"the observer {name} failed and was taken off: {error!r}", RuntimeWarning, stacklevel=2
                    )

    def _drop(self, listener: Listener) -> None:
        with self._lock:
            self._listeners = tuple(kept for kept in self._listeners if kept != listener)
