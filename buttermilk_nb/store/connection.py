"""Opens the DuckDB file and turns DuckDB's errors into sentences.

Processes of this package take turns with a lock of their own (see `file_lock`). Other programs only have DuckDB's lock:
if the file changed while it was being opened, it is closed and opened again.

On Linux and macOS DuckDB's lock belongs to the process, and is lost as soon as the process closes *any* handle of the
file. So in this package only DuckDB opens the file, DuckDB also makes the copies of it, and each process has one
connection at a time.
"""

from __future__ import annotations

import random
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import duckdb

from .._internal.ids import uuid7
from .._internal.private_files import make_private_folder, private_files
from ..errors import StoreError
from .file_lock import FileLock
from .instance_pool import return_instance, take_instance

_ROW_GROUP = 16_384
"""Rows that DuckDB stores and compresses together. DuckDB's default is 122,880. Each time the file is closed, the last
group is rewritten; with long texts this would take hundreds of MB and up to a second, more for longer texts."""
_LOCKED_ELSEWHERE = re.compile(r"could not set lock|conflicting lock|being used by another process", re.IGNORECASE)
_OPEN_HERE = re.compile(r"different configuration|already attached", re.IGNORECASE)
_VALUE_ERRORS = (duckdb.DataError, duckdb.InvalidInputException, duckdb.ConstraintException, duckdb.NotSupportedError)
_SHORTEST_PAUSE_S, _LONGEST_PAUSE_S = 0.003, 0.05
_ATTEMPTS = 3  # the first may also recover what a killed process left behind, which changes the file
_pause = threading.Event()  # never set: its wait() is a sleep that a debugger can see


class FileLocked(StoreError):
    """Another process has the file open, and did not close it within the time limit."""


class FileOpenHere(FileLocked):
    """Another connection of the same process has the file open."""


class RowsRejected(StoreError):
    """DuckDB rejects a value: a number too large for its column, or an invalid text."""


@contextmanager
def open_file(
    path: Path,
    *,
    read_only: bool,
    wait_s: float,
    keep_instance: bool = True,
    instance: duckdb.DuckDBPyConnection | None = None,
) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection to the file until the end of the block; waits while another process has the file.

    Parameters
    ----------
    path
        The DuckDB file; it is created if it does not exist and `read_only` is False.
    read_only
        Whether to open it for reading only.
    wait_s
        The longest wait in seconds.
    keep_instance
        Whether the DuckDB instance may be used again; False if the block changes its settings.
    instance
        The DuckDB instance to attach the file to; by default one of the package's own.

    Raises
    ------
    FileLocked
        Another process had the file for longer than `wait_s`.
    StoreError
        The file cannot be opened at all.
    """
    make_private_folder(path.parent)
    with private_files(path.parent):
        lock = FileLock(path, shared=read_only)
        try:
            attached = _attach_when_free(path, lock, read_only=read_only, wait_s=wait_s, instance=instance)
            try:
                yield attached.con
            except BaseException:
                attached.discard()
                raise
            attached.detach() if keep_instance else attached.discard()
        finally:
            lock.release()


class _AttachedFile:
    """A file attached to an instance of its own as the database `study`, with a connection."""

    def __init__(self, path: Path, *, read_only: bool, instance: duckdb.DuckDBPyConnection | None = None) -> None:
        self._instance = instance or take_instance()
        self._is_lent = instance is not None
        self._temporary = path.with_name(f"{path.name}.tmp")
        self.con = self._instance.cursor()
        try:
            if not self._is_lent:
                self.con.execute("set enable_progress_bar = false")  # else DuckDB shows one in a notebook, besides ours
                self.con.execute("set temp_directory = ?", [str(self._temporary)])
            options = "read_only" if read_only else f"row_group_size {_ROW_GROUP}"
            self.con.execute(f"attach ? as study ({options})", [str(path)])
            self.con.execute("use study")
        except BaseException:
            self.discard()
            raise

    def detach(self) -> None:
        """Close the file, and keep the instance for the next use."""
        try:
            self.con.execute("use memory")
            self.con.execute("detach study")
        except duckdb.Error:  # what was committed is in the file's log, which the next opening reads
            self.discard()
            return
        if self._temporary.exists():  # a large query wrote there, and may have left texts; only closing removes them
            self.discard()
            return
        self.con.close()
        if not self._is_lent:
            return_instance(self._instance)

    def discard(self) -> None:
        """Close the file together with its instance, in whatever state they are."""
        if self._is_lent:
            with suppress(duckdb.Error):  # it may not have been attached
                self._instance.execute("detach study")
        self.con.close()
        if not self._is_lent:
            self._instance.close()


def _attach_when_free(
    path: Path, lock: FileLock, *, read_only: bool, wait_s: float, instance: duckdb.DuckDBPyConnection | None
) -> _AttachedFile:
    deadline, pause = time.monotonic() + wait_s, _SHORTEST_PAUSE_S
    while True:
        if lock.acquire():
            attached = _try_attach(path, read_only=read_only, instance=instance)
            if attached is not None:
                return attached
            lock.release()
        if time.monotonic() >= deadline:
            raise FileLocked(
                f"another process has had `{path}` open for {wait_s:g} s. Close the program that is writing to it, "
                "or raise `lock_wait_s` in buttermilk.yaml."
            )
        pause = _SHORTEST_PAUSE_S if lock.holds_queue else min(pause * 1.6, _LONGEST_PAUSE_S)
        _pause.wait(pause * random.uniform(0.5, 1.5))  # noqa: S311  # so that two waiting processes do not try at the same moments


def _try_attach(path: Path, *, read_only: bool, instance: duckdb.DuckDBPyConnection | None) -> _AttachedFile | None:
    """The file, attached; None if a program that does not use our lock has the file open."""
    if not read_only:
        _create_file(path)
    for _ in range(_ATTEMPTS):
        before = file_state(path)
        try:
            attached = _AttachedFile(path, read_only=read_only, instance=instance)
        except duckdb.Error as error:
            message = str(error)
            if _LOCKED_ELSEWHERE.search(message):
                return None
            if _OPEN_HERE.search(message):
                raise FileOpenHere(
                    f"your code has `{path.name}` open in a DuckDB connection, and DuckDB lets nothing else write "
                    "meanwhile. Close that connection; rows that could not be written are kept, and follow then. "
                    "bm.connect() gives a connection that is never in the way."
                ) from error
            raise StoreError(f"`{path}` cannot be opened: {first_line(error)}") from error
        if file_state(path) == before:
            return attached
        attached.detach()  # DuckDB may have read an older state of the file than the one it locked
    return None


def _create_file(path: Path) -> None:
    """Create the file under a temporary name and rename it, so that a process that ends meanwhile leaves it intact."""
    if path.exists() and path.stat().st_size:
        return
    new_path = path.with_name(f".{path.name}.{uuid7()}.new")
    try:
        _AttachedFile(new_path, read_only=False).detach()
        new_path.replace(path)
    except (duckdb.Error, OSError) as error:
        raise StoreError(f"`{path}` cannot be created: {first_line(error)}") from error
    finally:
        new_path.unlink(missing_ok=True)


def file_state(path: Path) -> tuple[int, int, int] | None:
    """What changes with the content of a file; None if there is no file."""
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    return status.st_ino, status.st_size, status.st_mtime_ns


@contextmanager
def transaction(con: duckdb.DuckDBPyConnection, name: str) -> Iterator[None]:
    """A transaction around the block: all of its changes are written, or none.

    Parameters
    ----------
    con
        The connection.
    name
        The name of the file, for messages.

    Raises
    ------
    RowsRejected
        DuckDB rejects a value.
    StoreError
        The transaction failed in another way: the disk is full, a table is missing.
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
    except duckdb.Error:  # the failure itself has ended the transaction; the caller raises the failure
        return


def first_line(error: BaseException) -> str:
    """The first line of an error's message."""
    return (str(error).strip() or repr(error)).splitlines()[0]
