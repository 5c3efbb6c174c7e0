"""Classes for diskcache that make a hostile or damaged cache file harmless.

diskcache stores the answers in SQLite. Its own Disk classes unpickle data from a tampered file (CVE-2025-69872), open
and *remove* any file that a row names, and turn settings in the file into attributes and pragmas. The classes here
accept only text keys, text values, value files inside the folder, and known settings. Any other row or setting is an
error that names the file; it is never executed.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import diskcache
from diskcache.core import DEFAULT_SETTINGS, ENOVAL, METADATA, MODE_RAW, MODE_TEXT, UNKNOWN

from ..._internal.private_files import private_files
from ...errors import StoreError

DISK_ERRORS = (OSError, sqlite3.Error, diskcache.Timeout, UnicodeError)
"""The exceptions of diskcache if the files are damaged or the disk fails."""

# All settings but `size_limit` (unused without eviction) are set at each opening, so that the file's never count.
_SETTINGS = {name: value for name, value in DEFAULT_SETTINGS.items() if name != "size_limit"} | {
    "eviction_policy": "none",
    "cull_limit": 0,
    "statistics": 0,
}
_SECURE_DELETE = "sqlite_secure_delete"
_KNOWN_SETTINGS = {*DEFAULT_SETTINGS, *METADATA, _SECURE_DELETE}
_NOT_TEXT = "the cache contains a row that is not text; this package did not write it, and it was not read"
_VALUE_FILE = ".val"


class TextDisk(diskcache.Disk):  # type: ignore[misc]  # diskcache ships no types
    """A Disk that writes and reads only text."""

    def __init__(self, directory: str, min_file_size: int = 0, pickle_protocol: int = 0, **others: object) -> None:
        if others:
            raise _unknown_setting(directory, f"disk_{next(iter(others))}")
        super().__init__(directory, min_file_size, pickle_protocol)
        self._root = Path(directory).resolve()

    def put(self, key: Any) -> tuple[str, bool]:
        if not isinstance(key, str):
            raise TypeError("cache keys are text")
        return key, True

    def get(self, key: Any, raw: Any) -> str:
        if not raw or not isinstance(key, str):
            raise self._not_text()
        return key

    def store(self, value: Any, read: bool, key: Any = UNKNOWN) -> Any:
        if not isinstance(value, str) or read:
            raise TypeError("cache values are text")
        return super().store(value, read, key=key)

    def fetch(self, mode: int, filename: str | None, value: Any, read: bool) -> str:
        if read or mode not in (MODE_RAW, MODE_TEXT) or (mode == MODE_RAW and not isinstance(value, str)):
            raise self._not_text()
        if mode == MODE_TEXT and not self._is_value_file(filename):
            raise self._not_text()
        return str(super().fetch(mode, filename, value, read))

    def remove(self, file_path: str) -> None:
        """Remove a value file; any other file that a tampered row names stays."""
        if self._is_value_file(file_path):
            super().remove(file_path)

    def _is_value_file(self, name: object) -> bool:
        """Whether a name is that of a value file in this folder, which may be missing."""
        if not isinstance(name, str) or not name.endswith(_VALUE_FILE) or "\0" in name:
            return False
        path = (self._root / name).resolve()
        return path.is_relative_to(self._root) and (path.is_file() or not path.exists())

    def _not_text(self) -> StoreError:
        return StoreError(f"{_NOT_TEXT} ({self._directory}).")


class TextCache(diskcache.Cache):  # type: ignore[misc]  # as above
    """A diskcache that refuses unknown settings in its file, and evicts nothing.

    Parameters
    ----------
    folder
        The folder of the cache.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__(str(folder), disk=TextDisk, **_SETTINGS)

    def reset(self, key: str, value: Any = ENOVAL, update: bool = True) -> Any:
        if key not in _KNOWN_SETTINGS:
            raise _unknown_setting(self.directory, key)
        return super().reset(key, value, update)


def _unknown_setting(folder: str, name: str) -> StoreError:
    return StoreError(
        f"the cache {folder} contains a setting (`{name[:40]}`) that this package never writes, so it was not opened. "
        "If you do not know where that folder comes from, delete it."
    )


def overwrite_deleted(disk: diskcache.Cache) -> None:
    """Let this thread overwrite deleted data with zeros from now on, so that a person's text can be erased."""
    disk.reset(_SECURE_DELETE, 1, update=False)


@contextmanager
def transaction(disk: diskcache.Cache) -> Iterator[None]:
    """Do all writes of a block, or none. Waits while another process writes, but for nothing else.

    diskcache's own `retry=True` repeats any failed operation without end, even on a disk that refuses writes.
    """
    try:
        with private_files(Path(disk.directory)), ExitStack() as stack:
            while True:
                try:
                    stack.enter_context(disk.transact())
                    break
                except diskcache.Timeout as error:
                    cause = error.__context__
                    if not isinstance(cause, sqlite3.Error) or "locked" not in str(cause):
                        raise cause or error from None
            yield
    except sqlite3.OperationalError as error:  # SQLite has rolled back already, and diskcache tries to
        if "cannot rollback" in str(error) and error.__context__:
            raise error.__context__ from None
        raise


def set_all(disk: diskcache.Cache, pairs: list[tuple[str, str]]) -> None:
    """Write pairs of key and value in one transaction."""
    with transaction(disk):
        for key, value in pairs:
            disk.set(key, value, retry=True)
