"""Parquet files, dataframes and lists of dictionaries."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import SetupError
from ..records import Record
from .base import Row, Source, existing, file_facts, numbered

if TYPE_CHECKING:
    import pandas as pd


def read_parquet(path: str | Path) -> Source:
    """Read a Parquet file with DuckDB, which needs no further package."""
    import duckdb  # 0.1 s to import

    file = existing(path)
    with duckdb.connect(config={"autoinstall_known_extensions": False}) as con:
        try:
            result = con.execute("select * from read_parquet(?)", [str(file)])
        except duckdb.Error as error:
            raise SetupError(f"`{file.name}` cannot be read as Parquet: {str(error).splitlines()[0]}.") from error
        names = [column[0] for column in result.description or ()]
        rows = numbered(dict(zip(names, values, strict=True)) for values in result.fetchall())
    return Source(rows, file_facts(file))


def read_dataframe(frame: pd.DataFrame) -> Source:
    """Read a dataframe. Missing cells become None; line numbers count from 1."""
    plain = frame.astype(object).where(frame.notna(), None)
    names = [str(column) for column in plain.columns]
    rows = numbered(dict(zip(names, values, strict=True)) for values in plain.itertuples(index=False, name=None))
    return Source(rows, {"dataframe": {"rows": len(frame), "columns": names}})


def read_mappings(items: Iterable[Mapping[str, Any] | Record]) -> Source:
    """Read dictionaries."""
    rows = []
    for line, item in enumerate(items, 1):
        if isinstance(item, Mapping):
            rows.append(Row(line, dict(item)))
        else:
            rows.append(Row(line, {}, f"not a mapping but {type(item).__name__}"))
    return Source(rows, {"records": len(rows)})
