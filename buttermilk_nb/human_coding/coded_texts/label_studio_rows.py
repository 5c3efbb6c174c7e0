"""Label Studio's short exports, JSON-MIN and CSV: a row for each annotation, with `annotation_id` and `annotator`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ...corpus.loaders.source import SourceRow
from .coded_file import CodedFile
from .coded_text import Code, CodedText, Utf16Offsets
from .label_studio import NOTE_CONTROL, PASSAGES, TEXT

_OF_THE_TASK = frozenset(
    {"id", "annotation_id", "annotator", "created_at", "updated_at", "lead_time", TEXT, NOTE_CONTROL}
)


def recognises(fields: Mapping[str, Any]) -> bool:
    """Whether a row is an annotation."""
    return {"annotation_id", "annotator"} <= fields.keys()


def read(rows: Sequence[SourceRow], file: str) -> CodedFile:
    """The codes of each annotation. A column that is called like no question is data of the task.

    Examples
    --------
    >>> row = {"id": 7, "annotation_id": 1, "annotator": 3, "tone": {"choices": ["warm", "calm"]}}
    >>> code = read([SourceRow(1, row)], "export.json").texts[0].codes[0]
    >>> code.path, code.answer
    (('tone',), ['warm', 'calm'])
    """
    return CodedFile(tuple(_text(row, f"{file}, row {row.line}") for row in rows))


def _text(row: SourceRow, where: str) -> CodedText:
    fields = row.fields
    names = tuple(str(fields[name]) for name in ("record_id", "id") if fields.get(name) not in (None, ""))
    if row.problem:
        return CodedText(where, names, problem=row.problem)
    annotator = fields["annotator"]
    if isinstance(annotator, dict):
        annotator = annotator.get("email") or annotator.get("id")
    text = fields.get(TEXT) if isinstance(fields.get(TEXT), str) else None
    notes = fields.get(NOTE_CONTROL)
    codes = [
        code
        for name, value in fields.items()
        if name not in _OF_THE_TASK
        for code in _codes(name.removesuffix(PASSAGES), _parsed(value), Utf16Offsets(text or ""))
    ]
    if codes and isinstance(notes, str) and notes:
        codes[0] = codes[0]._replace(notes=notes)
    return CodedText(where, names, "" if annotator is None else str(annotator), tuple(codes), text, facts=fields)


def _codes(name: str, value: Any, offsets: Utf16Offsets) -> Iterator[Code]:
    """The codes in a column: answers, passages with their labels, or one answer as it is."""
    if isinstance(value, dict) and value.keys() == {"choices"}:
        yield Code((name,), value["choices"])
    elif isinstance(value, list) and any(isinstance(item, dict) for item in value):
        for item in value:
            lists: list[list[Any]] = (
                [item[key] for key in item if key.endswith("labels")] if isinstance(item, dict) else []
            )
            labels = lists[0] if lists else []
            places = [item.get(end) for end in ("start", "end")] if labels else []
            for label in labels if all(isinstance(place, int) for place in places) else ():
                start, end = map(offsets.to_characters, places)
                yield Code((name, str(label)), start=start, end=end, text=item.get("text"))
    elif isinstance(value, str | int | float) and value != "" and value == value:
        yield Code((name,), value, is_optional=True)


def _parsed(value: Any) -> Any:
    """The value that a cell of a CSV file holds as JSON; any other as it is."""
    if isinstance(value, str) and value.startswith(("[{", '{"choices"')):
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value
