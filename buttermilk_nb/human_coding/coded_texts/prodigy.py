"""Prodigy: JSON lines with `spans`, `accept` (the chosen options) and the `_annotator_id`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...corpus.loaders.source import SourceRow
from .coded_file import CodedFile
from .coded_text import Code, CodedText

_CODES = frozenset({"spans", "accept", "label"})
_NOTES = ("notes", "note", "comments", "comment")


def recognises(fields: Mapping[str, Any]) -> bool:
    """Whether an object is a task of Prodigy with passages or options."""
    return "_input_hash" in fields and not _CODES.isdisjoint(fields)


def read(rows: Sequence[SourceRow], file: str) -> CodedFile:
    """The codes of each task. What its coder rejected or ignored has none.

    Examples
    --------
    >>> span = {"start": 9, "end": 15, "label": "insult"}
    >>> row = {"text": "They are vermin.", "spans": [span], "_input_hash": 1, "_annotator_id": "ana"}
    >>> read([SourceRow(1, row)], "ana.jsonl").texts[0].coder
    'ana'
    """
    return CodedFile(tuple(_text(row, file) for row in rows))


def _text(row: SourceRow, file: str) -> CodedText:
    where, fields = f"{file}, line {row.line}", row.fields
    meta = fields.get("meta") or {}
    ids = [fields.get("record_id"), fields.get("id"), meta.get("record_id"), meta.get("id")]
    names = tuple(str(name) for name in ids if name is not None)
    answer = fields.get("answer")
    label = fields.get("label") if isinstance(fields.get("label"), str) else None
    is_question = label is not None and "spans" not in fields and "accept" not in fields  # one label: accept or reject
    problem = row.problem or (
        f"its `answer` in Prodigy is `{answer}`, so it has no code"
        if answer == "ignore" or (answer == "reject" and not is_question)
        else None
    )
    if problem:
        return CodedText(where, names, problem=problem)
    spans = [item for item in fields.get("spans") or () if isinstance(item, dict) and item.get("label")]
    codes = [Code((str(item["label"]),), start=item.get("start"), end=item.get("end")) for item in spans]
    codes += [Code((str(item),)) for item in fields.get("accept") or ()]
    if is_question and label:
        codes.append(Code((label,), "no" if answer == "reject" else None))
    notes = "; ".join(str(fields[name]) for name in _NOTES if fields.get(name))
    if codes and notes:
        codes[0] = codes[0]._replace(notes=notes)
    coder = fields.get("_annotator_id") or fields.get("_session_id") or ""
    text = fields.get("text")
    return CodedText(
        where, names, str(coder), tuple(codes), text if isinstance(text, str) else None, facts={**meta, **fields}
    )
