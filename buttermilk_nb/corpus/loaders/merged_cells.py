"""Merged cells of a workbook: the value of the first cell counts for each row that it spans, as people read it."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from ..._internal.markdown import code_list
from ..._internal.text import pluralise
from .header_rows import TableRow
from .zip_files import ZIP_ERRORS

_CHUNK = 1 << 20
_LONGEST_TAG = 200
_MERGED = re.compile(rb'<(?:\w+:)?mergeCell\b[^>]*\bref="([A-Z]{1,3})(\d{1,7}):[A-Z]{1,3}(\d{1,7})"')
_MAX_CELLS = 100_000


class MergedCell(NamedTuple):
    """A merged cell: the place of its column, counted from 0, and its first and last row."""

    column: int
    first: int
    last: int


def merged_cells(file: Path, part: str) -> list[MergedCell]:
    """The merged cells of a sheet that span several rows.

    Parameters
    ----------
    file
        The workbook.
    part
        The path of the sheet in it.
    """
    found: list[MergedCell] = []
    try:
        with zipfile.ZipFile(file) as archive, archive.open(part.lstrip("/")) as sheet:
            before = b""
            while chunk := sheet.read(_CHUNK):
                text = before + chunk
                end = 0
                for match in _MERGED.finditer(text):
                    found.append(MergedCell(_column(match[1]), int(match[2]), int(match[3])))
                    end = match.end()
                if len(found) > _MAX_CELLS:
                    break
                before = text[max(end, len(text) - _LONGEST_TAG) :]
    except (KeyError, *ZIP_ERRORS):  # a sheet that openpyxl can read and this cannot has no merged cells for us
        return []
    return [cell for cell in found if cell.last > cell.first]


def fill_merged_cells(
    rows: Sequence[TableRow], cells: Sequence[MergedCell], names: Sequence[str]
) -> tuple[list[TableRow], list[str]]:
    """The rows with the value of each merged cell in every row that it spans, and a remark on the columns.

    Examples
    --------
    >>> rows = [TableRow(2, ["north", "a"]), TableRow(3, [None, "b"]), TableRow(4, ["south", "c"])]
    >>> fill_merged_cells(rows, [MergedCell(0, 2, 3)], ["group", "text"])[0][1].cells
    ['north', 'b']
    """
    changed = {row.line: list(row.cells) for row in rows}
    n_filled = 0
    columns: dict[str, None] = {}
    for cell in cells:
        for line in _lines_below(cell, changed):
            value = changed[cell.first][cell.column] if cell.column < len(changed[cell.first]) else None
            values = changed[line]
            if value in (None, "") or cell.column >= len(values) or values[cell.column] not in (None, ""):
                continue
            values[cell.column] = value
            n_filled += 1
            columns[names[cell.column] if cell.column < len(names) else f"column {cell.column + 1}"] = None
    if not n_filled:
        return list(rows), []
    remark = (
        f"merged cells of {code_list(columns)} were read as if each row had their value "
        f"({pluralise(n_filled, 'row')} filled)."
    )
    return [row._replace(cells=changed[row.line]) for row in rows], [remark]


def _lines_below(cell: MergedCell, lines: dict[int, list[object]]) -> Iterator[int]:
    """The rows of the table that a merged cell spans below its first one."""
    if cell.first in lines:
        yield from (line for line in range(cell.first + 1, min(cell.last, max(lines)) + 1) if line in lines)


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - ord("A") + 1
    return number - 1
