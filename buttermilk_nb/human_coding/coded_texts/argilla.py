"""Argilla: records with `fields` and `responses`, as `records.to_json` writes them. Suggestions are left out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import zip_longest
from typing import Any

from ..._internal.text import pluralise
from ...corpus.loaders.source import SourceRow
from .coded_file import CodedFile
from .coded_text import Code, CodedText

_RESPONSES, _USERS, _STATUS = ".responses", ".responses.users", ".responses.status"
_SUBMITTED = (None, "submitted")


def recognises(fields: Mapping[str, Any]) -> bool:
    """Whether an object is a record of Argilla: with `responses`, flat, or of its first version."""
    is_nested = isinstance(fields.get("fields"), dict) and isinstance(fields.get("responses"), dict | list)
    return (
        is_nested
        or {"annotation", "annotation_agent"} <= fields.keys()
        or any(name.endswith(_RESPONSES) for name in fields)
    )


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
    remarks = [f"{pluralise(n_suggestions, 'suggestion')} of models left out."] if n_suggestions else []
    n_others: Counter[str] = Counter()
    texts = tuple(text for row in rows for text in _texts(row, file, n_others))
    remarks += [f"{pluralise(n, 'response')} left out, with the status `{status}`." for status, n in n_others.items()]
    return CodedFile(texts, tuple(remarks))


def _texts(row: SourceRow, file: str, n_others: Counter[str]) -> Iterator[CodedText]:
    where, fields = f"{file}, row {row.line}", row.fields
    if row.problem:
        yield CodedText(where, (), problem=row.problem)
        return
    metadata = fields.get("metadata") or {}
    ids = [fields.get("external_id"), metadata.get("record_id"), fields.get("id")]
    names = tuple(str(name) for name in ids if name is not None)
    given = fields.get("fields")
    shown = given if isinstance(given, dict) else {"text": fields.get("text")}
    texts = [value for value in shown.values() if isinstance(value, str)]
    text = shown.get("text") or max(texts, key=len, default=None)
    codes: dict[str, list[Code]] = {}
    for question, response in _responses(fields):
        if response.get("status") not in _SUBMITTED:
            n_others[str(response["status"])] += 1
        else:
            coder = str(response.get("user_id") or response.get("user") or "")
            codes.setdefault(coder, []).extend(_codes(question, response.get("value")))
    for coder, items in codes.items():
        yield CodedText(where, names, coder, tuple(items), text, facts=metadata)


def _responses(fields: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Each answer with its question, in the forms of version 2 (by question, nested or flat) and version 1."""
    responses = fields.get("responses") or []
    for name, values in fields.items():
        if name.endswith(_RESPONSES) and isinstance(values, list):
            question = name.removesuffix(_RESPONSES)
            users, status = (fields.get(question + ending) or [] for ending in (_USERS, _STATUS))
            for value, user, state in zip_longest(values, users, status):
                yield question, {"value": value, "user_id": user, "status": state}
    if "annotation" in fields and fields["annotation"] not in (None, []):
        given = fields["annotation"]
        for label in given if isinstance(given, list) else [given]:
            yield "", {"value": label, "user_id": fields.get("annotation_agent")}
    if isinstance(responses, dict):
        yield from ((str(name), item) for name, items in responses.items() for item in items if isinstance(item, dict))
        return
    for item in responses:
        values = item.get("values") if isinstance(item, dict) else None
        for name, value in (values or {}).items():
            yield str(name), {**item, "value": value.get("value") if isinstance(value, dict) else value}


def _codes(question: str, value: Any) -> Iterator[Code]:
    spans = value if isinstance(value, list) and value and isinstance(value[0], dict) else None
    if spans is None and isinstance(value, list) and len(value) == 3 and isinstance(value[1], int):  # version 1
        yield Code((str(value[0]),), start=value[1], end=value[2])
        return
    if spans is None:
        yield Code((question,), value) if question else Code((str(value),))
        return
    for span in spans:
        if "label" in span:
            yield Code((question, str(span["label"])), start=span.get("start"), end=span.get("end"))
