"""`Panel`: several instruments as one, by a rule of counting that is written down."""

from __future__ import annotations

import json
import math
import statistics
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple, Self

from pydantic import Field, field_validator, model_validator

from ..._ids import canonical, uuid7
from ...criteria import Criteria, Criterion
from ...errors import SetupError, SkippedCell, nearest
from ...scales import Answer
from ...traces import Score, Status, Unit
from ..base import NOTHING_BEFORE, AgentBase, Before, Cell, Context, Slot, Stopwatch, make_unit, slot_design

if TYPE_CHECKING:
    from ...project import Project

Rule = Literal["majority", "median", "mean", "weighted"]
_LEVELS = {"median": ("ordinal", "interval", "ratio"), "mean": ("interval", "ratio")}
"""The levels of measurement that a rule needs."""


class Panel(AgentBase):
    """Takes the verdicts of several judges together. No model is asked.

    Every instrument (a step with its model) has one vote: the answer that most of its replicates gave; on a scale of
    numbers, their mean. Where that is a tie, it has none. All votes are kept, in the trace's output and in
    `run.votes()`, with the dissent: the share of the votes that are not the panel's.

    Parameters
    ----------
    name
        The step's name.
    of
        The steps whose answers are taken together, by name.
    rule
        `majority`: the answer with the most votes; `median`: the middle one, on scales with an order; `mean`: on scales
        of numbers; `weighted`: a majority in which each vote counts as `weights` says. Several labels are taken one by
        one: what more than half of the votes name is in.
    weights
        For `weighted`: the weight of each model, by name; all that vote must have one.

    Raises
    ------
    SetupError
        The rule does not fit the scale, or a weight is missing.

    Notes
    -----
    A tie is no answer: its score has the status `skipped`, and the votes say why. A panel depends on its members, and
    is kept out of statistics that take coders as independent.

    Examples
    --------
    >>> Panel("panel", of="judge")
    Panel('panel', of: judge, rule: majority)
    """

    kind: ClassVar[str] = "panel"
    role: ClassVar[str] = "panel"

    of: tuple[str, ...]
    rule: Rule = "majority"
    weights: dict[str, float] = Field(default_factory=dict)

    def __init__(
        self,
        name: str,
        *,
        of: str | Sequence[str] = (),
        rule: Rule = "majority",
        weights: Mapping[str, float] | None = None,
    ) -> None:
        super().__init__(name, of=of, rule=rule, weights=weights or {})

    @field_validator("of", mode="before")
    @classmethod
    def _of(cls, value: Any) -> Any:
        return (value,) if isinstance(value, str) else tuple(dict.fromkeys(value or ()))

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if not self.of:
            raise ValueError('it reads the answers of other steps: write of="judge", with the name of one')
        if (self.rule == "weighted") != bool(self.weights):
            raise ValueError('rule="weighted" and weights={model: weight} belong together')
        if any(not 0 <= weight < math.inf for weight in self.weights.values()):
            raise ValueError("a weight is a number, 0 or more")
        return self

    @property
    def read_steps(self) -> tuple[str, ...]:
        return self.of

    def slots(self, project: Project, before: Before = NOTHING_BEFORE) -> list[Slot]:
        found: dict[str, Slot] = {}
        for name in self.of:
            theirs = [slot for slot in before.get(name, ()) if slot.criteria is not None]
            if not theirs:
                raise SetupError(f"step `{self.name}`: `{name}` gives no answers on criteria; of= names judges.")
            for slot in theirs:
                self._check(slot, project)
                assert slot.criteria is not None
                key = slot.criteria.criteria_hash
                params = canonical({"rule": self.rule, **({"weights": self.weights} if self.weights else {})})
                design = slot_design(self, criteria=key, rule=self.rule, weights=self.weights)
                found.setdefault(key, Slot(self, design, 0, None, slot.criteria, None, params))
        return list(found.values())

    def _check(self, theirs: Slot, project: Project) -> None:
        assert theirs.criteria is not None
        for criterion in theirs.criteria:
            if criterion.scale.level not in _LEVELS.get(self.rule, (criterion.scale.level,)):
                raise SetupError(
                    f"step `{self.name}`: the answers on `{criterion.name}` have no {self.rule}; "
                    f'write rule="{"median" if criterion.scale.level == "ordinal" else "majority"}".'
                )
        models = [theirs.model, *theirs.agent.others(project)] if theirs.model else []  # a fallback may have to vote
        for voter in [model.name for model in models] or [theirs.agent.name]:
            if self.rule == "weighted" and voter not in self.weights:
                near = nearest(voter, self.weights)
                raise SetupError(f"step `{self.name}`: `{voter}` votes and has no weight; {near}")

    def takes(self, mine: Slot, theirs: Slot) -> bool:
        if theirs.agent.name not in self.of:
            return True
        assert mine.criteria is not None
        return theirs.criteria is not None and theirs.criteria.criteria_hash == mine.criteria.criteria_hash

    async def work(self, cell: Cell, context: Context) -> Unit:
        watch, trace_id = Stopwatch(), uuid7()
        criteria = cell.slot.criteria
        assert criteria is not None
        counted = [self._count(cell, criterion) for criterion in criteria]
        scores = [_score(cell, context, trace_id, one) for one in counted]
        output = {
            one.criterion.name: {"votes": one.votes, "without_vote": one.without, "dissent": one.dissent}
            for one in counted
        }
        ok = all(score.status == "ok" for score in scores)
        tied = ", ".join(f"`{one.criterion.name}`" for one in counted if one.answer is None)
        return make_unit(
            cell,
            context,
            watch,
            trace_id=trace_id,
            status="ok" if ok else "skipped",
            output=canonical(output),
            flagged=criteria.overall_flag({score.criterion: score.flagged for score in scores}),
            error=None if ok else SkippedCell(f"no answer won on {tied}."),
            scores=scores,
        )

    def _count(self, cell: Cell, criterion: Criterion) -> _Counted:
        given: dict[str, list[Score]] = {}
        weighed: dict[str, str] = {}
        for name in self.of:
            for unit in cell.inputs.get(name, ()):
                score = next(score for score in unit.scores if score.criterion == criterion.name)
                voter = f"{name} · {score.model}" if len(self.of) > 1 else score.model
                given.setdefault(voter, []).append(score)
                weighed[voter] = score.model if unit.trace.model else name  # of a panel, its rule is no name
        votes: dict[str, Any] = {}
        weights: dict[str, float] = {}
        for voter, scores in given.items():
            vote = _vote(criterion, scores)
            if vote is not None:
                votes[voter] = vote
                weights[voter] = self.weights[weighed[voter]] if self.weights else 1.0
        answer = self._decide(criterion, votes, weights)
        total = sum(weights.values())
        against = sum(weights[voter] for voter, vote in votes.items() if answer is None or vote != _shown(answer))
        return _Counted(criterion, answer, votes, sorted(set(given) - set(votes)), against / total if total else None)

    def _decide(self, criterion: Criterion, votes: Mapping[str, Any], weights: Mapping[str, float]) -> Answer | None:
        if not votes:
            return None
        if criterion.scale.level == "set":
            return _labels(criterion, votes, weights)
        if self.rule in ("median", "mean"):
            return _central(criterion, votes, self.rule)
        count: Counter[str] = Counter()
        for voter, vote in votes.items():
            count[vote] += weights[voter]  # type: ignore[assignment]  # weights need not be whole
        most = max(count.values())
        winners = [vote for vote, n in count.items() if math.isclose(n, most)]  # weights need not be whole
        return criterion.parse(winners[0]) if most and len(winners) == 1 else None

    def empty_scores(self, cell: Cell, context: Context, trace_id: str, status: Status) -> tuple[Score, ...]:
        return tuple(
            _score(cell, context, trace_id, _Counted(criterion, None, {}, [], None), status)
            for criterion in cell.slot.criteria or ()
        )

    def to_plain(self, folder: Path | None) -> dict[str, Any]:  # noqa: ARG002  # it has no files
        rule = {} if self.rule == "majority" else {"rule": self.rule}
        return {"of": list(self.of), **rule, **({"weights": self.weights} if self.weights else {})}

    @classmethod
    def from_plain(cls, name: str, data: dict[str, Any], folder: Path) -> AgentBase:  # noqa: ARG003  # as above
        return cls(name, **data)

    def __repr__(self) -> str:
        return f"Panel({self.name!r}, of: {', '.join(self.of)}, rule: {self.rule})"

    __str__ = __repr__


class _Counted(NamedTuple):
    """The votes on one criterion, and what came of them."""

    criterion: Criterion
    answer: Answer | None
    votes: dict[str, Any]
    without: list[str]
    dissent: float | None


def _vote(criterion: Criterion, scores: Sequence[Score]) -> Any:
    """One instrument's vote: what most of its replicates said; None where that is a tie or it said nothing."""
    said = [_shown(Answer(score.value, score.category)) for score in scores if score.status == "ok"]
    if not said:
        return None
    if criterion.scale.level in ("interval", "ratio") and all(isinstance(value, float) for value in said):
        return statistics.fmean(said)
    ranked = Counter(said).most_common()
    return None if len(ranked) > 1 and ranked[0][1] == ranked[1][1] else ranked[0][0]


def _shown(answer: Answer) -> Any:
    """An answer as a vote: in words, or as a number where the scale has no words."""
    return answer.value if answer.category is None else answer.category


def _labels(criterion: Criterion, votes: Mapping[str, str], weights: Mapping[str, float]) -> Answer | None:
    named: Counter[str] = Counter()
    total = 0.0
    for voter, vote in votes.items():
        labels = json.loads(vote) if vote.startswith("[") else None
        if labels is None:  # a non-answer names no label
            continue
        total += weights[voter]
        for label in labels:
            named[label] += weights[voter]  # type: ignore[assignment]  # weights need not be whole
    if not total:
        return None
    most = [label for label in criterion.scale.offered if named[label] * 2 > total]
    return criterion.parse([label for label in most if not math.isclose(named[label] * 2, total)])


def _central(criterion: Criterion, votes: Mapping[str, Any], rule: Rule) -> Answer | None:
    read = [criterion.parse(vote).value for vote in votes.values()]
    values = [value for value in read if value is not None]
    if not values:
        return None
    if rule == "median":
        middle = statistics.median_low(values), statistics.median_high(values)
        if criterion.scale.level == "ordinal" and middle[0] != middle[1]:
            return None  # between two answers there is none
        return criterion.parse(statistics.fmean(middle))
    return criterion.parse(statistics.fmean(values))


def _score(cell: Cell, context: Context, trace_id: str, one: _Counted, status: Status | None = None) -> Score:
    criteria: Criteria | None = cell.slot.criteria
    assert criteria is not None
    agent: Panel = cell.slot.agent  # type: ignore[assignment]  # its own cells
    answer = one.answer
    n = Counter(str(vote) for vote in one.votes.values())
    return Score(
        trace_id=trace_id,
        run_id=context.run_id,
        design_id=cell.design_id,
        record_id=cell.record.record_id,
        record_hash=cell.record.record_hash,
        judge=agent.name,
        criteria_set=criteria.name,
        criteria_hash=criteria.criteria_hash,
        criterion=one.criterion.name,
        model=agent.rule,
        replicate=0,
        value=answer.value if answer else None,
        category=answer.category if answer else None,
        flagged=one.criterion.flagged(answer) if answer else None,
        conclusion=f"Votes: {', '.join(f'{vote}: {k}' for vote, k in n.most_common())}." if n else None,
        status=status or ("ok" if answer else "skipped"),
    )
