"""File locks that decide which process may open a DuckDB file next.

DuckDB's own lock is not enough when processes take turns. DuckDB 2.0 reads the head of the file first and takes its
lock only afterwards. It does not see what another process wrote and closed in between, and writes over it. So every
process of this package locks `.<name>.lock` next to the file before DuckDB opens it, and unlocks it after DuckDB has
closed it: alone to write, together with others to read. A process that waits for this lock holds `.<name>.next`, which
every process takes first. So a process that writes without a pause lets others in between. The lock files are empty
and are never removed: if one was, two processes could lock two different files of the same name.

On Linux and macOS `portalocker` uses `flock`. It belongs to an open handle, so nothing else in the process can lose it,
and it ends with the process, however that ends. The file is unlocked before it is closed, because a forked child would
keep the handle open. On Windows `portalocker` takes shared locks through the Win32 API.
"""

from __future__ import annotations

import os
from pathlib import Path

import portalocker

_NO_LOCK = -1  # the disk or the folder allows no locks, so only DuckDB's own lock protects the file


class FileLock:
    """The lock of one process on a DuckDB file.

    Parameters
    ----------
    path
        The DuckDB file.
    shared
        Whether other processes may read the file at the same time.
    """

    def __init__(self, path: Path, *, shared: bool) -> None:
        self._path = path
        self._shared = shared
        self._queue_handle: int | None = None
        self._lock_handle: int | None = None

    @property
    def holds_queue(self) -> bool:
        """Whether no other process can get the lock before this one."""
        return self._queue_handle is not None

    def acquire(self) -> bool:
        """Try once to get the lock; if it is False, try again or call `release` to leave the queue."""
        if self._queue_handle is None:
            self._queue_handle = _lock_file(self._path.with_name(f".{self._path.name}.next"), shared=False)
        if self._queue_handle is None:
            return False
        self._lock_handle = _lock_file(self._path.with_name(f".{self._path.name}.lock"), shared=self._shared)
        if self._lock_handle is None:
            return False
        _unlock_file(self._queue_handle)
        self._queue_handle = None
        return True

    def release(self) -> None:
        """Release the lock, so that other processes can open the file."""
        for handle in (self._lock_handle, self._queue_handle):
            _unlock_file(handle)
        self._lock_handle = self._queue_handle = None


def _lock_file(path: Path, *, shared: bool) -> int | None:
    """An open handle of a locked file; None if another process has the lock."""
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    except OSError:  # the folder is read-only
        return _NO_LOCK
    kind = portalocker.LockFlags.SHARED if shared else portalocker.LockFlags.EXCLUSIVE
    try:
        portalocker.lock(handle, kind | portalocker.LockFlags.NON_BLOCKING)
    except portalocker.AlreadyLocked:
        os.close(handle)
        return None
    except portalocker.LockException:  # the disk has no locks
        os.close(handle)
        return _NO_LOCK
    return handle


def _unlock_file(handle: int | None) -> None:
    if handle is not None and handle != _NO_LOCK:
        try:
            portalocker.unlock(handle)
        finally:
            os.close(handle)
