"""Selects the tables, rows and columns that an export may contain.

All exports (files, workbooks, BigQuery) take their rows from here, so that this is decided in one place. Redacted texts
are never exported. Of a record that is `local_only`, ids, scores and numbers are exported, and everything that could
quote it is withheld: its text, its metadata, requests, answers, reasons, error messages. The rules use the names of
columns, so that they also apply to a new table or view that is added here. A test fails for a new text column until
somebody decides whether it can quote a record.
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
"""The tables in an export if no tables are named, as far as the Store has them."""

MORE_TABLES = (
    "latest_records", "latest_traces", "judgements", "calls_full", "costs", "call_timing", "egress", "ratings",
    "latest_labels", "divergences", "reason_recall", "tombstones",
)  # fmt: skip
"""Further tables and views that may be named."""

NEVER_EXPORTED = {"redactions": "contains the texts that were redacted from requests, and is never exported"}

TEXT_COLUMNS = frozenset(
    {
        "assessment_feedback", "assessment_reasons", "beyond_the_expert", "body", "conclusion", "content",
        "divergences.position", "error_message",
        "expert_reasons", "feedback", "media", "metadata", "notes", "output", "payload", "quotes", "reason",
        "reasons", "request", "response", "topic", "uri",
    }
)  # fmt: skip
"""Columns that can quote a record; with the table if the same name means something else in other tables."""

JSON = frozenset(
    {"metadata", "ground_truth", "expert_reasons", "labels", "manifest", "params", "params_sent", "params_dropped",
     "payload", "media", "groups", "quotes"}
)  # fmt: skip
"""Text columns with JSON that this package has written."""


_ORDER = (
    "run_id", "trace_id", "call_id", "event_id", "label_id", "record_id", "record_hash", "details_hash", "step",
    "design_id", "criterion", "sample_id", "position", "reason_index", "request_hash", "model", "coder", "removed_at",
    "what",
)  # fmt: skip
_AS_STORED = frozenset({"records", "latest_records", "texts", "calls_full"})
"""Large tables with texts, which are not sorted; their rows stay in the order in which they were written."""


class Column(NamedTuple):
    """A column as DuckDB has it."""

    name: str
    kind: str

    @property
    def sql(self) -> str:
        """The name in a query, quoted."""
        return '"' + self.name.replace('"', '""') + '"'

    @property
    def is_list(self) -> bool:
        """Whether its values are lists."""
        return self.kind.endswith("[]")


class ExportTable(NamedTuple):
    """One table, and the query for the part of it that may be exported."""

    name: str
    columns: tuple[Column, ...]
    query: str


def select_tables(
    con: duckdb.DuckDBPyConnection,
    *,
    tables: Iterable[str] | None = None,
    run_ids: Iterable[str] | None = None,
    with_local_only: bool = False,
) -> list[ExportTable]:
    """The tables to export, each with its query, which works with this connection only.

    Parameters
    ----------
    con
        A connection of `Store.reading()`; it gets temporary tables.
    tables
        Names of tables and views; by default `TABLES`.
    run_ids
        Select only rows of these runs.
    with_local_only
        Also select the texts of `local_only` records.

    Raises
    ------
    SetupError
        A table or run does not exist, or the table must not be exported.
    """
    names = _exported_names(con, tables)
    has_run_filter = _filter_runs(con, run_ids)
    if has_run_filter and tables is None:  # it shows the newest run of each design, which may be another run
        names.remove("latest_scores")
    has_local_only = not with_local_only and withhold_local_only(con)
    return [
        _export_table(name, table_columns(con, name), has_run_filter=has_run_filter, has_local_only=has_local_only)
        for name in names
    ]


def table_columns(con: duckdb.DuckDBPyConnection, table: str) -> tuple[Column, ...]:
    """The columns of a table or view, in order."""
    rows = con.execute(
        "select column_name, data_type from duckdb_columns() "
        "where table_name = ? and database_name = current_database() order by column_index",
        [table],
    ).fetchall()
    return tuple(Column(name, kind) for name, kind in rows)


def _exported_names(con: duckdb.DuckDBPyConnection, tables: Iterable[str] | None) -> list[str]:
    existing = {name for (name,) in con.execute("select table_name from information_schema.tables").fetchall()}
    if tables is None:
        return [name for name in TABLES if name in existing]
    names = [tables] if isinstance(tables, str) else list(tables)
    allowed = [name for name in (*TABLES, *MORE_TABLES) if name in existing]
    for name in names:
        if name in NEVER_EXPORTED:
            raise SetupError(f"`{name}` {NEVER_EXPORTED[name]}.")
        if name not in allowed:
            raise SetupError(f"there is no table `{name}` to export; {nearest(name, allowed)}")
    if not names:
        raise SetupError("tables=[]: name at least one table, or leave `tables` out.")
    return list(dict.fromkeys(names))


def _filter_runs(con: duckdb.DuckDBPyConnection, run_ids: Iterable[str] | None) -> bool:
    if run_ids is None:
        return False
    wanted_ids = [run_ids] if isinstance(run_ids, str) else list(run_ids)
    known_ids = [run_id for (run_id,) in con.execute("select run_id from runs").fetchall()]
    if unknown := [run_id for run_id in wanted_ids if run_id not in known_ids]:
        raise SetupError(f"there is no run `{unknown[0]}`; {nearest(unknown[0], known_ids)}")
    con.execute("create temp table leaving_runs as select unnest(?::varchar[]) as run_id", [wanted_ids])
    return True


def withhold_local_only(con: duckdb.DuckDBPyConnection) -> bool:
    """List `local_only` records, their traces and texts in temporary tables; whether there are any."""
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


def _export_table(name: str, columns: tuple[Column, ...], *, has_run_filter: bool, has_local_only: bool) -> ExportTable:
    withheld_rows = local_only_filter(name, {column.name for column in columns}) if has_local_only else None
    columns_sql = ", ".join(
        f"case when {withheld_rows} then null else {c.sql} end as {c.sql}"
        if withheld_rows and {c.name, f"{name}.{c.name}"} & TEXT_COLUMNS
        else c.sql
        for c in columns
    )
    rules = [rule for rule in (_fixed_rule(name), _run_rule(name, columns) if has_run_filter else None) if rule]
    condition = f" where {' and '.join(rules)}" if rules else ""
    keys = [key for key in _ORDER if name not in _AS_STORED and any(column.name == key for column in columns)]
    order = f" order by {', '.join(keys)}" if keys else ""
    return ExportTable(name, columns, f"select {columns_sql} from {name}{condition}{order}")  # noqa: S608  # names of our own only


def local_only_filter(name: str, columns: set[str]) -> str | None:
    """The SQL condition for rows whose texts are withheld."""
    if "record_id" in columns:
        return "record_id in (select * from staying)"
    if "trace_id" in columns:
        return "trace_id in (select * from staying_traces)"
    if name == "texts":
        return "text_hash in (select * from staying_texts)"
    if name == "events":
        return "substr(transaction_id, length(split_part(transaction_id, '/', 1)) + 2) in (select * from staying)"
    return None


def _fixed_rule(name: str) -> str | None:
    if name == "texts":  # other texts are in `scores` and `traces`
        return "kind in ('prompt', 'criteria', 'schema', 'request', 'response', 'media')"
    if name == "events":  # readers need not know where earlier exports went
        return "source <> 'export'"
    return None


_BY_RUN = "run_id in (select run_id from leaving_runs)"
_BY_TRACE = f"trace_id in (select trace_id from traces where {_BY_RUN})"  # noqa: S608  # our own names
_BY_CELL = "{0} in (select {0} from cells where run_id in (select run_id from leaving_runs))"
_BY_EVENT = "split_part(transaction_id, '/', 1) in (select run_id from leaving_runs)"
_BY_TEXT = """(
    kind in ('prompt', 'criteria', 'schema')
    or text_hash in (
        select unnest([request_hash, response_hash]) from calls where run_id in (select run_id from leaving_runs)
    )
    or text_hash in (
        select unnest(from_json(r.media, '["VARCHAR"]')) from records r where json_valid(r.media)
        and r.record_id in (select record_id from cells where run_id in (select run_id from leaving_runs))
    )
)"""


def _run_rule(name: str, columns: tuple[Column, ...]) -> str | None:
    """The SQL condition for rows of the selected runs."""
    names = {column.name for column in columns}
    if "run_id" in names:
        return _BY_RUN
    if "trace_id" in names:
        return _BY_TRACE
    if {"record_id", "details_hash"} <= names:
        return _BY_CELL.format("(record_id, record_hash, details_hash)")
    if "record_id" in names:
        return _BY_CELL.format("record_id")
    return {"events": _BY_EVENT, "texts": _BY_TEXT}.get(name)
