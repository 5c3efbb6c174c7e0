"""Argilla: records with `fields` and `responses`, as `records.to_json` writes them. Suggestions are left out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..._internal.text import pluralise
from ...corpus.loaders.source import SourceRow
from .coded_file import CodedFile
from .coded_text import Code, CodedText

_DISCARDED = "discarded"


def recognises(fields: Mapping[str, Any]) -> bool:
    """Whether an object is a record of Argilla."""
    return isinstance(fields.get("fields"), dict) and isinstance(fields.get("responses"), dict | list)


def read(rows: Sequence[SourceRow], file: str) -> CodedFile:
    """The codes of each record and person.

    Examples
    --------
    >>> answers = {"tone": [{"value": "warm", "user_id": "u1"}]}
    >>> row = {"id": "a", "fields": {"text": "Hello."}, "responses": answers}
    >>> read([SourceRow(1, row)], "records.json").texts[0].codes[0].answer
    'warm'
    """
    n_suggestions = sum(len(row.fields.get("suggestions") or ()) for row in rows)
    remark = f"{pluralise(n_suggestions, 'suggestion')} of models left out."
    return CodedFile(tuple(text for row in rows for text in _texts(row, file)), (remark,) if n_suggestions else ())


def _texts(row: SourceRow, file: str) -> Iterator[CodedText]:
    where, fields = f"{file}, row {row.line}", row.fields
    if row.problem:
        yield CodedText(where, (), problem=row.problem)
        return
    metadata = fields.get("metadata") or {}
    ids = [fields.get("external_id"), metadata.get("record_id"), fields.get("id")]
    names = tuple(str(name) for name in ids if name is not None)
    texts = [value for value in fields["fields"].values() if isinstance(value, str)]
    text = fields["fields"].get("text") or max(texts, key=len, default=None)
    codes: dict[str, list[Code]] = {}
    for question, response in _responses(fields["responses"]):
        if response.get("status") != _DISCARDED:
            coder = str(response.get("user_id") or response.get("user") or "")
            codes.setdefault(coder, []).extend(_codes(question, response.get("value")))
    for coder, items in codes.items():
        yield CodedText(where, names, coder, tuple(items), text)


def _responses(responses: Any) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Each answer with its question, in the forms of version 2 (by question) and version 1 (by person)."""
    if isinstance(responses, dict):
        yield from ((str(name), item) for name, items in responses.items() for item in items if isinstance(item, dict))
        return
    for item in responses:
        values = item.get("values") if isinstance(item, dict) else None
        for name, value in (values or {}).items():
            yield str(name), {**item, "value": value.get("value") if isinstance(value, dict) else value}


def _codes(question: str, value: Any) -> Iterator[Code]:
    spans = value if isinstance(value, list) and value and isinstance(value[0], dict) else None
    if spans is None:
        yield Code((question,), value)
        return
    for span in spans:
        if "label" in span:
            yield Code((question, str(span["label"])), start=span.get("start"), end=span.get("end"))
