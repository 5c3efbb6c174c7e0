"""Parquet files, dataframes and lists of dictionaries."""

from __future__ import annotations

import glob
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...errors import SetupError
from ..record import Record
from .source import Source, SourceRow, check_unique, existing_path, file_facts, numbered

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
            zoned = ["TIME ZONE" in str(kind) for kind in table.types]  # DuckDB hands these over through pytz only
            result = table.select(
                *(
                    column.cast("VARCHAR").alias(name) if in_zone else column
                    for name, column, in_zone in zip(table.columns, columns, zoned, strict=True)
                )
            )
            rows = numbered(dict(zip(table.columns, values, strict=True)) for values in result.fetchall())
        except duckdb.Error as error:
            raise SetupError(f"`{file.name}` cannot be read as Parquet: {str(error).splitlines()[0]}.") from error
    return Source(rows, file_facts(file), folder=file.parent)


def read_dataframe(frame: pd.DataFrame) -> Source:
    """Read a dataframe. Missing cells become None; line numbers count from 1."""
    plain = frame.astype(object).where(frame.notna(), None)
    names = check_unique([str(column) for column in plain.columns], "the dataframe")
    rows = numbered(dict(zip(names, values, strict=True)) for values in plain.itertuples(index=False, name=None))
    return Source(rows, {"dataframe": {"rows": len(frame), "columns": names}})


def read_mappings(items: Iterable[Mapping[str, Any] | Record]) -> Source:
    """Read dictionaries."""
    rows = []
    for line, item in enumerate(items, 1):
        if isinstance(item, Mapping):
            rows.append(SourceRow(line, {str(key): value for key, value in item.items()}))
        else:
            rows.append(SourceRow(line, {}, f"not a mapping but {type(item).__name__}"))
    return Source(rows, {"records": len(rows)})
