"""An Excel workbook: one sheet a table, and a last one that says what the columns mean.

Excel has limits, and they are said rather than overrun: a table with more rows than a sheet is refused
before anything is written, and a longer text than a cell takes is cut, with a sentence in its place. Every
text is written as text, so that none is run as a formula.
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
"""Rows that a sheet takes below its header."""
MAX_UNITS = 32_767
"""UTF-16 units that a cell takes."""
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")  # what XML cannot hold
_FETCH = 1000


def too_long(staged: Sequence[TableFile]) -> list[str]:
    """A sentence for each table that no sheet can take."""
    return [
        f"`{table.name}` has {table.n_rows:,} rows and an Excel sheet takes {MAX_ROWS:,}: export it as csv or "
        "parquet, or fewer runs with run_ids=[...]."
        for table in staged
        if table.n_rows > MAX_ROWS
    ]


def write_workbook(staged: Sequence[TableFile], meanings: Sequence[DictionaryEntry], path: Path) -> None:
    """Write staged Parquet files as one workbook, a row at a time.

    Raises
    ------
    SetupError
        A table has more rows than a sheet.
    """
    from openpyxl import Workbook  # 0.2 s to import, and most exports are not workbooks

    if problems := too_long(staged):
        raise SetupError(*problems)
    book = Workbook(write_only=True)
    for table in staged:
        sheet = book.create_sheet(table.name[:31])
        sheet.freeze_panes = "A2"
        sheet.append([column.name for column in table.columns])
        for row in _rows(table.path):
            sheet.append([_cell(sheet, value) for value in row])
    sheet = book.create_sheet("data-dictionary")
    sheet.append(list(DictionaryEntry._fields))
    for entry in meanings:
        sheet.append([_cell(sheet, value) for value in entry])
    book.save(path)


def _rows(path: Path) -> Iterator[tuple[Any, ...]]:
    with duckdb.connect(config={"autoinstall_known_extensions": False}) as con:
        found = con.execute("from read_parquet(?)", [str(path)])
        while rows := found.fetchmany(_FETCH):
            yield from rows


def _cell(sheet: Any, value: Any) -> Any:
    from openpyxl.cell import WriteOnlyCell

    if isinstance(value, list | dict):
        value = canonical(value)
    if isinstance(value, float) and (value != value or abs(value) == float("inf")):
        value = str(value)
    if not isinstance(value, str):
        return value
    cell = WriteOnlyCell(sheet)
    cell.value = _fitting(_ILLEGAL.sub("\ufffd", value))
    cell.data_type = "s"  # what begins with = is a formula to openpyxl, and to Excel
    if value[:1] in ("=", "+", "-", "@"):
        cell.quotePrefix = True  # also after somebody edits it
    return cell


def _fitting(text: str) -> str:
    if len(text) * 2 <= MAX_UNITS:
        return text
    units = text.encode("utf-16-le")
    if len(units) <= MAX_UNITS * 2:
        return text
    note = f" [cut here: Excel takes {MAX_UNITS:,} characters a cell, this text has {len(text):,}; csv holds it all]"
    return units[: 2 * (MAX_UNITS - len(note))].decode("utf-16-le", "ignore") + note
