"""`Escalation`: if judges disagree, ask a stronger model or a person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field

from ..._internal.arguments import check_argument_names
from ..._internal.ids import canonical, uuid7
from ...codebook.criteria import Criteria
from ...errors import SkippedCell
from ...llm.calls.client import CallResult
from ...llm.model import Model
from ...llm.offline_input import AnonymisedAnswer, Task
from ...llm.params import NO_PARAMS
from ...schema import Score, Status, Unit
from ..ask_model import ask_and_parse
from ..base import NO_UPSTREAM, AgentBase, Cell, Context, Slot, UpstreamSlots
from ..design import slot_design
from ..judge.answer_format import REPAIR_MESSAGE, answer_format, answer_schema
from ..judge.parse_scores import ParsedScores, ScoreParser, empty_scores, scored_unit
from ..prompt import Prompt
from ..units import Stopwatch, make_unit
from .base import MetaAgent, MetaQuestion
from .voting_rules import VoteCount, count_votes, votes_of_cell

if TYPE_CHECKING:
    from ...project.project import Project

PEOPLE = "people"
"""The value of `escalate_to` for the queue of records that a person reviews."""


class Escalation(MetaAgent):
    """If judges disagree on a record, asks a stronger model the same question, or puts the record in a review queue.

    The model reads the text and the criteria as a judge does, without the judges' answers. Its answers are scores under
    this step's name: they come from another instrument, and only exist for contested records. If the judges agree,
    nobody is asked, and the answer is `skipped`.

    Parameters
    ----------
    name
        The step's name.
    of
        The names of the steps that it compares.
    escalate_to
        A model, a set of models, or a list; or `people`: then no model is called, and `run.review_queue()` returns the
        records, which `bm.coding_form` shows with `sample=`. By default the project's set `judges`.
    above
        An answer is contested if its dissent is greater than this, from 0 to below 1. The dissent is the share of the
        votes that differ from the majority; it is 1 if every vote is a tie. By default 0: any dissent.
    prompt, params, fallback, reask
        As in `Judge`.

    Raises
    ------
    SetupError
        `of` names a step that does not answer criteria.

    Notes
    -----
    Every instrument has one vote, as in `Panel`. In a document of several criteria, one contested answer is enough, and
    all criteria are asked. Escalated records are not a random sample: report them separately, or let a panel count
    their answers with the others.

    Examples
    --------
    >>> Escalation("second", of="judge", escalate_to="people")
    Escalation('second', of: judge, to: people)
    """

    kind: ClassVar[str] = "escalation"
    role: ClassVar[str] = "judge"
    task: ClassVar[Task] = "judge"
    required_name: ClassVar[str] = "criteria"
    template_variables: ClassVar[tuple[str, ...]] = ("record", "criteria", "answer_format")
    repair_message: ClassVar[str] = REPAIR_MESSAGE

    above: float = Field(default=0.0, ge=0, lt=1)

    @check_argument_names
    def __init__(
        self,
        name: str,
        *,
        of: str | Sequence[str] = (),
        escalate_to: str | Sequence[str] | None = None,
        above: float = 0.0,
        prompt: Prompt | str | Path | None = None,
        params: Mapping[str, Any] | None = None,
        fallback: str | Sequence[str] | None = None,
        reask: bool = True,
    ) -> None:
        super().__init__(
            name,
            of=of,
            models=escalate_to,
            above=above,
            prompt=prompt,
            params=params,
            fallback=fallback,
            reask=reask,
        )

    @property
    def to_people(self) -> bool:
        """Whether people review the contested records, so that no model is called."""
        return self.models in (PEOPLE, (PEOPLE,))

    def selected_models(self, project: Project) -> list[Model]:
        return [] if self.to_people else super().selected_models(project)

    def slots(self, project: Project, upstream: UpstreamSlots = NO_UPSTREAM) -> list[Slot]:
        if not self.to_people:
            model_slots = super().slots(project, upstream)
            return [slot._replace(design=self._escalation_design(slot.design)) for slot in model_slots]
        slots = []
        for criteria in self.upstream_criteria(upstream):
            question = self.question(criteria, NO_PARAMS, project)
            design = self._escalation_design(slot_design(self, criteria=criteria.criteria_hash, to=PEOPLE))
            slots.append(Slot(self, design, 0, None, criteria, None, "{}", question))
        return slots

    def _escalation_design(self, design: str) -> str:
        return slot_design(self, of=design, above=self.above)

    def answer_schema(self, criteria: Criteria) -> dict[str, Any]:
        return answer_schema(criteria)

    def answer_format(self, criteria: Criteria) -> str:
        return answer_format(criteria)

    def template_values(self, cell: Cell, answers: Sequence[AnonymisedAnswer]) -> dict[str, Any]:  # it shows no answers
        return {}

    def shown_answers(self, cell: Cell) -> tuple[AnonymisedAnswer, ...]:  # it reads no answers
        return ()

    async def run(self, cell: Cell, context: Context) -> Unit:
        watch, trace_id = Stopwatch(), uuid7()
        question = cell.slot.prepared
        counts = [self._count_votes(cell, criterion.name) for criterion in question.criteria]
        contested = [count for count in counts if (count.dissent or 0.0) > self.above]
        if not contested:
            raise SkippedCell("the judges agree, so it was not escalated.")
        if self.to_people:
            queue = {count.criterion.name: {"votes": count.votes, "dissent": count.dissent} for count in contested}
            why = SkippedCell("the judges disagree, so it waits for a person.")
            output = canonical({"queue": queue})
            return make_unit(cell, context, watch, trace_id=trace_id, status="skipped", output=output, error=why)
        answer = await ask_and_parse(self, question, cell, trace_id, context)
        return scored_unit(cell, context, watch, trace_id, [answer])

    def _count_votes(self, cell: Cell, name: str) -> VoteCount:
        criterion = cell.slot.prepared.criteria[name]
        return count_votes(criterion, votes_of_cell(cell, self.of, criterion), "majority", {})

    def parse(
        self, result: CallResult, question: MetaQuestion, cell: Cell, trace_id: str, context: Context
    ) -> ParsedScores:
        """The scores in an answer: one for each criterion."""
        return ScoreParser(cell, context.run_id, trace_id).parse(question.criteria, result)

    def empty_scores(self, cell: Cell, context: Context, trace_id: str, status: Status) -> tuple[Score, ...]:
        if status == "skipped" or cell.slot.model is None:  # no answer was planned
            return ()
        return empty_scores(cell, context, trace_id, status)

    def to_plain(self, folder: Path | None) -> dict[str, Any]:
        return {**super().to_plain(folder), **({"above": self.above} if self.above else {})}

    @classmethod
    def from_plain(cls, name: str, data: dict[str, Any], folder: Path) -> AgentBase:
        fields = {key: value for key, value in data.items() if key != "models"}
        return super().from_plain(name, {**fields, "escalate_to": data.get("models")}, folder)

    def __repr__(self) -> str:
        to = self.models if isinstance(self.models, str) else ", ".join(self.models or ["the project's judges"])
        return f"Escalation({self.name!r}, of: {', '.join(self.of)}, to: {to})"

    __str__ = __repr__
