"""Opens Excel workbooks.

A workbook is a zip, and a small one can unpack to many gigabytes, or name a row so far down that the rows above it fill
the memory. So its size is checked before it is opened, and the rows are counted.
"""

from __future__ import annotations

import zipfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ...errors import SetupError
from .zip_files import ZIP_ERRORS

_LIMITS = {"texts": 200_000_000, "sheets": 1_000_000_000, "other parts": 20_000_000}
"""The bytes to which the parts of a workbook may unpack; sheets are read row by row, the rest is read into memory."""


@contextmanager
def open_workbook(file: Path, *, formulas: bool = False) -> Iterator[Any]:
    """Open a workbook for reading, after a check of its size; with `formulas`, these instead of their values.

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
        book = openpyxl.load_workbook(file, read_only=True, data_only=not formulas)
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
