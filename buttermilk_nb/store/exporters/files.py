r"""From tables to files on this machine: CSV, JSON Lines, Parquet.

DuckDB writes the files itself, fast and in little memory, while the Store is open; what follows (workbooks, copies
to elsewhere) reads these files, so that nobody waits for a slow network.

A spreadsheet runs what begins with = + - or @ as a formula, and a record may hold anything. In CSV an
apostrophe is put before such texts (`unescape_formula` takes it off again; plain numbers are left alone). Empty
is NULL, `""` is an empty text. Lists are JSON there, and lists in JSON Lines and Parquet.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, NamedTuple

import duckdb

from ...errors import StoreError
from .selection import JSON, Column, ExportTable

Format = Literal["csv", "jsonl", "parquet", "xlsx"]
FORMATS: tuple[Format, ...] = ("csv", "jsonl", "parquet", "xlsx")
_COPY = {
    "csv": "(format csv, header true)",
    "jsonl": "(format json)",
    "parquet": "(format parquet, compression zstd, row_group_size_bytes '32MB')",
    "bigquery": "(format parquet, compression zstd, row_group_size_bytes '32MB')",
}
_STARTS = r"[=+\-@\t\r＝＋－＠]"
_NUMBER = r"[+-]?\d+(\.\d+)?([eE][+-]?\d+)?"


class TableFile(NamedTuple):
    """A table as a file on this machine."""

    name: str
    path: Path
    n_rows: int
    columns: tuple[Column, ...]


def write_table(
    con: duckdb.DuckDBPyConnection, tables: Sequence[ExportTable], folder: Path, kind: str
) -> list[TableFile]:
    """Write each table to a file of its name. Use the connection for nothing else."""
    con.execute("set threads = 1")  # a fifth of the memory, and no slower; rows keep their order
    if "row_group_size_bytes" in _COPY[kind]:
        con.execute("set preserve_insertion_order = false")  # DuckDB asks for that; one thread keeps it all the same
    staged = []
    for table in tables:
        path = folder / f"{table.name}.{kind}"
        shown = ", ".join(f"{_cast(column, kind)} as {column.sql}" for column in table.columns)
        query = f"copy (select {shown} from ({table.query})) to ? {_COPY[kind]}"  # noqa: S608  # our own columns only
        try:
            found = con.execute(query, [str(path)]).fetchone()
        except duckdb.Error as error:
            why = str(error).strip().splitlines()[0]
            raise StoreError(f"`{table.name}` could not be written to a file: {why}") from error
        staged.append(TableFile(table.name, path, int(found[0]) if found else 0, table.columns))
    return staged


def _cast(column: Column, kind: str) -> str:
    if kind == "csv":
        if column.is_list:
            return f"to_json({column.sql})::varchar"
        return escape_formula(column.sql) if column.kind == "VARCHAR" else column.sql
    if kind == "jsonl" and column.name in JSON and column.kind == "VARCHAR":
        return f"case when json_valid({column.sql}) then {column.sql}::json else to_json({column.sql}) end"
    if kind == "bigquery" and column.kind == "TIMESTAMP":
        return f"{column.sql}::timestamptz"  # a moment; without a zone it would be BigQuery's DATETIME
    if kind == "bigquery" and column.kind == "UUID":
        return f"{column.sql}::varchar"
    return column.sql


def escape_formula(sql: str) -> str:
    """SQL that puts an apostrophe before a text that a spreadsheet would run as a formula."""
    starts = f"regexp_matches({sql}, '^''*{_STARTS}')"
    number = f"regexp_full_match({sql}, '''*{_NUMBER}')"
    return f"case when {starts} and not {number} then '''' || {sql} else {sql} end"


def unescape_formula(text: str) -> str:
    """A text as it was before an apostrophe was put before it in CSV.

    Examples
    --------
    >>> unescape_formula("'=SUM(A1)"), unescape_formula("'tis"), unescape_formula("-1")
    ('=SUM(A1)', "'tis", '-1')
    """
    rest = text[1:]
    if text[:1] != "'" or not re.match(f"'*{_STARTS}", rest) or re.fullmatch(f"'*{_NUMBER}", rest):
        return text
    return rest
