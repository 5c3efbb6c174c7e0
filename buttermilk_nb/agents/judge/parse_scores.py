"""Parse a model's answer into scores: one for each criterion in the question."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from ..._internal.text import replace_surrogates
from ...codebook.criterion import Criterion
from ...codebook.scales import Answer
from ...errors import InvalidAnswer
from ...llm.answers.choose_object import AnswerAfterRefusal
from ...llm.answers.parse_json import is_refusal, parse_json
from ...llm.answers.refusals import is_refusal_text
from ...llm.answers.shown_texts import ShownTexts
from ...llm.calls.client import CallResult
from ...llm.completion import Completion
from ...llm.model import Model
from ...schema import STATUSES, Score, Status, Unit
from ..ask_model import combine
from ..base import Cell, Context
from ..cell_texts import cell_texts
from ..units import Stopwatch, make_unit
from .answer_format import UNCERTAINTIES, answer_format, as_text, as_texts, find_entry

_WORST_FIRST: tuple[Status, ...] = ("error", "timeout", "skipped", "filtered", "refused", "invalid", "ok")
assert set(_WORST_FIRST) <= set(STATUSES)


class ParsedScores(NamedTuple):
    """The scores in an answer, and the first problem with it."""

    result: CallResult
    scores: list[Score]
    problem: BaseException | None

    @property
    def n_unparsed(self) -> int:
        """How many criteria have no valid answer."""
        return sum(score.status == "invalid" for score in self.scores)

    @property
    def statuses(self) -> set[str]:
        """The statuses of its scores."""
        return {score.status for score in self.scores}

    def better_of(self, second: ParsedScores) -> ParsedScores:
        """The better of this answer and a second one, with the rows of both."""
        better = second if second.n_unparsed < self.n_unparsed and second.result.completion else self
        whole = combine([self.result, second.result])
        return better._replace(
            result=whole._replace(completion=better.result.completion, request=better.result.request)
        )


class ScoreParser(NamedTuple):
    """Parses the answers of one cell.

    Parameters
    ----------
    cell
        The cell.
    run_id, trace_id
        The run and the trace of the scores.
    """

    cell: Cell
    run_id: str
    trace_id: str

    def parse(self, criteria: Iterable[Criterion], result: CallResult) -> ParsedScores:
        """The scores of these criteria in a model's answer."""
        asked_criteria = list(criteria)
        model = result.request.model

        def scores_without_answers(status: Status, problem: BaseException) -> ParsedScores:
            return ParsedScores(
                result, [self.score(criterion, status, model=model) for criterion in asked_criteria], problem
            )

        try:
            names = ("criteria", "answer", *(criterion.name for criterion in asked_criteria))
            reply = parse_object(result, names, cell_texts(self.cell, result, answer_format(asked_criteria)))
        except UnparsedAnswer as unparsed:
            return scores_without_answers(unparsed.status, unparsed.reason)
        scores, problem = [], None
        for criterion in asked_criteria:
            try:
                entry = find_entry(reply, criterion, is_only=len(asked_criteria) == 1)
                answer = criterion.parse(entry.get("answer"))
                if _declines(entry):
                    reason = InvalidAnswer("the model declines in its reasons, so its answer is none.")
                    problem = problem or reason
                    scores.append(self.score(criterion, "refused", model=model))
                    continue
            except InvalidAnswer as error:
                problem = problem or InvalidAnswer(f"criterion `{criterion.name}`: {error}")
                scores.append(self.score(criterion, "invalid", model=model))
            else:
                scores.append(self.score(criterion, "ok", answer, entry, model=model))
        return ParsedScores(result, scores, problem)

    def score(
        self,
        criterion: Criterion,
        status: Status,
        answer: Answer | None = None,
        entry: dict[str, Any] | None = None,
        *,
        model: Model | None = None,
    ) -> Score:
        """The row of one criterion; `model` is the model that answered, if it is not the planned one."""
        slot, record = self.cell.slot, self.cell.record
        assert slot.criteria is not None
        assert slot.model is not None
        fields = entry or {}
        uncertainty = str(fields.get("uncertainty", "")).strip().lower()
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
            model=(model or slot.model).name,
            replicate=slot.replicate,
            value=answer.value if answer else None,
            category=answer.category if answer else None,
            answer_note=answer.note if answer else None,
            flagged=criterion.flagged(answer) if answer else None,
            uncertainty=uncertainty if uncertainty in UNCERTAINTIES else None,
            conclusion=as_text(fields.get("conclusion")),
            reasons=as_texts(fields["reasons"]) if "reasons" in fields else None,
            status=status,
        )


def _declines(entry: Mapping[str, Any]) -> bool:
    """Whether an entry has the form that was asked for, and words of refusal alone in its reasons and conclusion."""
    conclusion = as_text(entry.get("conclusion"))
    if conclusion and not is_refusal_text(conclusion):
        return False
    reasons = as_texts(entry["reasons"]) if "reasons" in entry else []
    return bool(conclusion or reasons) and all(map(is_refusal_text, reasons))


class UnparsedAnswer(Exception):
    """Raised for an answer without a JSON object.

    Parameters
    ----------
    status
        The status of the cell: refused, filtered, invalid, or the status of the failed call.
    reason
        The error for the cell's row.
    """

    def __init__(self, status: Status, reason: BaseException) -> None:
        super().__init__(str(reason))
        self.status = status
        self.reason = reason


def parse_object(result: CallResult, names: Collection[str], shown: ShownTexts) -> dict[str, Any]:
    """The JSON object in an answer.

    Parameters
    ----------
    result
        The result of the call.
    names
        Keys that the object may have; an object with one of them is preferred.
    shown
        The texts of others that the model was shown.

    Raises
    ------
    UnparsedAnswer
        The call failed, or its answer has no such object.
    """
    completion = result.completion
    if completion is None:
        assert result.error is not None
        raise UnparsedAnswer(result.error.status, result.error)  # type: ignore[arg-type]  # every ModelError has one of the statuses
    if result.call and result.call.status == "filtered":
        raise UnparsedAnswer("filtered", InvalidAnswer("the provider's filter stopped the answer."))
    if result.call and result.call.status == "refused":
        raise UnparsedAnswer("refused", InvalidAnswer(f"the model declined: {_declined(completion)}"))
    try:
        return parse_json(completion, names, shown)
    except AnswerAfterRefusal as error:
        raise UnparsedAnswer("invalid", error) from error
    except InvalidAnswer as error:
        if is_refusal(completion):
            reason = InvalidAnswer(f"the model declined: {_declined(completion)}")
            raise UnparsedAnswer("refused", reason) from error
        raise UnparsedAnswer("invalid", error) from error


def _declined(completion: Completion) -> str:
    """The words of a refusal: the answer's own, or those in the provider's field for them."""
    words = completion.text.strip() or completion.refusal or "it gave no reason."
    return replace_surrogates(words)[:200]


def scored_unit(
    cell: Cell,
    context: Context,
    watch: Stopwatch,
    trace_id: str,
    answers: Sequence[ParsedScores],
    input_trace_ids: Sequence[str] | None = None,
) -> Unit:
    """The rows of a cell with scores; `input_trace_ids` are the traces that it read, in the order shown."""
    scores = [score for answer in answers for score in answer.scores]
    raw_texts = [
        answer.result.completion.text
        for answer in answers
        if answer.result.completion and any(score.status != "ok" for score in answer.scores)
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
        output="\n".join(raw_texts) if raw_texts else None,
        flagged=criteria.overall_flag({score.criterion: score.flagged for score in scores}),
        error=next((answer.problem for answer in answers if answer.problem), None),
        attempts=sum(answer.result.attempts for answer in answers),
        calls=[call for answer in answers for call in answer.result.calls],
        scores=scores,
        texts=[text for answer in answers for text in answer.result.texts],
        redacted=[row for answer in answers for row in answer.result.redacted],
        model=answers[0].result.request.model,
        input_trace_ids=input_trace_ids,
    )


def empty_scores(cell: Cell, context: Context, trace_id: str, status: Status) -> tuple[Score, ...]:
    """The scores of a cell without an answer: one for each criterion."""
    parser = ScoreParser(cell, context.run_id, trace_id)
    return tuple(parser.score(criterion, status) for criterion in cell.slot.criteria or ())
