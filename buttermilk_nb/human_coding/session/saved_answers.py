"""The answers of one coder on each record, in memory and on disk alike."""

from __future__ import annotations

from collections.abc import Mapping
from statistics import median
from typing import NamedTuple

from ...project.project import Project
from ...schema import Label
from ..questionnaire import Questionnaire
from ..worklist import Item
from .draft_answer import NO_ANSWER, DraftAnswer

_COLUMNS = tuple(Label.model_fields)
_OWN_LABELS = f"""
    select {", ".join(_COLUMNS)} from latest_labels
    where coder = ? and list_contains(?::varchar[], criteria_hash) and round = ? and status <> 'withdrawn'
"""  # noqa: S608  # our own columns


class Progress(NamedTuple):
    """How many records are coded, skipped and left."""

    coded: int
    skipped: int
    left: int
    seconds_per_record: float | None
    """The median over the coded records. It is None before the first one."""


class SavedAnswers:
    """The answers that a coder has given so far.

    Parameters
    ----------
    items
        The records in the order of coding.
    questionnaire
        The questions on each record.
    """

    def __init__(self, items: tuple[Item, ...], questionnaire: Questionnaire) -> None:
        self.items = items
        self._questionnaire = questionnaire
        self._answers: dict[tuple[str, str], DraftAnswer] = {}
        self._labels: dict[tuple[str, str], Label] = {}

    def load(self, project: Project, coder: str, of_round: str) -> None:
        """Read the coder's earlier answers on these versions of the texts and of the criteria."""
        with project.store.reading() as con:
            rows = con.execute(_OWN_LABELS, [coder, list(self._questionnaire.hashes), of_round]).fetchall()
        versions = {item.record.record_id: item.record.record_hash for item in self.items}
        for row in rows:
            label = Label(**dict(zip(_COLUMNS, row, strict=True)))
            question = self._questionnaire.find_question(label.criteria_hash, label.criterion)
            if question and versions.get(label.record_id) == label.record_hash:
                self._labels[label.record_id, question.key] = label
                self._answers[label.record_id, question.key] = DraftAnswer.from_label(label)

    def answers_at(self, place: int) -> dict[str, DraftAnswer]:
        """The answer on each question on the record at a position."""
        record_id = self.items[place].record.record_id
        return {key: self._answers.get((record_id, key), NO_ANSWER) for key in self._questionnaire.keys}

    def is_complete(self, place: int) -> bool:
        """Whether every question on the record at a position has an answer or was skipped."""
        return all(answer.is_saved for answer in self.answers_at(place).values())

    def first_incomplete(self) -> int | None:
        """The position of the first record that is not complete; None if all are."""
        return next((place for place in range(len(self.items)) if not self.is_complete(place)), None)

    def incomplete(self) -> list[int]:
        """The positions of all records that are not complete."""
        return [place for place in range(len(self.items)) if not self.is_complete(place)]

    def record(self, place: int, answers: Mapping[str, DraftAnswer], labels: Mapping[str, Label]) -> None:
        """Replace answers at a position and the labels that store them. Answers without a label are no longer saved."""
        record_id = self.items[place].record.record_id
        for key, answer in answers.items():
            self._answers[record_id, key] = answer
            self._labels.pop((record_id, key), None)
        self._labels.update({(record_id, key): label for key, label in labels.items()})

    def labels(self) -> list[Label]:
        """The labels on disk, in the order of coding."""
        keys = ((item.record.record_id, key) for item in self.items for key in self._questionnaire.keys)
        return [self._labels[key] for key in keys if key in self._labels]

    def progress(self) -> Progress:
        """How many records are coded, skipped and left, and the seconds that one takes."""
        coded, skipped, seconds = 0, 0, []
        for place in filter(self.is_complete, range(len(self.items))):
            answers = self.answers_at(place).values()
            if all(answer.status == "skipped" for answer in answers):
                skipped += 1
                continue
            coded += 1
            seconds.append(sum(answer.seconds for answer in answers))
        return Progress(coded, skipped, len(self.items) - coded - skipped, median(seconds) if seconds else None)
