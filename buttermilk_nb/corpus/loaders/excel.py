"""Excel workbooks, through openpyxl."""

from __future__ import annotations

import datetime as dt
from itertools import zip_longest
from pathlib import Path
from typing import Any

from ...errors import SetupError, nearest
from .source import Source, SourceRow, check_unique, existing_path, file_facts


def read(path: str | Path, *, sheet: str | None = None) -> Source:
    """Read one sheet, by default the first. Its first row that is not empty is the header."""
    import openpyxl  # 0.2 s to import, and most corpora are not workbooks

    file = existing_path(path)
    try:
        book = openpyxl.load_workbook(file, read_only=True, data_only=True)
    except Exception as error:  # openpyxl passes on the errors of the zip and XML libraries
        raise SetupError(f"`{file.name}` cannot be read as an Excel workbook: {error}.") from error
    try:
        name = sheet or book.sheetnames[0]
        if name not in book.sheetnames:
            raise SetupError(f"`{file.name}` has no sheet `{name}`; {nearest(name, book.sheetnames)}")
        rows: list[SourceRow] = []
        header: list[str] = []
        if not hasattr(book[name], "iter_rows"):
            raise SetupError(f"the sheet `{name}` of `{file.name}` is a chart; name another with sheet=...")
        book[name].reset_dimensions()  # some programs write a wrong size, and openpyxl would stop too early
        for line, cells in enumerate(book[name].iter_rows(values_only=True), 1):
            values = [_cell_value(cell) for cell in cells]
            if all(value in (None, "") for value in values):
                if header:
                    rows.append(SourceRow(line, {}, "empty row"))
            elif not header:
                header = [str(value).strip() if value is not None else "" for value in values]
                check_unique(header, f"`{file.name}`")
            else:
                rows.append(SourceRow(line, {h: v for h, v in zip_longest(header, values[: len(header)]) if h}))
    finally:
        book.close()
    while rows and rows[-1].problem:
        rows.pop()  # Excel stores formatted but empty rows at the end
    return Source(rows, {**file_facts(file), "sheet": name}, folder=file.parent)


def _cell_value(value: Any) -> Any:
    if isinstance(value, dt.datetime | dt.date | dt.time):
        return value.isoformat()
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value
