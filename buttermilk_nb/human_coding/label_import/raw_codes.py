"""`RawCode`: one code as it is in a table, and what the readers of tables share."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple

from ...corpus.code_translation import CodeTranslation
from ...errors import SetupError, nearest
from ..questionnaire import Questionnaire
from ..spreadsheets.columns import clean_cell
from .tables import LabelTable

Layout = Literal["auto", "wide", "long", "form", "sheet", "passages"]
LAYOUTS = ("auto", "wide", "long", "form", "sheet", "passages")
Columns = Sequence[str] | Mapping[str, str | Mapping[str, str]]
OUTSIDE = "not in the sample"
"""The problem of a code if its record was not drawn."""


class RawCode(NamedTuple):
    """One code as it is in the table."""

    where: str
    coder: str
    record_id: str
    criterion: str
    """The key of the question."""
    raw: Any
    notes: str | None = None
    record_hash: str | None = None
    """The version of the text that the coder read, if that is known."""
    sample_id: str | None = None
    inclusion_p: float | None = None
    blind: bool | None = None
    problem: str | None = None
    """The reason why the code cannot be used, if that is already known."""
    quotes: Sequence[Mapping[str, Any]] | None = None
    """The marked passages."""
    problem_kind: str | None = None
    """The kind of the problem, if it is none of the layout."""


RowReader = Callable[[Mapping[str, Any]], Iterator[RawCode]]
"""Reads the codes in the fields of one row."""


class ImportOptions(NamedTuple):
    """The caller's description of the tables."""

    questionnaire: Questionnaire
    coder: str | None
    layout: Layout
    record_id: str
    columns: Columns | None
    values: CodeTranslation
    codes: Mapping[str, str | None] | None = None
    """What the codes of another program mean."""
    unmarked: Any = None
    """The answer where a coder marked nothing; by question, or one for all."""
    records: Mapping[str, str] | None = None
    """The records of texts that another program calls otherwise."""


def require_column(table: LabelTable, name: str) -> None:
    """Raise an error if a table has no such column."""
    if table.rows and not table.columns and table.rows[0].problem:
        raise SetupError(f"`{table.name}`, line {table.rows[0].line}: {table.rows[0].problem}.")
    if name not in table.columns:
        raise SetupError(f"`{table.name}` has no column `{name}`; {nearest(name, table.columns)}")


def as_name(value: Any) -> str:
    """An id or a name as text. The number 7.0 of a spreadsheet becomes `7`."""
    cell = clean_cell(value)
    return "" if cell is None else str(cell)
