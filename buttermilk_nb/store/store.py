"""`Store`: reads and writes a project's DuckDB file.

While one process has a DuckDB file open for writing, no other process can open it. So each operation opens the file,
does its work in one transaction and closes it, which takes about 20 ms. Other notebooks and colleagues can then open it
too. If another process has the file, the operation waits and tries again; after the longest wait, rows that must not be
lost go to the spool. One lock per file keeps the threads of this process apart, even if a project was opened twice. A
forked child never writes, because its parent's handle would corrupt the file.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from .._internal.temporary_folder import remove_leftovers, temporary_folder
from ..errors import SetupError, StoreError
from ..schema import Row
from . import append, spool, user_query
from .connection import FileLocked, RowsRejected, first_line, open_file, transaction
from .leftovers import remove_copies_if_free
from .live_copy import LiveCopy
from .merge_spool import merge_spool
from .migrate import is_up_to_date, prepare_tables
from .repair import repair_batch
from .snapshot import copy_to
from .user_query import Params
from .write import write_batch
from .write_batch import WriteBatch, WriteResult

if TYPE_CHECKING:
    import pandas as pd

_file_locks: dict[Path, threading.RLock] = {}
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_file_locks.clear)  # a lock of another thread would stay locked


class Store:
    """The DuckDB file of a project.

    Parameters
    ----------
    path
        The file; it is created on first use.
    lock_wait_s
        Seconds to wait while another process writes.

    Examples
    --------
    >>> import tempfile
    >>> store = Store(Path(tempfile.mkdtemp()) / "traces.duckdb")
    >>> store.select("select count(*) as n from latest_scores").n.item(), store.spooled()
    (0, 0)
    """

    def __init__(self, path: Path, *, lock_wait_s: float = 30.0) -> None:
        self.path = path
        self._lock_wait_s = lock_wait_s
        self._lock = _file_locks.setdefault(path.resolve(), threading.RLock())
        self._is_ready = False
        self._is_locked_out = False
        self._pid = os.getpid()
        self._live_copy = LiveCopy(path, self._attach_to)

    @contextmanager
    def writing(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A connection with one transaction: all changes in the block are written, or none.

        Raises
        ------
        StoreError
            Another process has the file (`FileLocked`), DuckDB rejects a value (`RowsRejected`), or the disk is full.
        """
        with self.exclusive() as con, transaction(con, self.path.name):
            yield con
        self._live_copy.follow()

    def write(self, batch: WriteBatch) -> WriteResult:
        """Write a batch; if another process has the file for too long, write it to the spool.

        After that, later batches try the file once each and do not wait again.

        Returns
        -------
        WriteResult
            Whether the batch is in the file or in the spool (it is on disk in both cases), and what it stored again.

        Raises
        ------
        StoreError
            Neither the file nor the spool could be written.
        """
        try:
            result = self._write_or_repair(batch)
        except FileLocked:
            self._is_locked_out = True
            spool.add(self.path, batch)
            return WriteResult(is_spooled=True)
        self._is_locked_out = False
        if batch.finish is not None or not (batch.units or batch.cells):  # not while a run goes on
            self._live_copy.follow()
        return result

    def _write_or_repair(self, batch: WriteBatch) -> WriteResult:
        wait_s = 0.0 if self._is_locked_out else self._lock_wait_s
        with self.exclusive(wait_s) as con:
            try:
                with transaction(con, self.path.name):
                    return write_batch(con, batch)
            except RowsRejected:
                if batch.cells or batch.records:  # those were validated when they were declared
                    raise
        batch = repair_batch(batch)  # the file is closed meanwhile, so that others can use it
        with self.exclusive(wait_s) as con, transaction(con, self.path.name):
            return write_batch(con, batch)

    def spooled(self) -> int:
        """The number of rows in the spool, which the next operation on the file merges."""
        return spool.rows_waiting(self.path)

    def remove_leftovers(self) -> None:
        """Remove what killed processes have left next to the file: copies that were never completed."""
        remove_leftovers(self.path.parent)
        remove_copies_if_free(self.path)

    def snapshot(self, path: Path) -> Path:
        """Copy the whole file, under the lock; the copy appears when it is complete.

        Raises
        ------
        SetupError
            A file with that name exists already.
        """
        if path.exists():
            raise SetupError(f"`{path}` exists already; choose another name, or delete it first.")
        with self.exclusive() as con:
            copy_to(con, path)
        return path

    def connect(self) -> duckdb.DuckDBPyConnection:
        """A connection to a copy of the file in memory, as the file is now; see `LiveCopy`."""
        return self._live_copy.connection()

    def refresh_copy(self) -> None:
        """Bring the copy in memory, if there is one, to the state of the file."""
        self._live_copy.refresh()

    def close_copy(self) -> None:
        """Give up the copy in memory."""
        self._live_copy.close()

    @contextmanager
    def _attach_to(self, instance: duckdb.DuckDBPyConnection) -> Iterator[duckdb.DuckDBPyConnection]:
        """The file as the database `study` of an instance, for reading, until the end of the block."""
        with self._lock:
            self._prepare_for_reading()
            with open_file(self.path, read_only=True, wait_s=self._lock_wait_s, instance=instance) as con:
                yield con

    @contextmanager
    def exclusive(self, wait_s: float | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
        """A connection for writing until the end of the block, after the tables were updated and the spool merged.

        No other process can open the file meanwhile. If another process has it, this waits `wait_s` seconds at most,
        by default `lock_wait_s`.
        """
        if os.getpid() != self._pid:
            raise StoreError("a forked process must not write to the project's file; open the project in it again.")
        with self._lock:
            self._is_ready = self._is_ready and self.path.exists()
            with open_file(self.path, read_only=False, wait_s=self._lock_wait_s if wait_s is None else wait_s) as con:
                if not self._is_ready:
                    prepare_tables(con, self.path)
                    self._is_ready = True
                merge_spool(con, self.path)
                yield con

    @contextmanager
    def reading(self, *, keep_instance: bool = True) -> Iterator[duckdb.DuckDBPyConnection]:
        """A read-only connection; the spool is merged before. `keep_instance` as in `open_file`."""
        with self._lock:
            self._prepare_for_reading()
            with open_file(self.path, read_only=True, wait_s=self._lock_wait_s, keep_instance=keep_instance) as con:
                yield con

    def _prepare_for_reading(self) -> None:
        self._is_ready = self._is_ready and self.path.exists()
        if not (self._is_ready or self._is_up_to_date()) or spool.pending(self.path):
            with self.exclusive():
                pass
        self._is_ready = True

    def _is_up_to_date(self) -> bool:
        """Whether the file has this version's tables and views, so that it need not be opened for writing."""
        if not self.path.exists() or not self.path.stat().st_size:
            return False
        with open_file(self.path, read_only=True, wait_s=self._lock_wait_s) as con:
            return is_up_to_date(con)

    def df(self, query: str, params: Sequence[Any] | dict[str, Any] | None = None) -> pd.DataFrame:
        """The result of a query of this package as a dataframe."""
        with self.reading() as con:
            try:
                return con.execute(query, params).df()
            except duckdb.Error as error:
                raise StoreError(f"`{self.path.name}` could not be read: {first_line(error)}") from error

    def select(
        self, query: str, params: Params = None, *, timeout_s: float = 120.0, read_files: bool = True
    ) -> pd.DataFrame:
        """The result of a user's query as a dataframe.

        Parameters
        ----------
        query
            One SELECT.
        params
            Values for `?` or `$name` in it.
        timeout_s
            The longest time in seconds.
        read_files
            Whether the query may also read other files; not for queries that a model has written.

        Raises
        ------
        SetupError
            The query is not a single SELECT, DuckDB does not understand it, or it takes longer than `timeout_s`.
        """
        held_s = min(timeout_s, self._lock_wait_s / 3)
        try:
            try:
                with self.reading(keep_instance=read_files) as con:
                    if not read_files:
                        user_query.without_files(con, query)
                    return user_query.run_query(con, query, params, held_s)
            except user_query.QueryTooLong:
                if timeout_s <= held_s:
                    raise
            return self._select_in_copy(query, params, timeout_s - held_s, read_files=read_files)
        except user_query.QueryTooLong:
            raise SetupError(user_query.too_long_message(timeout_s)) from None

    def _select_in_copy(self, query: str, params: Params, limit_s: float, *, read_files: bool) -> pd.DataFrame:
        """The result of a query on a temporary copy of the file, so that others can write meanwhile."""
        with temporary_folder(self.path) as folder:
            copy = folder / self.path.name
            with self.reading() as con:
                copy_to(con, copy)
            with open_file(copy, read_only=True, wait_s=0.0, keep_instance=read_files) as con:
                if not read_files:
                    user_query.without_files(con, query)
                return user_query.run_query(con, query, params, limit_s)

    def append(self, con: duckdb.DuckDBPyConnection, rows: Sequence[Row]) -> None:
        """Append rows of one model; texts, records and answers that are stored already are not stored again."""
        append.append(con, rows)

    def append_tuples(self, con: duckdb.DuckDBPyConnection, model: type[Row], rows: Iterable[tuple[Any, ...]]) -> None:
        """Append rows of one model, given as tuples in the order of its fields."""
        append.append_tuples(con, model, rows)
