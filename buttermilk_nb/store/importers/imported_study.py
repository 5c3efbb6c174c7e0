"""The form between a file of another program and the rows of the Store.

A reader (one file a format) turns its source into a `ImportedStudy`: judgements in the source's own words, and every
problem that makes it unusable. What becomes of them (ids, hashes, rows) is decided once, in `rows`.
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

_MOST_SAID = 20


class SourceRecord(BaseModel):
    """One answer on one criterion, as the source has it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    criterion: str
    raw: Any = None
    """The answer itself, which a scale may read."""
    value: float | None = None
    category: str | None = None
    flagged: bool | None = None
    uncertainty: str | None = None
    conclusion: str | None = None
    reasons: tuple[str, ...] | None = None
    status: Status = "ok"


class SourceCriterion(BaseModel):
    """One request to a model, as far as the source knows it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str
    served: str | None = None
    request: str
    response: str | None = None
    params: str = "{}"
    asked_at: dt.datetime | None = None
    latency_s: float | None = None
    tokens_in: int | None = None
    tokens_out: int | None = None
    finish_reason: str | None = None
    request_id: str | None = None


class SourceScore(BaseModel):
    """One cell: what one judge (or scorer, or other agent) made of one record."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    where: str
    """Where it stands in the source, for the sentences: `row 3`."""
    record_id: str
    record: int | None = None
    """The place of its text among the study's records; None where the source has no text."""
    step: str
    role: str = "judge"
    model: str | None = None
    criteria_set: str | None = None
    prompt: str | None = None
    """The name of the prompt; its wording is not known."""
    params: str = "{}"
    replicate: int = 0
    status: Status = "ok"
    flagged: bool | None = None
    output: str | None = None
    error: str | None = None
    started_at: dt.datetime | None = None
    duration_s: float = 0.0
    answers: tuple[SourceRecord, ...] = ()
    asked: tuple[SourceCriterion, ...] = ()
    read: tuple[int, ...] = ()
    """The places, in the study, of what it read."""


class ImportedStudy(BaseModel):
    """What a source holds.

    Parameters
    ----------
    kind
        Which reader read it.
    name
        What the run is called.
    about
        What is known of the source: file name, sha256, its own ids and times.
    judged
        The cells, in order.
    records
        The texts that came with it.
    problems
        What makes it unusable.
    remarks
        What a reader should know.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: str
    name: str
    about: dict[str, Any]
    judged: tuple[SourceScore, ...]
    records: tuple[Record, ...] = ()
    problems: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()


def head(problems: Iterable[str]) -> list[str]:
    """The problems, each once; of a great many the first, and how many more there are.

    Examples
    --------
    >>> head(f"row {n} is empty." for n in range(23))[-1]
    'and 3 more like these.'
    """
    found = list(dict.fromkeys(problems))
    rest = len(found) - _MOST_SAID
    return found if rest <= 0 else [*found[:_MOST_SAID], f"and {rest:,} more like these."]


def map_word(criteria: Criteria | None, criterion: str, flagged: bool | None) -> str | None:
    """The answer that a verdict stands for: the one answer that is flagged, or that is not, where there is just one.

    Examples
    --------
    >>> map_word(Criteria("respect", "Is it respectful?", flag="no"), "respect", True)
    'no'
    >>> map_word(None, "respect", True)
    'yes'
    """
    if flagged is None:
        return None
    if criteria is None:
        return "yes" if flagged else "no"
    asked = next((item for item in criteria if item.name == criterion), None)
    offered = asked.scale.answers if asked else ()
    fitting = [word for word in offered if asked and asked.flagged(asked.parse(word)) is flagged]
    return fitting[0] if len(fitting) == 1 else None


# --- values of other programs ------------------------------------------------------------------------


def text(value: Any) -> str | None:
    """A text, or None where there is none: None, NaN, an empty cell.

    Examples
    --------
    >>> text("  "), text(float("nan")), text(3.0), text({"a": 1})
    (None, None, '3', '{"a": 1}')
    """
    plain = to_jsonable(value)
    if isinstance(plain, float) and plain.is_integer():
        plain = int(plain)
    if plain is None or (isinstance(plain, str) and not plain.strip()):
        return None
    return plain if isinstance(plain, str) else json.dumps(plain, ensure_ascii=False)


def truth(value: Any) -> bool | None:
    """Yes or no in whatever words, or None.

    Examples
    --------
    >>> truth("True"), truth(0), truth("n/a")
    (True, False, None)
    """
    said = str(to_jsonable(value)).strip().casefold()
    if said in ("true", "yes", "1", "1.0", "t", "y"):
        return True
    return False if said in ("false", "no", "0", "0.0", "f", "n") else None


def number(value: Any) -> float | None:
    """A finite number, or None.

    Examples
    --------
    >>> number("3.5"), number(True), number("many"), number(float("inf"))
    (3.5, None, None, None)
    """
    if isinstance(value, bool) or value is None:
        return None
    try:
        found = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return found if math.isfinite(found) else None


def texts(value: Any) -> tuple[str, ...] | None:
    """A list of texts: a list, JSON that is one, or a text parted by ` | ` or line breaks; None for nothing.

    Examples
    --------
    >>> texts('["a", "b"]'), texts("a | b"), texts([]), texts(None)
    (('a', 'b'), ('a', 'b'), (), None)
    """
    read = loaded(value)
    if isinstance(read, list | tuple) or hasattr(read, "tolist"):
        return tuple(replace_surrogates(str(item)) for item in to_jsonable(read) if item is not None)
    said = text(read)
    if said is None:
        return None
    parts = (part.strip() for part in said.replace("\n", " | ").split(" | "))
    return tuple(part for part in parts if part)


def loaded(value: Any) -> Any:
    """What a JSON text holds, where it is an object or a list; any other value as it is."""
    if isinstance(value, str) and value.lstrip()[:1] in ("{", "["):
        try:
            return json.loads(value)
        except (ValueError, RecursionError):
            return value
    return value


def parse_time(value: Any) -> dt.datetime | None:
    """A time in UTC without a zone, from a datetime, ISO text or seconds since 1970; None where it is none.

    Examples
    --------
    >>> parse_time("2025-09-23T08:09:58-04:00"), parse_time("soon")
    (datetime.datetime(2025, 9, 23, 12, 9, 58), None)
    """
    try:
        if isinstance(value, int | float) and not isinstance(value, bool):
            found = dt.datetime.fromtimestamp(value, dt.UTC)
        elif hasattr(value, "to_pydatetime"):
            found = value.to_pydatetime()
        elif isinstance(value, dt.datetime):
            found = value
        else:
            found = dt.datetime.fromisoformat(str(value).strip().replace(" UTC", "+00:00"))
        return found.astimezone(dt.UTC).replace(tzinfo=None) if found.tzinfo else found
    except (ValueError, OverflowError, OSError):
        return None
