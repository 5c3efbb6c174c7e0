"""Opening the file only while working, so that colleagues and other notebooks can open it too.

DuckDB lets one process at a time hold a file for writing, and shuts out readers meanwhile. Each piece
of work here opens the file, does its work in one transaction and closes it, which costs about 20 ms;
where another process holds the file, it waits and tries again. One lock a file keeps the threads of
this process apart, also where a project was opened twice. A forked child never writes: its parent's
handle would corrupt the file.
"""

from __future__ import annotations

import os
import random
import re
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from importlib import resources
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from ..errors import SetupError, StoreError, nearest
from ..traces import Row
from .views import VIEWS, VIEWS_HASH

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

    import pandas as pd

_CONFIG: dict[str, Any] = {"autoinstall_known_extensions": False, "storage_compatibility_version": "v1.5.0"}
_READ_CONFIG: dict[str, Any] = {"autoinstall_known_extensions": False}
_files: dict[Path, threading.RLock] = {}
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_files.clear)  # a lock that another thread held would stay locked
_LOCKED = re.compile(r"could not set lock|conflicting lock|being used by another process", re.IGNORECASE)


class Store:
    """The DuckDB file of a project.

    Parameters
    ----------
    path
        The file; made on first use.
    lock_wait_s
        Seconds to wait while another process writes.
    """

    def __init__(self, path: Path, *, lock_wait_s: float = 30.0) -> None:
        self.path = path
        self._lock_wait_s = lock_wait_s
        self._lock = _files.setdefault(path.resolve(), threading.RLock())
        self._ready = False
        self._pid = os.getpid()
        self._pause = threading.Event()  # never set: its wait() is a sleep that a debugger can see

    @contextmanager
    def writing(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """One transaction: all of it lands, or none."""
        if os.getpid() != self._pid:
            raise StoreError("a forked process must not write to the project's file; open the project in it again.")
        with self._lock:
            self._ready = self._ready and self.path.exists()
            con = self._connect(_CONFIG, read_only=False)
            try:
                con.execute("begin")
                if not self._ready:
                    _prepare(con, self.path)
                yield con
                con.execute("commit")
                self._ready = True
            except duckdb.Error as error:
                raise StoreError(f"`{self.path.name}` could not be written: {_first_line(error)}") from error
            finally:
                con.close()

    @contextmanager
    def reading(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A connection that cannot change anything."""
        with self._lock:
            if not (self._ready and self.path.exists()) and not self._up_to_date():
                with self.writing():
                    pass
            con = self._connect(_READ_CONFIG, read_only=True)
            try:
                yield con
            finally:
                con.close()

    def _up_to_date(self) -> bool:
        """Whether the file has this version's tables and views, so that it can be read beside other readers."""
        if not self.path.exists() or not self.path.stat().st_size:
            return False
        con = self._connect(_READ_CONFIG, read_only=True)
        try:
            meta = dict(con.execute("select key, value from meta").fetchall())
        except duckdb.CatalogException:
            return False
        finally:
            con.close()
        return (meta.get("schema_version"), meta.get("views")) == (str(_version(_migrations()[-1])), VIEWS_HASH)

    def df(self, query: str, params: Sequence[Any] | dict[str, Any] | None = None) -> pd.DataFrame:
        """The result of a query of ours as a dataframe."""
        with self.reading() as con:
            try:
                return con.execute(query, params).df()
            except duckdb.Error as error:
                raise StoreError(f"`{self.path.name}` could not be read: {_first_line(error)}") from error

    def select(self, query: str, params: Sequence[Any] | dict[str, Any] | None = None) -> pd.DataFrame:
        """The result of a user's query: one SELECT.

        Raises
        ------
        SetupError
            It is not one SELECT, or DuckDB does not understand it.
        """
        with self.reading() as con:
            try:
                statements = con.extract_statements(query)
                kinds = [statement.type for statement in statements]
                if kinds != [duckdb.StatementType.SELECT]:
                    found = "an empty text" if not kinds else f"{len(kinds)} statements" if kinds[1:] else kinds[0].name
                    raise SetupError(f"`bm.sql` takes one SELECT, not {found}; the tables are written by runs only.")
                return con.execute(statements[0], params).df()
            except duckdb.Error as error:
                raise SetupError(_plain(error, con)) from None

    def append(self, con: duckdb.DuckDBPyConnection, rows: Sequence[Row]) -> None:
        """Append rows of one model to its table."""
        if not rows:
            return
        model = type(rows[0])
        self.append_tuples(con, model, map(attrgetter(*model.model_fields), rows))

    def append_tuples(self, con: duckdb.DuckDBPyConnection, model: type[Row], rows: Iterable[tuple[Any, ...]]) -> None:
        """Append rows that are tuples in the order of the model's fields."""
        appender = con.appender(model.table, columns=list(model.model_fields))
        appender.append_rows(rows)
        appender.flush()

    def _connect(self, config: dict[str, Any], *, read_only: bool) -> duckdb.DuckDBPyConnection:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        deadline = time.monotonic() + self._lock_wait_s
        pause = 0.005
        while True:
            try:
                return duckdb.connect(str(self.path), read_only=read_only, config=config)
            except duckdb.Error as error:
                message = str(error)
                if "different configuration" in message:
                    raise StoreError(
                        f"this program has `{self.path.name}` open in a connection of its own; close that connection, "
                        "or ask with bm.sql."
                    ) from error
                if not _LOCKED.search(message):
                    raise StoreError(f"`{self.path}` cannot be opened: {_first_line(error)}") from error
                if time.monotonic() > deadline:
                    raise StoreError(
                        f"another process has held `{self.path}` for {self._lock_wait_s:g} s. Close the program that "
                        "has it open for writing, or raise `lock_wait_s` in buttermilk.yaml."
                    ) from error
            self._pause.wait(pause * random.uniform(0.5, 1.5))  # noqa: S311  # keeps two waiting writers out of step
            pause = min(pause * 1.6, 0.25)


def _migrations() -> list[Traversable]:
    folder = resources.files(__package__) / "migrations"
    return sorted((entry for entry in folder.iterdir() if entry.name.endswith(".sql")), key=lambda entry: entry.name)


def _version(migration: Traversable) -> int:
    return int(migration.name[:4])


def _prepare(con: duckdb.DuckDBPyConnection, path: Path) -> None:
    """Bring the tables and views of a file up to this version."""
    migrations = _migrations()
    known = {name for (name,) in con.execute("select table_name from duckdb_tables()").fetchall()}
    meta = dict(con.execute("select key, value from meta").fetchall()) if "meta" in known else {}
    version = int(meta.get("schema_version", 0))
    newest = _version(migrations[-1])
    if version > newest:
        raise StoreError(
            f"`{path.name}` was written by a newer buttermilk_nb (tables version {version}, here {newest}); "
            "upgrade with `pip install -U buttermilk-nb`."
        )
    for migration in migrations:
        if _version(migration) > version:
            con.execute(migration.read_text(encoding="utf-8"))
    if version < newest or meta.get("views") != VIEWS_HASH:
        for name, query in VIEWS.items():
            con.execute(f"create or replace view {name} as {query}")  # our own words only
        con.execute("delete from meta where key in ('schema_version', 'views')")
        con.execute("insert into meta values ('schema_version', ?), ('views', ?)", [str(newest), VIEWS_HASH])


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0]


def _plain(error: duckdb.Error, con: duckdb.DuckDBPyConnection) -> str:
    """DuckDB's message in a sentence, with the nearest table where one is missing."""
    message = str(error).strip()
    missing = re.search(r"Table with name (\S+) does not exist", message)
    if missing:
        names = con.execute("select table_name from information_schema.tables order by 1").fetchall()
        return f"there is no table `{missing[1]}`; {nearest(missing[1], [name for (name,) in names])}"
    lines = [line for line in message.splitlines() if line.strip()]
    return f"DuckDB does not understand this query. {' '.join(lines[:3])}"
