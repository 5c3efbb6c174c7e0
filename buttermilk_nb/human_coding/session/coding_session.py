"""`CodingSession`: one coder codes a corpus, with answers, notes and undo; no widget is needed.

Each answer is on disk when the method returns. A blind session never reads the answers of models. In other sessions,
the models' answers on a record are available only after the coder has answered all criteria on it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from ...codebook.criteria import Criteria
from ...corpus.corpus import Corpus
from ...errors import SetupError
from ...project.project import Project
from ...schema import Label
from ..labels import keep_labels, make_label
from ..questionnaire import Questionnaire, require_questionnaire
from ..worklist import Order, worklist
from .draft_answer import DraftAnswer, Span
from .model_answers import ModelAnswer, model_answers, record_exposure, seen_trace_ids
from .navigation import Navigation
from .saved_answers import Progress, SavedAnswers


class _UndoStep(NamedTuple):
    """The answers that one action changed, as they were before."""

    place: int
    before: Mapping[str, DraftAnswer]


class CodingSession:
    """The work of one coder on one corpus with one version of each document of criteria.

    The attribute `navigation` is the position in the list of records.

    Parameters
    ----------
    project
        The project that stores the labels.
    corpus
        The texts.
    criteria
        The questions on each text: one document of criteria, or several.
    coder
        The coder's name.
    blind
        Whether models' answers stay hidden throughout. With False, the coder can read them on a record after
        answering all criteria on it; codes that change after that are not blind.
    order, seed, sample
        See `worklist`.
    sensitive
        Whether each text is hidden until the coder asks for it, and a break is suggested after every 20 texts.
    round
        The round of coding. A second round starts with nothing coded.
    clock
        Returns the current time in seconds.

    Examples
    --------
    >>> import tempfile
    >>> from buttermilk_nb import Record, init
    >>> project = init("session-example", path=tempfile.mkdtemp())
    >>> corpus = Corpus([Record(record_id="a", content="Vermin."), Record(record_id="b", content="A calm day.")])
    >>> session = CodingSession(project, corpus, Criteria("respect", "Is it respectful?"), "kf", order="corpus")
    >>> session.answer("respect", "no")
    >>> session.navigation.next()
    >>> session.navigation.current.record_id, session.progress.left
    ('b', 1)
    """

    def __init__(
        self,
        project: Project,
        corpus: Corpus,
        criteria: Criteria | Questionnaire,
        coder: str,
        *,
        blind: bool = True,
        order: Order = "shuffled",
        seed: int | None = None,
        sample: Any = None,
        sensitive: bool = False,
        round: str = "1",  # noqa: A002  # the column's name
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.project = project
        self.questionnaire = require_questionnaire(criteria, "a coding session")
        self.coder = coder.strip()
        if not self.coder:
            raise SetupError('name the coder: coder="kf", or another short name. Use the same name every time.')
        self.blind = blind
        self.round = round
        self.items = worklist(corpus, self.coder, order=order, seed=seed, sample=sample)
        self.navigation = Navigation(self.items, sensitive=sensitive, clock=clock)
        self._steps: list[_UndoStep] = []
        self._answers = SavedAnswers(self.items, self.questionnaire)
        self._answers.load(project, self.coder, round)
        self._seen_trace_ids = seen_trace_ids(project, self.coder)
        first_incomplete = self._answers.first_incomplete()
        self.navigation.go_to(len(self.items) - 1 if first_incomplete is None else first_incomplete)

    # --- the current state -----------------------------------------------------------------------

    def draft(self, criterion: str) -> DraftAnswer:
        """The coder's answer on a criterion of the current record, saved or not yet."""
        return self._answers.answers_at(self.navigation.place)[self.questionnaire[criterion].key]

    @property
    def is_complete(self) -> bool:
        """Whether every criterion of the current record has an answer or was skipped."""
        return self._answers.is_complete(self.navigation.place)

    @property
    def is_finished(self) -> bool:
        """Whether every record is complete."""
        return self._answers.first_incomplete() is None

    def incomplete(self) -> list[int]:
        """The positions of the records that are not complete."""
        return self._answers.incomplete()

    @property
    def progress(self) -> Progress:
        """How many records are coded, skipped and left, and the seconds that one takes."""
        return self._answers.progress()

    @property
    def can_undo(self) -> bool:
        """Whether the coder has changed anything in this session that can be undone."""
        return bool(self._steps)

    def labels(self) -> list[Label]:
        """The codes on disk, in the order of coding."""
        return self._answers.labels()

    def model_answers(self) -> tuple[ModelAnswer, ...]:
        """The models' answers on the current record if it is complete. In a blind session there are never any.

        An event first records that the coder is shown them.
        """
        if self.blind or not self.is_complete:
            return ()
        record = self.navigation.current
        answers = tuple(
            replace(answer, criterion=question.key)
            for document in self.questionnaire.documents
            for answer in model_answers(self.project, record, document)
            if (question := self.questionnaire.find_question(document.criteria_hash, answer.criterion))
        )
        unseen_trace_ids = {answer.trace_id for answer in answers} - self._seen_trace_ids.get(record.record_id, set())
        if unseen_trace_ids:
            record_exposure(self.project, self.coder, record, sorted(unseen_trace_ids))
            self._seen_trace_ids.setdefault(record.record_id, set()).update(unseen_trace_ids)
        return answers

    # --- coding ----------------------------------------------------------------------------------

    def answer(self, criterion: str, value: Any) -> None:
        """Answer a criterion of the current record. The answer is on disk when this returns.

        Raises
        ------
        InvalidAnswer
            The value is not on the criterion's scale.
        SetupError
            The text is still hidden.
        """
        if self.navigation.hidden:
            raise SetupError("show the text first. It is hidden because this corpus is marked as sensitive.")
        self._change(criterion, lambda draft: replace(draft, answer=value, status="coded"))

    def give_reasons(self, criterion: str, reasons: Sequence[str]) -> None:
        """Give reasons; empty ones are left out. They are saved with the answer, as soon as there is one."""
        texts = tuple(reason.strip() for reason in reasons if reason.strip())
        self._change(criterion, lambda draft: replace(draft, reasons=texts))

    def write_note(self, criterion: str, text: str) -> None:
        """Write a note. It is saved with the answer, as soon as there is one."""
        self._change(criterion, lambda draft: replace(draft, notes=text.strip()))

    def mark_passage(self, criterion: str, start: int, end: int) -> None:
        """Mark a passage of the text, from character `start` up to but not including `end`, counted from 0.

        It is saved with the answer, as soon as there is one.

        Raises
        ------
        SetupError
            The passage does not exist.
        """
        content = self.navigation.current.content
        if not 0 <= start < end <= len(content):
            raise SetupError(
                f"the passage from {start} to {end} does not exist: the text has {len(content):,} characters."
            )
        span = Span(start, end, content[start:end])
        self._change(criterion, lambda draft: replace(draft, spans=tuple(sorted({*draft.spans, span}))))

    def unmark_passage(self, criterion: str, start: int, end: int) -> None:
        """Remove the mark of a passage."""
        self._change(
            criterion,
            lambda draft: replace(draft, spans=tuple(s for s in draft.spans if (s.start, s.end) != (start, end))),
        )

    def skip(self) -> None:
        """Record the criteria without an answer as skipped, and go to the next record."""
        answers = self._answers.answers_at(self.navigation.place)
        drafts = {name: draft for name, draft in answers.items() if not draft.is_saved}
        seconds_each = self.navigation.seconds / max(1, len(drafts))
        self._save(
            {
                name: replace(draft, answer=None, status="skipped", seconds=draft.seconds + seconds_each)
                for name, draft in drafts.items()
            }
        )
        self.navigation.next()

    def undo(self) -> None:
        """Undo the last action and go to its record. An earlier answer comes back.

        On disk the answer is marked as withdrawn; it is not deleted.
        """
        if not self._steps:
            return
        step = self._steps[-1]
        if step.place != self.navigation.place:
            self.navigation.go_to(step.place)
        withdrawn = [name for name in step.before if self.draft(name).is_saved]
        self._save(step.before, withdrawn=withdrawn)
        del self._steps[-2:]  # the step, and the step that undid it

    # --- saving ----------------------------------------------------------------------------------

    def _change(self, criterion: str, change: Callable[[DraftAnswer], DraftAnswer]) -> None:
        before = self.draft(criterion)
        after = change(before)
        if after != before:
            self._save({criterion: replace(after, seconds=before.seconds + self.navigation.seconds)})

    def _save(self, drafts: Mapping[str, DraftAnswer], *, withdrawn: Sequence[str] = ()) -> None:
        """Replace answers on the current record: first on disk, then in memory."""
        before = {name: self.draft(name) for name in drafts}
        withdrawn_labels = [self._label(name, DraftAnswer(status="withdrawn")) for name in withdrawn]
        labels = {name: self._label(name, draft) for name, draft in drafts.items() if draft.is_saved}
        changes, documents = [*withdrawn_labels, *labels.values()], self.questionnaire.documents
        keep_labels(self.project, changes, records=[self.navigation.current], documents=documents)
        saved = {n: replace(DraftAnswer.from_label(label), seconds=drafts[n].seconds) for n, label in labels.items()}
        self._answers.record(self.navigation.place, {**drafts, **saved}, labels)
        if before:
            self._steps.append(_UndoStep(self.navigation.place, before))
        if self.is_complete:
            self.navigation.count_as_completed()
        self.navigation.restart_timer()

    def _label(self, criterion: str, draft: DraftAnswer) -> Label:
        item, question = self.navigation.current_item, self.questionnaire[criterion]
        trace_ids = sorted(self._seen_trace_ids.get(item.record.record_id, ()))
        assert draft.status is not None
        return make_label(
            question.criterion,
            question.document,
            item.record,
            coder=self.coder,
            answer=draft.answer,
            status=draft.status,
            source="form",
            reasons=draft.reasons or None,
            notes=draft.notes or None,
            quotes=draft.quotes or None,
            blind=item.record.record_id not in self._seen_trace_ids,
            saw_trace_ids=trace_ids or None,
            round=self.round,
            sample_id=item.sample_id,
            inclusion_p=item.inclusion_p,
            seconds=round(draft.seconds, 1) if draft.seconds else None,
        )
