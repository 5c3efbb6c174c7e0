"""The workbook of a coding sheet: the codes on the first sheet, the codebook on the second, facts on hidden ones.

Texts are hostile: every one is written as text, so that none is run as a formula, and one that is longer than a cell
takes is cut with a sentence in its place. Drop-downs read their answers from a hidden sheet, because an answer may hold
a comma.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from ..._internal.text import pluralise, shorten
from ...codebook.criteria import Criteria
from ...codebook.criterion import Criterion
from ...codebook.scales import Continuous
from ...corpus.loaders import excel
from ...corpus.loaders.source import SourceRow
from ...corpus.record import Record
from ...errors import SetupError
from ...store.exporters.excel import MAX_ROWS, MAX_UNITS
from ..worklist import Item
from .columns import NOTES, RECORD_ID, TEXT, CodeColumn, code_columns

MARK = "coding sheet 1"
"""Says that a workbook is one of ours, and in which form."""
CODES, CODEBOOK, ANSWERS, FACTS = "codes", "codebook", "answers", "facts"
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")  # what XML cannot hold
_WIDTHS = {RECORD_ID: 16, TEXT: 90, NOTES: 40}
_HOW = (
    "How to fill in: on the first sheet, choose an answer in each column for each text. Leave a cell empty where you "
    "have not coded. Where a question has a column for each label, write yes for those that apply and leave the "
    "others empty; where none applies, write no. Please change neither the ids nor the headings."
)


class Facts(NamedTuple):
    """What a sheet was made for."""

    criteria_set: str
    criteria_hash: str
    coder: str
    records: dict[str, tuple[str, str | None, float | None]]
    """Of each record its hash, its sample and the probability with which it was drawn."""


def write(path: Path, criteria: Criteria, items: Sequence[Item], *, coder: str, corpus_hash: str) -> None:
    """Write a sheet to be filled in.

    Raises
    ------
    SetupError
        There are more records than a sheet has rows.
    """
    from openpyxl import Workbook  # 0.2 s to import

    if len(items) > MAX_ROWS:
        raise SetupError(f"{len(items):,} records, and an Excel sheet takes {MAX_ROWS:,}: choose fewer with sample=...")
    columns = code_columns(criteria)
    book = Workbook()
    _codes(book, columns, items)
    _codebook(book.create_sheet(CODEBOOK, 1), criteria)
    _facts(book.create_sheet(FACTS), criteria, items, coder=coder, corpus_hash=corpus_hash)
    try:
        book.save(path)
    except OSError as error:
        raise SetupError(f"`{path}` cannot be written: {error.strerror}. Give another `path`.") from error


def read_facts(path: Path) -> Facts | None:
    """What a workbook says it was made for; None where it is not one of ours."""
    from openpyxl import load_workbook

    try:
        book = load_workbook(path, read_only=True, data_only=True)
    except Exception as error:  # openpyxl raises whatever the zip or the XML inside raised
        raise SetupError(f"`{path.name}` cannot be read as an Excel workbook: {error}.") from error
    try:
        if FACTS not in book.sheetnames:
            return None
        rows = [list(row) + [None] * 4 for row in book[FACTS].iter_rows(values_only=True)]
    finally:
        book.close()
    said = {str(row[0]): str(row[1]) for row in rows[:5]}
    if said.get("form") != MARK:
        return None
    known = {
        str(row[0]): (str(row[1]), str(row[2]) if row[2] else None, _probability(row[3])) for row in rows[6:] if row[0]
    }
    return Facts(said.get("criteria_set", ""), said.get("criteria_hash", ""), said.get("coder", ""), known)


def read_codes(path: Path) -> list[SourceRow]:
    """The rows of the first sheet, as they were filled in."""
    return excel.read(path, sheet=CODES).rows


def _codes(book: Any, columns: Sequence[CodeColumn], items: Sequence[Item]) -> None:
    from openpyxl.styles import Alignment
    from openpyxl.utils import get_column_letter

    sheet, lists = book.active, book.create_sheet(ANSWERS)
    lists.sheet_state = "veryHidden"
    sheet.title = CODES
    headers = [RECORD_ID, TEXT, *(column.header for column in columns), NOTES]
    _heading(sheet, 1, headers)
    sheet.freeze_panes = "B2"
    for place, header in enumerate(headers, 1):
        sheet.column_dimensions[get_column_letter(place)].width = _WIDTHS.get(header, max(14, min(len(header) + 4, 40)))
    for line, item in enumerate(items, 2):
        _text(sheet.cell(line, 1), item.record.record_id)
        _text(sheet.cell(line, 2), _shown(item.record))
        for place in range(1, len(headers) + 1):
            sheet.cell(line, place).alignment = Alignment(wrap_text=place in (2, len(headers)), vertical="top")
    for place, column in enumerate(columns, 1):
        letter = get_column_letter(place + 2)
        rule = _rule(column, lists, place, letter)
        rule.add(f"{letter}2:{letter}{len(items) + 1}")
        sheet.add_data_validation(rule)


def _rule(column: CodeColumn, lists: Any, place: int, letter: str) -> Any:
    """What a column takes: an answer from a drop-down, or a number."""
    from openpyxl.utils import get_column_letter
    from openpyxl.worksheet.datavalidation import DataValidation

    said = {
        "allow_blank": True,
        "showErrorMessage": True,
        "showInputMessage": True,
        "promptTitle": shorten(column.header, 32),
        "prompt": shorten(column.criterion.question, 250),
        "errorTitle": "not an answer",
    }
    if column.choices:
        for line, choice in enumerate(column.choices, 1):
            cell = lists.cell(line, place)
            if _is_number(choice):
                cell.value = int(choice)  # so that a typed 4 is the 4 of the list
            else:
                _text(cell, choice)
        where = get_column_letter(place)
        cells = f"'{ANSWERS}'!${where}$1:${where}${len(column.choices)}"
        return DataValidation(type="list", formula1=cells, error="Choose one from the list.", **said)
    scale = column.criterion.scale
    assert isinstance(scale, Continuous)
    error = f"Write a number from {scale.low:g} to {scale.high:g}."
    if not column.criterion.non_answers:
        low, high = repr(scale.low), repr(scale.high)
        return DataValidation(type="decimal", operator="between", formula1=low, formula2=high, error=error, **said)
    cell = f"{letter}2"
    words = ",".join(f'{cell}="{name}"' for name in column.criterion.non_answers)
    number = f"AND(ISNUMBER({cell}),{cell}>={scale.low!r},{cell}<={scale.high!r})"
    other = " or ".join(column.criterion.non_answers)
    return DataValidation(type="custom", formula1=f"OR({number},{words})", error=f"{error[:-1]}, or {other}.", **said)


def _codebook(sheet: Any, criteria: Criteria) -> None:
    from openpyxl.styles import Alignment

    rows: list[Sequence[str]] = [("criteria", criteria.name)]
    rows += [("version", criteria.version)] if criteria.version else []
    rows += [("text", criteria.text), ("", _HOW)]
    for line, row in enumerate(rows, 1):
        for place, value in enumerate(row, 1):
            _text(sheet.cell(line, place), value)
    start = len(rows) + 2
    _heading(sheet, start, list(_entry(criteria.criteria[0])))
    for line, criterion in enumerate(criteria, start + 1):
        for place, value in enumerate(_entry(criterion).values(), 1):
            _text(sheet.cell(line, place), value)
    for row in sheet.iter_rows():
        for cell in row:
            cell.alignment = Alignment(wrap_text=True, vertical="top")
    for place, width in enumerate((18, 60, 50, 40, 40, 50, 40)):
        sheet.column_dimensions["ABCDEFG"[place]].width = width


def _entry(criterion: Criterion) -> Mapping[str, str]:
    """A line of the codebook. What the analysis looks for (flag, cues) is not in it."""
    examples = [f"{answer}: {text}" for answer, texts in criterion.examples.items() for text in texts]
    return {
        "criterion": criterion.name,
        "question": criterion.question,
        "definition": criterion.definition,
        "include": "\n".join(criterion.include),
        "exclude": "\n".join(criterion.exclude),
        "examples": "\n".join(examples),
        "answers": criterion.sentence,
    }


def _facts(sheet: Any, criteria: Criteria, items: Sequence[Item], *, coder: str, corpus_hash: str) -> None:
    sheet.sheet_state = "veryHidden"
    head = {"form": MARK, "criteria_set": criteria.name, "criteria_hash": criteria.criteria_hash, "coder": coder}
    rows: list[Sequence[Any]] = [*({**head, "corpus_hash": corpus_hash}).items()]
    rows.append(("record_id", "record_hash", "sample_id", "inclusion_p"))
    rows += [(i.record.record_id, i.record.record_hash, i.sample_id, i.inclusion_p) for i in items]
    for line, row in enumerate(rows, 1):
        for place, value in enumerate(row, 1):
            if isinstance(value, str):
                _text(sheet.cell(line, place), value)
            elif value is not None:
                sheet.cell(line, place, value)


def _heading(sheet: Any, line: int, names: Sequence[str]) -> None:
    from openpyxl.styles import Font

    for place, name in enumerate(names, 1):
        _text(sheet.cell(line, place), name)
        sheet.cell(line, place).font = Font(bold=True)


def _text(cell: Any, value: str) -> None:
    cell.value = _fitting(_ILLEGAL.sub("\ufffd", value))
    cell.data_type = "s"  # what begins with = is a formula to openpyxl, and to Excel
    if value[:1] in ("=", "+", "-", "@"):
        cell.quotePrefix = True  # also after somebody edits it


def _shown(record: Record) -> str:
    if not record.images:
        return record.content
    names = ", ".join(image.name for image in record.images if image.name)
    note = f"[with {pluralise(len(record.images), 'image')}, which a sheet cannot show{f': {names}' if names else ''}]"
    return f"{record.content}\n\n{note}".strip()


def _fitting(text: str) -> str:
    units = text.encode("utf-16-le", "replace")
    if len(units) <= MAX_UNITS * 2:
        return text
    note = f" [cut here: a cell takes {MAX_UNITS:,} characters, this text has {len(text):,}; ask for the rest]"
    return units[: 2 * (MAX_UNITS - len(note))].decode("utf-16-le", "ignore") + note


def _probability(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and 0 < value <= 1 else None


def _is_number(text: str) -> bool:
    return re.fullmatch(r"-?(0|[1-9]\d{0,8})", text, re.ASCII) is not None
