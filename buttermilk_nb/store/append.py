"""Appends rows to the tables, and stores repeated texts only once.

Callers pass whole rows (`Score`, `Trace`). Here each is split into a light row and a body with its texts, which is
stored once under its hash. Texts, records and redactions are also stored once. DuckDB computes the hash with the macro
that the file itself defines, so that there is only one recipe, and so that the interpreter stays free for the run. The
same transaction checks whether a body exists already.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from operator import attrgetter, itemgetter
from typing import Any, NamedTuple

import duckdb

from ..schema import RecordRow, RedactionRow, Row, Score, TextRow, Trace

_CHUNK = 50_000  # rows per flush: memory stays flat, and DuckDB 2.0 counts rowids wrongly after flushing 122,880


class SplitTable(NamedTuple):
    """How the rows of a model are split into two tables."""

    rows: str
    bodies: str
    key: str
    columns: tuple[str, ...]
    """The fields in the table of bodies."""
    recipe: str
    """The macro that computes the key from these fields."""


SPLIT_TABLES: dict[type[Row], SplitTable] = {
    Score: SplitTable("score_rows", "said", "said_hash", ("conclusion", "reasons"), "hash_of_said"),
    Trace: SplitTable("trace_rows", "outcomes", "outcome_hash", ("output", "error_message"), "hash_of_outcome"),
}
UNIQUE_KEYS: dict[type[Row], tuple[str, ...]] = {
    TextRow: ("text_hash",),
    RecordRow: ("record_id", "record_hash", "details_hash"),
    RedactionRow: ("request_hash", "placeholder"),
}
"""Models whose rows are stored once, and the fields that identify a row."""


def append(con: duckdb.DuckDBPyConnection, rows: Sequence[Row]) -> None:
    """Append rows of one model."""
    if rows:
        model = type(rows[0])
        append_tuples(con, model, map(attrgetter(*model.model_fields), rows))


def append_tuples(con: duckdb.DuckDBPyConnection, model: type[Row], rows: Iterable[tuple[Any, ...]]) -> None:
    """Append rows of one model, given as tuples in the order of its fields."""
    names = list(model.model_fields)
    if model in SPLIT_TABLES:
        _append_split(con, model, names, rows)
    elif model in UNIQUE_KEYS:
        row_list = list(rows)
        key = itemgetter(*(names.index(name) for name in UNIQUE_KEYS[model]))
        keys = map(key, row_list) if len(UNIQUE_KEYS[model]) > 1 else ((key(row),) for row in row_list)
        append_new(con, model, (row_list[position] for position in new_rows(con, model, keys)))
    else:
        append_new(con, model, rows)


def append_new(con: duckdb.DuckDBPyConnection, model: type[Row], rows: Iterable[tuple[Any, ...]]) -> None:
    """Append rows that are not stored yet, to a table that is not split."""
    append_chunks(con, model.table, list(model.model_fields), rows)


def new_rows(con: duckdb.DuckDBPyConnection, model: type[Row], keys: Iterable[tuple[Any, ...]]) -> list[int]:
    """The positions of the keys that are not stored yet, each key once."""
    names = UNIQUE_KEYS[model]
    key_columns = ", ".join(names)
    con.execute(f"create temp table incoming_keys (row_index bigint, {', '.join(f'{name} varchar' for name in names)})")
    append_chunks(con, "incoming_keys", ["row_index", *names], ((position, *key) for position, key in enumerate(keys)))
    rows = con.execute(
        f"select min(row_index) from incoming_keys anti join {model.table} using ({key_columns}) "  # noqa: S608  # our own names
        f"group by {key_columns} order by 1"
    ).fetchall()
    con.execute("drop table incoming_keys")
    return [position for (position,) in rows]


def drop_unused_bodies(con: duckdb.DuckDBPyConnection) -> int:
    """Remove the bodies that no row refers to any more, and return their number."""
    removed = 0
    for split_table in SPLIT_TABLES.values():
        row = con.execute(
            f"delete from {split_table.bodies} where {split_table.key} not in "  # noqa: S608  # our own names
            f"(select {split_table.key} from {split_table.rows} where {split_table.key} is not null)"
        ).fetchone()
        removed += row[0] if row else 0
    return removed


def _append_split(
    con: duckdb.DuckDBPyConnection, model: type[Row], names: list[str], rows: Iterable[tuple[Any, ...]]
) -> None:
    """Append rows without a body directly; split the others into light rows and bodies."""
    split_table = SPLIT_TABLES[model]
    light = [name for name in names if name not in split_table.columns]
    body_values = itemgetter(*(names.index(name) for name in split_table.columns))
    rows_without_body: list[tuple[Any, ...]] = []
    rows_with_body: list[tuple[Any, ...]] = []
    for row in rows:
        (rows_without_body if body_values(row) == (None,) * len(split_table.columns) else rows_with_body).append(row)
    if rows_without_body:
        light_values = itemgetter(*(names.index(name) for name in light))
        append_chunks(con, split_table.rows, light, map(light_values, rows_without_body))
    if not rows_with_body:
        return
    con.execute(f"create temp table incoming as from {model.table} limit 0")
    append_chunks(con, "incoming", names, rows_with_body)
    _split_incoming(con, split_table, ", ".join(light))
    con.execute("drop table incoming")


def _split_incoming(con: duckdb.DuckDBPyConnection, split_table: SplitTable, light: str) -> None:
    """Move the rows of the temporary table `incoming` to the two permanent tables."""
    columns, key = ", ".join(split_table.columns), split_table.key
    first_values = ", ".join(f"any_value({name})" for name in split_table.columns)
    con.execute(f"create temp table hashed as select *, {split_table.recipe}({columns}) as {key} from incoming")  # noqa: S608
    con.execute(
        f"insert into {split_table.bodies} ({key}, {columns}) select {key}, {first_values} "  # noqa: S608  # our own names
        f"from hashed anti join {split_table.bodies} using ({key}) group by {key}"
    )
    con.execute(f"insert into {split_table.rows} ({light}, {key}) select {light}, {key} from hashed")  # noqa: S608
    con.execute("drop table hashed")


def append_chunks(
    con: duckdb.DuckDBPyConnection, table: str, names: list[str], rows: Iterable[tuple[Any, ...]]
) -> None:
    """Append tuples to a table in chunks, so that memory stays flat."""
    appender = con.appender(table, columns=names)
    remaining = iter(rows)
    try:
        while chunk := list(itertools.islice(remaining, _CHUNK)):
            appender.append_rows(chunk)
            appender.flush()
    except BaseException:
        appender.clear()  # its rows belong to a transaction that is rolled back; else it would raise an error
        raise
