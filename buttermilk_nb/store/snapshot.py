"""Copies the DuckDB file, completely or not at all.

DuckDB itself makes the copy. Copying the file by other means would lose DuckDB's lock on it (see `connection`), and
might copy an incomplete state. DuckDB copies tables, views and macros in one transaction, without the space of removed
rows.
"""

from __future__ import annotations

import os
from pathlib import Path

import duckdb

from .._internal.ids import uuid7
from .._internal.private_files import make_private_folder, private_files
from ..errors import StoreError
from .connection import first_line
from .instance_pool import STORAGE


def copy_to(con: duckdb.DuckDBPyConnection, path: Path) -> None:
    """Copy the database of a connection to a file, which appears when it is complete and on disk.

    Raises
    ------
    StoreError
        The copy cannot be written.
    """
    part = path.with_name(f".{path.name}.{uuid7()}.part")
    row = con.execute("select current_database()").fetchone()
    assert row is not None
    source = row[0].replace('"', '""')
    try:
        make_private_folder(path.parent)
        with private_files(path.parent):
            con.execute(f"attach ? as copied (storage_version '{STORAGE}')", [str(part)])
            try:
                con.execute(f'copy from database "{source}" to copied')
            finally:
                con.execute("detach copied")
        sync_to_disk(part)
        part.replace(path)
        sync_to_disk(path.parent)
    except (duckdb.Error, OSError) as error:
        raise StoreError(f"the copy `{path}` could not be made: {first_line(error)}") from error
    finally:
        part.unlink(missing_ok=True)


def sync_to_disk(path: Path) -> None:
    """Wait until a file, or the list of names of a folder, is on disk."""
    if path.is_dir() and os.name == "nt":
        return  # Windows has no such call for a folder
    handle = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
