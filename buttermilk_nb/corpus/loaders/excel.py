"""Excel workbooks, through openpyxl, which reads the texts of all sheets into memory.

A workbook is a zip, and a small one can unpack to many gigabytes, or name a row so far down that the rows above it fill
the memory. So its size is checked before it is opened, and the rows are counted.
"""

from __future__ import annotations

import datetime as dt
import zipfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import zip_longest
from pathlib import Path
from typing import Any

from ...errors import SetupError, nearest
from .source import Source, SourceRow, check_unique, existing_path, file_facts
from .zip_files import ZIP_ERRORS

_LIMITS = {"texts": 200_000_000, "sheets": 1_000_000_000, "other parts": 20_000_000}
"""The bytes to which the parts of a workbook may unpack; sheets are read row by row, the rest is read into memory."""
MAX_ROWS = 1_048_576
"""The rows of a sheet in Excel."""


def read(path: str | Path, *, sheet: str | None = None) -> Source:
    """Read one sheet, by default the first. Its first row that is not empty is the header."""
    file = existing_path(path)
    with open_workbook(file) as book:
        name = sheet or book.sheetnames[0]
        if name not in book.sheetnames:
            raise SetupError(f"`{file.name}` has no sheet `{name}`; {nearest(name, book.sheetnames)}")
        rows: list[SourceRow] = []
        n_empty = 0  # rows since the last one with a value; those at the end are dropped
        header: list[str] = []
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
                n_empty += bool(header)
                continue
            rows += [SourceRow(number, {}, "empty row") for number in range(line - n_empty, line)]
            n_empty = 0
            if not header:
                header = [str(value).strip() if value is not None else "" for value in values]
                check_unique(header, f"`{file.name}`")
            else:
                rows.append(SourceRow(line, {h: v for h, v in zip_longest(header, values[: len(header)]) if h}))
    return Source(rows, {**file_facts(file), "sheet": name}, folder=file.parent)


@contextmanager
def open_workbook(file: Path) -> Iterator[Any]:
    """Open a workbook for reading, after a check of its size.

    Raises
    ------
    SetupError
        It is not a workbook, is damaged, or would unpack to too many bytes.
    """
    import openpyxl  # 0.2 s to import, and most corpora are not workbooks

    try:
        with zipfile.ZipFile(file) as archive:
            sizes = Counter(dict.fromkeys(_LIMITS, 0))
            for member in archive.infolist():
                sizes[_part_of(member.filename)] += member.file_size
    except ZIP_ERRORS as error:
        raise SetupError(f"`{file.name}` cannot be read as an Excel workbook: {error}.") from error
    for part, limit in _LIMITS.items():
        if sizes[part] > limit:
            raise SetupError(
                f"the {part} of `{file.name}` would unpack to {sizes[part] / 1e6:,.0f} MB, and at most "
                f"{limit / 1e6:,.0f} MB are read; save the sheet as CSV."
            )
    try:
        book = openpyxl.load_workbook(file, read_only=True, data_only=True)
    except Exception as error:  # openpyxl passes on the errors of the zip and XML libraries
        raise SetupError(f"`{file.name}` cannot be read as an Excel workbook: {error}.") from error
    try:
        if not book.sheetnames:
            raise SetupError(f"`{file.name}` contains no sheet.")
        yield book
    except SetupError:
        raise
    except Exception as error:  # a sheet is read row by row, so that damage is found late
        raise SetupError(f"`{file.name}` cannot be read as an Excel workbook: {error}.") from error
    finally:
        book.close()


def _part_of(name: str) -> str:
    name = name.lower()
    if not name.endswith((".xml", ".rels")):
        return "media"  # never read
    if name.endswith("sharedstrings.xml"):
        return "texts"
    return "sheets" if "/worksheets/" in name else "other parts"


def _cell_value(value: Any) -> Any:
    if isinstance(value, dt.datetime | dt.date | dt.time):
        return value.isoformat()
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value
