"""The layouts of tables with codes: `sheet`, `form`, `wide` and `long`.

`sheet` is a coding sheet from `coding_sheet`. `form` has one row per coder and record, with a column per criterion.
`wide` has one column per coder or, if the coder is named, per criterion. `long` has one row per code.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from ...errors import SetupError, nearest
from ..questionnaire import Questionnaire
from ..spreadsheets.columns import NOTES, TEXT, clean_cell
from .form_layouts import answer_headers, form_reader, is_form, sheet_reader
from .raw_codes import ImportOptions, Layout, RawCode, RowReader, as_name, require_column
from .tables import LabelTable

_WORDS_FOR_CODE = frozenset({"label", "labels", "code", "codes", "answer", "rating", "score", "annotation", "class"})
"""Names of a column with codes, which are names of no coder."""
_WITHOUT_HEADING = "column 1"
_SUMMARIES = frozenset({"mean", "average", "median", "sd", "std", "sum", "total", "min", "max", "mode", "n", "count"})
"""Names of columns that a spreadsheet or R has calculated from a row."""
_ROLES = (
    "coder", "criterion", "category", "value", "notes", "criteria_hash", "status", "record_hash", "source", "blind",
    "sample_id", "inclusion_p", "quotes",
)  # fmt: skip


def codes_in(table: LabelTable, options: ImportOptions) -> Iterator[RawCode]:
    """Every code of a table, including empty ones.

    Raises
    ------
    SetupError
        A column is missing, the coder is not named, or a sheet was made for other criteria.
    """
    if options.coder is None and table.names_coder and "coder" not in table.columns and options.columns is None:
        options = _with_coder(table, options)
    if not table.rows:
        return
    layout = options.layout
    if layout == "auto":
        layout = _detect_layout(table, options)
    id_column = "record_id" if table.facts else options.record_id
    require_column(table, id_column)
    readers = {"sheet": sheet_reader, "form": form_reader, "long": _long_reader, "wide": _wide_reader}
    read_row = readers[layout](table, options)
    for row in table.rows:
        if row.problem == "empty row":
            continue
        where, record_id = f"{table.name}, {table.unit} {row.line}", as_name(row.fields.get(id_column))
        if row.problem:
            yield RawCode(where, "", record_id, "", None, problem=row.problem)
            continue
        for code in read_row(row.fields):
            yield code._replace(where=where, record_id=record_id, raw=options.values(code.raw))


def _with_coder(table: LabelTable, options: ImportOptions) -> ImportOptions:
    """The options with the coder after whom a sheet or file is named, if its columns do not name coders."""
    columns = set(table.columns)
    if answer_headers(options) & columns or {"category", "value"} & columns:
        return options._replace(coder=table.names_coder)
    rest = columns - {options.record_id, TEXT, NOTES, "id", "content"}
    if len(rest) == 1 and (column := next(iter(rest))).casefold() in _WORDS_FOR_CODE:
        return options._replace(columns={table.names_coder: column})
    return options


def _detect_layout(table: LabelTable, options: ImportOptions) -> Layout:
    if table.facts:
        return "sheet"
    return "long" if _is_long(table, options) else "form" if is_form(table, options) else "wide"


def is_wide(table: LabelTable, options: ImportOptions) -> bool:
    """Whether a table has a column for each coder, of which the user has named none."""
    if (
        options.columns is not None
        or options.coder is not None
        or not table.rows
        or options.layout not in ("auto", "wide")
    ):
        return False
    return options.layout == "wide" or _detect_layout(table, options) == "wide"


def _wide_reader(table: LabelTable, options: ImportOptions) -> RowReader:
    is_one_coder = options.coder is not None and options.columns is None
    if is_one_coder and (answer_headers(options) & set(table.columns) or options.coder not in table.columns):
        return sheet_reader(table, options)
    code_places = _wide_columns(table, options)
    for _, _, column in code_places:
        require_column(table, column)

    def read_row(fields: Mapping[str, Any]) -> Iterator[RawCode]:
        for coder, criterion, column in code_places:
            yield RawCode("", coder, "", criterion, clean_cell(fields.get(column)))

    return read_row


def _wide_columns(table: LabelTable, options: ImportOptions) -> list[tuple[str, str, str]]:
    """Coder, criterion and column of each code in a row."""
    columns = options.columns
    if columns is None:
        other_columns = (options.record_id, TEXT, NOTES)
        left_out = (*other_columns, *columns_without_coder(table, options))
        columns = [options.coder] if options.coder else [name for name in table.columns if name not in left_out]
        columns = _columns_by_question(columns, options) or columns
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


def columns_without_coder(table: LabelTable, options: ImportOptions) -> list[str]:
    """The columns of a wide table that are no coder's: row numbers without a heading, and summaries of a row."""
    numbers = [str(n) for n, row in enumerate(table.rows, 1) if row.problem != "empty row"]
    found = []
    if _WITHOUT_HEADING in table.columns and options.record_id != _WITHOUT_HEADING:
        cells = [as_name(row.fields.get(_WITHOUT_HEADING)) for row in table.rows if row.problem != "empty row"]
        found += [_WITHOUT_HEADING] if cells in (numbers, [str(int(n) - 1) for n in numbers]) else []
    return found + [name for name in table.columns if name.strip().casefold() in _SUMMARIES]


def _columns_by_question(names: list[str], options: ImportOptions) -> dict[str, dict[str, str]]:
    """Columns that are called `question: coder`, as our own wide tables are, by coder; empty if none is."""
    found: dict[str, dict[str, str]] = {}
    for name in names:
        question, colon, coder = name.rpartition(": ")
        if colon and question in options.questionnaire.keys:
            found.setdefault(coder, {})[question] = name
    return found


def _long_reader(table: LabelTable, options: ImportOptions) -> RowReader:
    renamed = options.columns if isinstance(options.columns, Mapping) else {}
    for role in renamed:
        if role not in _ROLES:
            raise SetupError(f"columns: a long table has no role `{role}`; {nearest(role, _ROLES)}")
    names = {role: str(renamed.get(role, role)) for role in _ROLES}
    for column in renamed.values():
        require_column(table, str(column))
    roles = {role for role, column in names.items() if column in table.columns}
    if options.coder is None:
        require_column(table, names["coder"])
    if not roles & {"category", "value"}:
        require_column(table, names["category"])
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
        coder = as_name(values.get("coder")) or (options.coder or "")
        criterion = only_criterion or as_name(values.get("criterion"))
        question = options.questionnaire.find_question(as_name(values.get("criteria_hash")), criterion)
        criterion = question.key if question else criterion
        notes = as_name(values.get("notes")) or None
        quotes = _quotes(values.get("quotes"))
        yield RawCode("", coder, "", criterion, raw, notes, *_label_facts(values), problem=problem, quotes=quotes)

    return read_row


def _quotes(value: Any) -> list[dict[str, Any]] | None:
    """The passages in a table of `bm.labels()`: a JSON list with their places."""
    try:
        quotes = json.loads(value) if isinstance(value, str) else value
    except ValueError:
        return None
    return quotes or None if isinstance(quotes, list) and all(isinstance(quote, dict) for quote in quotes) else None


def _label_facts(values: Mapping[str, Any]) -> tuple[str | None, str | None, float | None, bool | None]:
    """The other facts in a table of `bm.labels()`: version of the text, sample, probability, and blindness."""
    inclusion_p, blind = values.get("inclusion_p"), str(values.get("blind")).casefold()
    return (
        as_name(values.get("record_hash")) or None,
        as_name(values.get("sample_id")) or None,
        None if inclusion_p is None else float(inclusion_p),
        {"true": True, "false": False}.get(blind),
    )


def _is_long(table: LabelTable, options: ImportOptions) -> bool:
    if isinstance(options.columns, Mapping):
        return set(options.columns) <= set(_ROLES) and bool({"category", "value"} & set(options.columns))
    columns = set(table.columns)
    if options.columns is not None or not {"category", "value"} & columns:
        return False
    return "coder" in columns or (options.coder is not None and not answer_headers(options) & columns)


def _only_criterion(questionnaire: Questionnaire) -> str:
    """The key of the only question; an error if there are several."""
    keys = questionnaire.keys
    if len(keys) > 1:
        raise SetupError(
            f"criteria `{questionnaire.name}` asks {len(keys)} questions ({', '.join(keys)}): say which one the codes "
            'answer, with a column `criterion`, or with columns={"kf": {"respect": "kf_respect"}}.'
        )
    return keys[0]
