"""Label Studio's short exports, JSON-MIN and CSV: a row for each annotation, with `annotation_id` and `annotator`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from ...corpus.loaders.source import SourceRow


def read_short_rows(rows: Sequence[SourceRow]) -> list[SourceRow]:
    """The rows as forms, with their coder and a column for each question; other rows as they are.

    Parameters
    ----------
    rows
        The objects of a JSON file, or the rows of a CSV file.

    Examples
    --------
    >>> row = {"id": 7, "annotation_id": 1, "annotator": 3, "tone": {"choices": ["warm", "calm"]}}
    >>> read_short_rows([SourceRow(1, row)])[0].fields["tone"]
    ['warm', 'calm']
    """
    usable = [row for row in rows if not row.problem]
    if not usable or not all({"annotation_id", "annotator"} <= row.fields.keys() for row in usable):
        return list(rows)
    return [row if row.problem else row._replace(fields=_short_form(row.fields)) for row in rows]


def _short_form(fields: Mapping[str, Any]) -> dict[str, Any]:
    form = {name: _choices(value) for name, value in fields.items()}
    form.setdefault("record_id", form.get("id"))
    annotator = form["annotator"]
    if isinstance(annotator, dict):
        annotator = annotator.get("email") or annotator.get("id")
    return {**form, "coder": "" if annotator is None else str(annotator)}


def _choices(value: Any) -> Any:
    """The answers in `{"choices": [...]}`, which is how several answers are written; any other value as it is."""
    if isinstance(value, str) and value.startswith('{"choices"'):
        try:
            value = json.loads(value)
        except ValueError:
            return value
    return value["choices"] if isinstance(value, dict) and value.keys() == {"choices"} else value
