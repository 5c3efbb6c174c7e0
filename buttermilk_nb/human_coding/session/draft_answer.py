"""What a coder has said so far on one criterion of one record.

It is frozen: each change gives a new one, and undo goes back to the one before.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from ...schema import Label, LabelStatus


class Span(NamedTuple):
    """A marked passage: its place in characters of the text, end excluded, and its words."""

    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class DraftAnswer:
    """An answer with what belongs to it; on disk when it has a status."""

    answer: Any = None
    """As the scale writes it: a category, a number, or a JSON list of labels."""
    status: LabelStatus | None = None
    reasons: tuple[str, ...] = ()
    notes: str = ""
    spans: tuple[Span, ...] = ()
    seconds: float = 0.0

    @property
    def is_saved(self) -> bool:
        """Whether it is on disk. What was written before the answer waits for the answer."""
        return self.status is not None

    @property
    def quotes(self) -> list[Mapping[str, Any]]:
        """The passages as a label keeps them."""
        return [span._asdict() for span in self.spans]

    @classmethod
    def of(cls, label: Label) -> DraftAnswer:
        """What a label says."""
        return cls(
            answer=label.category if label.category is not None else label.value,
            status=label.status,
            reasons=tuple(label.reasons or ()),
            notes=label.notes or "",
            spans=tuple(Span(q["start"], q["end"], q["text"]) for q in json.loads(label.quotes or "[]")),
            seconds=label.seconds or 0.0,
        )


NO_ANSWER = DraftAnswer()
