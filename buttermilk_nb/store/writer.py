"""`Writer` writes units in batches from one thread while a run goes on.

The runner passes each finished Unit to `put`, and a thread writes all waiting units in one transaction. The queue is
limited: if the disk is slower than the models, `put` waits, so that memory stays flat. The rows of a Unit share a
transaction, so it is written completely or not at all. If another process has the file for too long, batches go to the
spool and the run goes on. A unit that DuckDB rejects becomes an error, and the other units are written. The next `put`
and `close` raise the first failure of another kind: a failing Store stops the run.
"""

from __future__ import annotations

import asyncio
import threading

from ..errors import StoreError
from ..schema import EventRow, Unit
from .store import Store
from .write_batch import WriteBatch

_BATCH = 2000  # units per transaction: enough to make opening the file worthwhile, few enough to keep memory flat
_QUEUE = 6000
_PAUSE_S = 0.2  # a slow run writes five times a second
_MAX_KNOWN_TEXTS = (
    50_000  # hashes of stored texts that are remembered, so that replicates need not ask; memory stays flat
)


class Writer:
    """Writes units and events until it is closed. Create it in the event loop that calls `put`.

    Parameters
    ----------
    store
        The Store to write to.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._units: list[Unit] = []
        self._events: list[EventRow] = []
        self._known_texts: set[str] = set()
        self._condition = threading.Condition()
        self._closing = False
        self._failure: BaseException | None = None
        self._loop = asyncio.get_running_loop()
        self._has_room = asyncio.Event()
        self._has_room.set()
        self._thread = threading.Thread(target=self._write_until_closed, name="buttermilk_nb-store", daemon=True)
        self._thread.start()

    async def put(self, unit: Unit) -> None:
        """Add one unit; waits if too many units are in the queue."""
        self._raise_failure()
        with self._condition:
            self._units.append(unit)
            waiting = len(self._units)
            if waiting >= _BATCH:
                self._condition.notify()
        if waiting >= _QUEUE:
            self._has_room.clear()
            await self._has_room.wait()
            self._raise_failure()

    def put_now(self, unit: Unit) -> None:
        """Add one unit without waiting, for the last units of a run that is stopped."""
        with self._condition:
            self._units.append(unit)

    def put_event(self, row: EventRow) -> None:
        """Add one event."""
        with self._condition:
            self._events.append(row)

    async def close(self) -> None:
        """Write the remaining rows; when this returns, every row is on disk."""
        with self._condition:
            self._closing = True
            self._condition.notify()
        await asyncio.to_thread(self._thread.join)
        self._raise_failure()

    def _raise_failure(self) -> None:
        if self._failure is not None:
            raise self._failure

    def _write_until_closed(self) -> None:
        while True:
            with self._condition:
                if not self._closing and len(self._units) < _BATCH:
                    self._condition.wait(_PAUSE_S)
                units, self._units = self._units, []
                events, self._events = self._events, []
                closing = self._closing
            if units or events:
                try:
                    self._write(units, events)
                except StoreError as error:
                    self._set_failure(error)
                    return
                except Exception as error:  # noqa: BLE001  # the run must know of any failure
                    self._set_failure(StoreError(f"rows could not be written: {error!r}"))
                    return
            self._loop.call_soon_threadsafe(self._has_room.set)
            if closing and not units and not events:
                return

    def _set_failure(self, error: StoreError) -> None:
        self._failure = error
        self._loop.call_soon_threadsafe(self._has_room.set)

    def _write(self, units: list[Unit], events: list[EventRow]) -> None:
        result = self._store.write(WriteBatch(units=units, rows=events, known_text_hashes=self._known_texts))
        if not result.is_spooled:
            if len(self._known_texts) > _MAX_KNOWN_TEXTS:
                self._known_texts.clear()
            self._known_texts.update(text.text_hash for unit in units for text in unit.texts)
