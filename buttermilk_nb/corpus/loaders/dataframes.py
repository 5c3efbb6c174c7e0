"""Parquet files, dataframes and lists of dictionaries."""

from __future__ import annotations

import glob
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...errors import SetupError
from ..record import Record
from .source import Source, SourceRow, check_unique, existing_path, file_facts, number_rows

if TYPE_CHECKING:
    import pandas as pd


def read_parquet(path: str | Path) -> Source:
    """Read a Parquet file with DuckDB, which needs no further package."""
    import duckdb  # 0.1 s to import

    file = existing_path(path)
    with duckdb.connect(config={"autoinstall_known_extensions": False}) as con:
        try:
            con.execute("set TimeZone = 'UTC'")
            table = con.read_parquet(glob.escape(str(file)))
            columns = [duckdb.ColumnExpression(name) for name in table.columns]
            has_zone = ["TIME ZONE" in str(column_type) for column_type in table.types]  # DuckDB needs pytz for these
            result = table.select(
                *(
                    column.cast("VARCHAR").alias(name) if zoned else column
                    for name, column, zoned in zip(table.columns, columns, has_zone, strict=True)
                )
            )
            rows = number_rows(dict(zip(table.columns, values, strict=True)) for values in result.fetchall())
        except duckdb.Error as error:
            raise SetupError(f"`{file.name}` cannot be read as Parquet: {str(error).splitlines()[0]}.") from error
    return Source(rows, file_facts(file), folder=file.parent)


def read_dataframe(frame: pd.DataFrame) -> Source:
    """Read a dataframe. Missing values become None. Line numbers count from 1."""
    objects = frame.astype(object).where(frame.notna(), None)
    names = check_unique([str(column) for column in objects.columns], "the dataframe")
    rows = number_rows(dict(zip(names, values, strict=True)) for values in objects.itertuples(index=False, name=None))
    return Source(rows, {"dataframe": {"rows": len(frame), "columns": names}})


def read_mappings(items: Iterable[Mapping[str, Any] | Record]) -> Source:
    """Read dictionaries. An item of another type becomes a row with a problem."""
    rows = []
    for line, item in enumerate(items, 1):
        if isinstance(item, Mapping):
            rows.append(SourceRow(line, {str(key): value for key, value in item.items()}))
        else:
            rows.append(SourceRow(line, {}, f"this is not a mapping but {type(item).__name__}"))
    return Source(rows, {"records": len(rows)})
