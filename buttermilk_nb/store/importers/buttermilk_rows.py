"""Flattens the rows of Buttermilk's tables and views to one form.

Buttermilk stores one nested row per call (`agent_info`, `inputs`, `outputs`, `record`) and shows views of it with flat
columns (`judge_scores`, `judge_reasons`). JSON columns contain objects or texts, and names have changed over the
years. Fields with a known name go into `FlatRow.values`; all others stay in `unmapped`, so that nothing is lost.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict

from ..._internal.text import to_jsonable
from .imported_study import parse_json, to_bool, to_text, to_texts

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
    "confidence": ("confidence",),
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
"""Buttermilk's names for each field, the newest first."""
_UNCERTAINTY = {"high": "low", "medium": "medium", "low": "high"}
SIGNATURES = (
    {"judge", "judge_model"},
    {"judge", "violating"},
    {"agent_info", "outputs"},
    {"judge_model", "judge_criteria"},
)
"""Sets of columns; every row that Buttermilk exports has all columns of at least one set."""


class FlatRow(BaseModel):
    """A flat row with unchanged values."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    values: dict[str, Any]
    record: dict[str, Any] | None
    unmapped: dict[str, Any]

    def text(self, name: str) -> str | None:
        """A value as text; None if it is missing."""
        return to_text(self.values.get(name))

    @property
    def role(self) -> str:
        """The role of the agent: `judge`, `synthesiser`, `scorer`, or Buttermilk's own word."""
        word = (self.text("role") or "judge").lower()
        for start, name in (("judge", "judge"), ("synth", "synthesiser"), ("scor", "scorer")):
            if word.startswith(start):
                return name
        return word


def flatten_row(row: Mapping[str, Any]) -> FlatRow:
    """Flatten a row.

    Examples
    --------
    >>> agent_info = '{"role": "JUDGE", "parameters": {"model": "m"}}'
    >>> row = flatten_row({"agent_info": agent_info, "outputs": {"prediction": True}})
    >>> row.role, row.text("model"), row.values["violating"]
    ('judge', 'm', True)
    """
    columns: dict[str, Any] = {str(key): to_jsonable(value) for key, value in row.items()}
    nested = {key: parse_json(columns.pop(key)) for key in _NESTED if isinstance(parse_json(columns.get(key)), dict)}
    record = _nested_record(columns, nested)
    for fields in _nested_fields(nested):
        for key, value in fields.items():
            columns.setdefault(key, value)
    values, used_columns = {}, set()
    for name, column_names in _NAMES.items():
        for column_name in column_names:
            if _has_value(columns.get(column_name)):
                values[name] = columns[column_name]
                used_columns.add(column_name)
                break
    if uncertainty_of(values.get("confidence")) is None:  # a number, or another word: it stays as it is
        used_columns.discard("confidence")
    values.setdefault("record_id", (record or {}).get("record_id"))
    unmapped = {
        key: value
        for key, value in row.items()
        if str(key) not in used_columns and _has_value(value) and key not in _NESTED
    }
    return FlatRow(
        values=values, record=record, unmapped=to_jsonable({**unmapped, **{k: v for k, v in nested.items() if v}})
    )


def uncertainty_of(confidence: Any) -> str | None:
    """The uncertainty that a word for confidence means; None for a number or another word.

    Examples
    --------
    >>> uncertainty_of("High"), uncertainty_of(0.9)
    ('low', None)
    """
    return _UNCERTAINTY.get((to_text(confidence) or "").strip().lower())


def _nested_fields(nested: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The nested objects with the fields that views show as columns, the most reliable first."""
    agent, inputs = nested.get("agent_info", {}), nested.get("inputs", {})
    config = _as_object(agent.get("config"))
    name = next(
        (value for value in (agent.get("name"), agent.get("component_name"), config.get("agent_name")) if value), None
    )
    parameters = {
        **_as_object(inputs.get("parameters")),
        **_as_object(config.get("parameters")),
        **_as_object(agent.get("parameters")),
    }
    inner_inputs = _as_object(inputs.get("inputs"))
    answers = inner_inputs.get("answers")
    parent = (
        answers[0].get("answer_id") if isinstance(answers, list) and answers and isinstance(answers[0], dict) else None
    )
    return [
        nested.get("outputs", {}),
        {"judge": name, "role": agent.get("role") or config.get("role") or inputs.get("role")},
        parameters,
        nested.get("parameters", {}),
        nested.get("metadata", {}),
        {"record_id": inner_inputs.get("record_id"), "parent_call_id": parent},
    ]


def _nested_record(columns: dict[str, Any], nested: Mapping[str, Any]) -> dict[str, Any] | None:
    """The record in the row; of a list of records, the first."""
    candidates = [
        columns.pop("record", None),
        columns.pop("records", None),
        _as_object(nested.get("inputs")).get("records"),
    ]
    for candidate in candidates:
        parsed = parse_json(candidate)
        if isinstance(parsed, list) and parsed:
            parsed = parse_json(parsed[0])
        if isinstance(parsed, dict) and parsed:
            return parsed
    return None


def _as_object(value: Any) -> dict[str, Any]:
    parsed = parse_json(value)
    return parsed if isinstance(parsed, dict) else {}


def _has_value(value: Any) -> bool:
    return value is not None and value != "" and value != [] and value != {} and value == value  # NaN is not itself


def assessments_of(row: FlatRow) -> list[dict[str, Any]]:
    """What a scorer says of each of the expert's reasons: whether the answer gives it, and a comment."""
    listed = parse_json(row.values.get("assessments"))
    if isinstance(listed, list) and not {"correct", "feedback"} & row.values.keys():
        items = [item if isinstance(item, dict) else {"correct": item} for item in listed]
        return [{"correct": to_bool(item.get("correct")), "feedback": to_text(item.get("feedback"))} for item in items]
    correct = parse_json(row.values.get("correct")) or []
    correct = correct if isinstance(correct, list) else [correct]
    feedback = to_texts(row.values.get("feedback")) or ()
    length = max(len(correct), len(feedback))
    return [
        {
            "correct": to_bool(correct[i]) if i < len(correct) else None,
            "feedback": feedback[i] if i < len(feedback) else None,
        }
        for i in range(length)
    ]
