"""Adjudication: a person sees every vote on a contested record and decides it, with a reason.

A decision is a label in a round of its own. It never replaces a code that the same person gave alone before. It also
never counts as an independent code, because the person saw all other votes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .._internal import hooks
from .._internal.arguments import check_arguments
from .._internal.text import pluralise
from ..analysis.frames.human_codes import ADJUDICATED
from ..analysis.frames.ratings import project_ratings
from ..analysis.shared.ratings_frame import prepare_ratings
from ..codebook.criteria import Criteria
from ..codebook.edge_cases import EdgeCase, with_edge_case
from ..codebook.require_criteria import require_criteria
from ..corpus.record import Record
from ..errors import SetupError, nearest
from ..project.project import Project
from ..project.session import require_project
from ..schema import Label
from .adjudication_votes import CoderAnswer, stored_record, votes
from .disagreements import disagreements
from .labels import keep_labels, make_label

if TYPE_CHECKING:
    import pandas as pd

ROUND = "adjudication"
"""The round of every decision."""
_COLUMNS = tuple(Label.model_fields)
_DECISIONS = f"""
    select {", ".join(_COLUMNS)} from latest_labels
    where coder = ? and criteria_hash = ? and source = 'adjudication' and status <> 'withdrawn'
"""  # noqa: S608  # our own columns


@dataclass(frozen=True)
class ContestedRecord:
    """One contested record on one criterion, with every vote."""

    record: Record
    criterion: str
    read_votes: Callable[[], tuple[CoderAnswer, ...]] = field(repr=False, compare=False)
    """Reads the votes from the Store. It is called only for the cases that are opened."""

    @cached_property
    def votes(self) -> tuple[CoderAnswer, ...]:
        """Every vote, people's first."""
        return self.read_votes()


@dataclass(frozen=True, slots=True)
class Decision:
    """The decision on a case, and its reason."""

    label: Label

    @property
    def answer(self) -> str:
        """The final answer."""
        return self.label.category if self.label.category is not None else f"{self.label.value:g}"

    @property
    def reason(self) -> str:
        """The reason for the decision."""
        return " ".join(self.label.reasons or ())

    def as_edge_case(self, criteria: Criteria) -> Criteria:
        """The criteria with this decision as a dated edge case, which names its record.

        Give the criteria a new `version` when you write them to their file with `criteria.to_markdown()`.
        """
        label = self.label
        return with_edge_case(
            criteria,
            EdgeCase(label.coded_at.date(), label.criterion, self.answer, self.reason, (label.record_id,)),
        )


class Adjudication:
    """Contested records to decide, one after another. `adjudicate` makes it.

    Parameters
    ----------
    project
        The project that stores the decisions.
    criteria
        The criteria of the votes.
    by
        The name of the person who decides.
    cases
        The contested records with their votes.
    """

    def __init__(self, project: Project, criteria: Criteria, by: str, cases: Sequence[ContestedRecord]) -> None:
        self.project = project
        self.criteria = criteria
        self.by = by.strip()
        self.cases = tuple(cases)
        self._decisions: dict[tuple[str, str], Decision] = {}
        with project.store.reading() as con:
            rows = con.execute(_DECISIONS, [self.by, criteria.criteria_hash]).fetchall()
        versions = {case.record.record_id: case.record.record_hash for case in self.cases}
        for row in rows:
            label = Label(**dict(zip(_COLUMNS, row, strict=True)))
            if versions.get(label.record_id) == label.record_hash:
                self._decisions[label.record_id, label.criterion] = Decision(label)
        undecided_places = (place for place, case in enumerate(self.cases) if self.decision(case) is None)
        self.place = next(undecided_places, max(0, len(self.cases) - 1))

    @property
    def current(self) -> ContestedRecord:
        """The current case."""
        if not self.cases:
            raise SetupError("there are no cases: nobody disagrees.")
        return self.cases[self.place]

    @property
    def decisions(self) -> tuple[Decision, ...]:
        """The decisions so far, in the order of the cases."""
        return tuple(decision for case in self.cases if (decision := self.decision(case)))

    def decision(self, case: ContestedRecord) -> Decision | None:
        """The decision on a case; None if it is not decided yet."""
        return self._decisions.get((case.record.record_id, case.criterion))

    def decide(
        self,
        answer: Any,
        reason: str,
        *,
        case: ContestedRecord | None = None,
        quotes: Sequence[Mapping[str, Any]] | None = None,
    ) -> Decision:
        """Decide a case. The decision is on disk when this returns.

        Parameters
        ----------
        answer
            An answer on the criterion's scale, or a non-answer.
        reason
            The reason, in a sentence that could become a rule.
        case
            The case to decide; by default the current one.
        quotes
            The passages that support the decision: mappings with `start` and `end` (in characters, counted from 0, the
            end excluded) and `text`.

        Raises
        ------
        SetupError
            There is no reason.
        InvalidAnswer
            The answer is not on the scale.
        """
        case = case or self.current
        if not reason.strip():
            raise SetupError("write a reason: it is stored with the decision, and can become a rule of the criteria.")
        label = self._label(case, answer, "coded", reasons=[reason.strip()], quotes=quotes)
        return self._save(case, label)

    def withdraw(self, case: ContestedRecord | None = None) -> None:
        """Withdraw the decision on a case. On disk it is marked as withdrawn; it is not deleted."""
        case = case or self.current
        if self.decision(case):
            self._save(case, self._label(case, None, "withdrawn"))
            del self._decisions[case.record.record_id, case.criterion]

    def move(self, step: int) -> None:
        """Go this number of cases forward, or back if it is negative. It stops at the first and the last case."""
        self.place = max(0, min(len(self.cases) - 1, self.place + step))

    def _save(self, case: ContestedRecord, label: Label) -> Decision:
        # the record is not stored again: the Store has it already, with annotations that the case leaves out
        keep_labels(self.project, [label], records=[], documents=[self.criteria])
        decision = self._decisions[case.record.record_id, case.criterion] = Decision(label)
        return decision

    def _label(self, case: ContestedRecord, answer: Any, status: Any, **fields: Any) -> Label:
        trace_ids = [vote.trace_id for vote in case.votes if vote.trace_id]
        return make_label(
            self.criteria[case.criterion], self.criteria, case.record, coder=self.by, answer=answer, status=status,
            source="adjudication", blind=False, saw_trace_ids=trace_ids or None, round=ROUND, **fields,
        )  # fmt: skip

    def __repr__(self) -> str:
        if not self.cases:
            return f"Adjudication of {self.criteria.name}: nobody disagrees"
        return f"Adjudication of {self.criteria.name}: {pluralise(len(self.cases), 'contested case')}"


@check_arguments
def adjudicate(
    criteria: Criteria | str | Path,
    *,
    ratings: Any = None,
    by: str = "kf",
    only: Sequence[str] | None = None,
    project: Project | None = None,
) -> Any:
    """Decide the records on which coders disagree, with every vote and reason in view.

    Parameters
    ----------
    criteria
        The criteria of the votes, or the path of their file.
    ratings
        A run, or the frame of ratings. By default, the ratings of the whole project.
    by
        The name of the person who decides.
    only
        The ids of the records to decide. By default, all contested records.
    project
        The project; by default the open one.

    Returns
    -------
    AdjudicationForm or Adjudication
        The form. Without a notebook, or if nobody disagrees, it is the list of cases with the method `decide`.

    Raises
    ------
    SetupError
        There are no ratings under these criteria in this wording, or a record is not contested or not in the Store.

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
    >>> cases.decide("no", "The name of an animal is not a respectful name for people.").answer
    'no'
    """
    if not by.strip():
        raise SetupError('name who decides: by="kf", or any other short name.')
    criteria = require_criteria(criteria, "an adjudication")
    project = require_project(project)
    run_id = getattr(ratings, "run_id", None)
    frame = project_ratings(project.store) if ratings is None else ratings.ratings() if run_id else ratings
    adjudication = Adjudication(project, criteria, by, _cases(project, criteria, frame, run_id, only))
    make_form = hooks.get_hook("adjudication")
    return make_form(adjudication) if make_form and adjudication.cases else adjudication


def _cases(
    project: Project, criteria: Criteria, frame: pd.DataFrame, run_id: str | None, only: Sequence[str] | None
) -> list[ContestedRecord]:
    ratings = prepare_ratings(frame)
    names = [criterion.name for criterion in criteria]
    ratings = ratings[ratings.criterion.isin(names) & ratings.criteria_hash.isin([criteria.criteria_hash, None])]
    ratings = ratings[~ratings.coder.astype(str).str.endswith(ADJUDICATED)]
    if not len(ratings):
        raise SetupError(
            f"there are no ratings under `{criteria.name}` in this wording; adjudicate the version that was coded."
        )
    contested = disagreements(ratings)
    if only is not None:
        contested_ids = set(contested.record_id)
        if unknown := [name for name in only if name not in contested_ids]:
            suggestion = nearest(unknown[0], sorted(contested_ids))
            raise SetupError(f"only: record `{unknown[0]}` is not contested; {suggestion}")
        contested = contested[contested.record_id.isin(list(only))]
    cases = []
    ratings_by_case = dict(iter(ratings.groupby(["record_id", "criterion"])))
    for record_id, criterion in zip(contested.record_id, contested.criterion, strict=True):
        record = stored_record(project, record_id, run_id)
        if record is None:
            raise SetupError(
                f"the Store has no record `{record_id}`; adjudicate records that were judged or coded in this project."
            )
        case_ratings = ratings_by_case[record_id, criterion]
        read_votes = partial(votes, project, case_ratings, record, criteria, criterion, run_id)
        cases.append(ContestedRecord(record, criterion, read_votes))
    return cases
