"""What makes a hostile or damaged cache file harmless.

diskcache keeps the answers in SQLite. Its stock Disk classes unpickle what a tampered file tells them to
(CVE-2025-69872), open and *remove* whatever file a row names, and take settings from the file that become
attributes and pragmas. Ours takes text keys and text values only, touches value files inside its folder only,
and knows its settings; every other row or setting reads as an error that names the file, never as code.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import diskcache
from diskcache.core import DEFAULT_SETTINGS, ENOVAL, METADATA, MODE_RAW, MODE_TEXT, UNKNOWN

from ...errors import StoreError

DISK_ERRORS = (OSError, sqlite3.Error, diskcache.Timeout, UnicodeError)
"""What diskcache raises where the files or the disk are at fault."""

# All but `size_limit` (which nothing reads where nothing is evicted) are given at each opening, so that what stands
# in the file never counts.
_SETTINGS = {name: value for name, value in DEFAULT_SETTINGS.items() if name != "size_limit"} | {
    "eviction_policy": "none",
    "cull_limit": 0,
    "statistics": 0,
}
_SECURE_DELETE = "sqlite_secure_delete"
_KNOWN_SETTINGS = {*DEFAULT_SETTINGS, *METADATA, _SECURE_DELETE}
_NOT_TEXT = "the cache holds a row that is not text; it was not written by this package and was not read"
_VALUE_FILE = ".val"


class TextDisk(diskcache.Disk):  # type: ignore[misc]  # diskcache ships no types
    """Text in, text out."""

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
        """Remove a value file; what a tampered row names instead is left alone."""
        if self._is_value_file(file_path):
            super().remove(file_path)

    def _is_value_file(self, name: object) -> bool:
        """Whether that is the name of a value file in this folder, or of one that is gone."""
        if not isinstance(name, str) or not name.endswith(_VALUE_FILE) or "\0" in name:
            return False
        path = (self._root / name).resolve()
        return path.is_relative_to(self._root) and (path.is_file() or not path.exists())

    def _not_text(self) -> StoreError:
        return StoreError(f"{_NOT_TEXT} ({self._directory}).")


class TextCache(diskcache.Cache):  # type: ignore[misc]  # as above
    """A diskcache that takes no settings but its own from a file, and evicts nothing.

    Parameters
    ----------
    folder
        Where it lies.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__(str(folder), disk=TextDisk, **_SETTINGS)

    def reset(self, key: str, value: Any = ENOVAL, update: bool = True) -> Any:
        if key not in _KNOWN_SETTINGS:
            raise _unknown_setting(self.directory, key)
        return super().reset(key, value, update)


def _unknown_setting(folder: str, name: str) -> StoreError:
    return StoreError(
        f"the cache {folder} holds a setting (`{name[:40]}`) that this package never writes, so it was not opened. "
        "If you do not know where that folder comes from, delete it."
    )


def overwrite_deleted(disk: diskcache.Cache) -> None:
    """From now on this thread writes zeros over what it drops: a person's text may have to be forgotten."""
    disk.reset(_SECURE_DELETE, 1, update=False)


@contextmanager
def transaction(disk: diskcache.Cache) -> Iterator[None]:
    """All writes of a block, or none. Waits while another process writes, and for nothing else.

    diskcache's own `retry=True` repeats whatever failed, for ever: on a disk that refuses writes, too.
    """
    try:
        with ExitStack() as stack:
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
