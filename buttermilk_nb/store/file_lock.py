"""Whose turn it is to open the file: locks of our own, held from before DuckDB opens it until after it is closed.

DuckDB's own lock is not enough where processes take turns. DuckDB 2.0 reads the head of the file, and only then takes
its lock; what another process has written and closed in between is not seen, and written over. So every process of
this package first locks `.<name>.lock` beside the file: alone to write, together to read. Whoever waits for that holds
`.<name>.next`, which everybody takes first, so that a process that writes without a pause lets others in between. The
files are empty and stay; removing one would let two processes lock two different ones.

`flock` belongs to an open handle, so that nothing else that a process does can lose it, and ends with the process,
however that ends. It is unlocked before it is closed, because a forked child would keep the handle.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

_NO_LOCK = -1  # where the disk or the folder allows none; DuckDB's own is then all there is


class FileLock:
    """One process's turn with a file, to be taken and given back.

    Parameters
    ----------
    path
        The DuckDB file.
    shared
        Beside others that read.
    """

    def __init__(self, path: Path, *, shared: bool) -> None:
        self._path = path
        self._shared = shared
        self._next: int | None = None
        self._turn: int | None = None

    @property
    def holds_queue(self) -> bool:
        """Whether nobody else can come before."""
        return self._next is not None

    def acquire(self) -> bool:
        """Whether it is our turn now. Where not, try again, or give up the place in the line with `give`."""
        if self._next is None:
            self._next = _locked(self._path.with_name(f".{self._path.name}.next"), shared=False)
        if self._next is None:
            return False
        self._turn = _locked(self._path.with_name(f".{self._path.name}.lock"), shared=self._shared)
        if self._turn is None:
            return False
        _give(self._next)
        self._next = None
        return True

    def release(self) -> None:
        """Let the others have their turn."""
        for handle in (self._turn, self._next):
            _give(handle)
        self._turn = self._next = None


def _locked(path: Path, *, shared: bool) -> int | None:
    """A handle with a lock; None where another has it."""
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    except OSError:  # a folder that can only be read
        return _NO_LOCK
    try:
        _lock(handle, shared=shared)
    except (BlockingIOError, PermissionError):
        os.close(handle)
        return None
    except OSError:  # a disk without locks
        os.close(handle)
        return _NO_LOCK
    return handle


def _give(handle: int | None) -> None:
    if handle is not None and handle != _NO_LOCK:
        try:
            _unlock(handle)
        finally:
            os.close(handle)


if sys.platform == "win32":
    import msvcrt

    def _lock(handle: int, *, shared: bool) -> None:  # noqa: ARG001  # there is none to share
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)

    def _unlock(handle: int) -> None:
        os.lseek(handle, 0, os.SEEK_SET)
        msvcrt.locking(handle, msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    def _lock(handle: int, *, shared: bool) -> None:
        fcntl.flock(handle, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)

    def _unlock(handle: int) -> None:
        fcntl.flock(handle, fcntl.LOCK_UN)
