"""`Synthesiser`: one verdict per record and document, from the answers of all judges."""

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
    """Reads all answers on a record and gives one answer, with reasons that can be read without the others.

    It answers in the same form as a judge, so its answers are scores too, under its own name. They are not independent
    evidence: statistics that assume independent coders exclude an instrument that has read the answers of others.

    Parameters
    ----------
    name
        The step's name.
    of
        The names of the steps that it reads. They run before it; `needs` does not have to name them.
    models
        A model, a set of models, or a list; by default the project's set `judges`.
    prompt
        A prompt instead of the default; it may use `record`, `criteria`, `answers` and `answer_format`.
    replicates
        How often each model gets the same request; by default once.
    params
        Sampling parameters; see `Judge`.
    fallback
        Models to call if the selected model fails permanently; by default none.
    order
        `shuffled`: the answers have a different order for each record, so that no model always comes first;
        `planned`: the order of models and replicates. In both cases, the order is stored in `trace_inputs`.
    reask
        Whether to ask once more if an answer cannot be parsed.

    Raises
    ------
    SetupError
        `of` names a step that does not answer criteria.

    Notes
    -----
    The answers are shown without the names of their models. Offline models use a rule: the answer of the majority (the
    median on an ordered scale), with the reasons of those who gave it.

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
