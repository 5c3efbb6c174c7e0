"""Potato: exports with a row for each text and person, with `user_id` and `instance_id`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ...corpus.loaders.source import SourceRow
from .coded_file import CodedFile
from .coded_text import Code, CodedText

_CHOSEN = (True, "true", "True", "on", 1, "1")


def recognises(fields: Mapping[str, Any]) -> bool:
    """Whether an object is one of Potato's."""
    has_codes = bool({"labels", "label_annotations", "spans", "span_annotations"} & fields.keys())
    return has_codes and ({"instance_id", "user_id"} <= fields.keys() or {"id", "displayed_text"} <= fields.keys())


def read(rows: Sequence[SourceRow], file: str) -> CodedFile:
    """The codes of each text and person.

    Examples
    --------
    >>> row = {"user_id": "ana", "instance_id": "a", "labels": {"tone": {"warm": "true"}}}
    >>> read([SourceRow(1, row)], "annotations.jsonl").texts[0].codes[0].answer
    'warm'
    """
    return CodedFile(tuple(text for row in rows for text in _texts(row, file)))


def _texts(row: SourceRow, file: str) -> Iterator[CodedText]:
    where, fields = f"{file}, row {row.line}", row.fields
    if row.problem:
        yield CodedText(where, (), problem=row.problem)
        return
    coder = str(fields.get("user_id") or "")
    answers = fields.get("labels") or fields.get("label_annotations")
    passages = fields.get("spans") or fields.get("span_annotations")
    text = fields.get("text") or fields.get("displayed_text")
    codes = (*answers_in(answers), *passages_in(passages))
    name = str(fields["instance_id"] if "instance_id" in fields else fields["id"])
    yield CodedText(where, (name,), coder, codes, text if isinstance(text, str) else None, facts=fields)


def answers_in(labels: Any) -> Iterator[Code]:
    """The answers of `{question: {answer: true}}`, `{question: {"labels": {answer: true}}}` or `{question: answer}`."""
    if isinstance(labels, list):
        labels = _by_question(labels)
    for question, given in labels.items() if isinstance(labels, dict) else ():
        if isinstance(given, dict):
            inner = given.get("labels")
            values = inner if isinstance(inner, dict) else given
            chosen = [name if value in _CHOSEN or value == name else value for name, value in values.items() if value]
            if chosen:
                yield Code((str(question),), chosen[0] if len(chosen) == 1 else chosen)
        elif given not in (None, ""):
            yield Code((str(question),), given)


def _by_question(pairs: Sequence[Any]) -> dict[str, dict[str, Any]]:
    """The answers of `[[{"schema": question, "name": answer}, value], ...]`, as the state of a person has them."""
    found: dict[str, dict[str, Any]] = {}
    for pair in pairs:
        if isinstance(pair, list) and len(pair) == 2 and isinstance(pair[0], dict) and "schema" in pair[0]:
            found.setdefault(str(pair[0]["schema"]), {})[str(pair[0].get("name"))] = pair[1]
    return found


def passages_in(spans: Any) -> Iterator[Code]:
    """The passages of `{question: [...]}` or of one list."""
    groups = spans.items() if isinstance(spans, dict) else [("", spans or ())]
    for question, items in groups:
        for item in items if isinstance(items, list | tuple) else ():
            if isinstance(item, list) and item:
                item = item[0]  # with its value, in the state of a person
            if not isinstance(item, dict):
                continue
            label = item.get("label") or item.get("name") or item.get("annotation")
            schema = str(question or item.get("schema") or "")
            path = tuple(filter(None, (schema, str(label or ""))))
            words = item.get("text") or item.get("span")
            yield Code(path or ("unnamed",), start=item.get("start"), end=item.get("end"), text=words)
