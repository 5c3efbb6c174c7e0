"""`Panel`: combines the verdicts of several judges by a voting rule."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

from pydantic import Field, field_validator, model_validator

from ..._internal.arguments import check_argument_names
from ..._internal.ids import canonical, uuid7
from ...codebook.criteria import Criteria
from ...codebook.criterion import Criterion
from ...errors import SetupError, SkippedCell, nearest
from ...schema import Score, Status, Unit
from ..base import NO_UPSTREAM, AgentBase, Cell, Context, Slot, UpstreamSlots
from ..design import slot_design
from ..units import Stopwatch, make_unit
from .voting_rules import Rule, VoteCount, count_votes, votes_of_cell

if TYPE_CHECKING:
    from ...project.project import Project

_LEVELS = {"median": ("ordinal", "interval", "ratio"), "mean": ("interval", "ratio")}
"""The levels of measurement on which a rule can be used."""


class Panel(AgentBase):
    """Combines the verdicts of several judges into one. No model is called.

    Every instrument (a step with its model) has one vote: the answer that most of its replicates gave, or their mean on
    a scale of numbers. If its replicates are tied, it has no vote. All votes are stored in the trace's output and
    returned by `run.votes()`, with the dissent: the share of the votes that differ from the panel's answer.

    Parameters
    ----------
    name
        The step's name.
    of
        The names of the steps that vote.
    rule
        `majority`: the answer with the most votes; `median`: the middle vote, on ordered scales; `mean`: the mean, on
        scales of numbers; `weighted`: a majority with a weight for each vote. On a scale of several labels, each label
        is decided separately: it applies if more than half of the votes name it.
    weights
        For `weighted`: the weight of each model, by name, 0 or more. Every model that votes needs a weight, and so do
        its fallbacks.

    Raises
    ------
    SetupError
        The rule does not fit the scale, or a weight is missing.

    Notes
    -----
    A tie is not an answer: its score has the status `skipped`, and the votes show why. A panel depends on its members,
    so statistics that assume independent coders exclude it.

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

    @check_argument_names
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
    def _steps_as_tuple(cls, value: Any) -> Any:
        return (value,) if isinstance(value, str) else tuple(dict.fromkeys(value or ()))

    @model_validator(mode="after")
    def _check_fields(self) -> Self:
        if not self.of:
            raise ValueError('it reads the answers of other steps: write of="judge", with the name of one')
        if (self.rule == "weighted") != bool(self.weights):
            raise ValueError('rule="weighted" and weights={model: weight} belong together')
        if any(not 0 <= weight < math.inf for weight in self.weights.values()):
            raise ValueError("a weight must be a number, 0 or more")
        return self

    @property
    def upstream_steps(self) -> tuple[str, ...]:
        return self.of

    def slots(self, project: Project, upstream: UpstreamSlots = NO_UPSTREAM) -> list[Slot]:
        slots: dict[str, Slot] = {}
        for name in self.of:
            voting_slots = [slot for slot in upstream.get(name, ()) if slot.criteria is not None]
            if not voting_slots:
                raise SetupError(f"step `{self.name}`: `{name}` does not answer criteria; of= must name judges.")
            for slot in voting_slots:
                self._check_slot(slot, project)
                assert slot.criteria is not None
                key = slot.criteria.criteria_hash
                params = canonical({"rule": self.rule, **({"weights": self.weights} if self.weights else {})})
                design = slot_design(self, criteria=key, rule=self.rule, weights=self.weights)
                slots.setdefault(key, Slot(self, design, 0, None, slot.criteria, None, params))
        return list(slots.values())

    def _check_slot(self, slot: Slot, project: Project) -> None:
        assert slot.criteria is not None
        for criterion in slot.criteria:
            if criterion.scale.level not in _LEVELS.get(self.rule, (criterion.scale.level,)):
                raise SetupError(
                    f"step `{self.name}`: answers on `{criterion.name}` have no {self.rule}; "
                    f'write rule="{"median" if criterion.scale.level == "ordinal" else "majority"}".'
                )
        models = [slot.model, *slot.agent.fallback_models(project)] if slot.model else []  # a fallback may have to vote
        for voter in [model.name for model in models] or [slot.agent.name]:
            if self.rule == "weighted" and voter not in self.weights:
                near = nearest(voter, self.weights)
                raise SetupError(f"step `{self.name}`: `{voter}` votes, but has no weight; {near}")

    def reads_slot(self, own_slot: Slot, upstream_slot: Slot) -> bool:
        if upstream_slot.agent.name not in self.of:
            return True
        assert own_slot.criteria is not None
        return (
            upstream_slot.criteria is not None
            and upstream_slot.criteria.criteria_hash == own_slot.criteria.criteria_hash
        )

    async def run(self, cell: Cell, context: Context) -> Unit:
        watch, trace_id = Stopwatch(), uuid7()
        criteria = cell.slot.criteria
        assert criteria is not None
        counts = [self._count_votes(cell, criterion) for criterion in criteria]
        scores = [_panel_score(cell, context, trace_id, count) for count in counts]
        output = {
            count.criterion.name: {"votes": count.votes, "without_vote": count.abstained, "dissent": count.dissent}
            for count in counts
        }
        is_decided = all(score.status == "ok" for score in scores)
        undecided = ", ".join(f"`{count.criterion.name}`" for count in counts if count.answer is None)
        return make_unit(
            cell,
            context,
            watch,
            trace_id=trace_id,
            status="ok" if is_decided else "skipped",
            output=canonical(output),
            flagged=criteria.overall_flag({score.criterion: score.flagged for score in scores}),
            error=None if is_decided else SkippedCell(f"no answer won on {undecided}."),
            scores=scores,
        )

    def _count_votes(self, cell: Cell, criterion: Criterion) -> VoteCount:
        return count_votes(criterion, votes_of_cell(cell, self.of, criterion), self.rule, self.weights)

    def missing_input(self, cell: Cell) -> str | None:
        return None if any(cell.inputs.get(name) for name in self.of) else super().missing_input(cell)

    def empty_scores(self, cell: Cell, context: Context, trace_id: str, status: Status) -> tuple[Score, ...]:
        return tuple(
            _panel_score(cell, context, trace_id, VoteCount(criterion, None, {}, [], None), status)
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


def _panel_score(cell: Cell, context: Context, trace_id: str, count: VoteCount, status: Status | None = None) -> Score:
    criteria: Criteria | None = cell.slot.criteria
    assert criteria is not None
    agent: Panel = cell.slot.agent  # type: ignore[assignment]  # its own cells
    answer = count.answer
    tally = Counter(str(vote) for vote in count.votes.values())
    return Score(
        trace_id=trace_id,
        run_id=context.run_id,
        design_id=cell.design_id,
        record_id=cell.record.record_id,
        record_hash=cell.record.record_hash,
        judge=agent.name,
        criteria_set=criteria.name,
        criteria_hash=criteria.criteria_hash,
        criterion=count.criterion.name,
        model=agent.rule,
        replicate=0,
        value=answer.value if answer else None,
        category=answer.category if answer else None,
        flagged=count.criterion.flagged(answer) if answer else None,
        conclusion=f"Votes: {', '.join(f'{vote}: {n}' for vote, n in tally.most_common())}." if tally else None,
        status=status or ("ok" if answer else "skipped"),
    )
