"""`purge` removes old runs when a project's retention period is over.

By default it is a dry run, which only reports what would be removed and lost. A run is removed completely or not at
all. Records, requests and responses are removed if no remaining run has them; the wordings of prompts and criteria
stay. The newest run of a design is no exception, because keeping it would break the promise made to the persons
studied; the report gives the number of designs that would lose their only answer. Each removed run leaves a row in
`tombstones` and its link in the chain, so that the remaining runs can still be checked. The cache does not change,
because it has no runs; the report says so.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter

import duckdb
from pydantic import BaseModel, ConfigDict

from ..._internal.text import pluralise
from ...errors import SetupError
from ...schema import FINISHED, Tombstone, now
from ..connection import transaction
from ..costs import counted_usd
from ..store import Store
from .compact import rewrite_file
from .delete_rows import remove_runs, rows_of_runs

_MOST_DAYS = 365_000


class Purged(BaseModel):
    """The result of `purge`: the runs and rows that it has removed, or would remove."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    before: dt.datetime
    run_ids: tuple[str, ...]
    n_rows: dict[str, int]
    """The number of rows by table."""
    designs_lost: int
    """The number of designs that lose their only finished answer."""
    unfinished: int
    """The number of runs that began before the date and never ended; they stay."""
    spent_usd: float = 0.0
    """The cost of the removed calls, which the project's budget no longer counts."""
    done: bool

    def __repr__(self) -> str:
        day = self.before.isoformat(sep=" ", timespec="minutes")
        if not self.run_ids:
            lines = [f"No run ended before {day} (UTC). Nothing was removed."]
        else:
            rows = ", ".join(f"{n:,} {table}" for table, n in sorted(self.n_rows.items()) if n and table != "runs")
            verb = "were removed" if self.done else "would be removed"
            lines = [
                f"{pluralise(len(self.run_ids), 'run')} that ended before {day} (UTC) {verb}, with {rows or 'no rows'}."
            ]
        if self.designs_lost:
            verb = "have lost" if self.done else "would lose"
            lines.append(f"{self.designs_lost:,} designs {verb} their only answer.")
        if self.spent_usd:
            verb = "no longer counts" if self.done else "would no longer count"
            lines.append(f"Their calls cost {self.spent_usd:.2f} USD, which the project's budget {verb}.")
        if self.unfinished:
            lines.append(f"{pluralise(self.unfinished, 'run')} that began before and never ended stay.")
        if self.run_ids:
            lines.append("The cache keeps their answers; project.cache.delete(everything=True) removes all answers.")
        if self.run_ids and not self.done:
            lines.append("Nothing was removed yet; write yes=True to remove it.")
        return "\n".join(lines)

    __str__ = __repr__


def purge(store: Store, *, before: dt.date | int, yes: bool = False, reason: str = "") -> Purged:
    """Remove the runs that ended before a day, with everything that belongs to them alone.

    Parameters
    ----------
    store
        The Store.
    before
        A date, a time (in UTC if it has no zone), or a number of days ago.
    yes
        Remove the runs; without it, the result only says what would be removed.
    reason
        The reason, for the table `tombstones`.

    Returns
    -------
    Purged
        The runs and rows that were removed, or would be.

    Raises
    ------
    SetupError
        `before` is not a date, a time or a number of days.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> purge(Store(Path(tempfile.mkdtemp()) / "traces.duckdb"), before=dt.date(2026, 1, 1))
    No run ended before 2026-01-01 00:00 (UTC). Nothing was removed.
    """
    limit = _parse_before(before)
    with store.exclusive() as con:  # held until it is written anew
        run_ids = _ended_before(con, limit)
        unfinished = _count_rows(con, "select count(*) from runs where finished_at is null and started_at < ?", limit)
        n_designs_lost, spent_usd = _designs_lost(con, run_ids), counted_usd(con, run_ids)
        removed = _remove_runs(con, store, run_ids, reason, dry_run=not yes) if run_ids else Counter()
        if yes and run_ids:
            rewrite_file(con, store.path)
    return Purged(
        before=limit,
        run_ids=tuple(run_ids),
        n_rows=dict(removed),
        designs_lost=n_designs_lost,
        unfinished=unfinished,
        spent_usd=spent_usd,
        done=yes and bool(run_ids),
    )


def _parse_before(before: object) -> dt.datetime:
    if isinstance(before, dt.datetime):
        return before.astimezone(dt.UTC).replace(tzinfo=None) if before.tzinfo else before
    if isinstance(before, dt.date):
        return dt.datetime.combine(before, dt.time())
    if isinstance(before, int) and not isinstance(before, bool) and 0 <= before <= _MOST_DAYS:
        return now() - dt.timedelta(days=before)
    raise SetupError(f"before={before!r}: write a date (datetime.date(2026, 1, 1)) or a number of days (365).")


def _ended_before(con: duckdb.DuckDBPyConnection, limit: dt.datetime) -> list[str]:
    rows = con.execute("select run_id from runs where finished_at < ? order by finished_at", [limit]).fetchall()
    return [run_id for (run_id,) in rows]


def _designs_lost(con: duckdb.DuckDBPyConnection, run_ids: list[str]) -> int:
    return _count_rows(
        con,
        """
        select count(*) from (
            select design_id from traces where list_contains(?, status) group by design_id
            having bool_and(list_contains(?::varchar[], run_id))
        )""",
        sorted(FINISHED),
        run_ids,
    )


def _remove_runs(
    con: duckdb.DuckDBPyConnection, store: Store, run_ids: list[str], reason: str, *, dry_run: bool
) -> Counter[str]:
    """Remove the runs and count their rows; in a dry run, roll everything back."""
    try:
        with transaction(con, store.path.name):
            removed_at, sizes = now(), rows_of_runs(con, run_ids)
            removed = remove_runs(con, run_ids)
            if dry_run:
                raise _TrialPurge(removed)
            store.append(
                con,
                [
                    Tombstone(kind="run", what=run, removed_at=removed_at, reason=reason, n_rows=n)
                    for run, n in sizes.items()
                ],
            )
    except _TrialPurge as kept:
        return kept.removed
    return removed


class _TrialPurge(Exception):
    """Not an error: it ends a dry run."""

    def __init__(self, removed: Counter[str]) -> None:
        self.removed = removed


def _count_rows(con: duckdb.DuckDBPyConnection, query: str, *params: object) -> int:
    row = con.execute(query, list(params)).fetchone()
    return int(row[0]) if row else 0
