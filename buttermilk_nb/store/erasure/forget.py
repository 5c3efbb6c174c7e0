"""Forgetting a person: a record with everything that was said about it, or a coder's codes.

What goes and what stays was decided so: the *words* go, the *arithmetic* stays.

- Gone: the record in all its versions, with its truth and the codes that persons gave it, and the segments cut from
  it; every request and answer that only it was in, its images; outputs, reasons, conclusions and error messages; what
  was redacted from it; its answers in the cache; lines of the log that name it. A body that another record
  shares (the same text twice) stays, and is counted.
- Stays: one row for every cell, trace, call and score that there was, with its status, answer, time and cost, so
  that every count and share of an earlier run can still be checked. Its id and all hashes that are made of its text
  (record, design, request, answer, cache key, corpus) become random ones, the same everywhere, for the hash of a
  short text can be found by trying; rows that belonged together still do.
- Made anew: the digest of each run that was changed, and a second link for it in the chain, so that later changes are
  found as before. The earlier links stay; nobody can get a text from them. A row of `tombstones` names each run that
  was changed, and excuses it in `verify`.

The answers in the cache are dropped first, since the Store is where their keys are found; then the rows, in one
transaction; then the file is written anew, so that the bytes are gone too; all while nobody else can write. Copies that
were made earlier (exports, copies kept by a migration, notebooks with their outputs) cannot be reached from here: they
are listed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Protocol

import duckdb
from pydantic import BaseModel, ConfigDict

from ..._internal.text import pluralise
from ...errors import SetupError
from ...schema import Tombstone, now
from ..connection import transaction
from ..exporters.export import exported_places
from ..run_chain import add_link, run_digest
from ..store import Store
from .anonymise import clean_coder_logs, clean_logs
from .compact import rewrite_file
from .erase_coder import erase_coder
from .erase_record import erase_record, find_record, tombstone_hash


class Cache(Protocol):
    """What `forget` needs of the cache."""

    def delete(self, keys: Any = None) -> int:
        """Drop the answers under these keys."""


class Forgotten(BaseModel):
    """What was forgotten, and what is left for the researcher to do."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: str
    n_rows: int
    n_runs: int
    n_texts: int = 0
    n_cached: int = 0
    n_log_lines: int = 0
    shared_texts: int = 0
    sent_to: tuple[str, ...] = ()
    """Providers that the text was sent to."""
    remaining: tuple[str, ...] = ()
    """Places that may still hold it."""

    def __repr__(self) -> str:
        subject = "A record was" if self.kind == "record" else "A coder's codes were"
        lines = [
            f"{subject} forgotten: {pluralise(self.n_rows, 'row')} in {pluralise(self.n_runs, 'run')}, "
            f"{self.n_texts:,} requests and answers, "
            f"{pluralise(self.n_cached, 'cached answer')}, {pluralise(self.n_log_lines, 'line')} of the log. "
            "The file was written anew."
        ]
        if self.shared_texts:
            lines.append(f"{self.shared_texts:,} requests or answers stay: another record has the same text.")
        if self.sent_to:
            lines.append(f"It was sent to {', '.join(self.sent_to)}: ask there to have it deleted.")
        if self.remaining:
            lines += ["Delete or make these anew, for they may still hold it:", *(f"  {x}" for x in self.remaining)]
        lines.append("So may the files it was loaded from, and notebooks that were saved with it in their outputs.")
        return "\n".join(lines)

    __str__ = __repr__


def forget(
    store: Store,
    cache: Cache | None,
    *,
    record_id: str | None = None,
    coder: str | None = None,
    reason: str = "",
    folder: Path | None = None,
) -> Forgotten:
    """Forget a record with everything that was said about it, or a coder's codes. It cannot be undone.

    Parameters
    ----------
    store
        The evidence.
    cache
        The answers by key; None where there is no cache.
    record_id
        Which record; its segments go with it.
    coder
        Whose codes. Give one of the two.
    reason
        Why, for the row that says that something was removed. Do not name the person in it.
    folder
        The project's folder, where `logs/` and `exports/` are; by default the one in which the Store lies.

    Raises
    ------
    SetupError
        There is no such record or coder, or not exactly one of the two is given.
    StoreError
        The file could not be written; what was dropped from the cache stays dropped.
    """
    if (record_id is None) == (coder is None):
        raise SetupError("forget either one record (record_id=...) or one coder (coder=...).")
    project_folder = folder or store.path.parent
    with store.exclusive() as con:  # held until it is written anew
        with transaction(con, store.path.name):
            if record_id is not None:
                result = _forget_record(con, store, cache, record_id, reason, project_folder / "logs")
            else:
                result = _forget_coder(con, store, str(coder), reason, project_folder / "logs")
        remaining = [*exported_places(con), *_remaining_copies(store, project_folder)]
        rewrite_file(con, store.path)
    return result.model_copy(update={"remaining": tuple(dict.fromkeys(remaining))})


def forgotten_records(con: duckdb.DuckDBPyConnection, record_ids: Iterable[str]) -> list[str]:
    """Those of these records that were forgotten here: they must not come back unnoticed."""
    hashes = {what for (what,) in con.execute("select what from tombstones where kind = 'record'").fetchall()}
    return [name for name in record_ids if hashes and tombstone_hash("record", name) in hashes]


def _forget_record(
    con: duckdb.DuckDBPyConnection, store: Store, cache: Cache | None, record_id: str, reason: str, logs: Path
) -> Forgotten:
    record = find_record(con, record_id)
    if not record.new_ids:  # forgotten before; what is left to do is to write the file anew
        return Forgotten(kind="record", n_rows=0, n_runs=0)
    n_cached = cache.delete(record.cache_keys) if cache is not None and record.cache_keys else 0
    n_lines = clean_logs(logs, record.new_ids)
    n_rows, n_texts, shared = erase_record(con, record)
    write_tombstone(con, store, "record", record_id, reason, n_rows, record.run_ids)
    return Forgotten(
        kind="record",
        n_rows=n_rows,
        n_runs=len(record.run_ids),
        n_texts=n_texts,
        n_cached=n_cached,
        n_log_lines=n_lines,
        shared_texts=shared,
        sent_to=record.sent_to,
    )


def _forget_coder(con: duckdb.DuckDBPyConnection, store: Store, coder: str, reason: str, logs: Path) -> Forgotten:
    n_rows, runs = erase_coder(con, coder)
    n_lines = clean_coder_logs(logs, coder)
    write_tombstone(con, store, "coder", coder, reason, n_rows, runs)
    return Forgotten(kind="coder", n_rows=n_rows, n_runs=len(runs), n_log_lines=n_lines)


def write_tombstone(
    con: duckdb.DuckDBPyConnection, store: Store, kind: str, name: str, reason: str, n_rows: int, runs: Sequence[str]
) -> None:
    """Write the row that says that something was removed, and from which runs."""
    removed_at = now()
    row = Tombstone(kind=kind, what=tombstone_hash(kind, name), removed_at=removed_at, reason=reason, n_rows=n_rows)
    run_rows = [Tombstone(kind="run_changed", what=run, removed_at=removed_at, reason=reason, n_rows=0) for run in runs]
    store.append(con, [row, *run_rows])
    for run in runs:
        _renew_link(con, run)


def _renew_link(con: duckdb.DuckDBPyConnection, run_id: str) -> None:
    """Seal a run as it is now, where it was sealed before."""
    if con.execute("select 1 from links where run_id = ? limit 1", [run_id]).fetchall():
        con.execute("update runs set digest = ? where run_id = ?", [run_digest(con, run_id), run_id])
        add_link(con, run_id)


def _remaining_copies(store: Store, project_folder: Path) -> list[str]:
    """Files beside the Store and in the project's folder that may hold what it held."""
    store_folder = store.path.parent
    backups = sorted(store_folder.glob(f"{store.path.name}.before-v*"))
    spooled = sorted(path for path in (store_folder / "spool").glob("*") if path.suffix in (".damaged", ".part"))
    logs = sorted(path for path in (project_folder / "logs").glob("*") if ".jsonl" not in path.name)
    folders = [project_folder / name for name in ("exports", "snapshots") if any((project_folder / name).glob("*"))]
    return [str(path) for path in (*backups, *spooled, *logs, *folders)]
