"""The Excel workbook of a coding sheet: codes, codebook, and two hidden sheets.

Texts may be hostile. Each is written as text, so that Excel does not run it as a formula. A text that is too long for a
cell is cut, and a sentence says so. Drop-downs read their answers from a hidden sheet, because an answer may contain a
comma. Another hidden sheet stores the coder, the criteria and the versions of the records.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from ..._internal.private_files import private_files
from ..._internal.text import pluralise, shorten
from ...corpus.loaders import excel
from ...corpus.loaders.open_workbook import open_workbook
from ...corpus.loaders.source import SourceRow
from ...corpus.record import Record
from ...errors import SetupError
from ...store.exporters.excel import MAX_ROWS, MAX_UNITS
from ..questionnaire import Question, Questionnaire
from ..worklist import Item
from .columns import NOTES, RECORD_ID, TEXT, CodeColumn, code_columns

FORMAT = "coding sheet 1"
"""Marks a workbook as a coding sheet, with the version of its format."""
_SEPARATOR = "\n"
"""Between the names and the hashes of several documents."""
CODES, CODEBOOK, ANSWERS, FACTS = "codes", "codebook", "answers", "facts"
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")  # characters that XML does not allow
_WIDTHS = {RECORD_ID: 16, TEXT: 90, NOTES: 40}
_INSTRUCTIONS = (
    "How to fill in this sheet: On the first sheet, choose an answer in each column for each text. If you have not "
    "coded a text, leave its cells empty. If a question has a column for each label, write yes for each label that "
    "applies and leave the others empty. If no label applies, write no. Please do not change the ids or the headings."
)


class Facts(NamedTuple):
    """The coder, the criteria and the records of a sheet."""

    documents: dict[str, str]
    """The name of each document of criteria, by its hash."""
    coder: str
    records: dict[str, tuple[str, str | None, float | None]]
    """The hash of each record, its sample, and the probability of drawing it."""


def write_workbook(
    path: Path, questionnaire: Questionnaire, items: Sequence[Item], *, coder: str, corpus_hash: str
) -> None:
    """Write a sheet to fill in.

    Raises
    ------
    SetupError
        There are more records than a sheet has rows.
    """
    from openpyxl import Workbook  # 0.2 s to import

    if len(items) > MAX_ROWS:
        raise SetupError(
            f"there are {len(items):,} records, but an Excel sheet has at most {MAX_ROWS:,} rows; choose fewer records "
            "with sample=..."
        )
    columns = code_columns(questionnaire)
    book = Workbook()
    _write_codes(book, columns, items)
    _write_codebook(book.create_sheet(CODEBOOK, 1), questionnaire)
    _write_facts(book.create_sheet(FACTS), questionnaire, items, coder=coder, corpus_hash=corpus_hash)
    try:
        with private_files(path.parent):
            book.save(path)
    except OSError as error:
        raise SetupError(f"`{path}` cannot be written: {error.strerror}. Give another `path`.") from error


def read_facts(path: Path) -> Facts | None:
    """The facts of a workbook; None if it is not a coding sheet."""
    with open_workbook(path) as book:
        if FACTS not in book.sheetnames:
            return None
        rows = [
            list(row) + [None] * 4 for row in book[FACTS].iter_rows(max_row=excel.MAX_ROWS, max_col=8, values_only=True)
        ]
    head = {str(row[0]): str(row[1] or "") for row in rows[:5]}
    if head.get("form") != FORMAT:
        return None
    records = {
        str(row[0]): (str(row[1]), str(row[2]) if row[2] else None, _probability(row[3])) for row in rows[6:] if row[0]
    }
    names, hashes = (head.get(key, "").split(_SEPARATOR) for key in ("criteria_set", "criteria_hash"))
    documents = dict(zip(hashes, names, strict=False))
    return Facts(documents, head.get("coder", ""), records)


def read_codes(path: Path) -> list[SourceRow]:
    """The rows of the first sheet, as they were filled in."""
    return excel.read(path, sheet=CODES).rows_in_memory()


def _write_codes(book: Any, columns: Sequence[CodeColumn], items: Sequence[Item]) -> None:
    from openpyxl.styles import Alignment
    from openpyxl.utils import get_column_letter

    sheet, answer_sheet = book.active, book.create_sheet(ANSWERS)
    answer_sheet.sheet_state = "veryHidden"
    sheet.title = CODES
    headers = [RECORD_ID, TEXT, *(column.header for column in columns), NOTES]
    _write_headings(sheet, 1, headers)
    sheet.freeze_panes = "B2"
    for place, header in enumerate(headers, 1):
        sheet.column_dimensions[get_column_letter(place)].width = _WIDTHS.get(header, max(14, min(len(header) + 4, 40)))
    for line, item in enumerate(items, 2):
        _write_text(sheet.cell(line, 1), item.record.record_id)
        _write_text(sheet.cell(line, 2), _record_text(item.record))
        for place in range(1, len(headers) + 1):
            sheet.cell(line, place).alignment = Alignment(wrap_text=place in (2, len(headers)), vertical="top")
    for place, column in enumerate(columns, 1):
        letter = get_column_letter(place + 2)
        validation = _column_validation(column, answer_sheet, place, letter)
        validation.add(f"{letter}2:{letter}{len(items) + 1}")
        sheet.add_data_validation(validation)


def _column_validation(column: CodeColumn, answer_sheet: Any, place: int, letter: str) -> Any:
    """The data validation of a column: an answer from a drop-down, or a number."""
    from openpyxl.utils import get_column_letter
    from openpyxl.worksheet.datavalidation import DataValidation

    options = {
        "allow_blank": True,
        "showErrorMessage": True,
        "showInputMessage": True,
        "promptTitle": shorten(column.header, 32),
        "prompt": shorten(column.criterion.question, 250),
        "errorTitle": "not an answer",
    }
    if column.choices:
        for line, choice in enumerate(column.choices, 1):
            cell = answer_sheet.cell(line, place)
            if _is_number(choice):
                cell.value = int(choice)  # so that a typed 4 equals the 4 of the list
            else:
                _write_text(cell, choice)
        answer_letter = get_column_letter(place)
        cells = f"'{ANSWERS}'!${answer_letter}$1:${answer_letter}${len(column.choices)}"
        return DataValidation(type="list", formula1=cells, error="Choose an answer from the list.", **options)
    low, high = column.criterion.scale.bounds or (-math.inf, math.inf)
    error = f"Write a number from {low:g} to {high:g}."
    if not column.criterion.non_answers:
        limits = {"formula1": repr(low), "formula2": repr(high)}
        return DataValidation(type="decimal", operator="between", error=error, **limits, **options)
    cell = f"{letter}2"
    is_non_answer = ",".join(f'{cell}="{name}"' for name in column.criterion.non_answers)
    is_number = f"AND(ISNUMBER({cell}),{cell}>={low!r},{cell}<={high!r})"
    error = f"{error[:-1]}, or {' or '.join(column.criterion.non_answers)}."
    return DataValidation(type="custom", formula1=f"OR({is_number},{is_non_answer})", error=error, **options)


def _write_codebook(sheet: Any, questionnaire: Questionnaire) -> None:
    from openpyxl.styles import Alignment

    rows: list[Sequence[str]] = []
    for document in questionnaire.documents:
        rows += [("criteria", document.name), *([("version", document.version)] if document.version else [])]
        rows.append(("text", document.text))
    rows.append(("", _INSTRUCTIONS))
    for line, row in enumerate(rows, 1):
        for place, value in enumerate(row, 1):
            _write_text(sheet.cell(line, place), value)
    start = len(rows) + 2
    entries = [_codebook_row(question) for question in questionnaire]
    _write_headings(sheet, start, list(entries[0]))
    for line, entry in enumerate(entries, start + 1):
        for place, value in enumerate(entry.values(), 1):
            _write_text(sheet.cell(line, place), value)
    for row in sheet.iter_rows():
        for cell in row:
            cell.alignment = Alignment(wrap_text=True, vertical="top")
    for place, width in enumerate((18, 60, 50, 40, 40, 50, 40)):
        sheet.column_dimensions["ABCDEFG"[place]].width = width


def _codebook_row(question: Question) -> Mapping[str, str]:
    """A row of the codebook. The flag and the cues are left out, because they would tell the expected finding."""
    criterion = question.criterion
    examples = [f"{answer}: {text}" for answer, texts in criterion.examples.items() for text in texts]
    return {
        "criterion": question.key,
        "question": criterion.question,
        "definition": criterion.definition,
        "include": "\n".join(criterion.include),
        "exclude": "\n".join(criterion.exclude),
        "examples": "\n".join(examples),
        "answers": criterion.sentence,
    }


def _write_facts(
    sheet: Any, questionnaire: Questionnaire, items: Sequence[Item], *, coder: str, corpus_hash: str
) -> None:
    sheet.sheet_state = "veryHidden"
    names, hashes = (_SEPARATOR.join(parts) for parts in (questionnaire.names, questionnaire.hashes))
    head = {"form": FORMAT, "criteria_set": names, "criteria_hash": hashes, "coder": coder}
    rows: list[Sequence[Any]] = [*({**head, "corpus_hash": corpus_hash}).items()]
    rows.append(("record_id", "record_hash", "sample_id", "inclusion_p"))
    rows += [(i.record.record_id, i.record.record_hash, i.sample_id, i.inclusion_p) for i in items]
    for line, row in enumerate(rows, 1):
        for place, value in enumerate(row, 1):
            if isinstance(value, str):
                _write_text(sheet.cell(line, place), value)
            elif value is not None:
                sheet.cell(line, place, value)


def _write_headings(sheet: Any, line: int, names: Sequence[str]) -> None:
    from openpyxl.styles import Font

    for place, name in enumerate(names, 1):
        _write_text(sheet.cell(line, place), name)
        sheet.cell(line, place).font = Font(bold=True)


def _write_text(cell: Any, value: str) -> None:
    cell.value = _cut_text(_ILLEGAL.sub("\ufffd", value))
    cell.data_type = "s"  # otherwise openpyxl and Excel read a text that begins with = as a formula
    if value[:1] in ("=", "+", "-", "@"):
        cell.quotePrefix = True  # so that it stays text after somebody edits it


def _record_text(record: Record) -> str:
    if not record.images:
        return record.content
    names = ", ".join(image.name for image in record.images if image.name)
    images = pluralise(len(record.images), "image")
    note = f"[with {images}, which a spreadsheet cannot show{f': {names}' if names else ''}]"
    return f"{record.content}\n\n{note}".strip()


def _cut_text(text: str) -> str:
    """The text, cut with a note if it is longer than a cell can contain."""
    units = text.encode("utf-16-le", "replace")
    if len(units) <= MAX_UNITS * 2:
        return text
    note = (
        f" [cut here: a cell can contain {MAX_UNITS:,} characters, but this text has {len(text):,}; ask for the rest]"
    )
    return units[: 2 * (MAX_UNITS - len(note))].decode("utf-16-le", "ignore") + note


def _probability(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and 0 < value <= 1 else None


def _is_number(text: str) -> bool:
    return re.fullmatch(r"-?(0|[1-9]\d{0,8})", text, re.ASCII) is not None
