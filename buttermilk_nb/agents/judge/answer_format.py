"""The form of a judge's answer: how it is asked for, its JSON schema, and where its parts are found."""

from __future__ import annotations

from typing import Any

from ..._internal.ids import canonical
from ..._internal.text import replace_surrogates
from ...codebook.criteria import Criteria
from ...codebook.criterion import Criterion
from ...errors import InvalidAnswer

UNCERTAINTIES = ("low", "medium", "high")
REPAIR_MESSAGE = (
    "Your reply could not be read: it is not the JSON object that was asked for, or it holds an answer that was not "
    "offered. Reply again, with that JSON object and nothing else."
)  # part of the cache key of the second request, so its wording stays
"""What is said to a judge's answer that cannot be read."""


def answer_format(criteria: Criteria) -> str:
    """The instruction on the form of the answer."""
    entries = ",\n".join(
        f'    "{criterion.name}": {{"reasons": ["..."], "conclusion": "...", "answer": ..., "uncertainty": "..."}}'
        for criterion in criteria
    )
    return f'Reply with one JSON object and nothing else, in this form:\n{{\n  "criteria": {{\n{entries}\n  }}\n}}'


def answer_schema(criteria: Criteria) -> dict[str, Any]:
    """JSON schema of a judge's answer: for each criterion reasons, conclusion, answer, uncertainty."""

    def criterion_schema(criterion: Criterion) -> dict[str, Any]:
        properties = {
            "reasons": {"type": "array", "items": {"type": "string"}},
            "conclusion": {"type": "string"},
            "answer": criterion.answer_schema(),
            "uncertainty": {"type": "string", "enum": list(UNCERTAINTIES)},
        }
        return _object_schema(properties)

    return _object_schema(
        {"criteria": _object_schema({criterion.name: criterion_schema(criterion) for criterion in criteria})}
    )


def _object_schema(properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


def find_entry(reply: dict[str, Any], criterion: Criterion, *, is_only: bool) -> dict[str, Any]:
    """The part of an answer that speaks of one criterion."""
    by_criterion = reply.get("criteria")
    for entries in (by_criterion, reply):
        if isinstance(entries, dict) and criterion.name in entries:
            entry = entries[criterion.name]
            return entry if isinstance(entry, dict) else {"answer": entry}
    if is_only and "answer" in reply:
        return reply
    raise InvalidAnswer("the answer says nothing about it")


def as_text(value: Any) -> str | None:
    """A text, whatever stood in its place."""
    return None if value is None else replace_surrogates(value if isinstance(value, str) else canonical(value))


def as_texts(value: Any) -> list[str]:
    """A list of texts, whatever stood in its place."""
    items = value if isinstance(value, list) else [] if value is None else [value]
    return [as_text(item) or "" for item in items]
