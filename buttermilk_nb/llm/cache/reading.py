"""Reading the whole cache, one row at a time, through a connection of its own that cannot write.

diskcache's iterators stop at the first row that is not text. Here such a row is handed on as damaged, so that
one tampered row hides none of the others.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from ...errors import StoreError
from .entries import DAMAGED, FoundEntry, read_entry
from .safe_disk import TextDisk

_IN_ORDER = "select key, raw, mode, filename, value from Cache order by key, raw"
_NEWEST = "select key, raw, mode, filename, value from Cache order by rowid desc limit ?"


def rows(file: Path, disk: TextDisk, newest: int | None = None) -> Iterator[FoundEntry]:
    """Every row in the order of its key; or the `newest` rows, the newest first."""
    with closing(sqlite3.connect(file)) as con:
        con.text_factory = _lenient
        con.execute("pragma query_only = 1")
        found = con.execute(_IN_ORDER) if newest is None else con.execute(_NEWEST, [newest])
        for key, raw, mode, filename, value in found:
            try:
                name, text = disk.get(key, raw), disk.fetch(mode, filename, value, False)
            except (StoreError, OSError, UnicodeError):
                yield DAMAGED
            else:
                yield FoundEntry(name, text, read_entry(text))


def forget_log(file: Path) -> None:
    """Move what was written into the main file and empty SQLite's log, where dropped texts would still stand.

    Where another program reads at this moment, SQLite leaves the log, and empties it when that program closes.
    """
    with closing(sqlite3.connect(file)) as con:
        con.execute("pragma wal_checkpoint(truncate)").fetchall()


def bytes_on_disk(folder: Path) -> int:
    """The size of all files in a folder."""
    return sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file())


def _lenient(data: bytes) -> str:
    """Text that is not UTF-8 must cost its own row, not the reading of the rest."""
    return data.decode("utf-8", "surrogateescape")
