"""The annotations in Label Studio's exports as forms: a row for each, with its coder and a column for each question.

Its JSON export has tasks with `data` and `annotations`. Its exports JSON-MIN and CSV have one row for each annotation,
with the columns `annotation_id` and `annotator`.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from ..._internal.text import pluralise
from ...corpus.loaders.source import SourceRow

_ANSWERS = {"choices": "choices", "number": "number", "pairwise": "selected", "rating": "rating", "textarea": "text"}
"""Where a result holds its answer, by the type of its control."""
_PLACES = frozenset({"start", "end", "ranges", "x", "y", "points", "keypointlabels"})
"""What only a result about a part of the text or image has."""


class Annotations(NamedTuple):
    """The rows, and a remark on results that are no codes of whole records."""

    rows: list[SourceRow]
    remarks: tuple[str, ...] = ()


def read_annotations(rows: Sequence[SourceRow]) -> Annotations | None:
    """The annotations of an export; None if the rows are not Label Studio's.

    Parameters
    ----------
    rows
        The objects of a JSON file, or the rows of a CSV file.

    Examples
    --------
    >>> result = {"from_name": "tone", "type": "choices", "value": {"choices": ["warm"]}}
    >>> task = {"id": 7, "data": {"text": "Hello."}, "annotations": [{"completed_by": 3, "result": [result]}]}
    >>> read_annotations([SourceRow(1, task)]).rows[0].fields
    {'text': 'Hello.', 'id': 7, 'record_id': 7, 'coder': '3', 'tone': 'warm'}
    """
    usable = [row for row in rows if not row.problem]
    if usable and all(_is_task(row.fields) for row in usable):
        n_others: Counter[str] = Counter()
        forms = [form for row in rows for form in ([row] if row.problem else _forms_of_task(row, n_others))]
        return Annotations(forms, _remark_on_others(n_others))
    if usable and all({"annotation_id", "annotator"} <= row.fields.keys() for row in usable):
        return Annotations([row if row.problem else row._replace(fields=_short_form(row.fields)) for row in rows])
    return None


def _is_task(fields: Mapping[str, Any]) -> bool:
    return isinstance(fields.get("data"), dict) and isinstance(fields.get("annotations"), list)


def _forms_of_task(row: SourceRow, n_others: Counter[str]) -> Iterator[SourceRow]:
    task = row.fields
    about = {**task["data"], "id": task.get("id")}
    about.setdefault("record_id", about["id"])
    for annotation in task["annotations"]:
        if not isinstance(annotation, dict):
            yield SourceRow(row.line, {}, f"an annotation is not an object but {type(annotation).__name__}")
            continue
        results = [] if annotation.get("was_cancelled") else annotation.get("result")
        answers: dict[str, list[Any]] = {}
        for result in results if isinstance(results, list) else ():
            answer = _answer_in(result)
            if answer is None:
                n_others[str(result.get("type")) if isinstance(result, dict) else "other"] += 1
            else:
                answers.setdefault(str(result.get("from_name")), []).extend(answer)
        codes = {name: given[0] if len(given) == 1 else given for name, given in answers.items()}
        yield SourceRow(row.line, {**about, "coder": _coder(annotation.get("completed_by")), **codes})


def _answer_in(result: Any) -> list[Any] | None:
    """The answers of one result; None if it is about a part of the record, or of another kind."""
    value = result.get("value") if isinstance(result, dict) else None
    if not isinstance(value, dict) or not _PLACES.isdisjoint(value):
        return None
    answer = value.get(_ANSWERS.get(str(result.get("type")), ""))
    return answer if isinstance(answer, list) else None if answer is None else [answer]


def _coder(completed_by: Any) -> str:
    if isinstance(completed_by, dict):
        completed_by = completed_by.get("email") or completed_by.get("id")
    return "" if completed_by is None else str(completed_by)


def _short_form(fields: Mapping[str, Any]) -> dict[str, Any]:
    form = {name: _choices(value) for name, value in fields.items()}
    form.setdefault("record_id", form.get("id"))
    return {**form, "coder": _coder(form["annotator"])}


def _choices(value: Any) -> Any:
    """The answers in `{"choices": [...]}`, which is how several answers are written; any other value as it is."""
    if isinstance(value, str) and value.startswith('{"choices"'):
        try:
            value = json.loads(value)
        except ValueError:
            return value
    return value["choices"] if isinstance(value, dict) and value.keys() == {"choices"} else value


def _remark_on_others(n_others: Counter[str]) -> tuple[str, ...]:
    if not n_others:
        return ()
    kinds = ", ".join(f"`{kind}`" for kind in sorted(n_others))
    what = pluralise(n_others.total(), "result")
    return (f"{what} of the annotations ({kinds}) were left out: they are not codes of a whole record.",)
