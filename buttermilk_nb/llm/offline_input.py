"""What models that answer by rule, or from what was written down, read beside the messages."""

from __future__ import annotations

from typing import Literal, NamedTuple

from ..codebook.criteria import Criteria
from ..corpus.record import Record
from ..schema import Score

Task = Literal["judge", "synthesise", "differences", "match", "extract", "pairwise"]
"""What is asked for: answers on criteria, one reconciled answer, where answers diverge, which reasons they give, rows,
which of two texts is better."""


class AnonymisedAnswer(NamedTuple):
    """An answer that is shown to an agent, under a name that does not say whose it is."""

    label: str
    """`A1`, `A2`, ... in the order in which they are shown."""
    trace_id: str
    model: str
    replicate: int
    scores: tuple[Score, ...]


class OfflineInput(NamedTuple):
    """What is read beside the messages. Never sent to a remote model."""

    record: Record
    criteria: Criteria | None = None
    task: Task = "judge"
    answers: tuple[AnonymisedAnswer, ...] = ()
    expert_reasons: tuple[tuple[str, str], ...] = ()
    """Criterion and reason, in the order in which they are numbered."""
    texts: tuple[str, ...] = ()
    """The two texts of a pair, in the order in which they are shown."""
    order: str = ""
    """Of a pair: `given` or `swapped`."""
