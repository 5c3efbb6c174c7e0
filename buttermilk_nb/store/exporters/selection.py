"""What may leave the Store: which tables, which rows of them, and which words.

Every way out (files, workbooks, BigQuery) takes its rows from here, so that there is one place where it is
decided. What was redacted never leaves. Of a record that is `local_only` the skeleton leaves (ids, answers,
numbers), and everything that could quote it stays: its text, what is known of it, requests, answers, reasons,
error messages. The rules go by the names of columns, so that a new table or view is covered when it is named
here; a test asks of each new column of text whether it holds words.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import duckdb

from ...errors import SetupError, nearest

TABLES = (
    "records", "texts", "runs", "cells", "traces", "trace_inputs", "calls", "scores", "assessments", "labels",
    "coders", "samples", "events", "latest_scores", "judge_scores",
)  # fmt: skip
"""What an export holds unless tables are named, as far as the Store has them."""

MORE = (
    "latest_records", "latest_traces", "judgements", "calls_full", "costs", "call_timing", "egress", "ratings",
    "latest_labels", "divergences", "reason_recall", "tombstones",
)  # fmt: skip
"""What may be named beside these."""

NEVER = {"redactions": "holds what was taken out of requests before they were sent, and never leaves the Store"}

TEXT_COLUMNS = frozenset(
    {
        "beyond_the_expert", "body", "conclusion", "content", "divergences.position", "error_message",
        "expert_reasons", "feedback", "media", "metadata", "notes", "output", "payload", "quotes", "reason",
        "reasons", "request", "response", "topic", "uri",
    }
)  # fmt: skip
"""Columns that can quote a record; with its table where the name means something else in others."""

JSON = frozenset(
    {"metadata", "ground_truth", "expert_reasons", "labels", "manifest", "params", "params_sent", "params_dropped",
     "payload", "media", "groups", "quotes"}
)  # fmt: skip
"""Columns of text that hold JSON, written by this package."""


_ORDER = (
    "run_id", "trace_id", "call_id", "event_id", "label_id", "record_id", "record_hash", "details_hash", "step",
    "design_id", "criterion", "sample_id", "position", "reason_index", "request_hash", "model", "coder", "removed_at",
    "what",
)  # fmt: skip
_AS_STORED = frozenset({"records", "latest_records", "texts", "calls_full"})
"""Tables with bodies, which are not sorted: they are large, and come in the order in which they were written."""


class Column(NamedTuple):
    """A column as DuckDB has it."""

    name: str
    kind: str

    @property
    def sql(self) -> str:
        """The name as it stands in a query."""
        return '"' + self.name.replace('"', '""') + '"'

    @property
    def is_list(self) -> bool:
        """Whether it holds a list in each row."""
        return self.kind.endswith("[]")


class ExportTable(NamedTuple):
    """One table, and the query for those of its rows and words that may leave."""

    name: str
    columns: tuple[Column, ...]
    query: str


def outgoing(
    con: duckdb.DuckDBPyConnection,
    *,
    tables: Iterable[str] | None = None,
    run_ids: Iterable[str] | None = None,
    with_local_only: bool = False,
) -> list[ExportTable]:
    """The tables that leave, each with its query; good for this connection only.

    Parameters
    ----------
    con
        A connection of `Store.reading()`; it gets temporary tables.
    tables
        Which; by default all that a reader needs.
    run_ids
        Only what belongs to these runs.
    with_local_only
        Let the words of `local_only` records leave too.

    Raises
    ------
    SetupError
        There is no such table or run, or it must not leave.
    """
    names = _chosen(con, tables)
    some_runs = _chosen_runs(con, run_ids)
    if some_runs and tables is None:  # it shows the newest run of each design, which may be none of these
        names.remove("latest_scores")
    kept_back = not with_local_only and withhold(con)
    return [_one(name, columns_of(con, name), some_runs=some_runs, kept_back=kept_back) for name in names]


def columns_of(con: duckdb.DuckDBPyConnection, table: str) -> tuple[Column, ...]:
    """The columns of a table or view, in order."""
    found = con.execute(
        "select column_name, data_type from duckdb_columns() "
        "where table_name = ? and database_name = current_database() order by column_index",
        [table],
    ).fetchall()
    return tuple(Column(name, kind) for name, kind in found)


def _chosen(con: duckdb.DuckDBPyConnection, tables: Iterable[str] | None) -> list[str]:
    here = {name for (name,) in con.execute("select table_name from information_schema.tables").fetchall()}
    if tables is None:
        return [name for name in TABLES if name in here]
    wanted = [tables] if isinstance(tables, str) else list(tables)
    allowed = [name for name in (*TABLES, *MORE) if name in here]
    for name in wanted:
        if name in NEVER:
            raise SetupError(f"`{name}` {NEVER[name]}.")
        if name not in allowed:
            raise SetupError(f"there is no table `{name}` to export; {nearest(name, allowed)}")
    if not wanted:
        raise SetupError("tables=[]: name at least one table, or leave `tables` out.")
    return list(dict.fromkeys(wanted))


def _chosen_runs(con: duckdb.DuckDBPyConnection, run_ids: Iterable[str] | None) -> bool:
    if run_ids is None:
        return False
    wanted = [run_ids] if isinstance(run_ids, str) else list(run_ids)
    known = [run_id for (run_id,) in con.execute("select run_id from runs").fetchall()]
    if unknown := [run_id for run_id in wanted if run_id not in known]:
        raise SetupError(f"there is no run `{unknown[0]}`; {nearest(unknown[0], known)}")
    con.execute("create temp table leaving_runs as select unnest(?::varchar[]) as run_id", [wanted])
    return True


def withhold(con: duckdb.DuckDBPyConnection) -> bool:
    """Note what `local_only` touches: records, their traces, the texts that those used."""
    con.execute("create temp table staying as select distinct record_id from records where local_only")
    if con.execute("select count(*) from staying").fetchone() == (0,):
        return False
    con.execute(
        "create temp table staying_traces as select trace_id from traces where record_id in (select * from staying)"
    )
    con.execute(
        """
        create temp table staying_texts as
        select unnest([request_hash, response_hash]) as text_hash from calls
        where trace_id in (select * from staying_traces)
        union
        select unnest(from_json(media, '["VARCHAR"]')) from records
        where record_id in (select * from staying) and json_valid(media)"""
    )
    return True


def _one(name: str, columns: tuple[Column, ...], *, some_runs: bool, kept_back: bool) -> ExportTable:
    stays = local_only_filter(name, {column.name for column in columns}) if kept_back else None
    shown = ", ".join(
        f"case when {stays} then null else {c.sql} end as {c.sql}"
        if stays and {c.name, f"{name}.{c.name}"} & TEXT_COLUMNS
        else c.sql
        for c in columns
    )
    rules = [rule for rule in (_always(name), _of_runs(name, columns) if some_runs else None) if rule]
    where = f" where {' and '.join(rules)}" if rules else ""
    keys = [key for key in _ORDER if name not in _AS_STORED and any(column.name == key for column in columns)]
    order = f" order by {', '.join(keys)}" if keys else ""
    return ExportTable(name, columns, f"select {shown} from {name}{where}{order}")  # noqa: S608  # names of our own only


def local_only_filter(name: str, columns: set[str]) -> str | None:
    """The condition under which the words of a row stay."""
    if "record_id" in columns:
        return "record_id in (select * from staying)"
    if "trace_id" in columns:
        return "trace_id in (select * from staying_traces)"
    if name == "texts":
        return "text_hash in (select * from staying_texts)"
    if name == "events":
        return "substr(transaction_id, length(split_part(transaction_id, '/', 1)) + 2) in (select * from staying)"
    return None


def _always(name: str) -> str | None:
    if name == "texts":  # what was said stands in `scores` and `traces`
        return "kind in ('prompt', 'criteria', 'schema', 'request', 'response', 'media')"
    if name == "events":  # where earlier exports went is nobody else's business
        return "source <> 'export'"
    return None


_OF_RUNS = "run_id in (select run_id from leaving_runs)"
_OF_TRACES = f"trace_id in (select trace_id from traces where {_OF_RUNS})"  # noqa: S608  # our own words
_OF_CELLS = "{0} in (select {0} from cells where run_id in (select run_id from leaving_runs))"
_OF_EVENTS = "split_part(transaction_id, '/', 1) in (select run_id from leaving_runs)"
_OF_TEXTS = """(
    kind in ('prompt', 'criteria', 'schema')
    or text_hash in (
        select unnest([request_hash, response_hash]) from calls where run_id in (select run_id from leaving_runs)
    )
    or text_hash in (
        select unnest(from_json(r.media, '["VARCHAR"]')) from records r where json_valid(r.media)
        and r.record_id in (select record_id from cells where run_id in (select run_id from leaving_runs))
    )
)"""


def _of_runs(name: str, columns: tuple[Column, ...]) -> str | None:
    """The condition under which a row belongs to the chosen runs."""
    names = {column.name for column in columns}
    if "run_id" in names:
        return _OF_RUNS
    if "trace_id" in names:
        return _OF_TRACES
    if {"record_id", "details_hash"} <= names:
        return _OF_CELLS.format("(record_id, record_hash, details_hash)")
    if "record_id" in names:
        return _OF_CELLS.format("record_id")
    return {"events": _OF_EVENTS, "texts": _OF_TEXTS}.get(name)
