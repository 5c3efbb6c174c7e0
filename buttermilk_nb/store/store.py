"""`Store`: reads and writes a project's DuckDB file.

While one process has a DuckDB file open for writing, no other process can open it. So each operation opens the file,
does its work in one transaction and closes it, which takes about 20 ms. Other notebooks and colleagues can then open it
too. If another process has the file, the operation waits and tries again; after the longest wait, rows that must not be
lost go to the spool. One lock per file keeps the threads of this process apart, even if a project was opened twice. A
forked child never writes, because its parent's handle would corrupt the file.
"""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from ..errors import SetupError, StoreError, nearest
from ..schema import Row
from . import append, spool
from .connection import FileLocked, RowsRejected, first_line, open_file, transaction
from .merge_spool import merge_spool
from .migrate import is_up_to_date, prepare_tables
from .repair import repair_batch
from .snapshot import copy_to
from .write import write_batch
from .write_batch import WriteBatch

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

    def write(self, batch: WriteBatch) -> bool:
        """Write a batch; if another process has the file for too long, write it to the spool.

        After that, later batches try the file once each and do not wait again.

        Returns
        -------
        bool
            True if it is in the file, False if it is in the spool. In both cases it is on disk.

        Raises
        ------
        StoreError
            Neither the file nor the spool could be written.
        """
        try:
            self._write_or_repair(batch)
        except FileLocked:
            self._is_locked_out = True
            spool.add(self.path, batch)
            return False
        self._is_locked_out = False
        return True

    def _write_or_repair(self, batch: WriteBatch) -> None:
        wait_s = 0.0 if self._is_locked_out else self._lock_wait_s
        with self.exclusive(wait_s) as con:
            try:
                with transaction(con, self.path.name):
                    write_batch(con, batch)
                return
            except RowsRejected:
                if batch.cells or batch.records:  # those were validated when they were declared
                    raise
        batch = repair_batch(batch)  # the file is closed meanwhile, so that others can use it
        with self.exclusive(wait_s) as con, transaction(con, self.path.name):
            write_batch(con, batch)

    def spooled(self) -> int:
        """The number of rows in the spool, which the next operation on the file merges."""
        return spool.rows_waiting(self.path)

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
    def reading(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A read-only connection; the spool is merged before."""
        with self._lock:
            self._is_ready = self._is_ready and self.path.exists()
            if not (self._is_ready or self._is_up_to_date()) or spool.pending(self.path):
                with self.exclusive():
                    pass
            self._is_ready = True
            with open_file(self.path, read_only=True, wait_s=self._lock_wait_s) as con:
                yield con

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

    def select(self, query: str, params: Sequence[Any] | dict[str, Any] | None = None) -> pd.DataFrame:
        """The result of a user's query as a dataframe.

        Raises
        ------
        SetupError
            The query is not a single SELECT, or DuckDB does not understand it.
        """
        with self.reading() as con:
            try:
                statements = con.extract_statements(query)
                kinds = [statement.type for statement in statements]
                if kinds != [duckdb.StatementType.SELECT]:
                    description = (
                        "an empty text" if not kinds else f"{len(kinds)} statements" if kinds[1:] else kinds[0].name
                    )
                    raise SetupError(f"`bm.sql` takes one SELECT, not {description}; only runs write to the tables.")
                return con.execute(statements[0], params).df()
            except duckdb.Error as error:
                raise SetupError(_query_message(error, con)) from None

    def append(self, con: duckdb.DuckDBPyConnection, rows: Sequence[Row]) -> None:
        """Append rows of one model; texts, records and answers that are stored already are not stored again."""
        append.append(con, rows)

    def append_tuples(self, con: duckdb.DuckDBPyConnection, model: type[Row], rows: Iterable[tuple[Any, ...]]) -> None:
        """Append rows of one model, given as tuples in the order of its fields."""
        append.append_tuples(con, model, rows)


def _query_message(error: duckdb.Error, con: duckdb.DuckDBPyConnection) -> str:
    """DuckDB's message as a sentence, with the nearest name if a table does not exist."""
    message = str(error).strip()
    missing = re.search(r"Table with name (\S+) does not exist", message)
    if missing:
        names = con.execute("select table_name from information_schema.tables order by 1").fetchall()
        return f"there is no table `{missing[1]}`; {nearest(missing[1], [name for (name,) in names])}"
    lines = [line for line in message.splitlines() if line.strip()]
    return f"DuckDB does not understand this query. {' '.join(lines[:3])}"
