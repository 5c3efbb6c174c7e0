"""Results of other packages that ask models: EDSL and quallmer. A model is then one of the coders.

EDSL names its columns by their origin: `answer.tone`, `scenario.record_id`, `model.model`. quallmer has the id of a
text in `.id`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...corpus.loaders.source import SourceRow

_ANSWER, _SCENARIO = "answer.", "scenario."
_IDS = ("scenario.record_id", "scenario.id", "scenario.doc_id")
_CODERS = ("agent.agent_name", "model.model")
_NO_NAME = ("Agent_", "None")
"""What EDSL writes as the name of an agent that has none."""


def read_result_rows(rows: Sequence[SourceRow]) -> list[SourceRow]:
    """The rows as forms, with `record_id`, `coder` and a column for each question; other rows as they are.

    Examples
    --------
    >>> row = {"answer.tone": "warm", "scenario.record_id": "a", "model.model": "gpt-x", "agent.agent_name": "Agent_0"}
    >>> read_result_rows([SourceRow(1, row)])[0].fields
    {'record_id': 'a', 'coder': 'gpt-x', 'tone': 'warm'}
    """
    fields = [row.fields for row in rows if not row.problem]
    if fields and all(any(name.startswith(_ANSWER) for name in each) for each in fields):
        return [row if row.problem else row._replace(fields=_edsl_form(row.fields)) for row in rows]
    if fields and all(".id" in each and "record_id" not in each for each in fields):
        return [row._replace(fields={"record_id": row.fields.get(".id"), **row.fields}) for row in rows]
    return list(rows)


def _edsl_form(fields: Mapping[str, Any]) -> dict[str, Any]:
    record_id = next((fields[name] for name in _IDS if fields.get(name) not in (None, "")), None)
    names = [str(fields[name]) for name in _CODERS if fields.get(name) not in (None, "")]
    named = [name for name in names if not name.startswith(_NO_NAME)]
    answers = {name.removeprefix(_ANSWER): value for name, value in fields.items() if name.startswith(_ANSWER)}
    return {"record_id": record_id, "coder": " ".join(named) or None, **answers}
