"""`LiveCopy`: a copy of the Store in memory, which any program of this process can query while runs go on.

DuckDB lets a process open a file in one way at a time, so a connection of one's own to the file would be in the way of
every run. A copy in memory is not, and it leaves nothing on disk.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from pathlib import Path

import duckdb

from ..errors import SetupError, StoreError
from .connection import file_state, first_line
from .instance_pool import new_instance

_MAX_BYTES = 1_000_000_000
"""The largest file that is copied into memory."""
_MAX_FOLLOWED_BYTES = 100_000_000
"""The largest file that is copied again after each change."""
_DROPPED_FIRST = ("VIEW", "BASE TABLE")


class LiveCopy:
    """A copy of a Store in memory.

    Parameters
    ----------
    path
        The DuckDB file.
    attach
        Opens the file for reading as the database `study` of an instance, until the end of a block.
    """

    def __init__(
        self,
        path: Path,
        attach: Callable[[duckdb.DuckDBPyConnection], AbstractContextManager[duckdb.DuckDBPyConnection]],
    ) -> None:
        self._path = path
        self._attach = attach
        self._instance: duckdb.DuckDBPyConnection | None = None
        self._state: object = None
        self._lock = threading.Lock()

    def connection(self) -> duckdb.DuckDBPyConnection:
        """A connection to the copy, which holds what the file holds now.

        Raises
        ------
        SetupError
            The file is too large for a copy in memory.
        StoreError
            The file cannot be read.
        """
        with self._lock:
            if self._instance is None:
                self._check_size()
                self._instance = new_instance()
                self._instance.execute("set enable_progress_bar = false")
                self._instance.execute("set temp_directory = ?", [str(self._path.with_name(f"{self._path.name}.tmp"))])
            self._refresh(self._instance)
            return self._instance.cursor()

    def refresh(self) -> None:
        """Bring the copy to the state of the file, if there is a copy."""
        with self._lock:
            if self._instance is not None:
                self._refresh(self._instance)

    def follow(self) -> None:
        """Do so after a change of the file, unless the file is large or a query is open on the copy."""
        if self._instance is None or (self._path.exists() and self._path.stat().st_size > _MAX_FOLLOWED_BYTES):
            return
        if not self._lock.acquire(blocking=False):  # another thread brings it up to date
            return
        try:
            if self._instance is not None:
                self._refresh(self._instance)
        except (StoreError, duckdb.Error):  # the next `connection` tries again, and says why if it fails
            self._state = None
        finally:
            self._lock.release()

    def close(self) -> None:
        """Give up the copy, and close all connections to it."""
        with self._lock:
            if self._instance is not None:
                self._instance.close()
            self._instance = self._state = None

    def _check_size(self) -> None:
        size = self._path.stat().st_size if self._path.exists() else 0
        if size > _MAX_BYTES:
            raise SetupError(
                f"`{self._path.name}` has {size / 1e9:.1f} GB, which is too much for a copy in memory. Write a copy to "
                "disk with project.evidence.snapshot(), and open its traces.duckdb; or use bm.sql."
            )

    def _refresh(self, instance: duckdb.DuckDBPyConnection) -> None:
        if self._state is not None and self._state == file_state(self._path):
            return
        with self._attach(instance) as con:
            state = file_state(self._path)
            try:
                con.execute("begin transaction")
                _drop_everything(con)
                con.execute("copy from database study to memory")
                con.execute("commit")
            except duckdb.Error as error:
                with suppress(duckdb.Error):  # a conflict has ended the transaction already
                    con.execute("rollback")
                raise StoreError(
                    f"the copy of `{self._path.name}` in memory could not be brought up to date: {first_line(error)}. "
                    "End the queries that are open on it."
                ) from error
        self._state = state


def _drop_everything(con: duckdb.DuckDBPyConnection) -> None:
    """Drop the views, tables and macros of the database `memory`."""
    rows = con.execute(
        "select table_name, table_type from information_schema.tables where table_catalog = 'memory'"
    ).fetchall()
    for name, kind in sorted(rows, key=lambda row: _DROPPED_FIRST.index(row[1])):
        con.execute(f'drop {"view" if kind == "VIEW" else "table"} memory.main."{_quoted(name)}"')
    macros = con.execute(
        "select distinct function_name, function_type from duckdb_functions() "
        "where database_name = 'memory' and not internal"
    ).fetchall()
    for name, kind in macros:
        con.execute(f'drop macro {"table " if kind == "table_macro" else ""}memory.main."{_quoted(name)}"')


def _quoted(name: str) -> str:
    return name.replace('"', '""')
