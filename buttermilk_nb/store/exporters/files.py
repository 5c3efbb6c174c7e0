r"""Writes tables to local CSV, JSON Lines and Parquet files.

DuckDB writes the files itself, fast and in little memory, while the Store is open. Workbooks and remote copies are made
from these files, so that no process waits for the Store because of a slow network.

A spreadsheet runs a text that begins with = + - or @ as a formula, and a record may contain any text. In CSV an
apostrophe is put before such texts (`unescape_formula` removes it again; plain numbers stay as they are). An empty
field is NULL, and `""` is an empty text. Lists are JSON in CSV, and lists in JSON Lines and Parquet.
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
_FORMULA_STARTS = r"[=+\-@\t\r＝＋－＠]"
_NUMBER = r"[+-]?\d+(\.\d+)?([eE][+-]?\d+)?"


class TableFile(NamedTuple):
    """A local file with the rows of one table."""

    name: str
    path: Path
    n_rows: int
    columns: tuple[Column, ...]


def write_tables(
    con: duckdb.DuckDBPyConnection, tables: Sequence[ExportTable], folder: Path, kind: str
) -> list[TableFile]:
    """Write each table to a file with its name; do not use the connection for anything else."""
    con.execute("set threads = 1")  # a fifth of the memory, and no slower; rows keep their order
    if "row_group_size_bytes" in _COPY[kind]:
        con.execute(
            "set preserve_insertion_order = false"
        )  # DuckDB requires this; with one thread the order stays the same
    table_files = []
    for table in tables:
        path = folder / f"{table.name}.{kind}"
        columns = ", ".join(f"{_column_sql(column, kind)} as {column.sql}" for column in table.columns)
        query = f"copy (select {columns} from ({table.query})) to ? {_COPY[kind]}"  # noqa: S608  # our own columns only
        try:
            row = con.execute(query, [str(path)]).fetchone()
        except duckdb.Error as error:
            reason = str(error).strip().splitlines()[0]
            raise StoreError(f"`{table.name}` could not be written to a file: {reason}") from error
        table_files.append(TableFile(table.name, path, int(row[0]) if row else 0, table.columns))
    return table_files


def _column_sql(column: Column, kind: str) -> str:
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
    """SQL that puts an apostrophe before texts that a spreadsheet would run as formulas."""
    starts = f"regexp_matches({sql}, '^''*{_FORMULA_STARTS}')"
    number = f"regexp_full_match({sql}, '''*{_NUMBER}')"
    return f"case when {starts} and not {number} then '''' || {sql} else {sql} end"


def escape_formula_text(text: str) -> str:
    """A text with an apostrophe before it if a spreadsheet would run it as a formula.

    Examples
    --------
    >>> escape_formula_text("=SUM(A1)"), escape_formula_text("'tis"), escape_formula_text("-1")
    ("'=SUM(A1)", "'tis", '-1')
    """
    is_formula = re.match(f"'*{_FORMULA_STARTS}", text) and not re.fullmatch(f"'*{_NUMBER}", text)
    return f"'{text}" if is_formula else text


def unescape_formula(text: str) -> str:
    """The original of a text to which `escape_formula` may have added an apostrophe.

    Examples
    --------
    >>> unescape_formula("'=SUM(A1)"), unescape_formula("'tis"), unescape_formula("-1")
    ('=SUM(A1)', "'tis", '-1')
    """
    unescaped = text[1:]
    if text[:1] != "'" or not re.match(f"'*{_FORMULA_STARTS}", unescaped) or re.fullmatch(f"'*{_NUMBER}", unescaped):
        return text
    return unescaped
