"""Rewrites the DuckDB file, so that removed rows are also gone from the disk.

DuckDB keeps the bytes of removed rows until it needs their space. So the remaining rows are copied to a new file, which
then replaces the old one. A process that wants to open the file waits until the connection that does this is closed,
and then opens the new file. The disk itself may keep the bytes of a deleted file until it overwrites them. This package
cannot prevent that; use an encrypted disk.
"""

from __future__ import annotations

from pathlib import Path

import duckdb

from ..._internal.ids import uuid7
from ...errors import StoreError
from ..connection import first_line
from ..leftovers import remove_copies
from ..snapshot import copy_to, sync_to_disk


def rewrite_file(con: duckdb.DuckDBPyConnection, path: Path) -> None:
    """Replace the file of a connection by a new copy; do not use the connection afterwards.

    Parameters
    ----------
    con
        A connection that may write, outside a transaction.
    path
        Its file.

    Raises
    ------
    StoreError
        The disk is full, or the folder cannot be written. The file is as it was.
    """
    new_path = path.with_name(f".{path.name}.{uuid7()}.fresh")
    try:
        remove_copies(path)
        con.execute("checkpoint")
        copy_to(con, new_path)
        try:
            new_path.replace(path)
        except PermissionError:  # Windows does not replace a file that is open
            con.close()
            new_path.replace(path)
        sync_to_disk(path.parent)
    except (duckdb.Error, OSError) as error:
        raise StoreError(f"`{path.name}` could not be rewritten: {first_line(error)}") from error
    finally:
        new_path.unlink(missing_ok=True)
