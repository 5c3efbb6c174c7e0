"""`Synthesiser`: one reconciled verdict per record and document, from all that the judges said."""

from __future__ import annotations

from typing import Any, ClassVar

from ..._internal.ids import uuid7
from ...codebook.criteria import Criteria
from ...llm.calls.client import CallResult
from ...llm.offline_input import Task
from ...schema import Score, Status, Unit
from ..ask_model import ask_and_parse
from ..base import Cell, Context
from ..judge.answer_format import REPAIR_MESSAGE, answer_format, answer_schema
from ..judge.parse_scores import ParsedScores, ScoreParser, empty_scores, scored_unit
from ..units import Stopwatch
from .base import MetaAgent, MetaQuestion


class Synthesiser(MetaAgent):
    """Reads every answer on a record and gives one, with its own reasons, for a reader who has not seen them.

    It answers in the judges' own form, so its answers are scores too, under its name. They are no independent
    evidence: an instrument that has read others is kept out of statistics that take coders as independent.

    Parameters
    ----------
    name
        The step's name.
    of
        The steps whose answers it reads, by name. They come before it without being named in `needs`.
    models
        A model, a set of models, or a list; by default the project's set `judges`.
    prompt
        Another prompt than the default; it may use `record`, `criteria`, `answers` and `answer_format`.
    replicates
        How often each model is asked the same.
    params
        Sampling parameters; see `Judge`.
    fallback
        Models to ask where the chosen one fails for good.
    order
        `shuffled`: the answers come in an order of its own for each record, so that none always comes first;
        `planned`: in the order of models and replicates. Either way the order is stored in `trace_inputs`.
    reask
        Whether an answer that cannot be read is asked for once more.

    Raises
    ------
    SetupError
        `of` names a step that gives no answers on criteria.

    Notes
    -----
    Offline models synthesise by rule: the answer of the majority (the median on an ordered scale), with the reasons of
    those who gave it. Which model said what is not shown.

    Examples
    --------
    >>> Synthesiser("synth", of="judge", models="offline/strict")
    Synthesiser('synth', of: judge, models: offline/strict)
    """

    kind: ClassVar[str] = "synthesiser"
    role: ClassVar[str] = "synthesiser"
    task: ClassVar[Task] = "synthesise"
    repair_message: ClassVar[str] = REPAIR_MESSAGE

    def answer_schema(self, criteria: Criteria) -> dict[str, Any]:
        return answer_schema(criteria)

    def answer_format(self, criteria: Criteria) -> str:
        return answer_format(criteria)

    async def run(self, cell: Cell, context: Context) -> Unit:
        watch, trace_id = Stopwatch(), uuid7()
        question = cell.slot.prepared
        answer = await ask_and_parse(self, question, cell, trace_id, context)
        trace_ids = [answer.trace_id for answer in self.shown_answers(cell)]
        return scored_unit(cell, context, watch, trace_id, [answer], input_trace_ids=trace_ids)

    def parse(
        self, result: CallResult, question: MetaQuestion, cell: Cell, trace_id: str, context: Context
    ) -> ParsedScores:
        """The scores in an answer: one for each criterion."""
        return ScoreParser(cell, context.run_id, trace_id).parse(question.criteria, result)

    def empty_scores(self, cell: Cell, context: Context, trace_id: str, status: Status) -> tuple[Score, ...]:
        return empty_scores(cell, context, trace_id, status)
