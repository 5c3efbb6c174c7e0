"""A row of Buttermilk in flat form, whichever of its shapes it has.

Buttermilk stores one nested row a call (`agent_info`, `inputs`, `outputs`, `record`) and shows views of it with flat
columns (`judge_scores`, `judge_reasons`). JSON columns come as objects or as texts, and names have changed over the
years. What is known goes into `Flat`; what is not stays in `rest`, so that nothing is lost.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict

from ..._internal.text import to_jsonable
from .imported_study import loaded, text

_NESTED = ("agent_info", "inputs", "outputs", "metadata", "parameters")
_NAMES: dict[str, tuple[str, ...]] = {
    "call_id": ("call_id", "judge_call_id", "trace_id"),
    "scorer_call_id": ("scorer_call_id",),
    "parent_call_id": ("parent_call_id",),
    "record_id": ("record_id",),
    "judge": ("judge", "agent_name"),
    "model": ("judge_model", "agent_model", "model"),
    "template": ("judge_template", "template_name", "template"),
    "criteria": ("judge_criteria", "criteria"),
    "criterion": ("criterion",),
    "role": ("judge_role", "agent_role", "role"),
    "reasons": ("reasons",),
    "conclusion": ("conclusion", "full_prediction_summary", "full_reasons"),
    "violating": ("violating", "prediction", "predicted_violating", "flagged"),
    "category": ("label", "category"),
    "value": ("value",),
    "uncertainty": ("uncertainty",),
    "replicate": ("replicate",),
    "timestamp": ("timestamp",),
    "error": ("error",),
    "expected": ("expected_violating",),
    "scorer": ("scorer",),
    "scoring_model": ("scoring_model",),
    "scoring_template": ("scoring_template",),
    "correctness": ("correctness",),
    "correct": ("assessment_correct",),
    "feedback": ("assessment_feedback",),
    "assessments": ("assessments",),
    "messages": ("messages",),
}
"""What Buttermilk calls things, the newest name first."""
MARKS = ({"judge", "judge_model"}, {"judge", "violating"}, {"agent_info", "outputs"}, {"judge_model", "judge_criteria"})
"""Columns of which one set is in every row that Buttermilk exports."""


class Flat(BaseModel):
    """A row, flat; every value as it was found."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    known: dict[str, Any]
    record: dict[str, Any] | None
    rest: dict[str, Any]

    def text(self, name: str) -> str | None:
        """A value as text, None where there is none."""
        return text(self.known.get(name))

    @property
    def role(self) -> str:
        """What the agent was for, in our words: `judge`, `synthesiser`, `scorer` or its own."""
        said = (self.text("role") or "judge").lower()
        for start, name in (("judge", "judge"), ("synth", "synthesiser"), ("scor", "scorer")):
            if said.startswith(start):
                return name
        return said


def flat(row: Mapping[str, Any]) -> Flat:
    """Flatten a row.

    Examples
    --------
    >>> found = flat({"agent_info": '{"role": "JUDGE", "parameters": {"model": "m"}}', "outputs": {"prediction": True}})
    >>> found.role, found.text("model"), found.known["violating"]
    ('judge', 'm', True)
    """
    wide: dict[str, Any] = {str(key): to_jsonable(value) for key, value in row.items()}
    nested = {key: loaded(wide.pop(key)) for key in _NESTED if isinstance(loaded(wide.get(key)), dict)}
    record = _record(wide, nested)
    for inside in _insides(nested):
        for key, value in inside.items():
            wide.setdefault(key, value)
    known, used = {}, set()
    for name, spellings in _NAMES.items():
        for spelling in spellings:
            if _there(wide.get(spelling)):
                known[name] = wide[spelling]
                used.add(spelling)
                break
    known.setdefault("record_id", (record or {}).get("record_id"))
    rest = {key: value for key, value in row.items() if str(key) not in used and _there(value) and key not in _NESTED}
    return Flat(known=known, record=record, rest=to_jsonable({**rest, **{k: v for k, v in nested.items() if v}}))


def _insides(nested: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The nested objects that hold what views show as columns, the most telling first."""
    agent, inputs = nested.get("agent_info", {}), nested.get("inputs", {})
    config = _object(agent.get("config"))
    name = next(
        (value for value in (agent.get("name"), agent.get("component_name"), config.get("agent_name")) if value), None
    )
    parameters = {
        **_object(inputs.get("parameters")),
        **_object(config.get("parameters")),
        **_object(agent.get("parameters")),
    }
    asked = _object(inputs.get("inputs"))
    answers = asked.get("answers")
    parent = (
        answers[0].get("answer_id") if isinstance(answers, list) and answers and isinstance(answers[0], dict) else None
    )
    return [
        nested.get("outputs", {}),
        {"judge": name, "role": agent.get("role") or config.get("role") or inputs.get("role")},
        parameters,
        nested.get("parameters", {}),
        nested.get("metadata", {}),
        {"record_id": asked.get("record_id"), "parent_call_id": parent},
    ]


def _record(wide: dict[str, Any], nested: Mapping[str, Any]) -> dict[str, Any] | None:
    """The record that came with the row; a list of one is that one."""
    places = [wide.pop("record", None), wide.pop("records", None), _object(nested.get("inputs")).get("records")]
    for place in places:
        found = loaded(place)
        if isinstance(found, list) and found:
            found = loaded(found[0])
        if isinstance(found, dict) and found:
            return found
    return None


def _object(value: Any) -> dict[str, Any]:
    found = loaded(value)
    return found if isinstance(found, dict) else {}


def _there(value: Any) -> bool:
    return value is not None and value != "" and value != [] and value != {} and value == value  # NaN is not itself
