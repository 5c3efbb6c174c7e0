"""Copies finished answers of earlier runs into a new run, in SQL.

A planned answer whose design has a finished trace needs no work if the cache still has what the models said. The rows
of the new run are then the earlier ones, with ids and times of their own. Which answers these are is decided in
`flows/execution/stored_answers.py`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

import duckdb

from ..schema import Call, Score, Trace
from .append import SPLIT_TABLES, append_chunks

_NEWEST = """
    with run_cells as (
        select design_id, record_id, record_hash, model, criteria_hash, rowid as place from cells where run_id = $run
    ),
    eligible as (
        select run_id from runs
        where case when json_valid(manifest) then json_extract_string(manifest, '$.code') end = $code and run_id <> $run
        and run_id not in (select what from tombstones where kind like 'run%')
    ),
    newest as (
        select c.place, max(t.trace_id) as trace_id from trace_rows t
        semi join eligible using (run_id) join run_cells c using (design_id)
        where t.status in ('ok', 'refused', 'filtered') and not list_contains($retry, t.status)
        and t.record_id = c.record_id and t.record_hash = c.record_hash
        and t.model is not distinct from c.model and t.criteria_hash is not distinct from c.criteria_hash
        group by c.place
    )
    select trace_id from run_cells left join newest using (place) order by place"""

_USABLE = """
    create temp table usable as from asked
    where old_trace_id not in (select trace_id from trace_inputs)
    and old_trace_id not in (
        select trace_id from score_rows semi join asked on trace_id = old_trace_id
        where status = 'invalid' or list_contains($retry, status)
    )"""

_CALLS = """
    with found as (
        select u.position, u.remote as is_remote, k.call_id, k.cache_key, k.response_hash, k.remote, k.status
        from usable u join calls k on k.trace_id = u.old_trace_id
    ),
    unfit as (
        select position from found group by position, cache_key
        having count(response_hash) <> 1 or bool_or(remote is distinct from is_remote)
        or bool_or(list_contains($retry, status))
    )
    select position, call_id, cache_key, response_hash from found
    where response_hash is not null and position not in (from unfit) order by position, call_id"""


class AskedAnswer(NamedTuple):
    """A planned answer and the earlier trace that may answer it, as a row of the temporary table `asked`."""

    position: int
    old_trace_id: str
    remote: bool
    """Whether its model is remote now."""


class CopiedAnswer(NamedTuple):
    """A planned answer and the earlier trace whose rows it gets, as a row of the temporary table `copied`."""

    position: int
    old_trace_id: str
    new_trace_id: str
    criteria_set: str | None
    """The name of its criteria now."""


StoredCall = tuple[int, str, str, str]
"""A call of an earlier trace: the position of its answer, its id, its cache key and the hash of its response."""


class CachedCall(NamedTuple):
    """A call of the new run, with what the cache says of its answer, as a row of the temporary table `cached`."""

    position: int
    old_call_id: str
    model_served: str | None
    fingerprint: str | None
    request_id: str | None
    answered_at: dt.datetime
    finish_reason: str | None
    tokens_in: int | None
    tokens_out: int | None
    saved_usd: float | None
    latency_s: float | None
    status: str
    error_code: str | None
    new_call_id: str = ""


def newest_traces(
    con: duckdb.DuckDBPyConnection, run_id: str, code: str, retry: Collection[str]
) -> Iterator[str | None]:
    """For each planned answer of a run, in the order of the plan, the newest trace that may answer it.

    That is a finished one of the same design, record, model and criteria, by the same code.

    Parameters
    ----------
    con
        A connection for reading.
    run_id
        The new run, whose plan is written.
    code
        The hash of the code that reads answers; runs of another code are not looked at, nor those that `forget` or
        `purge` changed.
    retry
        The statuses of answers that are to be asked for once more.
    """
    con.execute(_NEWEST, {"run": run_id, "code": code, "retry": sorted(retry)})
    while rows := con.fetchmany(10_000):
        yield from (trace_id for (trace_id,) in rows)


def find_calls(
    con: duckdb.DuckDBPyConnection, asked: Sequence[AskedAnswer], retry: Collection[str]
) -> list[StoredCall]:
    """The calls of those traces that may be copied, if the cache has the answers unchanged.

    A trace is left out if it has read other answers, if an answer of it is invalid (it may be asked once more) or has a
    status in `retry`, or if a call of it failed.
    """
    _make_table(con, "asked", "position bigint, old_trace_id varchar, remote boolean", asked)
    con.execute(_USABLE, {"retry": sorted(retry)})
    calls: list[StoredCall] = con.execute(_CALLS, {"retry": sorted(retry)}).fetchall()
    _drop_tables(con, "asked", "usable")
    return calls


def copy_units(
    con: duckdb.DuckDBPyConnection,
    run_id: str,
    copied: Sequence[CopiedAnswer],
    cached: Sequence[CachedCall],
    at: dt.datetime,
    duration_s: float,
) -> list[tuple[str, str, str | None, int]]:
    """Write the rows of these answers.

    Parameters
    ----------
    con
        A connection in a transaction.
    run_id
        The new run.
    copied
        The answers.
    cached
        All of their calls.
    at
        When they were answered anew.
    duration_s
        How long each took.

    Returns
    -------
    list of tuple
        Step, status, model and number of the answers that were copied.
    """
    _make_table(
        con,
        "cached",
        "position bigint, old_call_id varchar, model_served varchar, fingerprint varchar, request_id varchar, "
        "answered_at timestamp, finish_reason varchar, tokens_in bigint, tokens_out bigint, saved_usd double, "
        "latency_s double, status varchar, error_code varchar, new_call_id varchar",
        cached,
    )
    columns = "position bigint, old_trace_id varchar, new_trace_id varchar, criteria_set varchar"
    _make_table(con, "copied", columns, copied)
    params = {"run": run_id, "at": at, "duration": duration_s}
    for statement in (_COPY_TRACES, _COPY_CALLS, _COPY_SCORES):
        con.execute(statement, {name: value for name, value in params.items() if f"${name}" in statement})
    counts = con.execute(
        "select step, status, t.model, count(*) from copied c join trace_rows t on t.trace_id = c.old_trace_id "
        "group by all order by all"
    ).fetchall()
    _drop_tables(con, "cached", "copied")
    return counts


def _drop_tables(con: duckdb.DuckDBPyConnection, *names: str) -> None:
    for name in names:
        con.execute(f"drop table temp.{name}")


def _make_table(
    con: duckdb.DuckDBPyConnection, name: str, columns: str, rows: Sequence[AskedAnswer | CachedCall | CopiedAnswer]
) -> None:
    con.execute(f"create temp table {name} ({columns})")
    if rows:
        append_chunks(con, name, list(rows[0]._fields), rows)


def _copy_statement(model: type[Trace | Call | Score], table: str, joined: str, changed: dict[str, str]) -> str:
    """An `insert ... select` of the rows of a table, with new values in some columns."""
    split_table = SPLIT_TABLES.get(model)
    bodies = split_table.columns if split_table else ()
    names = [name for name in model.model_fields if name not in bodies]
    names += [split_table.key] if split_table else []
    values = ", ".join(changed.get(name, f"x.{name}") for name in names)
    return (
        f"insert into {table} ({', '.join(names)}) select {values} from copied c "  # noqa: S608  # our own names
        f"join {table} x {joined} order by c.position, x.rowid"
    )


_OF_THE_TRACE = {"trace_id": "c.new_trace_id", "run_id": "$run", "criteria_set": "c.criteria_set"}
_COPY_TRACES = _copy_statement(
    Trace,
    "trace_rows",
    "on x.trace_id = c.old_trace_id",
    {**_OF_THE_TRACE, "attempts": "0", "started_at": "$at", "duration_s": "$duration"},
)
_COPY_CALLS = _copy_statement(
    Call,
    "calls",
    "on x.trace_id = c.old_trace_id join cached k on k.old_call_id = x.call_id",
    {
        "trace_id": "c.new_trace_id",
        "run_id": "$run",
        "call_id": "k.new_call_id",
        "cached": "true",
        "asked_at": "$at",
        "attempt": "1",
        "cost_usd": "0.0",
        "saved_usd": "k.saved_usd",
        **dict.fromkeys(("error_message", "waited_s", "max_cost_usd"), "null"),
        **{name: f"k.{name}" for name in CachedCall._fields if name in Call.model_fields and name != "saved_usd"},
    },
)
_COPY_SCORES = _copy_statement(Score, "score_rows", "on x.trace_id = c.old_trace_id", _OF_THE_TRACE)
