"""Label Studio: its JSON export, of tasks with `data` and `annotations`; and tasks for it.

An annotation is one person's work on one text. Its answers are named by their control; labels on the text are passages.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..._internal.text import pluralise
from ...corpus.loaders.source import SourceRow
from .coded_file import CodedFile
from .coded_text import Code, CodedText, Utf16Offsets

_ANSWERS = {"choices": "choices", "number": "number", "pairwise": "selected", "rating": "rating", "textarea": "text"}
"""Where a result holds its answer, by the type of its control."""
_LABELS = {"labels": "labels", "hypertextlabels": "hypertextlabels", "paragraphlabels": "paragraphlabels"}
_AREAS = frozenset({"ranges", "x", "y", "points", "keypointlabels"})
"""What only a result about a part of an image or a recording has."""
PASSAGES = " (passages)"
"""What follows the name of a question in the name of the control for its passages."""
NOTE_CONTROL = "notes"
CODER = "coder"
"""The coder of an annotation in our own tasks: Label Studio takes in no coders but its own users."""
TEXT = "text"


def recognises(fields: Mapping[str, Any]) -> bool:
    """Whether an object is a task."""
    return isinstance(fields.get("data"), dict) and isinstance(fields.get("annotations"), list)


def read(rows: Sequence[SourceRow], file: str) -> CodedFile:
    """The codes of each annotation.

    Examples
    --------
    >>> result = {"from_name": "tone", "type": "choices", "value": {"choices": ["warm"]}}
    >>> task = {"id": 7, "data": {"text": "Hello."}, "annotations": [{"completed_by": 3, "result": [result]}]}
    >>> code = read([SourceRow(1, task)], "export.json").texts[0].codes[0]
    >>> code.path, code.answer
    (('tone',), 'warm')
    """
    n_others: Counter[str] = Counter()
    texts = tuple(coded for row in rows for coded in _texts_of_task(row, file, n_others))
    kinds = ", ".join(f"`{kind}`" for kind in sorted(n_others))
    n = pluralise(n_others.total(), "result")
    remark = f"{n} of the annotations ({kinds}) were left out: they are no codes of a text."
    return CodedFile(texts, (remark,) if n_others else ())


def _texts_of_task(row: SourceRow, file: str, n_others: Counter[str]) -> Iterator[CodedText]:
    where = f"{file}, task {row.line}"
    if row.problem:
        yield CodedText(where, (), problem=row.problem)
        return
    task = row.fields
    data = task["data"]
    names = tuple(str(name) for name in (data.get("record_id"), data.get("id"), task.get("id")) if name is not None)
    text = _text_of(data)
    for annotation in task["annotations"]:
        if not isinstance(annotation, dict):
            problem = f"an annotation is not an object but {type(annotation).__name__}"
            yield CodedText(where, names, problem=problem)
            continue
        if annotation.get("was_cancelled"):
            continue
        results = annotation.get("result")
        codes = list(_codes(results if isinstance(results, list) else [], text, n_others))
        coder = annotation.get(CODER) or _coder(annotation.get("completed_by"))
        yield CodedText(where, names, str(coder), tuple(codes), text, facts=data)


def _text_of(data: Mapping[str, Any]) -> str | None:
    """The text of a task: the field `text`, or its longest one."""
    texts = [value for value in data.values() if isinstance(value, str)]
    return data[TEXT] if isinstance(data.get(TEXT), str) else max(texts, key=len, default=None)


def _codes(results: Sequence[Any], text: str | None, n_others: Counter[str]) -> Iterator[Code]:
    offsets = Utf16Offsets(text or "")
    answers: dict[str, list[Any]] = {}
    notes: list[str] = []
    for result in results:
        value = result.get("value") if isinstance(result, dict) else None
        kind = str(result.get("type")) if isinstance(result, dict) else "other"
        if not isinstance(value, dict) or not _AREAS.isdisjoint(value):
            n_others[kind] += 1
            continue
        name = str(result.get("from_name")).removesuffix(PASSAGES)
        place = value.get("globalOffsets") or value
        labels = value.get(_LABELS.get(kind, ""))
        if isinstance(labels, list) and isinstance(place.get("start"), int) and isinstance(place.get("end"), int):
            start, end = offsets.to_characters(place["start"]), offsets.to_characters(place["end"])
            for label in labels:
                yield Code((name, str(label)), start=start, end=end, text=value.get("text"))
            continue
        answer = value.get(_ANSWERS.get(kind, "")) if "start" not in value else None
        if answer is None:
            n_others[kind] += 1
        elif kind == "textarea" and name == NOTE_CONTROL:
            notes += answer if isinstance(answer, list) else [answer]
        else:
            answers.setdefault(name, []).extend(answer if isinstance(answer, list) else [answer])
    for n, (name, values) in enumerate(answers.items()):
        note = "\n".join(map(str, notes)) or None if n == 0 else None
        yield Code((name,), values[0] if len(values) == 1 else values, notes=note)


def _coder(completed_by: Any) -> str:
    if isinstance(completed_by, dict):
        completed_by = completed_by.get("email") or completed_by.get("id")
    return "" if completed_by is None else str(completed_by)
