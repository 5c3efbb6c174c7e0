"""`CacheFiles`: read and write single answers during a run.

Writes are grouped: all answers that arrive during one transaction go into the next. An answer is on disk before `put`
returns.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import os
import threading
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import diskcache
from diskcache.core import DBNAME

from ..._internal import event_loop
from ..._internal.private_files import make_private_folder, private_files
from ...errors import StoreError
from .contents import read_texts
from .safe_disk import DISK_ERRORS, TextCache, set_all

T = TypeVar("T")


class CacheFiles:
    """Answers by cache key, in one folder.

    Parameters
    ----------
    folder
        The folder; created with mode 0700 on first use.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._file = folder / DBNAME
        self._lock = threading.Lock()
        self._disk: diskcache.Cache | None = None
        self._opened_file: tuple[int, int] | None = None
        self._writer: concurrent.futures.ThreadPoolExecutor | None = None
        self._pending: list[tuple[str, str, asyncio.Future[None]]] = []
        self._write_task: asyncio.Task[None] | None = None
        self._pid = os.getpid()

    @property
    def _open_disk(self) -> diskcache.Cache:
        return self._disk if self._disk is not None else self.open()

    def open(self) -> diskcache.Cache:
        """Open the files, also if the folder was deleted since the last use. Each run begins with this."""
        self._leave_to_parent()
        if self._disk is not None and self._file_identity() != self._opened_file:
            self.close()
        with self._lock, self._translate_errors():
            if self._disk is None:
                make_private_folder(self.folder)
                with private_files(self.folder):
                    self._file.touch()  # SQLite gives its other files the mode of this one
                    self._disk = TextCache(self.folder)
                self._opened_file = self._file_identity()
            if self._writer is None:
                self._writer = concurrent.futures.ThreadPoolExecutor(1, thread_name_prefix="buttermilk_nb-cache")
            return self._disk

    def _leave_to_parent(self) -> None:
        """In a forked child, let go of the parent's connections and thread; the child has neither."""
        if self._pid != os.getpid():
            self._pid = os.getpid()
            self._lock = threading.Lock()
            self._disk, self._writer, self._write_task, self._pending = None, None, None, []

    def _file_identity(self) -> tuple[int, int] | None:
        """Device and inode of the current file; None if it does not exist."""
        try:
            stat = self._file.stat()
        except FileNotFoundError:
            return None
        return stat.st_dev, stat.st_ino

    def get(self, key: str) -> str | None:
        """The answer under a key, or None. Takes about 10 microseconds, so it may run in the event loop."""
        try:
            value: str | None = self._open_disk.get(key, default=None)
        except DISK_ERRORS as error:
            raise self._read_error(error) from error
        return value

    def read_many(self, keys: Collection[str]) -> Iterator[tuple[str, str]]:
        """The keys among these with an answer that can be read, each with it. For a thread of its own."""
        with self._translate_errors():
            yield from read_texts(self._file, self.open().disk, keys)

    def __contains__(self, key: str) -> bool:
        with self._translate_errors():
            return key in self._open_disk

    def __len__(self) -> int:
        with self._translate_errors():
            return len(self.open())

    @contextmanager
    def _translate_errors(self) -> Iterator[None]:
        """Turn the exceptions of diskcache for damaged files into a StoreError with advice."""
        try:
            yield
        except DISK_ERRORS as error:
            raise self._read_error(error) from error

    def _read_error(self, error: Exception) -> StoreError:
        if isinstance(error, PermissionError) or "readonly" in str(error):
            return StoreError(
                f"the cache {self.folder} cannot be read ({error}): this user needs write permission in that folder, "
                "too. Give the permission, or name another folder as `data_folder` in buttermilk.yaml."
            )
        return StoreError(
            f"the cache {self.folder} cannot be read ({error}). Delete that folder and run again. Deleting it is safe; "
            "you pay again only for the answers that you ask for again."
        )

    def _write_error(self, error: Exception) -> StoreError:
        return StoreError(f"the answer could not be written to the cache {self.folder}: {error}.")

    async def put(self, key: str, value: str) -> None:
        """Write an answer, and return when it is on disk. It is written even if the caller is cancelled.

        Raises
        ------
        StoreError
            The disk refused the answer.
        """
        loop = asyncio.get_running_loop()
        written: asyncio.Future[None] = loop.create_future()
        self._pending.append((key, value, written))
        if self._write_task is None:
            self._write_task = loop.create_task(self._write_pending())
        await written

    async def _write_pending(self) -> None:
        await asyncio.sleep(0)  # so that all callers that are ready join this transaction
        try:
            while self._pending:
                batch, self._pending = self._pending, []
                pairs = [(key, value) for key, value, _ in batch]
                failure: StoreError | None = None
                try:
                    disk = self.open()
                    await asyncio.get_running_loop().run_in_executor(self._writer, set_all, disk, pairs)
                except StoreError as error:
                    failure = error
                except Exception as error:  # noqa: BLE001  # the waiting callers must get any error
                    failure = self._write_error(error)
                for _, _, written in batch:
                    if not written.done():
                        written.set_exception(failure) if failure else written.set_result(None)
        finally:
            self._write_task = None

    def _run_in_writer(self, work: Callable[[diskcache.Cache], T]) -> T:
        """Run a function on the files in the writer's thread, and wait for it. Call it from another thread."""
        disk = self.open()
        if self._writer is None:
            raise StoreError(f"the cache {self.folder} was closed by another thread; try again.")
        try:
            return self._writer.submit(work, disk).result()
        except (*DISK_ERRORS, TypeError) as error:
            raise self._write_error(error) from error

    def close(self) -> None:
        """Close the files; the next use opens them again.

        diskcache has one connection per thread, so each thread that used it closes its own: the writer's, the event
        loop's and the caller's.
        """
        self._leave_to_parent()
        with self._lock:
            disk, self._disk = self._disk, None
            writer, self._writer = self._writer, None
        if disk is None:
            return
        if writer is not None:
            with contextlib.suppress(RuntimeError):  # at the exit of Python its threads have ended already
                writer.submit(disk.close).result()
            writer.shutdown(wait=True)
        event_loop.call_in_loop(disk.close)
        disk.close()
