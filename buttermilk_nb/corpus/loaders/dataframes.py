"""Parquet files, dataframes and lists of dictionaries."""

from __future__ import annotations

import datetime as dt
import glob
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..._internal.text import is_blank
from ...errors import SetupError
from ..record import Record
from .remote_files import MAX_BYTES
from .source import Source, SourceRow, check_unique, existing_path, file_facts, number_rows

if TYPE_CHECKING:
    import duckdb
    import pandas as pd

MAX_ROWS = 5_000_000
"""The rows of a Parquet file that are read into memory."""


def read_parquet(path: str | Path) -> Source:
    """Read a Parquet file with DuckDB, which needs no further package."""
    import duckdb  # 0.1 s to import

    file = existing_path(path)
    with duckdb.connect(config={"autoinstall_known_extensions": False}) as con:
        try:
            con.execute("set TimeZone = 'UTC'")
            table = con.read_parquet(glob.escape(str(file)))
            columns = [duckdb.ColumnExpression(name) for name in table.columns]
            _check_parquet_size(con, file)
            has_zone = ["TIME ZONE" in str(column_type) for column_type in table.types]  # DuckDB needs pytz for these
            result = table.select(
                *(
                    column.cast("VARCHAR").alias(name) if zoned else column
                    for name, column, zoned in zip(table.columns, columns, has_zone, strict=True)
                )
            )
            rows = number_rows(dict(zip(table.columns, values, strict=True)) for values in result.fetchall())
        except (duckdb.Error, RuntimeError, ValueError) as error:  # the last two for names that are not UTF-8
            message = (str(error) or type(error).__name__).splitlines()[0].rstrip(".")
            raise SetupError(f"`{file.name}` cannot be read as Parquet: {message}.") from error
    return Source(rows, file_facts(file), folder=file.parent)


def _check_parquet_size(con: duckdb.DuckDBPyConnection, file: Path) -> None:
    """Check how large the values are in memory: a column that repeats one text takes hardly any bytes in the file."""
    escaped = glob.escape(str(file))
    ((n_rows,),) = con.execute("select sum(num_rows) from parquet_file_metadata(?)", [escaped]).fetchall()
    if n_rows > MAX_ROWS:
        raise SetupError(f"`{file.name}` has {n_rows:,} rows, and at most {MAX_ROWS:,} are read; make a smaller file.")
    names = [f'"{name.replace(chr(34), chr(34) * 2)}"' for name in con.read_parquet(escaped).columns]
    sums = " + ".join(f"coalesce(sum(strlen({name}::varchar)), 0)" for name in names)
    ((n_bytes,),) = con.execute(f"select {sums} from read_parquet(?)", [escaped]).fetchall()  # noqa: S608  # quoted
    if n_bytes > MAX_BYTES:
        raise SetupError(
            f"the values of `{file.name}` take {n_bytes / 1e9:,.1f} GB, and at most {MAX_BYTES / 1e9:,.1f} GB are "
            "read; make a smaller file."
        )


def read_dataframe(frame: pd.DataFrame) -> Source:
    """Read a dataframe. Missing values become None. Line numbers count from 1."""
    objects = frame.astype(object).where(frame.notna(), None)
    names = check_unique([str(column) for column in objects.columns], "the dataframe")
    rows = number_rows(
        dict(zip(names, map(_plain_date, values), strict=True)) for values in objects.itertuples(index=False, name=None)
    )
    return Source(rows, {"dataframe": {"rows": len(frame), "columns": names}}, unit="row")


def _plain_date(value: Any) -> Any:
    """A date or time as text, in the form that it has in a workbook too; any other value as it is."""
    return value.isoformat() if isinstance(value, dt.date | dt.time) else value


def _plain_missing(value: Any) -> Any:
    """None for the missing values of pandas, any other value as it is."""
    return None if type(value).__name__ in ("NAType", "NaTType") else value


def read_mappings(items: Iterable[Mapping[str, Any] | Record | str]) -> Source:
    """Read dictionaries. An item of another type becomes a row with a problem."""
    rows = [_mapping_row(number, item) for number, item in enumerate(items, 1)]
    return Source(rows, {"records": len(rows)}, unit="record")


def read_texts(items: Iterable[Mapping[str, Any] | Record | str]) -> Source:
    """Read texts, and dictionaries among them. A blank text becomes a row with a problem."""
    rows = [
        SourceRow(number, {"content": item}, "it is blank" if is_blank(item) else None)
        if isinstance(item, str)
        else _mapping_row(number, item)
        for number, item in enumerate(items, 1)
    ]
    return Source(rows, {"records": len(rows)}, unit="text")


def _mapping_row(number: int, item: Mapping[str, Any] | Record | str) -> SourceRow:
    if isinstance(item, Mapping):
        return SourceRow(number, {str(key): _plain_missing(value) for key, value in item.items()})
    return SourceRow(number, {}, f"this is not a mapping but {type(item).__name__}")
