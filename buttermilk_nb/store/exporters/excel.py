"""Writes an Excel workbook: one sheet per table, and a data dictionary.

Excel has limits, and the workbook says where they matter. A table with more rows than a sheet can have is refused
before anything is written. A text that is too long for an Excel cell is cut, and a note says so. Every text is
written as text, so that Excel runs none as a formula.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import duckdb

from ..._internal.ids import canonical
from ...errors import SetupError
from .data_dictionary import DictionaryEntry
from .files import TableFile

MAX_ROWS = 1_048_575
"""Rows that a sheet can have below its header."""
MAX_UNITS = 32_767
"""UTF-16 units that an Excel cell can have."""
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")  # not allowed in XML
_FETCH = 1000


def row_limit_problems(table_files: Sequence[TableFile]) -> list[str]:
    """A message for each table with too many rows for a sheet."""
    return [
        f"`{table.name}` has {table.n_rows:,} rows, but an Excel sheet can have {MAX_ROWS:,}: export it as csv or "
        "parquet, or export fewer runs with run_ids=[...]."
        for table in table_files
        if table.n_rows > MAX_ROWS
    ]


def write_workbook(table_files: Sequence[TableFile], dictionary: Sequence[DictionaryEntry], path: Path) -> None:
    """Write Parquet files as one workbook, one row at a time.

    Raises
    ------
    SetupError
        A table has more rows than a sheet can have.
    """
    from openpyxl import Workbook  # 0.2 s to import, and most exports are not workbooks

    if problems := row_limit_problems(table_files):
        raise SetupError(*problems)
    book = Workbook(write_only=True)
    for table in table_files:
        sheet = book.create_sheet(table.name[:31])
        sheet.freeze_panes = "A2"
        sheet.append([column.name for column in table.columns])
        for row in _read_rows(table.path):
            sheet.append([_excel_cell(sheet, value) for value in row])
    sheet = book.create_sheet("data-dictionary")
    sheet.append(list(DictionaryEntry._fields))
    for entry in dictionary:
        sheet.append([_excel_cell(sheet, value) for value in entry])
    book.save(path)


def _read_rows(path: Path) -> Iterator[tuple[Any, ...]]:
    with duckdb.connect(config={"autoinstall_known_extensions": False}) as con:
        result = con.execute("from read_parquet(?)", [str(path)])
        while rows := result.fetchmany(_FETCH):
            yield from rows


def _excel_cell(sheet: Any, value: Any) -> Any:
    from openpyxl.cell import WriteOnlyCell

    if isinstance(value, list | dict):
        value = canonical(value)
    if isinstance(value, float) and (value != value or abs(value) == float("inf")):
        value = str(value)
    if not isinstance(value, str):
        return value
    cell = WriteOnlyCell(sheet)
    cell.value = _shorten(_ILLEGAL.sub("\ufffd", value))
    cell.data_type = "s"  # openpyxl and Excel take a text that begins with = for a formula
    if value[:1] in ("=", "+", "-", "@"):
        cell.quotePrefix = True  # also after somebody edits it
    return cell


def _shorten(text: str) -> str:
    if len(text) * 2 <= MAX_UNITS:
        return text
    units = text.encode("utf-16-le")
    if len(units) <= MAX_UNITS * 2:
        return text
    note = (
        f" [cut here: Excel allows {MAX_UNITS:,} characters per cell, this text has {len(text):,}; csv has all of it]"
    )
    return units[: 2 * (MAX_UNITS - len(note))].decode("utf-16-le", "ignore") + note
