"""Tables with a column for each question: coding sheets, and forms with one row per coder and record."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ...errors import SetupError, nearest
from ..questionnaire import Question, Questionnaire
from ..spreadsheets.columns import NOTES, CodeColumn, answers_in, code_columns, columns_in, whole_columns
from ..spreadsheets.workbook import Facts
from .raw_codes import ImportOptions, RawCode, RowReader, as_name, require_column
from .tables import LabelTable


def is_form(table: LabelTable, options: ImportOptions) -> bool:
    """Whether a table has one row per coder and record."""
    headers = answer_headers(options)
    if isinstance(options.columns, Mapping):
        names = set(options.columns)
        return names <= {"coder", NOTES, *headers} and bool(names & headers) and bool(options.coder or "coder" in names)
    return (
        options.columns is None
        and options.coder is None
        and "coder" in table.columns
        and bool(headers & set(table.columns))
    )


def form_reader(table: LabelTable, options: ImportOptions) -> RowReader:
    """The reader of forms."""
    renamed = options.columns if isinstance(options.columns, Mapping) else {}
    names = {str(column): role for role, column in renamed.items()}
    for column in names:
        require_column(table, column)
    if options.coder is None and "coder" not in renamed:
        require_column(table, "coder")
    columns = columns_in([*renamed, *table.columns], options.questionnaire)
    if not columns:
        first = code_columns(options.questionnaire)[0].header
        raise SetupError(f"`{table.name}` has no column `{first}`; {nearest(first, table.columns)}")

    def read_row(fields: Mapping[str, Any]) -> Iterator[RawCode]:
        own = {**fields, **{role: fields.get(column) for column, role in names.items()}}
        coder = options.coder or as_name(own.get("coder"))
        yield from _codes_in_form(own, columns, RawCode("", coder, "", "", None), options)

    return read_row


def _codes_in_form(
    fields: Mapping[str, Any], columns: Sequence[CodeColumn], code: RawCode, options: ImportOptions
) -> Iterator[RawCode]:
    """The codes of a row with a column for each question."""
    notes = as_name(fields.get(NOTES)) or None
    answers = answers_in(fields, columns)
    first_answered = next((question for question, raw in answers if raw is not None), answers[0][0])
    for question, raw in answers:
        note = notes if question is first_answered else None  # one note column for all questions: stored once
        yield code._replace(criterion=_key(question, options), raw=raw, notes=note)


def sheet_reader(table: LabelTable, options: ImportOptions) -> RowReader:
    """The reader of coding sheets, and of tables of one coder with the same columns."""
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
        record_facts = facts.records.get(as_name(fields.get("record_id"))) if facts else None
        record_hash, sample_id, inclusion_p = record_facts or (None, None, None)
        code = RawCode(
            "", coder, "", "", None, None, record_hash, sample_id, inclusion_p, blind=True if facts else None
        )
        yield from _codes_in_form(fields, columns, code, options)

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


def answer_headers(options: ImportOptions) -> set[str]:
    """The headers of columns with answers."""
    columns = [*code_columns(options.questionnaire), *whole_columns(options.questionnaire)]
    return {column.header for column in columns}
