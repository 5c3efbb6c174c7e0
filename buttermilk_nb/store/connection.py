"""Opening the DuckDB file, and saying in a sentence why it cannot be opened or written.

Processes of this package take turns by a lock of their own (see `turns`). Programs that are not ours have only
DuckDB's: where the file changed while it was being opened, it is closed and opened again.

DuckDB's lock, on Linux and macOS, belongs to the process and is lost as soon as the process closes *any* handle
of the file: so nothing in this package opens the file but DuckDB, copies of it are made by DuckDB too, and one process
has one connection at a time.
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

from .._internal.ids import uuid7
from ..errors import StoreError
from .file_lock import FileLock

STORAGE = "v1.5.0"
"""The oldest DuckDB that shall be able to read the files."""
_READ: dict[str, Any] = {"autoinstall_known_extensions": False}
_WRITE: dict[str, Any] = {**_READ, "storage_compatibility_version": STORAGE}
_ROW_GROUP = 16_384
"""Rows that DuckDB keeps and compresses together. By default 122,880: rewriting the last group of long texts, as every
closing does, then takes hundreds of MB and up to a second, and the more the longer the texts are."""
_LOCKED_ELSEWHERE = re.compile(r"could not set lock|conflicting lock|being used by another process", re.IGNORECASE)
_OPEN_HERE = re.compile(r"different configuration|already attached", re.IGNORECASE)
_VALUE_ERRORS = (duckdb.DataError, duckdb.InvalidInputException, duckdb.ConstraintException, duckdb.NotSupportedError)
_SHORTEST_PAUSE_S, _LONGEST_PAUSE_S = 0.003, 0.05
_ATTEMPTS = 3  # the first may also find what a killed process has left to be put in order, which changes the file
_pause = threading.Event()  # never set: its wait() is a sleep that a debugger can see


class FileLocked(StoreError):
    """Another process has the file, and did not let go of it in the time allowed."""


class RowsRejected(StoreError):
    """DuckDB cannot take a value: a number too large for its column, a text that is not one."""


@contextmanager
def open_file(path: Path, *, read_only: bool, wait_s: float) -> Iterator[duckdb.DuckDBPyConnection]:
    """The file, open until the end of the block; where it is another's turn, wait and try again.

    Raises
    ------
    FileHeld
        It was held for longer than `wait_s`.
    StoreError
        It cannot be opened at all.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path, shared=read_only)
    try:
        con = _connect_when_free(path, lock, read_only=read_only, wait_s=wait_s)
        try:
            yield con
        finally:
            con.close()
    finally:
        lock.release()


def _connect_when_free(path: Path, lock: FileLock, *, read_only: bool, wait_s: float) -> duckdb.DuckDBPyConnection:
    deadline, pause = time.monotonic() + wait_s, _SHORTEST_PAUSE_S
    while True:
        if lock.acquire():
            con = _try_connect(path, read_only=read_only)
            if con is not None:
                return con
            lock.release()
        if time.monotonic() >= deadline:
            raise FileLocked(
                f"another process has held `{path}` for {wait_s:g} s. Close the program that has it open for writing, "
                "or raise `lock_wait_s` in buttermilk.yaml."
            )
        pause = _SHORTEST_PAUSE_S if lock.holds_queue else min(pause * 1.6, _LONGEST_PAUSE_S)
        _pause.wait(pause * random.uniform(0.5, 1.5))  # noqa: S311  # keeps two that wait out of step


def _try_connect(path: Path, *, read_only: bool) -> duckdb.DuckDBPyConnection | None:
    """A connection; None where a program that is not ours has the file."""
    if not read_only:
        _create_file(path)
    for _ in range(_ATTEMPTS):
        before = _file_state(path)
        try:
            con = _connect_to_read(path) if read_only else _connect_to_write(path)
        except duckdb.Error as error:
            message = str(error)
            if _LOCKED_ELSEWHERE.search(message):
                return None
            if _OPEN_HERE.search(message):
                raise StoreError(
                    f"this program has `{path.name}` open in a connection of its own; close that connection, "
                    "or ask with bm.sql."
                ) from error
            raise StoreError(f"`{path}` cannot be opened: {first_line(error)}") from error
        if _file_state(path) == before:
            con.execute("set enable_progress_bar = false")  # else DuckDB paints one into a notebook, beside our own
            return con
        con.close()  # what DuckDB has read of the file may be older than what it has locked
    return None


def _connect_to_read(path: Path) -> duckdb.DuckDBPyConnection:
    return duckdb.connect(str(path), read_only=True, config=_READ)


def _connect_to_write(path: Path) -> duckdb.DuckDBPyConnection:
    con = duckdb.connect(":memory:", config=_WRITE)  # only ATTACH takes the size of row groups
    try:
        con.execute(f"attach ? as study (row_group_size {_ROW_GROUP})", [str(path)])
        con.execute("use study")
    except BaseException:
        con.close()
        raise
    return con


def _create_file(path: Path) -> None:
    """Make an empty file elsewhere and give it its name: a process that ends while it does so leaves no broken one."""
    if path.exists() and path.stat().st_size:
        return
    new_path = path.with_name(f".{path.name}.{uuid7()}.new")
    try:
        duckdb.connect(str(new_path), config=_WRITE).close()
        new_path.replace(path)
    except (duckdb.Error, OSError) as error:
        raise StoreError(f"`{path}` cannot be made: {first_line(error)}") from error
    finally:
        new_path.unlink(missing_ok=True)


def _file_state(path: Path) -> tuple[int, int, int] | None:
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    return status.st_ino, status.st_size, status.st_mtime_ns


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
        _roll_back(con)
        if isinstance(error, duckdb.Error):
            kind = RowsRejected if isinstance(error, _VALUE_ERRORS) else StoreError
            raise kind(f"`{name}` could not be written: {first_line(error)}") from error
        raise


def _roll_back(con: duckdb.DuckDBPyConnection) -> None:
    try:
        con.execute("rollback")
    except duckdb.Error:  # the failure has ended the transaction itself; what is raised is the failure
        return


def first_line(error: BaseException) -> str:
    """What an error says, in one line."""
    return (str(error).strip() or repr(error)).splitlines()[0]
