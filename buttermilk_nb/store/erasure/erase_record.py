"""Erases a record: removes its texts and replaces its ids by random ones."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import duckdb

from ...errors import SetupError, nearest
from ..append import SPLIT_TABLES, drop_unused_bodies
from ..batch_jobs import open_batches
from ..exporters.selection import TEXT_COLUMNS
from ..tombstones import tombstone_hash
from .anonymise import anonymise_events, clean_manifests
from .delete_rows import collect_texts, drop_orphaned_texts, read_columns, run_statement, tables_with

_TEXT_HASHES = ("record_hash", "details_hash", "design_id")
_CALL_HASHES = ("request_hash", "response_hash", "cache_key")
_MAX_SUGGESTIONS = 200
_MADE_FROM = """
select distinct record_id from records
where list_contains($ids, parent_id)
or list_contains($ids, json_extract_string(metadata, '$.first_id'))
or list_contains($ids, json_extract_string(metadata, '$.second_id'))
"""
"""Segments of records, and pairs with them."""
_NAMED_BY = """
select distinct r.record_id from records r, forgotten f
where r.record_id not in (select old from forgotten)
and (r.cluster = f.old or contains(r.metadata, to_json(f.old)::varchar)) order by 1
"""


class ErasedRecord(NamedTuple):
    """Facts about a record that are needed before its rows are changed."""

    new_ids: dict[str, str]
    """The new random id of the record, and of each of its segments and pairs."""
    cache_keys: list[str]
    """The keys of its answers in the cache."""
    run_ids: list[str]
    sent_to: tuple[str, ...]
    open_batches: tuple[str, ...] = ()
    """Providers' batches that contain a text of it and have not ended."""
    named_by: tuple[str, ...] = ()
    """Other records whose own data (metadata, cluster) name its id."""


def find_record(con: duckdb.DuckDBPyConnection, record_id: str) -> ErasedRecord:
    """Look up a record with its segments and pairs, and list their traces, texts and runs in temporary tables.

    Raises
    ------
    SetupError
        The Store has no such record.
    """
    new_ids = {name: f"forgotten-{secrets.token_hex(8)}" for name in _record_and_segments(con, record_id)}
    if not new_ids:
        return ErasedRecord(new_ids, [], [], ())
    con.execute("create or replace temp table forgotten (old varchar, new varchar)")
    con.executemany("insert into forgotten values (?, ?)", [list(pair) for pair in new_ids.items()])
    con.execute(
        "create or replace temp table forgotten_traces as "
        "select trace_id from traces where record_id in (select old from forgotten)"
    )
    collect_texts(con, traces="select trace_id from forgotten_traces", records="select old from forgotten")
    con.execute(
        "create or replace temp table forgotten_requests as select distinct cache_key from batches "
        "where record_id in (select old from forgotten) and cache_key not in "
        "(select cache_key from calls where trace_id not in (select trace_id from forgotten_traces))"
    )
    calls = "from calls where trace_id in (select trace_id from forgotten_traces)"
    sent = f"{calls} and remote and not cached"
    batches = "from batches where cache_key in (select cache_key from forgotten_requests)"
    runs = " union ".join(
        f"select run_id from {table} where record_id in (select old from forgotten)"  # noqa: S608  # our own names
        for table in tables_with(con, "run_id", "record_id")
    )
    con.execute(f"create or replace temp table forgotten_runs as select distinct run_id from ({runs})")  # noqa: S608
    return ErasedRecord(
        new_ids,
        _column(con, f"select cache_key {calls} union select cache_key {batches}"),
        _column(con, "select run_id from forgotten_runs order by 1"),
        tuple(_column(con, f"select provider {sent} union select provider {batches} order by 1")),
        tuple(open_batches(con, "select cache_key from forgotten_requests")),
        tuple(_column(con, _NAMED_BY)),
    )


def _record_and_segments(con: duckdb.DuckDBPyConnection, record_id: str) -> list[str]:
    """The ids of the record, its segments, and the pairs with it; empty if it was forgotten before."""
    tables = tables_with(con, "record_id")
    query = " union ".join(f"select record_id from {table}" for table in tables)  # noqa: S608  # our own names
    record_ids = set(_column(con, query))
    if record_id not in record_ids:
        if con.execute("select 1 from tombstones where what = ?", [tombstone_hash("record", record_id)]).fetchall():
            return []
        suggestion = nearest(record_id, sorted(record_ids)[:_MAX_SUGGESTIONS])
        raise SetupError(f"the Store has no record `{record_id}`; {suggestion}")
    family, level = [record_id], [record_id]
    while level:
        names = _column(con, _MADE_FROM, {"ids": level})
        level = [name for name in names if name not in family]
        family += level
    return family


def erase_record(con: duckdb.DuckDBPyConnection, record: ErasedRecord) -> tuple[int, int, int]:
    """Remove the texts and replace the ids; returns the numbers of changed rows, removed texts and shared texts."""
    n_rows = 0
    for table in tables_with(con, "record_id", "coder"):
        n_rows += run_statement(con, f"delete from {table} where record_id in (select old from forgotten)")  # noqa: S608
    n_rows += run_statement(con, "delete from records where record_id in (select old from forgotten)")
    _empty_text_columns(con)
    tables = dict.fromkeys(tables_with(con, "record_id"), "record_id in (select old from forgotten)")
    _randomise_hashes(con, _TEXT_HASHES, tables)
    _randomise_hashes(con, ("corpus_hash",), {"runs": "run_id in (select run_id from forgotten_runs)"})
    _randomise_hashes(
        con,
        _CALL_HASHES,
        {
            "calls": "trace_id in (select trace_id from forgotten_traces)",
            "batches": "cache_key in (select cache_key from forgotten_requests)",
        },
    )
    for table in tables_with(con, "cache_key"):
        if table != "calls":
            con.execute(
                f"update {table} set cache_key = t.new from tokens t "  # noqa: S608  # our own names
                f"where {table}.cache_key = t.old and t.old not in (select cache_key from calls)"
            )
    for table, names in tables_with(con, "record_id").items():
        for column in ("record_id", "parent_id"):
            if column in names:
                n = run_statement(
                    con,
                    f"update {table} set {column} = f.new from forgotten f where {table}.{column} = f.old",  # noqa: S608
                )
                n_rows += n if column == "record_id" else 0
    anonymise_events(con, record.new_ids)
    clean_manifests(con, record.new_ids)
    n_collected = len(_column(con, "select text_hash from gone_texts where text_hash in (select text_hash from texts)"))
    n_removed = drop_orphaned_texts(con)
    drop_unused_bodies(con)
    return n_rows, n_removed, n_collected - n_removed


def _empty_text_columns(con: duckdb.DuckDBPyConnection) -> None:
    """Set every column that can quote the record to NULL."""
    for split_table in SPLIT_TABLES.values():
        con.execute(
            f"update {split_table.rows} set {split_table.key} = null where record_id in (select old from forgotten)"  # noqa: S608
        )
    for key, ids_query in (
        ("record_id", "select old from forgotten"),
        ("trace_id", "select trace_id from forgotten_traces"),
    ):
        for table, names in tables_with(con, key).items():
            for column in sorted(TEXT_COLUMNS & names):
                con.execute(f"update {table} set {column} = null where {key} in ({ids_query})")  # noqa: S608  # our own names


def _randomise_hashes(con: duckdb.DuckDBPyConnection, columns: Iterable[str], conditions: Mapping[str, str]) -> None:
    """Replace hashes of the text by random ids, the same id for the same hash in all tables.

    `conditions` has the tables, each with the condition of the rows that are changed.
    """
    names = read_columns(con)
    pairs = [(table, column) for table in conditions for column in columns if column in names[table]]
    query = " union ".join(
        f"select {column} as old from {table} where {conditions[table]}"  # noqa: S608  # our own names
        for table, column in pairs
    )
    old_values = [value for value in _column(con, query) if value is not None]
    con.execute("create or replace temp table tokens (old varchar, new varchar)")
    appender = con.appender("tokens")
    appender.append_rows((value, f"forgotten-{secrets.token_hex(16)}") for value in old_values)
    appender.flush()
    for table, column in pairs:
        con.execute(
            f"update {table} set {column} = t.new from tokens t "  # noqa: S608  # our own names
            f"where {table}.{column} = t.old and {table}.{conditions[table]}"
        )


def _column(
    con: duckdb.DuckDBPyConnection, query: str, params: list[object] | dict[str, object] | None = None
) -> list[str]:
    return [value for (value,) in con.execute(query, params).fetchall()]
