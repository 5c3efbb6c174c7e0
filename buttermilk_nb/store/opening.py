"""Opening the DuckDB file, and saying in a sentence why it cannot be opened or written.

DuckDB holds its lock on the file with the means of the system. On Linux and macOS such a lock belongs to the
process, and is lost as soon as the process closes *any* handle of the file: so nothing in this package opens the
file but DuckDB, copies of it are made by DuckDB too, and the connections of one process take turns.
"""

from __future__ import annotations

import random
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb

from .._ids import uuid7
from ..errors import StoreError

STORAGE = "v1.5.0"
"""The oldest DuckDB that shall be able to read the files."""
_READ: dict[str, Any] = {"autoinstall_known_extensions": False}
_WRITE: dict[str, Any] = {**_READ, "storage_compatibility_version": STORAGE}
_LOCKED = re.compile(r"could not set lock|conflicting lock|being used by another process", re.IGNORECASE)
_REFUSALS = (duckdb.DataError, duckdb.InvalidInputException, duckdb.ConstraintException, duckdb.NotSupportedError)
_pause = threading.Event()  # never set: its wait() is a sleep that a debugger can see


class FileHeld(StoreError):
    """Another process has the file, and did not let go of it in the time allowed."""


class RowsRefused(StoreError):
    """DuckDB cannot take a value: a number too large for its column, a text that is not one."""


def connect(path: Path, *, read_only: bool, wait_s: float) -> duckdb.DuckDBPyConnection:
    """Open the file; where another process holds it, wait and try again.

    Raises
    ------
    FileHeld
        It was held for longer than `wait_s`.
    StoreError
        It cannot be opened at all.
    """
    if not read_only and not path.exists():
        _make(path)
    deadline = time.monotonic() + wait_s
    pause = 0.005
    while True:
        try:
            return duckdb.connect(str(path), read_only=read_only, config=_READ if read_only else _WRITE)
        except duckdb.Error as error:
            _may_wait(path, error, wait_s, deadline)
        _pause.wait(pause * random.uniform(0.5, 1.5))  # noqa: S311  # keeps two waiting writers out of step
        pause = min(pause * 1.6, 0.25)


def _make(path: Path) -> None:
    """Make an empty file elsewhere and give it its name, unless another process has made one meanwhile.

    Two processes that both let DuckDB make the file may end with one of no bytes, which nobody can open any more.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.{uuid7()}.new")
    try:
        duckdb.connect(str(fresh), config=_WRITE).close()
        path.hardlink_to(fresh)
    except OSError:  # another process has made it, or there are no links on this disk: then DuckDB makes it
        return
    except duckdb.Error as error:
        raise StoreError(f"`{path}` cannot be made: {first_line(error)}") from error
    finally:
        fresh.unlink(missing_ok=True)


def _may_wait(path: Path, error: duckdb.Error, wait_s: float, deadline: float) -> None:
    message = str(error)
    if "different configuration" in message:
        raise StoreError(
            f"this program has `{path.name}` open in a connection of its own; close that connection, "
            "or ask with bm.sql."
        ) from error
    if not _LOCKED.search(message):
        raise StoreError(f"`{path}` cannot be opened: {first_line(error)}") from error
    if time.monotonic() >= deadline:
        raise FileHeld(
            f"another process has held `{path}` for {wait_s:g} s. Close the program that has it open for writing, "
            "or raise `lock_wait_s` in buttermilk.yaml."
        ) from error


@contextmanager
def transaction(con: duckdb.DuckDBPyConnection, name: str) -> Iterator[None]:
    """All of what is done inside lands, or nothing.

    Raises
    ------
    RowsRefused
        DuckDB cannot take a value.
    StoreError
        It failed in any other way: the disk is full, a table is missing.
    """
    con.execute("begin")
    try:
        yield
        con.execute("commit")
    except BaseException as error:
        _undo(con)
        if isinstance(error, duckdb.Error):
            kind = RowsRefused if isinstance(error, _REFUSALS) else StoreError
            raise kind(f"`{name}` could not be written: {first_line(error)}") from error
        raise


def _undo(con: duckdb.DuckDBPyConnection) -> None:
    try:
        con.execute("rollback")
    except duckdb.Error:  # the failure has ended the transaction itself; what is raised is the failure
        return


def first_line(error: BaseException) -> str:
    """What an error says, in one line."""
    return (str(error).strip() or repr(error)).splitlines()[0]
