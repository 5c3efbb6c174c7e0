"""How the work of one coder stands: what was said on each record, in memory as on disk."""

from __future__ import annotations

from collections.abc import Mapping
from statistics import median
from typing import NamedTuple

from ...codebook.criteria import Criteria
from ...project.project import Project
from ...schema import Label
from ..worklist import Item
from .draft_answer import NO_ANSWER, DraftAnswer

_COLUMNS = tuple(Label.model_fields)
_KEPT = f"""
    select {", ".join(_COLUMNS)} from latest_labels
    where coder = ? and criteria_hash = ? and round = ? and status <> 'withdrawn'
"""  # noqa: S608  # our own columns


class Progress(NamedTuple):
    """How far a coder is, in records."""

    coded: int
    skipped: int
    left: int
    seconds_per_record: float | None
    """The median over the records that are coded; None before the first."""


class SavedAnswers:
    """What a coder has said so far.

    Parameters
    ----------
    items
        The records in their order.
    criteria
        What is asked of each.
    """

    def __init__(self, items: tuple[Item, ...], criteria: Criteria) -> None:
        self.items = items
        self._names = tuple(criterion.name for criterion in criteria)
        self._held: dict[tuple[str, str], DraftAnswer] = {}
        self._labels: dict[tuple[str, str], Label] = {}

    def load(self, project: Project, coder: str, criteria_hash: str, of_round: str) -> None:
        """Take up what was coded before, of these versions of the texts and of the criteria."""
        with project.store.reading() as con:
            found = con.execute(_KEPT, [coder, criteria_hash, of_round]).fetchall()
        versions = {item.record.record_id: item.record.record_hash for item in self.items}
        for row in found:
            label = Label(**dict(zip(_COLUMNS, row, strict=True)))
            if versions.get(label.record_id) == label.record_hash:
                self._labels[label.record_id, label.criterion] = label
                self._held[label.record_id, label.criterion] = DraftAnswer.of(label)

    def answers_at(self, place: int) -> dict[str, DraftAnswer]:
        """What was said on each criterion of the record at a place."""
        record_id = self.items[place].record.record_id
        return {name: self._held.get((record_id, name), NO_ANSWER) for name in self._names}

    def complete(self, place: int) -> bool:
        """Whether every criterion there has an answer, or was skipped."""
        return all(held.is_saved for held in self.answers_at(place).values())

    def first_incomplete(self) -> int | None:
        """The first place that is not complete; None where all are."""
        return next((place for place in range(len(self.items)) if not self.complete(place)), None)

    def record(self, place: int, held: Mapping[str, DraftAnswer], labels: Mapping[str, Label]) -> None:
        """Take over what was said at a place, and the labels that keep it; what has no label stands on disk no more."""
        record_id = self.items[place].record.record_id
        for name, one in held.items():
            self._held[record_id, name] = one
            self._labels.pop((record_id, name), None)
        self._labels.update({(record_id, name): label for name, label in labels.items()})

    def labels(self) -> list[Label]:
        """The labels that stand on disk, in the order of the work."""
        keys = ((item.record.record_id, name) for item in self.items for name in self._names)
        return [self._labels[key] for key in keys if key in self._labels]

    def progress(self) -> Progress:
        """How many records are coded, skipped and left, and how long one takes."""
        coded, skipped, seconds = 0, 0, []
        for place in filter(self.complete, range(len(self.items))):
            held = self.answers_at(place).values()
            if all(one.status == "skipped" for one in held):
                skipped += 1
                continue
            coded += 1
            seconds.append(sum(one.seconds for one in held))
        return Progress(coded, skipped, len(self.items) - coded - skipped, median(seconds) if seconds else None)
