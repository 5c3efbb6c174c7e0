"""The cache: LLM answers on disk, safe to delete, shareable, and never unpickled.

diskcache keeps the answers in SQLite. Its stock Disk classes unpickle what a tampered file tells them
to (CVE-2025-69872), so ours takes text keys and text values only and refuses every other row; what
is refused reads as an error that names the file, never as code. Nothing is evicted.

Writes are grouped: everything that finished while the last transaction ran goes into the next one.
An answer is on disk before `put` returns.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import diskcache
from diskcache.core import MODE_RAW, MODE_TEXT

from . import _aio
from .errors import StoreError

_DAMAGE = (OSError, sqlite3.Error, diskcache.Timeout, UnicodeError)
_NOT_TEXT = "the cache holds a row that is not text; it was not written by this package and was not read"


class _TextDisk(diskcache.Disk):  # type: ignore[misc]  # diskcache ships no types
    """Text in, text out."""

    def put(self, key: Any) -> tuple[str, bool]:
        if not isinstance(key, str):
            raise TypeError("cache keys are text")
        return key, True

    def get(self, key: Any, raw: Any) -> str:
        if not raw or not isinstance(key, str):
            raise StoreError(f"{_NOT_TEXT} ({self._directory}).")
        return key

    def store(self, value: Any, read: bool, key: Any = diskcache.core.UNKNOWN) -> Any:
        if not isinstance(value, str) or read:
            raise TypeError("cache values are text")
        return super().store(value, read, key=key)

    def fetch(self, mode: int, filename: str | None, value: Any, read: bool) -> str:
        if read or mode not in (MODE_RAW, MODE_TEXT) or (mode == MODE_RAW and not isinstance(value, str)):
            raise StoreError(f"{_NOT_TEXT} ({self._directory}).")
        if mode == MODE_TEXT:
            folder = Path(self._directory).resolve()
            if not filename or not (folder / filename).resolve().is_relative_to(folder):
                raise StoreError(f"{_NOT_TEXT} ({self._directory}).")
        return str(super().fetch(mode, filename, value, read))


class AnswerCache:
    """Answers by key, in one folder.

    Parameters
    ----------
    folder
        Made with mode 0700 on first use.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._file = folder / diskcache.core.DBNAME
        self._lock = threading.Lock()
        self._disk: diskcache.Cache | None = None
        self._writer: concurrent.futures.ThreadPoolExecutor | None = None
        self._waiting: list[tuple[str, str, asyncio.Future[None]]] = []
        self._drain: asyncio.Task[None] | None = None

    @property
    def _open(self) -> diskcache.Cache:
        return self._disk if self._disk is not None else self.open()

    def open(self) -> diskcache.Cache:
        """Open the files, also where the folder was deleted meanwhile, as it may be. Each run begins with this."""
        if self._disk is not None and not self._file.exists():
            self.close()
        with self._lock, self._readable():
            if self._disk is None:
                self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                self._disk = diskcache.Cache(
                    str(self.folder), disk=_TextDisk, eviction_policy="none", cull_limit=0, statistics=0
                )
            if self._writer is None:
                self._writer = concurrent.futures.ThreadPoolExecutor(1, thread_name_prefix="buttermilk_nb-cache")
            return self._disk

    def get(self, key: str) -> str | None:
        """The answer under a key, or None. Takes about 10 microseconds, so it may run in the loop."""
        try:
            found: str | None = self._open.get(key, default=None)
        except _DAMAGE as error:
            raise self._damaged(error) from error
        return found

    def __contains__(self, key: str) -> bool:
        with self._readable():
            return key in self._open

    def __len__(self) -> int:
        with self._readable():
            return len(self.open())

    @contextmanager
    def _readable(self) -> Iterator[None]:
        """Whatever a damaged file makes diskcache raise, as a sentence."""
        try:
            yield
        except _DAMAGE as error:
            raise self._damaged(error) from error

    def _damaged(self, error: Exception) -> StoreError:
        return StoreError(
            f"the cache {self.folder} cannot be read ({error}). Delete that folder and run again: it is safe to "
            "delete, and only what is asked anew is paid for again."
        )

    async def put(self, key: str, value: str) -> None:
        """Write an answer; returns when it is on disk, also when the caller is cancelled meanwhile.

        Raises
        ------
        StoreError
            The disk refused it.
        """
        loop = asyncio.get_running_loop()
        written: asyncio.Future[None] = loop.create_future()
        self._waiting.append((key, value, written))
        if self._drain is None:
            self._drain = loop.create_task(self._write_waiting())
        await written

    async def _write_waiting(self) -> None:
        await asyncio.sleep(0)  # let everyone who is ready join this transaction
        try:
            while self._waiting:
                batch, self._waiting = self._waiting, []
                pairs = [(key, value) for key, value, _ in batch]
                failure: StoreError | None = None
                try:
                    disk = self.open()
                    await asyncio.get_running_loop().run_in_executor(self._writer, _set_all, disk, pairs)
                except StoreError as error:
                    failure = error
                except Exception as error:  # noqa: BLE001  # whatever it is, those who wait must hear of it
                    failure = StoreError(f"the answer could not be written to the cache {self.folder}: {error}.")
                for _, _, written in batch:
                    if not written.done():
                        written.set_exception(failure) if failure else written.set_result(None)
        finally:
            self._drain = None

    def close(self) -> None:
        """Close the files; the next use opens them again.

        diskcache keeps a connection a thread, so each thread that used it closes its own: the writer's, the loop's
        and the caller's.
        """
        with self._lock:
            disk, self._disk = self._disk, None
            writer, self._writer = self._writer, None
        if disk is None:
            return
        if writer is not None:
            with contextlib.suppress(RuntimeError):  # the interpreter is ending, and its threads have ended already
                writer.submit(disk.close).result()
            writer.shutdown(wait=True)
        _aio.call(disk.close)
        disk.close()


def _set_all(disk: diskcache.Cache, batch: list[tuple[str, str]]) -> None:
    with disk.transact(retry=True):
        for key, value in batch:
            disk.set(key, value, retry=True)
