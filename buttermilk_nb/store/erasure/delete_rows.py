"""Deletes rows for `forget`, for `purge`, and for imports that replace earlier ones.

The names of tables come from the file itself, and the rules use the names of columns, so that tables of later versions
are covered too. Everything here runs inside the caller's transaction. Deleted rows are gone from the disk only after
`compact.rewrite_file`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import duckdb

from ..append import SPLIT_TABLES, drop_unused_bodies

WORDING_KINDS = "('prompt', 'criteria', 'schema')"  # wordings, which contain no text of a record
_PUBLIC_NAMES = {split_table.rows: model.table for model, split_table in SPLIT_TABLES.items()}
"""The public names of tables."""
CHAINED = frozenset({"links"})
"""Tables with hashes only, which the chain of runs needs: their rows stay."""


def read_columns(con: duckdb.DuckDBPyConnection) -> dict[str, set[str]]:
    """The tables of the file (not the views), each with its columns."""
    rows = con.execute(
        "select t.table_name, list(c.column_name) from duckdb_tables() t "
        "join duckdb_columns() c using (database_oid, table_oid) where not t.temporary group by 1 order by 1"
    ).fetchall()
    return {name: set(names) for name, names in rows}


def tables_with(con: duckdb.DuckDBPyConnection, *columns: str) -> dict[str, set[str]]:
    """The tables whose rows may be changed and that have all of these columns, each with its columns."""
    wanted = set(columns)
    return {name: names for name, names in read_columns(con).items() if wanted <= names and name not in CHAINED}


def run_statement(con: duckdb.DuckDBPyConnection, statement: str, params: Sequence[Any] | None = None) -> int:
    """Run a DELETE, UPDATE or INSERT, and return the number of rows that it changed."""
    row = con.execute(statement, params).fetchone()
    return int(row[0]) if row else 0


def create_list_table(con: duckdb.DuckDBPyConnection, name: str, column: str, values: Iterable[str]) -> None:
    """Create a temporary table with one column of texts."""
    con.execute(f"create or replace temp table {name} as select unnest(?::varchar[]) as {column}", [list(values)])


def collect_texts(con: duckdb.DuckDBPyConnection, *, traces: str, records: str) -> None:
    """Collect the requests and responses of traces and the images of records in the table `gone_texts`.

    Parameters
    ----------
    con
        A connection inside a transaction.
    traces, records
        Queries for their ids.
    """
    con.execute(
        f"""
        create or replace temp table gone_texts as
        select unnest([request_hash, response_hash]) as text_hash from calls where trace_id in ({traces})
        union
        select unnest(from_json(media, '["VARCHAR"]')) from records
        where record_id in ({records}) and json_valid(media)"""  # noqa: S608  # queries of our own
    )


def drop_orphaned_texts(con: duckdb.DuckDBPyConnection) -> int:
    """Remove the collected texts that no row refers to any more, with their redactions; returns their number."""
    con.execute(
        """
        delete from gone_texts where text_hash is null
        or text_hash in (select request_hash from calls where request_hash is not null)
        or text_hash in (select response_hash from calls where response_hash is not null)
        or text_hash in (select unnest(from_json(media, '["VARCHAR"]')) from records where json_valid(media))"""
    )
    for table in tables_with(con, "request_hash", "placeholder"):
        con.execute(f"delete from {table} where request_hash in (select text_hash from gone_texts)")  # noqa: S608
    return run_statement(
        con,
        f"delete from texts where kind not in {WORDING_KINDS} "  # noqa: S608  # our own words
        "and text_hash in (select text_hash from gone_texts)",
    )


def rows_of_runs(con: duckdb.DuckDBPyConnection, run_ids: Iterable[str]) -> dict[str, int]:
    """The number of rows of each of these runs."""
    create_list_table(con, "sized_runs", "run_id", run_ids)
    parts = [f"select run_id from {table}" for table in tables_with(con, "run_id")]  # noqa: S608  # our own names
    query = f"select run_id, count(*) from ({' union all '.join(parts)}) semi join sized_runs using (run_id) group by 1"  # noqa: S608
    return dict(con.execute(query).fetchall())


def remove_runs(con: duckdb.DuckDBPyConnection, run_ids: Iterable[str]) -> Counter[str]:
    """Remove runs with everything that belongs to them alone; returns the number of rows by table.

    Records that belong to a remaining run or to a person's code stay, and so do the wordings of prompts and criteria.
    """
    create_list_table(con, "gone_runs", "run_id", run_ids)
    con.execute(
        "create or replace temp table gone_traces as "
        "select trace_id from traces where run_id in (select run_id from gone_runs)"
    )
    con.execute(
        "create or replace temp table gone_records as select distinct record_id, record_hash, details_hash "
        "from cells where run_id in (select run_id from gone_runs)"
    )
    collect_texts(con, traces="select trace_id from gone_traces", records="select record_id from gone_records")
    removed: Counter[str] = Counter()
    for table, names in tables_with(con, "trace_id").items():
        if "run_id" not in names:
            removed[table] += run_statement(
                con,
                f"delete from {table} where trace_id in (select trace_id from gone_traces)",  # noqa: S608
            )
    for table in tables_with(con, "run_id"):
        n = run_statement(con, f"delete from {table} where run_id in (select run_id from gone_runs)")  # noqa: S608
        removed[_PUBLIC_NAMES.get(table, table)] += n
    removed["events"] += run_statement(
        con, "delete from events where split_part(transaction_id, '/', 1) in (select run_id from gone_runs)"
    )
    removed["records"] += _drop_orphaned_records(con)
    removed["texts"] += drop_orphaned_texts(con)
    drop_unused_bodies(con)
    return +removed


def _drop_orphaned_records(con: duckdb.DuckDBPyConnection) -> int:
    not_coded = "".join(
        f" and record_id not in (select record_id from {table})"  # noqa: S608  # a table of our own
        for table in tables_with(con, "record_id", "coder")
    )
    n = run_statement(
        con,
        "delete from records where (record_id, record_hash, details_hash) in "  # noqa: S608  # as above
        "(select (record_id, record_hash, details_hash) from gone_records) and (record_id, record_hash, details_hash) "
        f"not in (select (record_id, record_hash, details_hash) from cells){not_coded}",
    )
    con.execute("update batches set record_id = null where record_id not in (select record_id from records)")
    return n
