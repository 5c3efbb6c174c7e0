"""Bringing home what waits in the spool, before anything else is written or read."""

from __future__ import annotations

from pathlib import Path

import duckdb

from ..schema import now
from . import spool
from .connection import RowsRejected, transaction
from .repair import repaired
from .write import write_batch
from .write_batch import WriteBatch


def merge(con: duckdb.DuckDBPyConnection, store: Path) -> None:
    """Merge every file that waits; each lands once, also where a process dies in between."""
    for path in spool.pending(store):
        if not _landed(con, path.name):
            try:
                batch = spool.read(path)
                _land(con, store, path, batch)
            except (spool.DamagedSpool, RowsRejected) as error:
                spool.quarantine(path, str(error))
                continue
        path.unlink(missing_ok=True)


def _landed(con: duckdb.DuckDBPyConnection, name: str) -> bool:
    return bool(con.execute("select 1 from merged where spool = ? limit 1", [name]).fetchall())


def _land(con: duckdb.DuckDBPyConnection, store: Path, path: Path, batch: WriteBatch) -> None:
    try:
        _once(con, store, path, batch)
    except RowsRejected:
        _once(con, store, path, repaired(batch))


def _once(con: duckdb.DuckDBPyConnection, store: Path, path: Path, batch: WriteBatch) -> None:
    with transaction(con, store.name):
        write_batch(con, batch)
        con.execute("insert into merged values (?, ?)", [path.name, now()])
