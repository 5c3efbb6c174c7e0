"""The file written anew, so that what was removed from it is gone from the disk and not only from the tables.

DuckDB keeps the bytes of removed rows until it needs their place. What is still there is copied to a fresh
file, which then takes the place of the old one. Whoever would open it waits for the turn of the connection that
did this, and opens the new one. What the disk itself keeps of a deleted file (until it writes over it) is beyond this
package; an encrypted disk answers that.
"""

from __future__ import annotations

from pathlib import Path

import duckdb

from ..._internal.ids import uuid7
from ...errors import StoreError
from ..connection import first_line
from ..snapshot import copy_to, sync_to_disk


def rewrite_file(con: duckdb.DuckDBPyConnection, path: Path) -> None:
    """Put a fresh copy of what a connection has open in the place of its file. Use the connection no more.

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
        _remove_leftovers(path)
        con.execute("checkpoint")
        copy_to(con, new_path)
        try:
            new_path.replace(path)
        except PermissionError:  # Windows does not replace a file that is open
            con.close()
            new_path.replace(path)
        sync_to_disk(path.parent)
    except (duckdb.Error, OSError) as error:
        raise StoreError(f"`{path.name}` could not be written anew: {first_line(error)}") from error
    finally:
        new_path.unlink(missing_ok=True)


def _remove_leftovers(path: Path) -> None:
    """Remove what an earlier copy left when it was cut off; nobody makes one now, for the file is ours."""
    for pattern in (f".{path.name}.*.fresh", f"..{path.name}.*.part*", f".{path.name}.*.part*"):
        for leftover in path.parent.glob(pattern):
            leftover.unlink(missing_ok=True)
