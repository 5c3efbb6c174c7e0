"""One sitting of one coder: what is shown next, what was said, and how it is taken back. No widget is needed.

Each answer is on disk when the method returns. Nothing of any model is read in a blind session; otherwise what models
answered on a record is given out only when the coder has answered all of its criteria.
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
from ..worklist import Order, worklist
from .draft_answer import DraftAnswer, Span
from .model_answers import ModelAnswer, model_answers, record_exposure, shown_to
from .navigation import Navigation
from .saved_answers import Progress, SavedAnswers


class _UndoStep(NamedTuple):
    """What one action changed, as it was before."""

    place: int
    before: Mapping[str, DraftAnswer]


class CodingSession(Navigation):
    """The work of one coder on one corpus under one version of the criteria.

    Parameters
    ----------
    project
        Whose Store keeps the labels.
    corpus
        The texts.
    criteria
        What is asked of each.
    coder
        Who codes.
    blind
        Whether models' answers stay hidden throughout. Without it, those on a record can be read once the coder has
        answered it; codes that are changed after that are not blind.
    order, seed, sample
        See `worklist`.
    sensitive
        Whether a text is hidden until it is asked for, and a break suggested after every 20 texts.
    round
        Which round of coding; a second round starts with nothing coded.
    clock
        What time is measured with, in seconds.

    Examples
    --------
    >>> import tempfile
    >>> from buttermilk_nb import Record, init
    >>> project = init("session-example", path=tempfile.mkdtemp())
    >>> corpus = Corpus([Record(record_id="a", content="Vermin."), Record(record_id="b", content="A calm day.")])
    >>> session = CodingSession(project, corpus, Criteria("respect", "Is it respectful?"), "kf", order="corpus")
    >>> session.answer("respect", "no")
    >>> session.next()
    >>> session.current.record_id, session.progress.left
    ('b', 1)
    """

    def __init__(
        self,
        project: Project,
        corpus: Corpus,
        criteria: Criteria,
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
        self.criteria = criteria
        self.coder = coder.strip()
        if not self.coder:
            raise SetupError('name the coder: coder="kf", or any other short name that is always the same.')
        self.blind = blind
        self.round = round
        items = worklist(corpus, self.coder, order=order, seed=seed, sample=sample)
        super().__init__(items, sensitive=sensitive, clock=clock)
        self._steps: list[_UndoStep] = []
        self._standing = SavedAnswers(self.items, criteria)
        self._standing.load(project, self.coder, criteria.criteria_hash, round)
        self._shown = shown_to(project, self.coder)
        first = self._standing.first_incomplete()
        self._show(len(self.items) - 1 if first is None else first)

    # --- looking ---------------------------------------------------------------------------------

    def held(self, criterion: str) -> DraftAnswer:
        """What was said on a criterion of the current record."""
        return self._standing.answers_at(self.place)[self.criteria[criterion].name]

    @property
    def complete(self) -> bool:
        """Whether every criterion of the current record has an answer, or was skipped."""
        return self._standing.complete(self.place)

    @property
    def finished(self) -> bool:
        """Whether every record is complete."""
        return self._standing.first_incomplete() is None

    @property
    def progress(self) -> Progress:
        """How many records are coded, skipped and left, and how long one takes."""
        return self._standing.progress()

    @property
    def can_undo(self) -> bool:
        """Whether something was said since the session began that can be taken back."""
        return bool(self._steps)

    def labels(self) -> list[Label]:
        """The codes that stand on disk, in the order of the work."""
        return self._standing.labels()

    def model_answers(self) -> tuple[ModelAnswer, ...]:
        """What models answered on the current record, when it is complete; never in a blind session.

        That they were shown is written down first.
        """
        if self.blind or not self.complete:
            return ()
        record = self.current
        found = model_answers(self.project, record, self.criteria)
        new = {answer.trace_id for answer in found} - self._shown.get(record.record_id, set())
        if new:
            record_exposure(self.project, self.coder, record, sorted(new))
            self._shown.setdefault(record.record_id, set()).update(new)
        return found

    # --- coding ----------------------------------------------------------------------------------

    def answer(self, criterion: str, value: Any) -> None:
        """Answer a criterion of the current record; the answer is on disk when this returns.

        Raises
        ------
        InvalidAnswer
            The value is not on the criterion's scale.
        SetupError
            The text is still hidden.
        """
        if self.hidden:
            raise SetupError("show the text first; it is hidden because this corpus is marked as sensitive.")
        self._change(criterion, lambda held: replace(held, answer=value, status="coded"))

    def give_reasons(self, criterion: str, reasons: Sequence[str]) -> None:
        """Say why; empty reasons are left out. Kept with the answer, or, before there is one, until there is."""
        said = tuple(reason.strip() for reason in reasons if reason.strip())
        self._change(criterion, lambda held: replace(held, reasons=said))

    def note(self, criterion: str, text: str) -> None:
        """Write a note; kept as reasons are."""
        self._change(criterion, lambda held: replace(held, notes=text.strip()))

    def mark(self, criterion: str, start: int, end: int) -> None:
        """Mark a passage of the text, from the character `start` to before `end`; kept as reasons are.

        Raises
        ------
        SetupError
            There is no such passage.
        """
        content = self.current.content
        if not 0 <= start < end <= len(content):
            raise SetupError(f"there is no passage from {start} to {end}; the text has {len(content):,} characters.")
        span = Span(start, end, content[start:end])
        self._change(criterion, lambda held: replace(held, spans=tuple(sorted({*held.spans, span}))))

    def unmark(self, criterion: str, start: int, end: int) -> None:
        """Take a mark away again."""
        self._change(
            criterion,
            lambda held: replace(held, spans=tuple(s for s in held.spans if (s.start, s.end) != (start, end))),
        )

    def skip(self) -> None:
        """Leave the criteria without an answer, on record as skipped, and go on."""
        open_now = {name: held for name, held in self._standing.answers_at(self.place).items() if not held.is_saved}
        each = (self._clock() - self._since) / max(1, len(open_now))
        self._put({n: replace(h, answer=None, status="skipped", seconds=h.seconds + each) for n, h in open_now.items()})
        self.next()

    def undo(self) -> None:
        """Take the last action back and go to its record; an answer that stood before it comes back.

        On disk the answer is withdrawn, not deleted.
        """
        if not self._steps:
            return
        step = self._steps[-1]
        if step.place != self.place:
            self._show(step.place)
        withdrawn = [name for name in step.before if self.held(name).is_saved]
        self._put(step.before, withdrawing=withdrawn)
        del self._steps[-2:]  # the step, and its undoing

    # --- inside ----------------------------------------------------------------------------------

    def _change(self, criterion: str, change: Callable[[DraftAnswer], DraftAnswer]) -> None:
        before = self.held(criterion)
        after = change(before)
        if after != before:
            seconds = before.seconds + self._clock() - self._since
            self._put({criterion: replace(after, seconds=seconds)})

    def _put(self, held: Mapping[str, DraftAnswer], *, withdrawing: Sequence[str] = ()) -> None:
        """Take over what was said: first on disk, then here."""
        before = {name: self.held(name) for name in held}
        withdrawn = [self._label(name, DraftAnswer(status="withdrawn")) for name in withdrawing]
        made = {name: self._label(name, one) for name, one in held.items() if one.is_saved}
        keep_labels(self.project, [*withdrawn, *made.values()], records=[self.current], criteria=self.criteria)
        as_kept = {name: replace(DraftAnswer.of(label), seconds=held[name].seconds) for name, label in made.items()}
        self._standing.record(self.place, {**held, **as_kept}, made)
        if before:
            self._steps.append(_UndoStep(self.place, before))
        if self.complete:
            self._done_now.add(self.current.record_id)
        self._since = self._clock()

    def _label(self, name: str, held: DraftAnswer) -> Label:
        item = self.items[self.place]
        saw = sorted(self._shown.get(item.record.record_id, ()))
        assert held.status is not None
        return make_label(
            self.criteria[name],
            self.criteria,
            item.record,
            coder=self.coder,
            answer=held.answer,
            status=held.status,
            source="form",
            reasons=held.reasons or None,
            notes=held.notes or None,
            quotes=held.quotes or None,
            blind=item.record.record_id not in self._shown,
            saw_trace_ids=saw or None,
            round=self.round,
            sample_id=item.sample_id,
            inclusion_p=item.inclusion_p,
            seconds=round(held.seconds, 1) if held.seconds else None,
        )
