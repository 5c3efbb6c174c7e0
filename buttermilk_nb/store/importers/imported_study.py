"""`ImportedStudy`: traces, answers and calls from another program, and conversions of their values.

A reader (one file per format) turns its source into an `ImportedStudy`: judgements in the source's own words, and every
problem that makes it unusable. The module `to_rows` then makes ids, hashes and rows from any study in the same way.
"""

from __future__ import annotations

import datetime as dt
import json
import math
from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel, ConfigDict

from ..._internal.text import replace_surrogates, to_jsonable
from ...codebook.criteria import Criteria
from ...corpus.record import Record
from ...schema import Status

_MAX_PROBLEMS = 20


class SourceAnswer(BaseModel):
    """One answer on one criterion in the source's own words."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    criterion: str
    raw_answer: Any = None
    """The answer itself, which the scale of the criterion parses."""
    value: float | None = None
    category: str | None = None
    flagged: bool | None = None
    uncertainty: str | None = None
    conclusion: str | None = None
    reasons: tuple[str, ...] | None = None
    status: Status = "ok"


class SourceAssessment(BaseModel):
    """One of an expert's reasons, and whether the assessed answer gives it too."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    reason: str
    matched: bool | None = None
    feedback: str | None = None


class SourceCall(BaseModel):
    """One request to a model and its response, as far as the source has them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str
    model_served: str | None = None
    request: str
    response: str | None = None
    params: str = "{}"
    asked_at: dt.datetime | None = None
    latency_s: float | None = None
    tokens_in: int | None = None
    tokens_out: int | None = None
    finish_reason: str | None = None
    request_id: str | None = None


class SourceTrace(BaseModel):
    """The output of one judge, scorer or other agent on one record."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    location: str
    """Its place in the source, for messages: `row 3`."""
    record_id: str
    record_index: int | None = None
    """The index of its text among the study's records; None if the source has no text."""
    step: str
    role: str = "judge"
    model: str | None = None
    criteria_set: str | None = None
    prompt: str | None = None
    """The name of the prompt; the wording is not known."""
    params: str = "{}"
    replicate: int = 0
    status: Status = "ok"
    flagged: bool | None = None
    output: str | None = None
    error: str | None = None
    started_at: dt.datetime | None = None
    duration_s: float = 0.0
    answers: tuple[SourceAnswer, ...] = ()
    calls: tuple[SourceCall, ...] = ()
    inputs: tuple[int, ...] = ()
    """The indexes, in the study, of the traces that it read."""
    assessments: tuple[SourceAssessment, ...] = ()
    """What a scorer says of the first of these."""


class ImportedStudy(BaseModel):
    """The content of a source.

    Parameters
    ----------
    kind
        The kind of source: `buttermilk`, `inspect` or `scores`.
    name
        The name of the run.
    description
        Facts about the source: file name, sha256, its own ids and times.
    traces
        The traces, in order.
    records
        The records whose texts are in the source.
    problems
        Problems that make the source unusable.
    remarks
        Remarks for the researcher.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: str
    name: str
    description: dict[str, Any]
    traces: tuple[SourceTrace, ...]
    records: tuple[Record, ...] = ()
    problems: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()


def first_problems(problems: Iterable[str]) -> list[str]:
    """The problems, each once; if there are many, the first ones and the number of the others.

    Examples
    --------
    >>> first_problems(f"row {n} is empty." for n in range(23))[-1]
    'and 3 more like these.'
    """
    distinct = list(dict.fromkeys(problems))
    n_more = len(distinct) - _MAX_PROBLEMS
    return distinct if n_more <= 0 else [*distinct[:_MAX_PROBLEMS], f"and {n_more:,} more like these."]


def answer_from_verdict(criteria: Criteria | None, criterion: str, flagged: bool | None) -> str | None:
    """The answer that a verdict means, if exactly one answer of the scale is flagged (or not flagged) like it.

    Examples
    --------
    >>> answer_from_verdict(Criteria("respect", "Is it respectful?", flag="no"), "respect", True)
    'no'
    >>> answer_from_verdict(None, "respect", True)
    'yes'
    """
    if flagged is None:
        return None
    if criteria is None:
        return "yes" if flagged else "no"
    definition = next((item for item in criteria if item.name == criterion), None)
    answers = definition.scale.answers if definition else ()
    matches = [word for word in answers if definition and definition.flagged(definition.parse(word)) is flagged]
    return matches[0] if len(matches) == 1 else None


# --- values of other programs ------------------------------------------------------------------------


def to_text(value: Any) -> str | None:
    """The value as text; None if it is missing (None, NaN or blank).

    Examples
    --------
    >>> to_text("  "), to_text(float("nan")), to_text(3.0), to_text({"a": 1})
    (None, None, '3', '{"a": 1}')
    """
    plain = to_jsonable(value)
    if isinstance(plain, float) and plain.is_integer():
        plain = int(plain)
    if plain is None or (isinstance(plain, str) and not plain.strip()):
        return None
    return plain if isinstance(plain, str) else json.dumps(plain, ensure_ascii=False)


def to_bool(value: Any) -> bool | None:
    """True or False from any spelling of yes and no; None for all other values.

    Examples
    --------
    >>> to_bool("True"), to_bool(0), to_bool("n/a")
    (True, False, None)
    """
    word = str(to_jsonable(value)).strip().casefold()
    if word in ("true", "yes", "1", "1.0", "t", "y"):
        return True
    return False if word in ("false", "no", "0", "0.0", "f", "n") else None


def to_number(value: Any) -> float | None:
    """A finite number, or None.

    Examples
    --------
    >>> to_number("3.5"), to_number(True), to_number("many"), to_number(float("inf"))
    (3.5, None, None, None)
    """
    if isinstance(value, bool) or value is None:
        return None
    try:
        result = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return result if math.isfinite(result) else None


def to_texts(value: Any) -> tuple[str, ...] | None:
    """Texts from a list, a JSON list, or one text with ` | ` or line breaks between its parts; None if it is missing.

    Examples
    --------
    >>> to_texts('["a", "b"]'), to_texts("a | b"), to_texts([]), to_texts(None)
    (('a', 'b'), ('a', 'b'), (), None)
    """
    parsed = parse_json(value)
    if isinstance(parsed, list | tuple) or hasattr(parsed, "tolist"):
        return tuple(replace_surrogates(str(item)) for item in to_jsonable(parsed) if item is not None)
    joined = to_text(parsed)
    if joined is None:
        return None
    parts = (part.strip() for part in joined.replace("\n", " | ").split(" | "))
    return tuple(part for part in parts if part)


def parse_json(value: Any) -> Any:
    """The object or list in a JSON text; any other value unchanged."""
    if isinstance(value, str) and value.lstrip()[:1] in ("{", "["):
        try:
            return json.loads(value)
        except (ValueError, RecursionError):
            return value
    return value


def parse_time(value: Any) -> dt.datetime | None:
    """A time in UTC without a zone, from a datetime, ISO text or seconds since 1970; None if it is not a time.

    Examples
    --------
    >>> parse_time("2025-09-23T08:09:58-04:00"), parse_time("soon")
    (datetime.datetime(2025, 9, 23, 12, 9, 58), None)
    """
    try:
        if isinstance(value, int | float) and not isinstance(value, bool):
            time = dt.datetime.fromtimestamp(value, dt.UTC)
        elif hasattr(value, "to_pydatetime"):
            time = value.to_pydatetime()
        elif isinstance(value, dt.datetime):
            time = value
        else:
            time = dt.datetime.fromisoformat(str(value).strip().replace(" UTC", "+00:00"))
        return time.astimezone(dt.UTC).replace(tzinfo=None) if time.tzinfo else time
    except (ValueError, OverflowError, OSError):
        return None
