"""A coder's answer on one criterion of one record, saved or not yet.

It is frozen: each change makes a new one, and undo goes back to the previous one.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from ...schema import Label, LabelStatus


class Span(NamedTuple):
    """A marked passage: its words, and where it starts and ends in the text."""

    start: int
    """The first character, counted from 0."""
    end: int
    """The character after the last one."""
    text: str


@dataclass(frozen=True, slots=True)
class DraftAnswer:
    """An answer with its reasons, note and marked passages. It is on disk if it has a status."""

    answer: Any = None
    """As the scale writes it: a category, a number, or a JSON list of labels."""
    status: LabelStatus | None = None
    reasons: tuple[str, ...] = ()
    notes: str = ""
    spans: tuple[Span, ...] = ()
    seconds: float = 0.0

    @property
    def is_saved(self) -> bool:
        """Whether it is on disk. Reasons, notes and passages are saved once there is an answer."""
        return self.status is not None

    @property
    def quotes(self) -> list[Mapping[str, Any]]:
        """The passages in the form in which a label stores them."""
        return [span._asdict() for span in self.spans]

    @classmethod
    def from_label(cls, label: Label) -> DraftAnswer:
        """The answer that a label stores."""
        return cls(
            answer=label.category if label.category is not None else label.value,
            status=label.status,
            reasons=tuple(label.reasons or ()),
            notes=label.notes or "",
            spans=tuple(Span(q["start"], q["end"], q["text"]) for q in json.loads(label.quotes or "[]")),
            seconds=label.seconds or 0.0,
        )


NO_ANSWER = DraftAnswer()
