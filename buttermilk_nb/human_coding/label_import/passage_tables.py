"""Tables with a row for each coded passage, as MAXQDA, ATLAS.ti, NVivo, CATMA and others export them.

The columns are known by their headings. What they are taken for is a remark, and `columns=` says it otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...errors import SetupError, nearest
from ..coded_texts.coded_file import CodedFile
from ..coded_texts.coded_text import Code, CodedText
from ..spreadsheets.columns import clean_cell
from .raw_codes import ImportOptions, as_name, require_column
from .tables import LabelTable

_HEADINGS = {
    "record_id": ("record_id", "document name", "document", "file name", "file", "source name", "source document",
                  "source", "dokumentname", "dokument", "doc_id", "document_id", "case", "media title", "files"),
    "code": ("code", "codes", "code name", "node", "tag path", "tag", "codename", "category", "label", "annotation"),
    "text": ("segment", "coded segment", "quotation content", "quotation", "coded text", "phrase", "annotated text",
             "reference text", "quote", "span", "excerpt copy", "excerpt"),
    "coder": ("coder", "created by", "creating user", "author", "annotator", "coded by", "user", "autor",
              "erstellt von", "excerpt creator"),
    "notes": ("notes", "comment", "comments", "memo", "kommentar"),
    "start": ("start", "start offset", "begin", "start_offset", "start_char"),
    "end": ("end", "end offset", "stop", "end_offset", "end_char"),
    "question": ("criterion", "question"),
}  # fmt: skip
"""The headings of each part of a passage, in lower case; the first that a table has is taken."""
_WORDS_IF_PLACED = "text"
"""The heading of the words of a passage in a table that also has its place; elsewhere it is the whole text."""
_REQUIRED = ("record_id", "code", "text")
_SEVERAL_CODES = "\n"


def passage_columns(table: LabelTable, options: ImportOptions) -> dict[str, str] | None:
    """The column of each part of a passage; None if the table is none of passages.

    Raises
    ------
    SetupError
        `columns` names a part or column that does not exist, or a needed part has no column.
    """
    is_said = options.layout == "passages"
    if options.layout not in ("auto", "passages") or table.facts:
        return None
    declared = options.columns if is_said else None
    if declared is None and options.columns is not None:
        return None
    if declared is not None and not isinstance(declared, Mapping):
        raise SetupError('columns: for a table of passages, name its columns: {"code": "Tag", "text": "Quote"}.')
    roles: dict[str, str] = {}
    for role, said in (declared or {}).items():
        if role not in _HEADINGS:
            raise SetupError(f"columns: a table of passages has no part `{role}`; {nearest(str(role), _HEADINGS)}")
        require_column(table, str(said))
        roles[role] = str(said)
    by_heading = {column.strip().casefold(): column for column in table.columns}
    for role, headings in _HEADINGS.items():
        column = next((by_heading[heading] for heading in headings if heading in by_heading), None)
        if column is not None and role not in roles:
            roles[role] = column
    if options.record_id in table.columns and "record_id" not in (declared or {}):
        roles["record_id"] = options.record_id
    has_place = {"start", "end"} <= roles.keys()
    if has_place and "text" not in roles and _WORDS_IF_PLACED in by_heading:
        roles["text"] = by_heading[_WORDS_IF_PLACED]
    if "question" in roles and not has_place:  # a long table of codes, perhaps with the words in a column
        del roles["question"]
    missing = [role for role in _REQUIRED if role not in roles and not (role == "text" and has_place)]
    if missing and is_said:
        raise SetupError(
            f"`{table.name}` has no column for the {missing[0]} of a passage; write columns={{{missing[0]!r}: '...'}}."
        )
    return None if missing else roles


def read_passages(table: LabelTable, roles: Mapping[str, str]) -> CodedFile:
    """The passages of a table, by text and coder."""
    groups: dict[tuple[str, str], list[Code]] = {}
    problems = []
    for row in table.rows:
        where = f"{table.name}, {table.unit} {row.line}"
        if row.problem == "empty row":
            continue
        if row.problem:
            problems.append(CodedText(where, (), problem=row.problem))
            continue
        values = {role: clean_cell(row.fields.get(column)) for role, column in roles.items()}
        group = groups.setdefault((as_name(values.get("record_id")), as_name(values.get("coder"))), [])
        group += _codes(values)
    texts = [
        CodedText(f"{table.name}, text `{name}`", (name,), coder, tuple(codes))
        for (name, coder), codes in groups.items()
    ]
    taken = ", ".join(f"`{column}` as {role}" for role, column in roles.items() if role != column)
    remark = f"`{table.name}` was read as a table of passages: {taken}." if taken else ""
    return CodedFile((*texts, *problems), (remark,) if remark else ())


def _codes(values: Mapping[str, Any]) -> list[Code]:
    """The codes of a row; ATLAS.ti puts several into one cell, each on a line."""
    start, end = (_place(values.get(role)) for role in ("start", "end"))
    words, notes = values.get("text"), values.get("notes")
    place: dict[str, Any] = {
        "start": start, "end": end, "text": None if words is None else str(words), "notes": as_name(notes) or None,
    }  # fmt: skip
    if question := as_name(values.get("question")):
        return [Code((question,), answer, **place)] if (answer := values.get("code")) is not None else []
    names = [name.strip() for name in as_name(values.get("code")).split(_SEVERAL_CODES)]
    return [Code((name,), **place) for name in names if name]


def _place(value: Any) -> int | None:
    """A place in a text; -1, which no text has, if it is none, so that the passage is listed."""
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    try:
        return int(float(value)) if float(value).is_integer() else -1
    except (TypeError, ValueError, OverflowError):
        return -1
