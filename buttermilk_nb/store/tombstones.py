"""Tombstones: rows that say that something was removed on purpose, without its name."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import duckdb

from .._internal.ids import digest
from ..schema import Tombstone, now
from .append import append
from .run_chain import add_link, run_digest


def tombstone_hash(kind: str, name: str) -> str:
    """The hash that replaces an erased name in `tombstones`.

    Examples
    --------
    >>> tombstone_hash("record", "r1") == tombstone_hash("record", "r1"), "r1" in tombstone_hash("record", "r1")
    (True, False)
    """
    return digest("ts1", kind, name)


def forgotten_records(con: duckdb.DuckDBPyConnection, record_ids: Iterable[str]) -> list[str]:
    """The records among `record_ids` that were forgotten here, and must not be imported again unnoticed."""
    hashes = {name_hash for (name_hash,) in con.execute("select what from tombstones where kind = 'record'").fetchall()}
    return [name for name in record_ids if hashes and tombstone_hash("record", name) in hashes]


def write_tombstone(
    con: duckdb.DuckDBPyConnection, kind: str, name: str, reason: str, n_rows: int, runs: Sequence[str]
) -> None:
    """Write that something was removed, and from which runs."""
    removed_at = now()
    row = Tombstone(kind=kind, what=tombstone_hash(kind, name), removed_at=removed_at, reason=reason, n_rows=n_rows)
    run_rows = [Tombstone(kind="run_changed", what=run, removed_at=removed_at, reason=reason, n_rows=0) for run in runs]
    append(con, [row, *run_rows])
    for run in runs:
        _renew_link(con, run)


def _renew_link(con: duckdb.DuckDBPyConnection, run_id: str) -> None:
    """Write a new digest and link for a run that had a link before."""
    if con.execute("select 1 from links where run_id = ? limit 1", [run_id]).fetchall():
        con.execute("update runs set digest = ? where run_id = ?", [run_digest(con, run_id), run_id])
        add_link(con, run_id)
