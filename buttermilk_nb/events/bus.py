"""`Bus` delivers events to listeners inside one process.

Listeners are called in the thread that publishes, and must be quick. A listener that fails never stops a run: there is
one warning, the failure is recorded, and the listener is removed from the bus.
"""

from __future__ import annotations

import contextlib
import threading
import warnings
from collections.abc import Callable

from .event import Event

Listener = Callable[[Event], None]


class Bus:
    """Publishes events to subscribed listeners.

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
        """Add a listener; the returned callable removes it."""
        with self._lock:
            self._listeners = (*self._listeners, listener)
        return lambda: self._drop(listener)

    def publish(self, event: Event) -> None:
        """Call every listener with an event."""
        for listener in self._listeners:
            try:
                listener(event)
            except Exception as error:  # noqa: BLE001  # an observer may fail in any way; the run goes on
                self._drop(listener)
                name = getattr(listener, "__qualname__", repr(listener))
                self.failures.append(f"{name}: {error!r}")
                with contextlib.suppress(RuntimeWarning):  # warnings may be errors; `failures` has it in any case
                    warnings.warn(
                        f"the listener {name} failed and was removed: {error!r}", RuntimeWarning, stacklevel=2
                    )

    def _drop(self, listener: Listener) -> None:
        with self._lock:
            self._listeners = tuple(item for item in self._listeners if item != listener)
