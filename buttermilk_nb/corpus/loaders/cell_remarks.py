"""Remarks on cells of a workbook whose value is not what a reader of the sheet sees.

A cell that shows 85% holds 0.85, a formula that no program has calculated holds nothing, and a text of 32,767
characters was most likely cut there. Only workbooks with percentages or formulas are read a second time.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from ..._internal.markdown import code_list
from ..._internal.text import pluralise
from .open_workbook import open_workbook

_MAX_TEXT = 32_767
"""The characters of a cell in Excel."""
_PERCENT_IDS = (9, 10)
"""The numbers of the built-in formats `0%` and `0.00%`."""
_CHUNK = 1 << 20


def cell_remarks(file: Path, sheet: str, names: Sequence[str], n_header_rows: int) -> list[str]:
    """Sentences on the cells of a sheet.

    Parameters
    ----------
    file
        The workbook.
    sheet
        The name of the sheet.
    names
        The names of its columns.
    n_header_rows
        The rows above the first record.
    """
    has_percent, has_formulas = _has_percent_styles(file), _has_formulas(file)
    return [
        *(_percent_remark(file, sheet, names, n_header_rows) if has_percent else []),
        *(_formula_remark(file, sheet, names) if has_formulas else []),
    ]


def cut_text_remark(file_name: str, lines: Sequence[int]) -> list[str]:
    """A sentence on the rows with a text as long as a cell can be."""
    if not lines:
        return []
    shown = ", ".join(map(str, lines[:5])) + (", ..." if len(lines) > 5 else "")
    return [
        f"`{file_name}`: the text in row {shown} has {_MAX_TEXT:,} characters, which is the most that a cell can hold, "
        "so its end is probably missing."
    ]


def is_full(value: Any) -> bool:
    """Whether a cell holds as much text as a cell can."""
    return isinstance(value, str) and len(value) >= _MAX_TEXT


def _has_percent_styles(file: Path) -> bool:
    with zipfile.ZipFile(file) as archive:
        names = [name for name in archive.namelist() if name.lower().endswith("styles.xml")]
        styles = b"".join(archive.read(name) for name in names)
    return b"%" in styles or any(f'numFmtId="{number}"'.encode() in styles for number in _PERCENT_IDS)


def _has_formulas(file: Path) -> bool:
    with zipfile.ZipFile(file) as archive:
        for name in archive.namelist():
            if "/worksheets/" not in name.lower():
                continue
            with archive.open(name) as part:
                before = b""
                while chunk := part.read(_CHUNK):
                    if b"<f>" in before + chunk or b"<f " in before + chunk:
                        return True
                    before = chunk[-3:]
    return False


def _percent_remark(file: Path, sheet: str, names: Sequence[str], n_header_rows: int) -> list[str]:
    with open_workbook(file) as book:
        book[sheet].reset_dimensions()
        rows = book[sheet].iter_rows(min_row=n_header_rows + 1)
        columns = {place for row in rows for place, cell in enumerate(row) if _is_percent(cell)}
    shown = [names[place] for place in sorted(columns) if place < len(names)]
    if not shown:
        return []
    return [
        f"`{file.name}`: {code_list(shown)} has numbers that the sheet shows as percentages; they were read as the "
        "sheet holds them, 0.85 for 85%."
    ]


def _is_percent(cell: Any) -> bool:
    value = getattr(cell, "value", None)
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and "%" in str(getattr(cell, "number_format", ""))


def _formula_remark(file: Path, sheet: str, names: Sequence[str]) -> list[str]:
    with open_workbook(file, formulas=True) as formulas, open_workbook(file) as values:
        empty = list(_uncalculated(formulas[sheet], values[sheet]))
    if not empty:
        return []
    line, place = empty[0]
    column = f" of `{names[place]}`" if place < len(names) else ""
    verb = "holds a formula" if len(empty) == 1 else "hold formulas"
    return [
        f"`{file.name}`: {pluralise(len(empty), 'cell')} {verb} that no program has calculated (first: row "
        f"{line}{column}), and was read as empty; open the file in a spreadsheet program and save it again."
    ]


def _uncalculated(formulas: Any, values: Any) -> Iterator[tuple[int, int]]:
    """Row and place of each cell with a formula and without a value."""
    formulas.reset_dimensions()
    values.reset_dimensions()
    pairs = zip(formulas.iter_rows(values_only=True), values.iter_rows(values_only=True), strict=False)
    for line, (written, calculated) in enumerate(pairs, 1):
        for place, (formula, value) in enumerate(zip(written, calculated, strict=False)):
            if value is None and formula is not None:
                yield line, place
