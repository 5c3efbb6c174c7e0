"""Find the header of a table: below titles, and in several rows, as survey tools write it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from ...errors import SetupError
from .source import check_unique

_LOOKED_AT = 10  # rows above which a header is searched for
_SURVEY_COLUMNS = frozenset({"respondentid", "respondent id", "collectorid", "collector id"})


class TableRow(NamedTuple):
    """A row of a table that may be its header."""

    line: int
    cells: Sequence[Any]

    @property
    def n_filled(self) -> int:
        """The number of cells that are not empty."""
        return sum(not _is_empty(cell) for cell in self.cells)


class Header(NamedTuple):
    """The header of a table.

    Parameters
    ----------
    names
        The names of the columns; a column without one is called `column 4`.
    n_rows
        How many rows it takes, titles above it included.
    facts
        What was found out about it, for the provenance.
    remarks
        What was guessed.
    """

    names: list[str]
    n_rows: int
    facts: dict[str, Any]
    remarks: tuple[str, ...]


def find_header(rows: Sequence[TableRow], name: str, line: int | None = None) -> Header:
    """Find the header among the first rows of a table; empty rows must be among them.

    Parameters
    ----------
    rows
        The rows.
    name
        What the table is called in messages.
    line
        The line of the header, counted from 1; None to find it.

    Raises
    ------
    SetupError
        There is no such line, or two columns have one name.

    Examples
    --------
    >>> rows = [TableRow(1, ["My study", ""]), TableRow(2, ["", ""]), TableRow(3, ["id", "text"]), TableRow(4, "ab")]
    >>> find_header(rows, "table").names
    ['id', 'text']
    """
    place, remarks = _header_place(rows, name, line)
    names = _column_names(rows[place].cells)
    facts: dict[str, Any] = {"header": rows[place].line} if place or line else {}
    n_rows = place + 1
    following = rows[n_rows : n_rows + 2]
    if len(following) == 2 and _is_qualtrics(following[1].cells):
        texts = zip(names, following[0].cells, strict=False)
        facts["question_texts"] = {key: str(text) for key, text in texts if not _is_empty(text)}
        n_rows += 2
        remarks.append(f"{name}: the three header rows of Qualtrics are one header; the provenance has the questions.")
    elif following and _is_survey_monkey(names, following[0].cells):
        names = _with_options(rows[place].cells, following[0].cells)
        n_rows += 1
        remarks.append(f"{name}: the two header rows of SurveyMonkey are one header, `question: option`.")
    return Header(check_unique(names, name), n_rows, facts, tuple(remarks))


def _header_place(rows: Sequence[TableRow], name: str, line: int | None) -> tuple[int, list[str]]:
    """The place of the header row, and a remark if there is something above it."""
    filled = [place for place, row in enumerate(rows) if row.n_filled]
    if not filled:
        raise SetupError(f"{name} is empty: it has no header line.")
    if line is not None:
        chosen = [place for place in filled if rows[place].line == line]
        if not chosen:
            raise SetupError(f"header={line}: {name} has no such row, or it is empty.")
        return chosen[0], []
    first = filled[0]
    wide = next((place for place in filled if rows[place].n_filled > 1), first)
    has_gap = any(rows[place].n_filled == 0 for place in range(first, wide))
    if not has_gap or wide >= _LOOKED_AT:
        return first, []
    title = str(next(cell for cell in rows[first].cells if not _is_empty(cell))).strip()
    return wide, [
        f"{name}: the header was found in line {rows[wide].line}, below `{title:.60}`; if that is wrong, write "
        f"header={rows[first].line}."
    ]


def _column_names(cells: Sequence[Any]) -> list[str]:
    return [str(cell).strip() if not _is_empty(cell) else f"column {number}" for number, cell in enumerate(cells, 1)]


def _is_qualtrics(cells: Sequence[Any]) -> bool:
    """Whether a row holds the ids that Qualtrics writes into the third row: `{"ImportId": "QID1"}`."""
    filled = [str(cell) for cell in cells if not _is_empty(cell)]
    return bool(filled) and all(cell.lstrip().startswith("{") and '"ImportId"' in cell for cell in filled)


def _is_survey_monkey(names: Sequence[str], cells: Sequence[Any]) -> bool:
    """Whether the second row holds the options of SurveyMonkey's questions."""
    known = [name.casefold() in _SURVEY_COLUMNS for name in names]
    return (
        any(known)
        and all(_is_empty(cell) for is_known, cell in zip(known, cells, strict=False) if is_known)
        and any(not _is_empty(cell) for cell in cells)
    )


def _with_options(questions: Sequence[Any], options: Sequence[Any]) -> list[str]:
    """The names of columns from a row of questions, each for several columns, and a row of their options."""
    names, question = [], ""
    padded = [*questions, *([""] * (len(options) - len(questions)))]
    for number, (cell, option) in enumerate(zip(padded, [*options, *([""] * len(padded))], strict=False), 1):
        question = str(cell).strip() if not _is_empty(cell) else question
        option_text = "" if _is_empty(option) else str(option).strip()
        is_only = option_text.casefold() in ("", "response", "open-ended response")
        own = question if is_only else f"{question}: {option_text}"
        names.append(own or f"column {number}")
    return names


def _is_empty(cell: Any) -> bool:
    return cell is None or (isinstance(cell, str) and not cell.strip())


HEADER_AGAIN = "the header is repeated here, as where files were joined"


def is_header_again(cells: Sequence[Any], names: Sequence[str]) -> bool:
    """Whether a row repeats the header, also behind the byte-order mark of a file that was joined to another."""
    own = [str(cell).strip().removeprefix("\ufeff").strip('"') for cell in cells]
    return len(own) > 1 and own == [name.strip() for name in names]
