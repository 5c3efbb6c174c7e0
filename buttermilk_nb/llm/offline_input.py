"""`OfflineInput`: the input of models that answer by rule or from a file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

from ..codebook.criteria import Criteria
from ..corpus.record import Record
from ..schema import Score

Task = Literal["judge", "synthesise", "differences", "match", "extract", "pairwise", "fill"]
"""The task: answers on criteria (or free text), one reconciled answer, differences between answers, matched reasons,
extracted rows, the better of two texts, or an object in the form of a schema."""


class AnonymisedAnswer(NamedTuple):
    """An answer that an agent reads under a label instead of its author's name."""

    label: str
    """`A1`, `A2`, ... in the order in which the answers are shown."""
    trace_id: str
    model: str
    replicate: int
    scores: tuple[Score, ...]


class OfflineInput(NamedTuple):
    """The record, the criteria and other input in addition to the messages. Never sent to a remote model."""

    record: Record
    criteria: Criteria | None = None
    task: Task = "judge"
    answers: tuple[AnonymisedAnswer, ...] = ()
    expert_reasons: tuple[tuple[str, str], ...] = ()
    """Criterion and reason, in the order of their numbers."""
    texts: tuple[str, ...] = ()
    """The two texts of a pair, in the order in which they are shown."""
    order: str = ""
    """The order of a pair: `given` or `swapped`."""
    schema: Mapping[str, Any] | None = None
    """The JSON schema of the object to fill."""
    columns: Mapping[str, str | tuple[str, ...]] | None = None
    """The columns of the rows to extract: what each holds, or its allowed values."""
    quote: str | None = None
    """The column with a quotation from the text."""
