"""From the rows of a table to codes: one layout for each way in which people write them down.

`sheet` is a coding sheet of ours; `wide` has a column for each coder, or, where the coder is named, for each
criterion; `long` has a row for each code.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple

from ...codebook.criteria import Criteria
from ...errors import SetupError, nearest
from ..spreadsheets.columns import NOTES, TEXT, answers_in, code_columns, plain
from .tables import LabelTable

Layout = Literal["auto", "wide", "long", "sheet"]
LAYOUTS = ("auto", "wide", "long", "sheet")
Columns = Sequence[str] | Mapping[str, str | Mapping[str, str]]
_ROLES = (
    "coder", "criterion", "category", "value", "notes", "criteria_hash", "status", "record_hash", "source", "blind",
    "sample_id", "inclusion_p",
)  # fmt: skip


OUTSIDE = "not in the sample"
"""The problem of a code whose record was not drawn."""


class RawCode(NamedTuple):
    """One code as it was written down."""

    where: str
    coder: str
    record_id: str
    criterion: str
    raw: Any
    notes: str | None = None
    record_hash: str | None = None
    """Of the text that the coder had, where that is known."""
    sample_id: str | None = None
    inclusion_p: float | None = None
    blind: bool | None = None
    problem: str | None = None
    """Why it cannot be used, where that is known already."""


class ImportOptions(NamedTuple):
    """What the caller says of the tables."""

    criteria: Criteria
    coder: str | None
    layout: Layout
    record_id: str
    columns: Columns | None
    values: Mapping[str, Any]


def codes_in(table: LabelTable, asked: ImportOptions) -> Iterator[RawCode]:
    """Every code of a table, empty ones too.

    Raises
    ------
    SetupError
        A column is missing, nobody says who coded, or a sheet was made for other criteria.
    """
    layout = asked.layout
    if layout == "auto":
        layout = "sheet" if table.facts else "long" if _is_long(table, asked) else "wide"
    id_column = "record_id" if table.facts else asked.record_id
    _column(table, id_column)
    read = {"sheet": _sheet, "long": _long, "wide": _wide}[layout](table, asked)
    for row in table.rows:
        if row.problem == "empty row":
            continue
        where, record_id = f"{table.name}, line {row.line}", _name(row.fields.get(id_column))
        if row.problem:
            yield RawCode(where, "", record_id, "", None, problem=row.problem)
            continue
        for code in read(row.fields):
            yield code._replace(where=where, record_id=record_id, raw=_meant(code.raw, asked.values))


def _sheet(table: LabelTable, asked: ImportOptions) -> Any:
    facts, criteria = table.facts, asked.criteria
    if facts is None and asked.coder is None:
        raise SetupError(f'`{table.name}` does not say whose codes it holds; write coder="kf".')
    if facts and facts.criteria_hash != criteria.criteria_hash:
        raise SetupError(
            f"`{table.name}` was made for another wording of criteria `{facts.criteria_set}` ({facts.criteria_hash}) "
            f"than `{criteria.name}` has now ({criteria.criteria_hash}); import it with the criteria as they were."
        )
    if facts and asked.coder not in (None, facts.coder):
        raise SetupError(f"`{table.name}` is the sheet of coder `{facts.coder}`, not of `{asked.coder}`.")
    coder = facts.coder if facts else str(asked.coder)
    columns = [column for column in code_columns(criteria) if column.header in table.columns]
    if not columns:
        first = code_columns(criteria)[0].header
        raise SetupError(f"`{table.name}` has no column `{first}`; {nearest(first, table.columns)}")

    def read(fields: Mapping[str, Any]) -> Iterator[RawCode]:
        known = facts.records.get(_name(fields.get("record_id"))) if facts else None
        record_hash, sample_id, inclusion_p = known or (None, None, None)
        notes = _name(fields.get(NOTES)) or None
        answers = answers_in(fields, columns)
        first = next((criterion for criterion, raw in answers if raw is not None), answers[0][0])
        for criterion, raw in answers:
            note = notes if criterion is first else None  # one column for all questions: kept once
            yield RawCode(
                "", coder, "", criterion.name, raw, note, record_hash, sample_id, inclusion_p, True if facts else None
            )

    return read


def _wide(table: LabelTable, asked: ImportOptions) -> Any:
    one = asked.coder is not None and asked.columns is None
    if one and (_headers(asked) & set(table.columns) or asked.coder not in table.columns):
        return _sheet(table, asked)
    plan = _plan(table, asked)
    for _, _, column in plan:
        _column(table, column)

    def read(fields: Mapping[str, Any]) -> Iterator[RawCode]:
        for coder, criterion, column in plan:
            yield RawCode("", coder, "", criterion, plain(fields.get(column)))

    return read


def _plan(table: LabelTable, asked: ImportOptions) -> list[tuple[str, str, str]]:
    """Coder, criterion and column of each code in a row."""
    given = asked.columns
    if given is None:
        left = (asked.record_id, TEXT, NOTES)
        given = [asked.coder] if asked.coder else [name for name in table.columns if name not in left]
    if isinstance(given, str):
        given = [given]
    pairs = given.items() if isinstance(given, Mapping) else [(name, name) for name in given]
    found = []
    for coder, columns in pairs:
        by_criterion = columns if isinstance(columns, Mapping) else {_only(asked.criteria): columns}
        for criterion, column in by_criterion.items():
            found.append((str(coder), asked.criteria[criterion].name, str(column)))
    if not found:
        raise SetupError(f"`{table.name}` has no column with codes beside `{asked.record_id}`.")
    return found


def _long(table: LabelTable, asked: ImportOptions) -> Any:
    given = asked.columns if isinstance(asked.columns, Mapping) else {}
    for role in given:
        if role not in _ROLES:
            raise SetupError(f"columns: there is no role `{role}` in a long table; {nearest(role, _ROLES)}")
    names = {role: str(given.get(role, role)) for role in _ROLES}
    for column in given.values():
        _column(table, str(column))
    has = {role for role, column in names.items() if column in table.columns}
    if asked.coder is None:
        _column(table, names["coder"])
    if not has & {"category", "value"}:
        _column(table, names["category"])
    only = None if "criterion" in has else _only(asked.criteria)

    def read(fields: Mapping[str, Any]) -> Iterator[RawCode]:
        said = {role: plain(fields.get(names[role])) for role in has}
        raw = said.get("category") if said.get("category") is not None else said.get("value")
        if said.get("status") in ("skipped", "withdrawn"):
            raw = None
        other = said.get("criteria_hash") not in (None, asked.criteria.criteria_hash)
        problem = "this is a code under another wording of the criteria" if other else None
        if said.get("source") == "adjudication":
            problem = "this was decided in an adjudication, with all votes in view; it is no code of one person alone"
        known = _known(said)
        coder = _name(said.get("coder")) or (asked.coder or "")
        notes = _name(said.get("notes")) or None
        yield RawCode("", coder, "", only or _name(said.get("criterion")), raw, notes, *known, problem=problem)

    return read


def _known(said: Mapping[str, Any]) -> tuple[str | None, str | None, float | None, bool | None]:
    """What a table of `bm.labels()` knows of a code beside the answer: the text's version, the sample, blindness."""
    p, blind = said.get("inclusion_p"), str(said.get("blind")).casefold()
    return (
        _name(said.get("record_hash")) or None,
        _name(said.get("sample_id")) or None,
        None if p is None else float(p),
        {"true": True, "false": False}.get(blind),
    )


def _is_long(table: LabelTable, asked: ImportOptions) -> bool:
    if isinstance(asked.columns, Mapping):
        return set(asked.columns) <= set(_ROLES) and bool({"category", "value"} & set(asked.columns))
    has = set(table.columns)
    if asked.columns is not None or not {"category", "value"} & has:
        return False
    return "coder" in has or (asked.coder is not None and not _headers(asked) & has)


def _headers(asked: ImportOptions) -> set[str]:
    return {column.header for column in code_columns(asked.criteria)}


def _only(criteria: Criteria) -> str:
    if len(criteria) > 1:
        names = ", ".join(criterion.name for criterion in criteria)
        raise SetupError(
            f"criteria `{criteria.name}` asks {len(criteria)} questions ({names}): say which the codes answer, with a "
            'column `criterion`, or columns={"kf": {"respect": "kf_respect"}}.'
        )
    return criteria.criteria[0].name


def _column(table: LabelTable, name: str) -> None:
    if name not in table.columns:
        raise SetupError(f"`{table.name}` has no column `{name}`; {nearest(name, table.columns)}")


def _meant(raw: Any, values: Mapping[str, Any]) -> Any:
    """A code in the words of the scale, where the caller says what it means."""
    return raw if raw is None or isinstance(raw, list) else values.get(str(raw), raw)


def _name(value: Any) -> str:
    """An id or a name as text; a spreadsheet's 7.0 is 7."""
    found = plain(value)
    return "" if found is None else str(found)
