"""Excel workbooks, through openpyxl, which reads the texts of all sheets into memory."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from itertools import zip_longest
from pathlib import Path
from typing import Any

from ...errors import SetupError, nearest
from .cell_remarks import cell_remarks, cut_text_remark, is_full
from .header_rows import HEADER_AGAIN, TableRow, find_header, is_header_again
from .merged_cells import fill_merged_cells, merged_cells
from .open_workbook import open_workbook
from .source import Source, SourceRow, existing_path, file_facts

MAX_ROWS = 1_048_576
"""The rows of a sheet in Excel."""


def read(path: str | Path, *, sheet: str | None = None, header: int | None = None) -> Source:
    """Read one sheet, by default the first. The header is its first row with several values, if it is not given."""
    file = existing_path(path)
    with open_workbook(file) as book:
        name = sheet or book.sheetnames[0]
        if name not in book.sheetnames:
            raise SetupError(f"`{file.name}` has no sheet `{name}`; {nearest(name, book.sheetnames)}")
        table: list[TableRow] = []
        n_empty = 0  # rows since the last one with a value; those at the end are dropped
        if not hasattr(book[name], "iter_rows"):
            raise SetupError(f"the sheet `{name}` of `{file.name}` is a chart; name another with sheet=...")
        book[name].reset_dimensions()  # some programs write a wrong size, and openpyxl would stop too early
        for line, cells in enumerate(book[name].iter_rows(max_row=MAX_ROWS + 1, values_only=True), 1):
            if line > MAX_ROWS:
                raise SetupError(
                    f"the sheet `{name}` of `{file.name}` has a row below number {MAX_ROWS:,}, which no sheet can "
                    "have; open it in a spreadsheet program and save it again."
                )
            values = [_cell_value(cell) for cell in cells]
            if all(value in (None, "") for value in values):
                n_empty += bool(table)
                continue
            table += [TableRow(number, ()) for number in range(line - n_empty, line)]
            n_empty = 0
            table.append(TableRow(line, values))
        merged = merged_cells(file, str(getattr(book[name], "_worksheet_path", "")))
        remarks = _sheet_remarks(file.name, name, book.sheetnames if sheet is None else [name])
    top = find_header(table, f"`{file.name}`", header)
    body = table[top.n_rows :]
    names = _names_for(top.names, body)
    body, merged_remarks = fill_merged_cells(body, merged, names) if merged else (body, [])
    remarks += [f"`{file.name}`: {remark}" for remark in merged_remarks]
    rows = [
        SourceRow(row.line, dict(zip_longest(names, row.cells[: len(names)])), _problem(row, names))
        if row.n_filled
        else SourceRow(row.line, {}, "empty row")
        for row in body
    ]
    remarks += cell_remarks(file, name, names, top.n_rows)
    remarks += cut_text_remark(file.name, [row.line for row in table if any(map(is_full, row.cells))])
    facts = {**file_facts(file), "sheet": name, **top.facts}
    return Source(rows, facts, folder=file.parent, remarks=(*remarks, *top.remarks))


def _problem(row: TableRow, names: Sequence[str]) -> str | None:
    return HEADER_AGAIN if is_header_again(row.cells, names) else None


def _names_for(names: list[str], rows: Sequence[TableRow]) -> list[str]:
    """The names of the columns that have a name or a value; cells beyond them are formatting."""
    widest = max(
        (place for row in rows for place, cell in enumerate(row.cells, 1) if cell not in (None, "")), default=0
    )
    names = names + [f"column {number}" for number in range(len(names) + 1, widest + 1)]
    while len(names) > widest and names[-1] == f"column {len(names)}":
        names = names[:-1]
    return names


def _sheet_remarks(file_name: str, sheet: str, names: Sequence[str]) -> list[str]:
    others = [name for name in names if name != sheet]
    if not others:
        return []
    listed = ", ".join(f"`{name}`" for name in others[:5])
    return [f"`{file_name}`: only the sheet `{sheet}` was read, and not {listed}; sheet=... reads another."]


def sheet_names(path: str | Path) -> list[str]:
    """The names of the sheets with cells, in their order."""
    with open_workbook(existing_path(path)) as book:
        sheets = [name for name in book.sheetnames if hasattr(book[name], "iter_rows")]
        return [name for name in sheets if _has_values(book[name])] or sheets[:1]


def _has_values(sheet: Any) -> bool:
    sheet.reset_dimensions()
    rows = sheet.iter_rows(max_row=MAX_ROWS, values_only=True)
    return any(cell not in (None, "") for row in rows for cell in row)


def _cell_value(value: Any) -> Any:
    if isinstance(value, dt.datetime | dt.date | dt.time):
        return value.isoformat()
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, str) and "_x" in value:
        from openpyxl.utils.escape import unescape

        return unescape(value)  # control characters are written as `_x000D_`
    return value
