"""From a model's answer to scores: one for each criterion that was asked, whatever came."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any, NamedTuple

from ..._internal.text import replace_surrogates
from ...codebook.criterion import Criterion
from ...codebook.scales import Answer
from ...errors import InvalidAnswer
from ...llm.answers.parse_json import is_refusal, parse_json
from ...llm.calls.client import CallResult
from ...llm.model import Model
from ...schema import STATUSES, Score, Status, Unit
from ..ask_model import combine
from ..base import Cell, Context
from ..units import Stopwatch, make_unit
from .answer_format import UNCERTAINTIES, as_text, as_texts, find_entry

_WORST_FIRST: tuple[Status, ...] = ("error", "timeout", "skipped", "filtered", "refused", "invalid", "ok")
assert set(_WORST_FIRST) <= set(STATUSES)


class ParsedScores(NamedTuple):
    """The scores in an answer, and what was wrong with it."""

    result: CallResult
    scores: list[Score]
    problem: BaseException | None

    @property
    def n_unparsed(self) -> int:
        """How many criteria it gives no valid answer on."""
        return sum(score.status == "invalid" for score in self.scores)

    @property
    def statuses(self) -> set[str]:
        """The statuses of its scores."""
        return {score.status for score in self.scores}

    def better_of(self, second: ParsedScores) -> ParsedScores:
        """The better of two readings, with the rows of both."""
        better = second if second.n_unparsed < self.n_unparsed and second.result.completion else self
        whole = combine([self.result, second.result])
        return better._replace(
            result=whole._replace(completion=better.result.completion, request=better.result.request)
        )


class ScoreParser(NamedTuple):
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

    def parse(self, asked: Iterable[Criterion], given: CallResult) -> ParsedScores:
        """The scores of these criteria in what was answered."""
        criteria = list(asked)
        served = given.request.model

        def all_with(status: Status, problem: BaseException) -> ParsedScores:
            return ParsedScores(
                given, [self.score(criterion, status, served=served) for criterion in criteria], problem
            )

        try:
            found = parse_object(given, ("criteria", "answer", *(criterion.name for criterion in criteria)))
        except UnparsedAnswer as unread:
            return all_with(unread.status, unread.reason)
        scores, problem = [], None
        for criterion in criteria:
            try:
                entry = find_entry(found, criterion, alone=len(criteria) == 1)
                answer = criterion.parse(entry.get("answer"))
            except InvalidAnswer as error:
                problem = problem or InvalidAnswer(f"criterion `{criterion.name}`: {error}")
                scores.append(self.score(criterion, "invalid", served=served))
            else:
                scores.append(self.score(criterion, "ok", answer, entry, served=served))
        return ParsedScores(given, scores, problem)

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
            conclusion=as_text(given.get("conclusion")),
            reasons=as_texts(given["reasons"]) if "reasons" in given else None,
            status=status,
        )


class UnparsedAnswer(Exception):
    """An answer with no object in it, and the status that follows.

    Parameters
    ----------
    status
        Refused, filtered, invalid, or that of the failure.
    why
        What the cell's row says.
    """

    def __init__(self, status: Status, why: BaseException) -> None:
        super().__init__(str(why))
        self.status = status
        self.reason = why


def parse_object(given: CallResult, wanted: Collection[str]) -> dict[str, Any]:
    """The JSON object that was answered.

    Raises
    ------
    Unread
        There is none.
    """
    completion = given.completion
    if completion is None:
        assert given.error is not None
        raise UnparsedAnswer(given.error.status, given.error)  # type: ignore[arg-type]  # a status of the tree
    if given.call and given.call.status == "filtered":
        raise UnparsedAnswer("filtered", InvalidAnswer("the provider's filter stopped the answer."))
    try:
        return parse_json(completion, wanted)
    except InvalidAnswer as error:
        if is_refusal(completion):
            why = InvalidAnswer(f"the model declined: {replace_surrogates(completion.text)[:200]}")
            raise UnparsedAnswer("refused", why) from error
        raise UnparsedAnswer("invalid", error) from error


def scored_unit(
    cell: Cell,
    context: Context,
    watch: Stopwatch,
    trace_id: str,
    readings: Sequence[ParsedScores],
    read: Sequence[str] | None = None,
) -> Unit:
    """The rows of a cell whose output is scores; `read` are the traces that it was shown, in their order."""
    scores = [score for reading in readings for score in reading.scores]
    unread = [
        reading.result.completion.text
        for reading in readings
        if reading.result.completion and any(score.status != "ok" for score in reading.scores)
    ]
    statuses = {score.status for score in scores}
    criteria = cell.slot.criteria
    assert criteria is not None
    return make_unit(
        cell,
        context,
        watch,
        trace_id=trace_id,
        status=next(status for status in _WORST_FIRST if status in statuses),
        output="\n".join(unread) if unread else None,
        flagged=criteria.overall_flag({score.criterion: score.flagged for score in scores}),
        error=next((reading.problem for reading in readings if reading.problem), None),
        attempts=sum(reading.result.attempts for reading in readings),
        calls=[call for reading in readings for call in reading.result.calls],
        scores=scores,
        texts=[text for reading in readings for text in reading.result.texts],
        redacted=[row for reading in readings for row in reading.result.redacted],
        model=readings[0].result.request.model,
        read=read,
    )


def empty_scores(cell: Cell, context: Context, trace_id: str, status: Status) -> tuple[Score, ...]:
    """The scores of a cell that got no answer: one a criterion."""
    reader = ScoreParser(cell, context.run_id, trace_id)
    return tuple(reader.score(criterion, status) for criterion in cell.slot.criteria or ())
