"""Writing units in batches from one thread, while the run goes on.

The runner gives each finished Unit to `put`; a thread writes what has gathered in one transaction.
The queue is bounded: where the disk is slower than the models, `put` waits, so memory stays flat. A
Unit's rows share a transaction, so it lands whole or not at all. The first failure is kept and raised
by the next `put` and by `close`: a failing Store stops the run.
"""

from __future__ import annotations

import asyncio
import threading

from ..errors import StoreError
from ..traces import EventRow, Unit
from .database import Store

_BATCH = 2000  # units a transaction: large enough to pay for opening the file, small enough to keep memory flat
_QUEUE = 6000
_PAUSE_S = 0.2  # a slow run writes five times a second


class Writer:
    """Writes units and events until it is closed; made inside the loop that feeds it.

    Parameters
    ----------
    store
        Where to.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._units: list[Unit] = []
        self._events: list[EventRow] = []
        self._known_texts: set[str] = set()
        self._changed = threading.Condition()
        self._closing = False
        self._failure: BaseException | None = None
        self._loop = asyncio.get_running_loop()
        self._room = asyncio.Event()
        self._room.set()
        self._thread = threading.Thread(target=self._work, name="buttermilk_nb-store", daemon=True)
        self._thread.start()

    async def put(self, unit: Unit) -> None:
        """Hand over one unit; waits where too many are waiting already."""
        self._check()
        with self._changed:
            self._units.append(unit)
            waiting = len(self._units)
            if waiting >= _BATCH:
                self._changed.notify()
        if waiting >= _QUEUE:
            self._room.clear()
            await self._room.wait()
            self._check()

    def put_now(self, unit: Unit) -> None:
        """Hand over one unit without waiting for room: for the last units of a run that is cut off."""
        with self._changed:
            self._units.append(unit)

    def put_event(self, row: EventRow) -> None:
        """Hand over one event."""
        with self._changed:
            self._events.append(row)

    async def close(self) -> None:
        """Write what is left; when this returns, every row is on disk."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        await asyncio.to_thread(self._thread.join)
        self._check()

    def _check(self) -> None:
        if self._failure is not None:
            raise self._failure

    def _work(self) -> None:
        while True:
            with self._changed:
                if not self._closing and len(self._units) < _BATCH:
                    self._changed.wait(_PAUSE_S)
                units, self._units = self._units, []
                events, self._events = self._events, []
                closing = self._closing
            if units or events:
                try:
                    self._write(units, events)
                except StoreError as error:
                    self._fail(error)
                    return
                except Exception as error:  # noqa: BLE001  # whatever it is, the run must hear of it
                    self._fail(StoreError(f"rows could not be written: {error!r}"))
                    return
            self._loop.call_soon_threadsafe(self._room.set)
            if closing and not units and not events:
                return

    def _fail(self, error: StoreError) -> None:
        self._failure = error
        self._loop.call_soon_threadsafe(self._room.set)

    def _write(self, units: list[Unit], events: list[EventRow]) -> None:
        store = self._store
        texts = {
            text.text_hash: text for unit in units for text in unit.texts if text.text_hash not in self._known_texts
        }
        with store.writing() as con:
            if texts:
                here = con.execute(
                    "select text_hash from texts where text_hash in (select unnest(?))", [list(texts)]
                ).fetchall()
                stored = {name for (name,) in here}
                store.append(con, [text for name, text in texts.items() if name not in stored])
            store.append(con, [unit.trace for unit in units])
            store.append(con, [call for unit in units for call in unit.calls])
            store.append(con, [score for unit in units for score in unit.scores])
            store.append(con, [entry for unit in units for entry in unit.inputs])
            store.append(con, events)
        self._known_texts.update(texts)
