"""`Panel`: several instruments as one, by a rule of counting that is written down."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

from pydantic import Field, field_validator, model_validator

from ..._internal.ids import canonical, uuid7
from ...codebook.criteria import Criteria
from ...codebook.criterion import Criterion
from ...errors import SetupError, SkippedCell, nearest
from ...schema import Score, Status, Unit
from ..base import NO_UPSTREAM, AgentBase, Cell, Context, Slot, UpstreamSlots
from ..design import slot_design
from ..units import Stopwatch, make_unit
from .voting_rules import Rule, VoteCount, count, given

if TYPE_CHECKING:
    from ...project.project import Project

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
        For `weighted`: the weight of each model, by name; all that vote must have one, and so must their
        fallbacks.

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
    output_is_json: ClassVar[bool] = True
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
    def upstream_steps(self) -> tuple[str, ...]:
        return self.of

    def slots(self, project: Project, before: UpstreamSlots = NO_UPSTREAM) -> list[Slot]:
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
        models = (
            [theirs.model, *theirs.agent.fallback_models(project)] if theirs.model else []
        )  # a fallback may have to vote
        for voter in [model.name for model in models] or [theirs.agent.name]:
            if self.rule == "weighted" and voter not in self.weights:
                near = nearest(voter, self.weights)
                raise SetupError(f"step `{self.name}`: `{voter}` votes and has no weight; {near}")

    def reads_slot(self, mine: Slot, theirs: Slot) -> bool:
        if theirs.agent.name not in self.of:
            return True
        assert mine.criteria is not None
        return theirs.criteria is not None and theirs.criteria.criteria_hash == mine.criteria.criteria_hash

    async def run(self, cell: Cell, context: Context) -> Unit:
        watch, trace_id = Stopwatch(), uuid7()
        criteria = cell.slot.criteria
        assert criteria is not None
        counted = [self._count(cell, criterion) for criterion in criteria]
        scores = [_score(cell, context, trace_id, one) for one in counted]
        output = {
            one.criterion.name: {"votes": one.votes, "without_vote": one.abstained, "dissent": one.dissent}
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

    def _count(self, cell: Cell, criterion: Criterion) -> VoteCount:
        return count(criterion, given(cell, self.of, criterion), self.rule, self.weights)

    def missing_input(self, cell: Cell) -> str | None:
        return None if any(cell.inputs.get(name) for name in self.of) else super().missing_input(cell)

    def empty_scores(self, cell: Cell, context: Context, trace_id: str, status: Status) -> tuple[Score, ...]:
        return tuple(
            _score(cell, context, trace_id, VoteCount(criterion, None, {}, [], None), status)
            for criterion in cell.slot.criteria or ()
        )

    def to_plain(self, folder: Path | None) -> dict[str, Any]:  # it has no files
        rule = {} if self.rule == "majority" else {"rule": self.rule}
        return {"of": list(self.of), **rule, **({"weights": self.weights} if self.weights else {})}

    @classmethod
    def from_plain(cls, name: str, data: dict[str, Any], folder: Path) -> AgentBase:  # noqa: ARG003  # as above
        return cls(name, **data)

    def __repr__(self) -> str:
        return f"Panel({self.name!r}, of: {', '.join(self.of)}, rule: {self.rule})"

    __str__ = __repr__


def _score(cell: Cell, context: Context, trace_id: str, one: VoteCount, status: Status | None = None) -> Score:
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
