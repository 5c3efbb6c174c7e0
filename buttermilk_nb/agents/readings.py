"""From a model's answer to scores: one for each criterion that was asked, whatever came."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from .._text import clean
from ..criteria import Criterion
from ..errors import InvalidAnswer
from ..llm.answers import is_refusal, read_json
from ..llm.base import Completion, Model
from ..llm.client import Asked
from ..scales import Answer
from ..traces import Score, Status
from .base import Cell
from .llm_agent import together
from .verdicts import UNCERTAINTIES, entry_of, text_of, texts_of


class Reading(NamedTuple):
    """The scores in an answer, and what was wrong with it."""

    asked: Asked
    scores: list[Score]
    problem: BaseException | None

    @property
    def unread(self) -> int:
        """How many criteria it gives no valid answer on."""
        return sum(score.status == "invalid" for score in self.scores)

    def or_better(self, second: Reading) -> Reading:
        """The better of two readings, with the rows of both."""
        better = second if second.unread < self.unread and second.asked.completion else self
        whole = together([self.asked, second.asked])
        return better._replace(asked=whole._replace(completion=better.asked.completion, request=better.asked.request))


class Reader(NamedTuple):
    """Reads the answers of one cell.

    Parameters
    ----------
    cell
        What was asked about.
    run_id, trace_id
        Whom the scores belong to.
    """

    cell: Cell
    run_id: str
    trace_id: str

    def read(self, asked: Iterable[Criterion], given: Asked) -> Reading:
        """The scores of these criteria in what was answered."""
        criteria = list(asked)
        served, completion = given.request.model, given.completion

        def all_with(status: Status, problem: BaseException) -> Reading:
            return Reading(given, [self.score(criterion, status, served=served) for criterion in criteria], problem)

        if completion is None:
            assert given.error is not None
            return all_with(given.error.status, given.error)  # type: ignore[arg-type]  # a status of the tree
        if given.call and given.call.status == "filtered":
            return all_with("filtered", InvalidAnswer("the provider's filter stopped the answer."))
        try:
            found = read_json(completion, ("criteria", "answer", *(criterion.name for criterion in criteria)))
        except InvalidAnswer as error:
            return all_with(*_unread(completion, error))
        scores, problem = [], None
        for criterion in criteria:
            try:
                entry = entry_of(found, criterion, alone=len(criteria) == 1)
                answer = criterion.parse(entry.get("answer"))
            except InvalidAnswer as error:
                problem = problem or InvalidAnswer(f"criterion `{criterion.name}`: {error}")
                scores.append(self.score(criterion, "invalid", served=served))
            else:
                scores.append(self.score(criterion, "ok", answer, entry, served=served))
        return Reading(given, scores, problem)

    def score(
        self,
        criterion: Criterion,
        status: Status,
        answer: Answer | None = None,
        entry: dict[str, Any] | None = None,
        *,
        served: Model | None = None,
    ) -> Score:
        """The row of one criterion; `served` where another model than the planned one has answered."""
        slot, record = self.cell.slot, self.cell.record
        assert slot.criteria is not None
        assert slot.model is not None
        given = entry or {}
        uncertainty = str(given.get("uncertainty", "")).strip().lower()
        return Score(
            trace_id=self.trace_id,
            run_id=self.run_id,
            design_id=self.cell.design_id,
            record_id=record.record_id,
            record_hash=record.record_hash,
            judge=slot.agent.name,
            criteria_set=slot.criteria.name,
            criteria_hash=slot.criteria.criteria_hash,
            criterion=criterion.name,
            model=(served or slot.model).name,
            replicate=slot.replicate,
            value=answer.value if answer else None,
            category=answer.category if answer else None,
            flagged=criterion.flagged(answer) if answer else None,
            uncertainty=uncertainty if uncertainty in UNCERTAINTIES else None,
            conclusion=text_of(given.get("conclusion")),
            reasons=texts_of(given["reasons"]) if "reasons" in given else None,
            status=status,
        )


def _unread(completion: Completion, error: InvalidAnswer) -> tuple[Status, InvalidAnswer]:
    if is_refusal(completion):
        return "refused", InvalidAnswer(f"the model declined: {clean(completion.text)[:200]}")
    return "invalid", error
