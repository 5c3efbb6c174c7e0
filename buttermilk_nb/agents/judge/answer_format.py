"""The form of a judge's answer: instruction, JSON schema, and where its parts are."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..._internal.ids import canonical
from ..._internal.text import replace_surrogates
from ...codebook.criteria import Criteria
from ...codebook.criterion import Criterion
from ...errors import InvalidAnswer
from ..json_schema import object_schema

UNCERTAINTIES = ("low", "medium", "high")
REPAIR_MESSAGE = (
    "Your reply could not be read: it is not the JSON object that was asked for, or it holds an answer that was not "
    "offered. Reply again, with that JSON object and nothing else."
)  # part of the cache key of the second request, so its wording must not change
"""The second request to a judge whose answer cannot be parsed."""


def answer_format(criteria: Iterable[Criterion]) -> str:
    """The instruction on the form of the answer."""
    entries = ",\n".join(
        f'    "{criterion.name}": {{"reasons": ["..."], "conclusion": "...", "answer": ..., "uncertainty": "..."}}'
        for criterion in criteria
    )
    return f'Reply with one JSON object and nothing else, in this form:\n{{\n  "criteria": {{\n{entries}\n  }}\n}}'


def answer_schema(criteria: Criteria) -> dict[str, Any]:
    """The JSON schema of a judge's answer: reasons, conclusion, answer and uncertainty for each criterion."""

    def criterion_schema(criterion: Criterion) -> dict[str, Any]:
        properties = {
            "reasons": {"type": "array", "items": {"type": "string"}},
            "conclusion": {"type": "string"},
            "answer": criterion.answer_schema(),
            "uncertainty": {"type": "string", "enum": list(UNCERTAINTIES)},
        }
        return object_schema(properties)

    return object_schema(
        {"criteria": object_schema({criterion.name: criterion_schema(criterion) for criterion in criteria})}
    )


def find_entry(reply: dict[str, Any], criterion: Criterion, *, is_only: bool) -> dict[str, Any]:
    """The part of an answer about one criterion.

    Parameters
    ----------
    reply
        The JSON object of the answer.
    criterion
        The criterion.
    is_only
        Whether only this criterion was asked about, so that the answer may leave out its name.

    Raises
    ------
    InvalidAnswer
        The answer has no such part.
    """
    by_criterion = reply.get("criteria")
    for entries in (by_criterion, reply):
        if isinstance(entries, dict) and criterion.name in entries:
            entry = entries[criterion.name]
            return entry if isinstance(entry, dict) else {"answer": entry}
    if is_only and "answer" in reply:
        return reply
    raise InvalidAnswer("it is missing in the answer")


def as_text(value: Any) -> str | None:
    """Any value as a text; other values than texts as JSON."""
    return None if value is None else replace_surrogates(value if isinstance(value, str) else canonical(value))


def as_texts(value: Any) -> list[str]:
    """Any value as a list of texts."""
    items = value if isinstance(value, list) else [] if value is None else [value]
    return [as_text(item) or "" for item in items]
