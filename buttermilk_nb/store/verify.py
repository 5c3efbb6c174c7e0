"""Checks that the DuckDB file still contains what was written.

The result has one row per check and run. Bodies are stored under their hashes, so a changed body is found by hashing it
again, and the runs that used it are listed. The chain of runs covers all other rows (see `run_chain`). What `forget`
removed has left a tombstone: a run that it changed is reported with the date, and does not count as damaged. Anyone who
can write the file can also write a new chain. So this finds accidents and careless changes, but does not protect
against deliberate tampering.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, NamedTuple

import duckdb

from ..schema import ROWS
from . import run_chain
from .append import SPLIT_TABLES
from .connection import first_line
from .verify_hashes import damaged_bodies
from .views import VIEWS

if TYPE_CHECKING:
    import pandas as pd

    from .store import Store


_WRITTEN_ANEW = frozenset({"chain", "rows", "digest"})
"""Checks of what `forget` writes anew for each run that it changes."""


class Check(NamedTuple):
    """The result of one check for one run, or for the whole file if `run_id` is None."""

    check: str
    run_id: str | None
    ok: bool
    expected: str
    found: str
    meaning: str


def verify(store: Store) -> pd.DataFrame:
    """Check the file: counts, parents, hashes of all bodies and records, the chain of runs, tables and columns.

    Parameters
    ----------
    store
        The Store.

    Returns
    -------
    pandas.DataFrame
        One row per check and run: `check`, `run_id` (None for the whole file), `ok`, `expected`, `found` and
        `meaning`, a sentence.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from buttermilk_nb.store import Store
    >>> checks = verify(Store(Path(tempfile.mkdtemp()) / "traces.duckdb"))
    >>> bool(checks.ok.all()), checks.check.tolist()
    (True, ['tables', 'texts', 'said', 'outcomes', 'records'])
    """
    import pandas as pd

    with store.reading() as con:
        notes = _erasure_notes(con)
        linked_again = _runs_linked_again(con)
        checks = [
            _excuse_erased(check, notes, linked_again)
            for name, run_check in _CHECKS.items()
            for check in _run_check(con, name, run_check)
        ]
    return pd.DataFrame(checks, columns=list(Check._fields)).sort_values(
        "run_id", kind="stable", na_position="first", ignore_index=True
    )


def _run_check(con: duckdb.DuckDBPyConnection, name: str, run_check: Callable[..., Iterator[Check]]) -> list[Check]:
    """The results of one check, or one failed row if a table or column that it needs is missing."""
    try:
        return list(run_check(con))
    except (duckdb.CatalogException, duckdb.BinderException) as error:
        return [Check(name, None, False, "", first_line(error), "this could not be checked")]


def _erasure_notes(con: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """Notes by run, for runs that `forget` or `purge` changed or removed."""
    rows = con.execute(
        "select what, arg_max(reason, removed_at), max(removed_at) from tombstones where kind like 'run%' group by what"
    ).fetchall()
    return {
        run_id: f"changed by forget on {at:%Y-%m-%d}{f' ({reason})' if reason else ''}" for run_id, reason, at in rows
    }


def _runs_linked_again(con: duckdb.DuckDBPyConnection) -> set[str]:
    rows = con.execute(
        "select run_id from links semi join runs using (run_id) group by 1 having count(*) > 1"
    ).fetchall()
    return {run_id for (run_id,) in rows}


def _excuse_erased(check: Check, notes: dict[str, str], linked_again: set[str]) -> Check:
    """The check, as passed if `forget` or `purge` explains it; what they wrote anew must be as they wrote it."""
    note = notes.get(check.run_id or "")
    is_excused = check.check == "earlier link" or (check.check in _WRITTEN_ANEW and check.run_id not in linked_again)
    if check.ok or not note or not is_excused:
        return check
    return check._replace(ok=True, meaning=f"{note}, so it differs from what was written")


def _check_tables(con: duckdb.DuckDBPyConnection) -> Iterator[Check]:
    """Check that every field of every row model is a column in tables and views."""
    rows = con.execute("select table_name, list(column_name) from duckdb_columns() group by 1").fetchall()
    columns_by_table = {name: set(columns) for name, columns in rows}
    missing = [
        f"{model.table}.{name}"
        for model in ROWS
        for name in model.model_fields
        if name not in columns_by_table.get(model.table, ())
    ]
    missing += [
        name
        for name in (*VIEWS, *(split_table.bodies for split_table in SPLIT_TABLES.values()))
        if name not in columns_by_table
    ]
    summary = ", ".join(missing) or "all"
    yield Check("tables", None, not missing, "all", summary, "tables, views and columns that this version needs")


def _check_bodies(con: duckdb.DuckDBPyConnection) -> Iterator[Check]:
    """Check that the hash of every body is the key under which it is stored."""
    for check, using, meaning in (
        ("texts", _USING_TEXTS, "prompts, criteria, requests and answers are those that were stored"),
        ("said", _USING.format("score_rows", "said_hash"), "reasons and conclusions are those that were stored"),
        ("outcomes", _USING.format("trace_rows", "outcome_hash"), "outputs and error messages are those stored"),
        ("records", _USING_RECORDS, "records are those that were stored"),
    ):
        damaged = damaged_bodies(con, check)
        if not damaged:
            yield Check(check, None, True, "0 changed", "0 changed", meaning)
            continue
        summary = f"{len(damaged):,} changed: {', '.join(damaged[:3])}{' ...' if len(damaged) > 3 else ''}"
        runs = [run_id for (run_id,) in con.execute(using, {"bad": damaged}).fetchall()]
        for run_id in runs or [None]:
            yield Check(check, run_id, False, "0 changed", summary, f"not true: {meaning}")


_USING = "select distinct run_id from {0} where {1}::varchar in (select unnest($bad)) order by 1"
_USING_RECORDS = "select distinct run_id from cells where record_id in (select unnest($bad)) order by 1"
_USING_TEXTS = """
    select run_id from calls where request_hash in (select unnest($bad)) or response_hash in (select unnest($bad))
    union
    select run_id from trace_rows where prompt_hash in (select unnest($bad)) or criteria_hash in (select unnest($bad))
    union
    select c.run_id from cells c join records r using (record_id, record_hash, details_hash)
    where list_has_any(from_json(r.media, '["VARCHAR"]'), $bad)
    order by 1"""

_COUNTS = {
    "cells": (
        "select c.run_id, count(*) from cells c join runs r using (run_id) "
        "left join trace_rows t on t.run_id = c.run_id and t.design_id = c.design_id "
        "where r.status = 'finished' and t.trace_id is null group by 1",
        "planned cells of a finished run without a trace",
    ),
    "parents": (
        "select run_id, count(*) from ("
        "select run_id, trace_id from calls union all select run_id, trace_id from score_rows) x "
        "anti join trace_rows using (trace_id) group by 1 union all "
        "select t.run_id, count(*) from trace_rows t anti join cells c "
        "on c.run_id = t.run_id and c.design_id = t.design_id group by 1 union all "
        "select t.run_id, count(*) from trace_inputs i left join trace_rows t using (trace_id) "
        "left join trace_rows r on r.trace_id = i.input_trace_id "
        "where t.trace_id is null or r.trace_id is null group by 1",
        "calls, scores and inputs without their trace, or traces without their cell",
    ),
    "bodies": (
        "select run_id, count(*) from ("
        "select run_id, request_hash as text_hash from calls union all "
        "select run_id, response_hash from calls where response_hash is not null) x "
        "anti join texts using (text_hash) where not starts_with(text_hash, 'forgotten-') group by 1 union all "
        "select run_id, count(*) from score_rows anti join said using (said_hash) "
        "where said_hash is not null group by 1 union all "
        "select run_id, count(*) from trace_rows anti join outcomes using (outcome_hash) "
        "where outcome_hash is not null group by 1 union all "
        "select run_id, count(*) from cells anti join records using (record_id, record_hash, details_hash) "
        "where not starts_with(record_id, 'forgotten-') group by 1",
        "requests, answers, reasons and records that rows refer to but that do not exist",
    ),
}


def _check_counts(con: duckdb.DuckDBPyConnection) -> Iterator[Check]:
    runs = [run_id for (run_id,) in con.execute("select run_id from runs order by run_id").fetchall()]
    for check, (query, meaning) in _COUNTS.items():
        missing: dict[str | None, int] = dict.fromkeys(runs, 0)
        for run_id, n in con.execute(query).fetchall():
            missing[run_id] = missing.get(run_id, 0) + n
        for run_id, n in missing.items():
            yield Check(check, run_id, n == 0, "0", f"{n:,}", meaning)


def _check_chain(con: duckdb.DuckDBPyConnection) -> Iterator[Check]:
    """Check that each run's newest link covers its rows, and that no link is missing or changed."""
    links = con.execute("select position, run_id, rows_hash, chain from links order by position").fetchall()
    newest = {run_id: position for position, run_id, _, _ in links}
    previous = ""
    for expected, (position, run_id, rows, chain) in enumerate(links, 1):
        run = run_chain.run_values(con, run_id)
        recomputed = run_chain.chain_link(previous, run, rows) if run else "no such run"
        if position != expected:
            recomputed = f"link {expected} is missing"
        meaning = "the run exists, at its place in the chain of runs"
        name = "chain" if newest[run_id] == position else "earlier link"
        yield Check(name, run_id, recomputed == chain, chain, recomputed, meaning)
        previous = chain
        if run and newest[run_id] == position:
            yield from _check_rows(con, run_id, rows)
    yield from _check_unlinked(con, set(newest))


def _check_rows(con: duckdb.DuckDBPyConnection, run_id: str, rows: str) -> Iterator[Check]:
    recomputed = run_chain.rows_hash(con, run_id, rows.partition("-")[0])
    yield Check(
        "rows",
        run_id,
        recomputed == rows,
        rows,
        recomputed,
        "cells, traces, calls and scores are the same as at the end of the run",
    )
    row = con.execute("select digest from runs where run_id = ?", [run_id]).fetchone()
    stored, digest = str(row[0] if row else None), str(run_chain.run_digest(con, run_id))
    yield Check("digest", run_id, stored == digest, stored, digest, "the answers match the digest of the run")


def _check_unlinked(con: duckdb.DuckDBPyConnection, linked: set[str]) -> Iterator[Check]:
    """Report runs that ended and have no link, which is right for runs from before the chain existed."""
    row = con.execute("select value from meta where key = 'chained_since'").fetchone()
    chained_since = dt.datetime.fromisoformat(row[0]) if row else None
    runs = con.execute("select run_id, finished_at from runs where finished_at is not null order by 1").fetchall()
    for run_id, finished_at in runs:
        if run_id not in linked:
            is_older = chained_since is not None and finished_at < chained_since
            meaning = (
                "the run ended before the chain existed, so the chain does not cover it"
                if is_older
                else "the link of the run is missing"
            )
            yield Check("chain", run_id, is_older, "none" if is_older else "a link", "none", meaning)


_CHECKS = {"tables": _check_tables, "bodies": _check_bodies, "counts": _check_counts, "chain": _check_chain}
