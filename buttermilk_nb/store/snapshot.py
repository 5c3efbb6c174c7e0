"""A copy of the file, whole or not at all, made by DuckDB itself.

Copying the file by other means would lose DuckDB's lock on it (see `opening`), and might catch it half written. DuckDB
copies what it holds in one transaction: tables, views and macros, without the space that removed rows have left.
"""

from __future__ import annotations

import os
from pathlib import Path

import duckdb

from .._internal.ids import uuid7
from ..errors import StoreError
from .connection import STORAGE, first_line


def copy_to(con: duckdb.DuckDBPyConnection, path: Path) -> None:
    """Copy what a connection has open to a file, which appears when it is complete and on disk.

    Raises
    ------
    StoreError
        The place cannot be written.
    """
    part = path.with_name(f".{path.name}.{uuid7()}.part")
    row = con.execute("select current_database()").fetchone()
    assert row is not None
    source = row[0].replace('"', '""')
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        con.execute(f"attach ? as copied (storage_version '{STORAGE}')", [str(part)])
        try:
            con.execute(f'copy from database "{source}" to copied')
        finally:
            con.execute("detach copied")
        sync_to_disk(part)
        part.replace(path)
        sync_to_disk(path.parent)
    except (duckdb.Error, OSError) as error:
        raise StoreError(f"no copy could be made at `{path}`: {first_line(error)}") from error
    finally:
        part.unlink(missing_ok=True)


def sync_to_disk(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on disk."""
    if path.is_dir() and os.name == "nt":
        return  # Windows has no such call for a folder
    handle = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
