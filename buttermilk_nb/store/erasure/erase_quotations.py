"""Erases what quotes a forgotten record in rows about other records: answers, errors, events, notes, manifests.

Every column with text is searched, also those of later versions. A request or answer that quotes the record is removed
like its own; any other text is emptied, and only the quoting parts of JSON data.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from typing import Any, NamedTuple

import duckdb

from ..._internal.text import texts_in
from ..append import SPLIT_TABLES, drop_unused_bodies
from .anonymise import ERASED
from .delete_rows import WORDING_KINDS, read_columns
from .erased_texts import ErasedTexts

_NOT_SEARCHED = frozenset({"records", "links", "tombstones"})
_NO_TEXT = ("_id", "_ids", "_hash")
_FETCH = 2_000


class Quotations(NamedTuple):
    """What was erased."""

    n_texts: int
    run_ids: list[str]


class _TextColumn(NamedTuple):
    table: str
    name: str
    is_list: bool
    nullable: bool


def collect_erased_texts(con: duckdb.DuckDBPyConnection) -> ErasedTexts:
    """The texts of the records in the temporary table `forgotten`, without what other records and wordings share."""
    own = [
        text
        for row in con.execute(
            "select content, uri, metadata, expert_reasons from records where record_id in (select old from forgotten)"
        ).fetchall()
        for value in (*row[:2], *map(_parse_json, row[2:]))
        for text in texts_in(value)
    ]
    notes = con.execute(
        "select reasons, notes, quotes from labels where record_id in (select old from forgotten)"
    ).fetchall()
    own += [text for *texts, quotes in notes for text in texts_in([*texts, _quoted(_parse_json(quotes))])]
    ids = [record_id for (record_id,) in con.execute("select old from forgotten").fetchall()]
    return ErasedTexts(own, _shared_texts(con), ids)


def erase_quotations(con: duckdb.DuckDBPyConnection, erased: ErasedTexts) -> Quotations:
    """Erase what quotes the record; returns the number of texts, and the runs that this changed."""
    if not erased:
        return Quotations(0, [])
    con.execute("create or replace temp table quoting_runs (run_id varchar)")
    n_texts = 0
    for column in _text_columns(con):
        values = _quoting_values(con, column, erased)
        if not values:
            continue
        n_texts += len(values)
        con.execute("create or replace temp table quoting (value varchar, replacement varchar)")
        rows = [[value, _replacement(value, column, erased)] for value in values]
        con.executemany("insert into quoting values (?, ?)", rows)
        _erase_values(con, column)
    drop_unused_bodies(con)
    runs = con.execute("select distinct run_id from quoting_runs where run_id is not null order by 1").fetchall()
    return Quotations(n_texts, [run_id for (run_id,) in runs])


def _shared_texts(con: duckdb.DuckDBPyConnection) -> Iterator[str]:
    """The texts of other records, and the wordings of prompts, criteria and schemas."""
    for query in (
        "select concat_ws(chr(10), content, metadata, expert_reasons, uri) from records "
        "where record_id not in (select old from forgotten)",
        f"select body from texts where kind in {WORDING_KINDS}",  # noqa: S608  # our own words
    ):
        con.execute(query)
        while rows := con.fetchmany(_FETCH):
            yield from (text for (text,) in rows)


def _text_columns(con: duckdb.DuckDBPyConnection) -> list[_TextColumn]:
    """The columns of texts in tables that have rows."""
    rows = con.execute(
        "select table_name, column_name, data_type, is_nullable from duckdb_columns() join duckdb_tables() "
        "using (database_oid, table_oid, table_name) where data_type in ('VARCHAR', 'VARCHAR[]') "
        "and not duckdb_tables.temporary order by table_name, column_index"
    ).fetchall()
    columns = [
        _TextColumn(table, name, kind.endswith("[]"), nullable)
        for table, name, kind, nullable in rows
        if table not in _NOT_SEARCHED and not name.endswith(_NO_TEXT)
    ]
    tables = {column.table for column in columns}
    query = " union all ".join(f"select '{table}' where exists (select 1 from {table})" for table in tables)  # noqa: S608  # names of the file
    filled = {table for (table,) in con.execute(query).fetchall()}
    return [column for column in columns if column.table in filled]


def _quoting_values(con: duckdb.DuckDBPyConnection, column: _TextColumn, erased: ErasedTexts) -> list[str]:
    condition = f" and kind not in {WORDING_KINDS}" if column.table == "texts" else ""
    con.execute(
        f"select distinct {column.name}::varchar from {column.table} where {column.name} is not null{condition}"  # noqa: S608  # names of the file
    )
    values: list[str] = []
    while rows := con.fetchmany(_FETCH):
        texts = [text for (text,) in rows]
        values += [texts[position] for position in erased.find(texts)]
    return values


def _replacement(value: str, column: _TextColumn, erased: ErasedTexts) -> str | None:
    is_body = column.table in ("texts", *(split.bodies for split in SPLIT_TABLES.values()))
    data = None if column.is_list or is_body else _parse_json(value)
    if isinstance(data, dict | list):
        blanked = json.dumps(erased.blank(data), ensure_ascii=False)
        return ERASED if erased.occurs_in(blanked) else blanked
    return None if column.nullable else ""


def _erase_values(con: duckdb.DuckDBPyConnection, column: _TextColumn) -> None:
    """Erase the values in the temporary table `quoting` from a column."""
    bodies = {split.bodies: split for split in SPLIT_TABLES.values()}
    matching = f"{column.name}::varchar in (select value from quoting)"  # noqa: S608  # a name of the file
    if column.table == "texts":
        con.execute(f"create or replace temp table gone_texts as select text_hash from texts where {matching}")  # noqa: S608
        _erase_texts(con)
    elif column.table in bodies:
        split = bodies[column.table]
        keys = f"select {split.key} from {split.bodies} where {matching}"  # noqa: S608
        con.execute(f"insert into quoting_runs select run_id from {split.rows} where {split.key} in ({keys})")  # noqa: S608
        con.execute(f"update {split.rows} set {split.key} = null where {split.key} in ({keys})")  # noqa: S608
    else:
        if "run_id" in read_columns(con)[column.table]:
            con.execute(f"insert into quoting_runs select run_id from {column.table} where {matching}")  # noqa: S608
        value = "null" if column.is_list else "q.replacement"
        con.execute(
            f"update {column.table} set {column.name} = {value} from quoting q "  # noqa: S608
            f"where {column.table}.{column.name}::varchar = q.value"
        )


def _erase_texts(con: duckdb.DuckDBPyConnection) -> None:
    """Remove the requests and answers in `gone_texts`, and replace their hashes by random ones."""
    hashes = [text_hash for (text_hash,) in con.execute("select text_hash from gone_texts").fetchall()]
    con.execute("create or replace temp table tokens (old varchar, new varchar)")
    con.executemany("insert into tokens values (?, ?)", [[old, f"forgotten-{secrets.token_hex(16)}"] for old in hashes])
    for name in ("request_hash", "response_hash"):
        con.execute(f"insert into quoting_runs select run_id from calls where {name} in (select old from tokens)")  # noqa: S608
        con.execute(f"update calls set {name} = t.new from tokens t where calls.{name} = t.old")  # noqa: S608
    con.execute("delete from redactions where request_hash in (select old from tokens)")
    con.execute("delete from texts where text_hash in (select old from tokens)")


def _quoted(value: Any) -> Any:
    """The texts of marked passages."""
    return [item.get("text") for item in value if isinstance(item, dict)] if isinstance(value, list) else value


def _parse_json(text: str | None) -> Any:
    try:
        return json.loads(text) if text else None
    except ValueError:
        return text
