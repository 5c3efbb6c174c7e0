"""The layouts of tables with codes: `sheet`, `wide` and `long`.

`sheet` is a coding sheet from `coding_sheet`. `wide` has one column per coder or, if the coder is named, per criterion.
`long` has one row per code.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple

from ...corpus.code_translation import CodeTranslation
from ...errors import SetupError, nearest
from ..questionnaire import Question, Questionnaire
from ..spreadsheets.columns import NOTES, TEXT, answers_in, clean_cell, code_columns, columns_in
from ..spreadsheets.workbook import Facts
from .tables import LabelTable

Layout = Literal["auto", "wide", "long", "sheet"]
LAYOUTS = ("auto", "wide", "long", "sheet")
Columns = Sequence[str] | Mapping[str, str | Mapping[str, str]]
_ROLES = (
    "coder", "criterion", "category", "value", "notes", "criteria_hash", "status", "record_hash", "source", "blind",
    "sample_id", "inclusion_p",
)  # fmt: skip
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


def codes_in(table: LabelTable, options: ImportOptions) -> Iterator[RawCode]:
    """Every code of a table, including empty ones.

    Raises
    ------
    SetupError
        A column is missing, the coder is not named, or a sheet was made for other criteria.
    """
    if options.coder is None and table.sheet and "coder" not in table.columns:
        has_answers = _sheet_headers(options) & set(table.columns) or {"category", "value"} & set(table.columns)
        options = options._replace(coder=table.sheet) if has_answers else options
    layout = options.layout
    if layout == "auto":
        layout = "sheet" if table.facts else "long" if _is_long(table, options) else "wide"
    id_column = "record_id" if table.facts else options.record_id
    _require_column(table, id_column)
    read_row = {"sheet": _sheet_reader, "long": _long_reader, "wide": _wide_reader}[layout](table, options)
    for row in table.rows:
        if row.problem == "empty row":
            continue
        where, record_id = f"{table.name}, line {row.line}", _text(row.fields.get(id_column))
        if row.problem:
            yield RawCode(where, "", record_id, "", None, problem=row.problem)
            continue
        for code in read_row(row.fields):
            yield code._replace(where=where, record_id=record_id, raw=options.values(code.raw))


def _sheet_reader(table: LabelTable, options: ImportOptions) -> RowReader:
    facts, questionnaire = table.facts, options.questionnaire
    if not (facts and facts.coder) and options.coder is None:
        raise SetupError(f'`{table.name}` does not name the coder; write coder="kf".')
    if facts:
        questionnaire = _sheet_questions(table.name, facts, questionnaire)
    if facts and facts.coder and options.coder not in (None, facts.coder):
        raise SetupError(f"`{table.name}` is the sheet of coder `{facts.coder}`, not of `{options.coder}`.")
    coder = facts.coder if facts and facts.coder else str(options.coder)
    columns = columns_in(table.columns, questionnaire)
    if not columns:
        first = code_columns(questionnaire)[0].header
        raise SetupError(f"`{table.name}` has no column `{first}`; {nearest(first, table.columns)}")

    def read_row(fields: Mapping[str, Any]) -> Iterator[RawCode]:
        record_facts = facts.records.get(_text(fields.get("record_id"))) if facts else None
        record_hash, sample_id, inclusion_p = record_facts or (None, None, None)
        notes = _text(fields.get(NOTES)) or None
        answers = answers_in(fields, columns)
        first_answered = next((question for question, raw in answers if raw is not None), answers[0][0])
        for question, raw in answers:
            note = notes if question is first_answered else None  # one note column for all questions: stored once
            key, blind = _key(question, options), True if facts else None
            yield RawCode("", coder, "", key, raw, note, record_hash, sample_id, inclusion_p, blind)

    return read_row


def _sheet_questions(name: str, facts: Facts, questionnaire: Questionnaire) -> Questionnaire:
    """The questions of those documents that a sheet was made for, in its order."""
    current_hashes = {document.name: document.criteria_hash for document in questionnaire.documents}
    for criteria_hash, document in facts.documents.items():
        if current_hashes.get(document, criteria_hash) != criteria_hash:
            raise SetupError(
                f"`{name}` was made for criteria `{document}` in another wording ({criteria_hash}) than the current "
                f"one ({current_hashes[document]}); import it with the criteria in their old wording."
            )
    documents = {document.criteria_hash: document for document in questionnaire.documents}
    chosen = [documents[each] for each in facts.documents if each in documents]
    if not chosen:
        raise SetupError(
            f"`{name}` was made for criteria `{', '.join(facts.documents.values())}`, not for `{questionnaire.name}`."
        )
    return Questionnaire(chosen)


def other_documents(tables: Iterable[LabelTable], questionnaire: Questionnaire) -> dict[str, str]:
    """The names of the documents that sheets were made for too, but that were not asked for, by sheet."""
    names = {
        table.name: [name for each, name in table.facts.documents.items() if each not in questionnaire.hashes]
        for table in tables
        if table.facts
    }
    return {table: ", ".join(f"`{name}`" for name in others) for table, others in names.items() if others}


def _key(question: Question, options: ImportOptions) -> str:
    """The key of a sheet's question among all questions of the import, which may come from more documents."""
    found = options.questionnaire.find_question(question.document.criteria_hash, question.criterion.name)
    return found.key if found else question.key


def _wide_reader(table: LabelTable, options: ImportOptions) -> RowReader:
    is_one_coder = options.coder is not None and options.columns is None
    if is_one_coder and (_sheet_headers(options) & set(table.columns) or options.coder not in table.columns):
        return _sheet_reader(table, options)
    code_places = _wide_columns(table, options)
    for _, _, column in code_places:
        _require_column(table, column)

    def read_row(fields: Mapping[str, Any]) -> Iterator[RawCode]:
        for coder, criterion, column in code_places:
            yield RawCode("", coder, "", criterion, clean_cell(fields.get(column)))

    return read_row


def _wide_columns(table: LabelTable, options: ImportOptions) -> list[tuple[str, str, str]]:
    """Coder, criterion and column of each code in a row."""
    columns = options.columns
    if columns is None:
        other_columns = (options.record_id, TEXT, NOTES)
        columns = [options.coder] if options.coder else [name for name in table.columns if name not in other_columns]
    if isinstance(columns, str):
        columns = [columns]
    pairs = columns.items() if isinstance(columns, Mapping) else [(name, name) for name in columns]
    code_places = []
    for coder, coder_columns in pairs:
        by_criterion = coder_columns
        if not isinstance(by_criterion, Mapping):
            by_criterion = {_only_criterion(options.questionnaire): by_criterion}
        for criterion, column in by_criterion.items():
            code_places.append((str(coder), options.questionnaire[criterion].key, str(column)))
    if not code_places:
        raise SetupError(f"`{table.name}` has no column with codes in addition to `{options.record_id}`.")
    return code_places


def _long_reader(table: LabelTable, options: ImportOptions) -> RowReader:
    renamed = options.columns if isinstance(options.columns, Mapping) else {}
    for role in renamed:
        if role not in _ROLES:
            raise SetupError(f"columns: a long table has no role `{role}`; {nearest(role, _ROLES)}")
    names = {role: str(renamed.get(role, role)) for role in _ROLES}
    for column in renamed.values():
        _require_column(table, str(column))
    roles = {role for role, column in names.items() if column in table.columns}
    if options.coder is None:
        _require_column(table, names["coder"])
    if not roles & {"category", "value"}:
        _require_column(table, names["category"])
    only_criterion = None if "criterion" in roles else _only_criterion(options.questionnaire)

    def read_row(fields: Mapping[str, Any]) -> Iterator[RawCode]:
        values = {role: clean_cell(fields.get(names[role])) for role in roles}
        raw = values.get("category") if values.get("category") is not None else values.get("value")
        if values.get("status") in ("skipped", "withdrawn"):
            raw = None
        is_other_wording = values.get("criteria_hash") not in (None, *options.questionnaire.hashes)
        problem = "this is a code under another wording of the criteria" if is_other_wording else None
        if values.get("source") == "adjudication":
            problem = (
                "this is a decision of an adjudication, made with all votes in view, not a code of one person alone"
            )
        coder = _text(values.get("coder")) or (options.coder or "")
        criterion = only_criterion or _text(values.get("criterion"))
        question = options.questionnaire.find_question(_text(values.get("criteria_hash")), criterion)
        criterion = question.key if question else criterion
        notes = _text(values.get("notes")) or None
        yield RawCode("", coder, "", criterion, raw, notes, *_label_facts(values), problem=problem)

    return read_row


def _label_facts(values: Mapping[str, Any]) -> tuple[str | None, str | None, float | None, bool | None]:
    """The other facts in a table of `bm.labels()`: version of the text, sample, probability, and blindness."""
    inclusion_p, blind = values.get("inclusion_p"), str(values.get("blind")).casefold()
    return (
        _text(values.get("record_hash")) or None,
        _text(values.get("sample_id")) or None,
        None if inclusion_p is None else float(inclusion_p),
        {"true": True, "false": False}.get(blind),
    )


def _is_long(table: LabelTable, options: ImportOptions) -> bool:
    if isinstance(options.columns, Mapping):
        return set(options.columns) <= set(_ROLES) and bool({"category", "value"} & set(options.columns))
    columns = set(table.columns)
    if options.columns is not None or not {"category", "value"} & columns:
        return False
    return "coder" in columns or (options.coder is not None and not _sheet_headers(options) & columns)


def _sheet_headers(options: ImportOptions) -> set[str]:
    return {column.header for column in code_columns(options.questionnaire)}


def _only_criterion(questionnaire: Questionnaire) -> str:
    """The key of the only question; an error if there are several."""
    keys = questionnaire.keys
    if len(keys) > 1:
        raise SetupError(
            f"criteria `{questionnaire.name}` asks {len(keys)} questions ({', '.join(keys)}): say which one the codes "
            'answer, with a column `criterion`, or with columns={"kf": {"respect": "kf_respect"}}.'
        )
    return keys[0]


def _require_column(table: LabelTable, name: str) -> None:
    if name not in table.columns:
        raise SetupError(f"`{table.name}` has no column `{name}`; {nearest(name, table.columns)}")


def _text(value: Any) -> str:
    """An id or a name as text. The number 7.0 of a spreadsheet becomes `7`."""
    cell = clean_cell(value)
    return "" if cell is None else str(cell)
