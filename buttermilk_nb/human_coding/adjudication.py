"""Adjudication: contested records are looked at with every vote and reason, and decided with a reason.

A decision is a label of its own round: it never takes the place of what the same person coded alone before, and is
never taken for an independent code, because it was made with all the others in view.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

from .._internal import notebook_hooks
from .._internal.text import pluralise
from ..analysis.frames.human_codes import ADJUDICATED
from ..analysis.frames.ratings import project_ratings
from ..analysis.shared.ratings_frame import prepare_ratings
from ..codebook.criteria import Criteria
from ..codebook.edge_cases import EdgeCase, with_edge_case
from ..corpus.record import Record
from ..errors import SetupError, nearest
from ..project.project import Project
from ..project.session import current
from ..schema import Label
from .adjudication_votes import CoderAnswer, stored_record, votes
from .disagreements import disagreements
from .labels import keep_labels, make_label

if TYPE_CHECKING:
    import pandas as pd

ROUND = "adjudication"
"""The round of every decision."""
_COLUMNS = tuple(Label.model_fields)
_DECIDED = f"""
    select {", ".join(_COLUMNS)} from latest_labels
    where coder = ? and criteria_hash = ? and source = 'adjudication' and status <> 'withdrawn'
"""  # noqa: S608  # our own columns


@dataclass(frozen=True)
class ContestedRecord:
    """One contested record on one criterion, with every vote."""

    record: Record
    criterion: str
    read: Callable[[], tuple[CoderAnswer, ...]] = field(repr=False, compare=False)
    """Reads the votes: only those of the cases that are looked at."""

    @cached_property
    def votes(self) -> tuple[CoderAnswer, ...]:
        """Every vote, people's first."""
        return self.read()


@dataclass(frozen=True, slots=True)
class Decision:
    """What was decided on a case, and why."""

    label: Label

    @property
    def answer(self) -> str:
        """The answer that was decided on."""
        return self.label.category if self.label.category is not None else f"{self.label.value:g}"

    @property
    def reason(self) -> str:
        """Why."""
        return " ".join(self.label.reasons or ())

    def as_edge_case(self, criteria: Criteria) -> Criteria:
        """The criteria with this decision as a dated edge case, which names its record.

        Give it a new `version` where it is written to its file: `criteria.to_markdown()` is what the file says.
        """
        label = self.label
        return with_edge_case(
            criteria,
            EdgeCase(label.coded_at.date(), label.criterion, self.answer, self.reason, (label.record_id,)),
        )


class Adjudication:
    """Contested records in turn. `adjudicate` makes it.

    Parameters
    ----------
    project
        Whose Store keeps the decisions.
    criteria
        The criteria that the votes were cast under.
    by
        Who decides.
    cases
        The contested records with their votes.
    """

    def __init__(self, project: Project, criteria: Criteria, by: str, cases: Sequence[ContestedRecord]) -> None:
        self.project = project
        self.criteria = criteria
        self.by = by.strip()
        self.cases = tuple(cases)
        self._decided: dict[tuple[str, str], Decision] = {}
        with project.store.reading() as con:
            rows = con.execute(_DECIDED, [self.by, criteria.criteria_hash]).fetchall()
        versions = {case.record.record_id: case.record.record_hash for case in self.cases}
        for row in rows:
            label = Label(**dict(zip(_COLUMNS, row, strict=True)))
            if versions.get(label.record_id) == label.record_hash:
                self._decided[label.record_id, label.criterion] = Decision(label)
        open_now = (place for place, case in enumerate(self.cases) if self.decision(case) is None)
        self.place = next(open_now, max(0, len(self.cases) - 1))

    @property
    def current(self) -> ContestedRecord:
        """The case that is looked at."""
        if not self.cases:
            raise SetupError("there is no case: nobody disagrees.")
        return self.cases[self.place]

    @property
    def decisions(self) -> tuple[Decision, ...]:
        """What was decided so far, in the order of the cases."""
        return tuple(found for case in self.cases if (found := self.decision(case)))

    def decision(self, case: ContestedRecord) -> Decision | None:
        """What was decided on a case; None where nothing was yet."""
        return self._decided.get((case.record.record_id, case.criterion))

    def decide(
        self,
        answer: Any,
        reason: str,
        *,
        case: ContestedRecord | None = None,
        quotes: Sequence[Mapping[str, Any]] | None = None,
    ) -> Decision:
        """Decide a case; the decision is on disk when this returns.

        Parameters
        ----------
        answer
            An answer on the criterion's scale, or a non-answer.
        reason
            Why, in a sentence that could become a rule.
        case
            Which case; by default the current one.
        quotes
            The passages that it rests on: mappings with `start`, `end` and `text`.

        Raises
        ------
        SetupError
            There is no reason.
        InvalidAnswer
            The answer is not on the scale.
        """
        case = case or self.current
        if not reason.strip():
            raise SetupError("write why: a decision is kept with its reason, which can become a rule of the criteria.")
        label = self._label(case, answer, "coded", reasons=[reason.strip()], quotes=quotes)
        return self._keep(case, label)

    def withdraw(self, case: ContestedRecord | None = None) -> None:
        """Take the decision on a case back; it stays on record as withdrawn."""
        case = case or self.current
        if self.decision(case):
            self._keep(case, self._label(case, None, "withdrawn"))
            del self._decided[case.record.record_id, case.criterion]

    def go_to(self, by: int) -> None:
        """Go so many cases on, or back; not beyond the ends."""
        self.place = max(0, min(len(self.cases) - 1, self.place + by))

    def _keep(self, case: ContestedRecord, label: Label) -> Decision:
        # the record is stored already, with more that is known of it than the case shows
        keep_labels(self.project, [label], records=[], criteria=self.criteria)
        made = self._decided[case.record.record_id, case.criterion] = Decision(label)
        return made

    def _label(self, case: ContestedRecord, answer: Any, status: Any, **more: Any) -> Label:
        saw = [vote.trace_id for vote in case.votes if vote.trace_id]
        return make_label(
            self.criteria[case.criterion], self.criteria, case.record, coder=self.by, answer=answer, status=status,
            source="adjudication", blind=False, saw_trace_ids=saw or None, round=ROUND, **more,
        )  # fmt: skip

    def __repr__(self) -> str:
        if not self.cases:
            return f"Adjudication of {self.criteria.name}: nobody disagrees"
        return f"Adjudication of {self.criteria.name}: {pluralise(len(self.cases), 'contested case')}"


def adjudicate(
    criteria: Criteria,
    *,
    ratings: Any = None,
    by: str = "kf",
    only: Sequence[str] | None = None,
    project: Project | None = None,
) -> Any:
    """Go over the records on which coders disagree, with every vote and reason, and decide each with a reason.

    Parameters
    ----------
    criteria
        The criteria that the votes were cast under.
    ratings
        A run; or the frame of ratings; None takes the ratings of the whole project.
    by
        Who decides.
    only
        Only these records.
    project
        By default the open one.

    Returns
    -------
    AdjudicationForm or Adjudication
        The form; where widgets cannot show, or nobody disagrees, the cases themselves with `decide`.

    Raises
    ------
    SetupError
        There are no ratings under these criteria in this wording, a record is not contested, or is not in the Store.

    Examples
    --------
    >>> import tempfile
    >>> from buttermilk_nb import Flow, Judge, init, load
    >>> project = init("adjudicate-example", path=tempfile.mkdtemp(), models=["offline/strict"])
    >>> texts = load([{"id": "a", "text": "They are vermin.", "ana": "yes"}], content="text", record_id="id",
    ...              coders={"ana": "ana"})
    >>> respect = Criteria("respect", "Is it respectful?", flag="no", cues={"no": ["vermin"]})
    >>> run = Flow("f", [Judge("judge", criteria=respect)]).run(texts)
    >>> cases = adjudicate(respect, ratings=run, by="kf")
    >>> [(vote.coder, vote.answer) for vote in cases.current.votes]
    [('ana', 'yes'), ('judge · offline/strict', 'no')]
    >>> cases.decide("no", "A name for an animal is no respectful name for people.").answer
    'no'
    """
    if not by.strip():
        raise SetupError('name who decides: by="kf", or any other short name.')
    project = project or current()
    run_id = getattr(ratings, "run_id", None)
    frame = project_ratings(project.store) if ratings is None else ratings.ratings() if run_id else ratings
    cases = Adjudication(project, criteria, by, _cases(project, criteria, frame, run_id, only))
    view = notebook_hooks.get_hook("adjudication")
    return view(cases) if view and cases.cases else cases


def _cases(
    project: Project, criteria: Criteria, frame: pd.DataFrame, run_id: str | None, only: Sequence[str] | None
) -> list[ContestedRecord]:
    found = prepare_ratings(frame)
    names = [criterion.name for criterion in criteria]
    found = found[found.criterion.isin(names) & found.criteria_hash.isin([criteria.criteria_hash, None])]
    found = found[~found.coder.astype(str).str.endswith(ADJUDICATED)]
    if not len(found):
        raise SetupError(
            f"there are no ratings under `{criteria.name}` in this wording; adjudicate the version that was coded."
        )
    table = disagreements(found)
    if only is not None:
        split = set(table.record_id)
        if unknown := [name for name in only if name not in split]:
            raise SetupError(f"only: record `{unknown[0]}` is not contested; {nearest(unknown[0], sorted(split))}")
        table = table[table.record_id.isin(list(only))]
    cases = []
    parts = dict(iter(found.groupby(["record_id", "criterion"])))
    for record_id, criterion in zip(table.record_id, table.criterion, strict=True):
        record = stored_record(project, record_id, run_id)
        if record is None:
            raise SetupError(
                f"the Store has no record `{record_id}`; adjudicate records that were judged or coded here."
            )
        part = parts[record_id, criterion]
        cases.append(
            ContestedRecord(record, criterion, partial(votes, project, part, record, criteria, criterion, run_id))
        )
    return cases
