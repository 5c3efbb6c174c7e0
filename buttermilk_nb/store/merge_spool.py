"""Merges spooled batches into the file before any other read or write."""

from __future__ import annotations

from pathlib import Path

import duckdb

from ..schema import now
from . import spool
from .connection import RowsRejected, transaction
from .repair import repair_batch
from .write import write_batch
from .write_batch import WriteBatch


def merge_spool(con: duckdb.DuckDBPyConnection, store: Path) -> None:
    """Merge every pending spool file, each exactly once, even if a process dies in between."""
    for path in spool.pending(store):
        if not _is_merged(con, path.name):
            try:
                batch = spool.read(path)
                _merge_batch(con, store, path, batch)
            except (spool.DamagedSpool, RowsRejected) as error:
                spool.quarantine(path, str(error))
                continue
        path.unlink(missing_ok=True)


def _is_merged(con: duckdb.DuckDBPyConnection, name: str) -> bool:
    return bool(con.execute("select 1 from merged where spool = ? limit 1", [name]).fetchall())


def _merge_batch(con: duckdb.DuckDBPyConnection, store: Path, path: Path, batch: WriteBatch) -> None:
    try:
        _write_merged(con, store, path, batch)
    except RowsRejected:
        _write_merged(con, store, path, repair_batch(batch))


def _write_merged(con: duckdb.DuckDBPyConnection, store: Path, path: Path, batch: WriteBatch) -> None:
    with transaction(con, store.name):
        write_batch(con, batch)
        con.execute("insert into merged values (?, ?)", [path.name, now()])
