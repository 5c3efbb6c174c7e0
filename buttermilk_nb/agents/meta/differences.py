"""`Differences`: on which topics the answers on a record diverge, and their positions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, ClassVar

from ..._internal.ids import uuid7
from ..._internal.text import replace_surrogates
from ...codebook.criteria import Criteria
from ...errors import InvalidAnswer, SkippedCell, nearest
from ...llm.calls.client import CallResult
from ...llm.offline_input import Task
from ...schema import Unit
from ..ask_model import ask_and_parse
from ..base import Cell, Context
from ..json_schema import object_schema
from ..judge.answer_format import as_text
from ..parse_output import ParsedOutput, parse_output, parsed_unit
from ..units import Stopwatch
from .base import MetaAgent, MetaQuestion

_FORM = """Reply with one JSON object and nothing else, in this form:
{
  "conclusion": "...",
  "divergences": [
    {"topic": "...", "positions": [{"position": "...", "answers": ["A1"]}, {"position": "...", "answers": ["A2"]}]}
  ]
}
Where the answers do not diverge, "divergences" is an empty list."""


class Differences(MetaAgent):
    """Compares the answers on a record, and reports where they diverge, by topic and position.

    Every position names the answers that take it. The output is `invalid` if it names an answer that was not shown, or
    assigns one answer to two positions on a topic. `run.divergences()` returns the positions as tidy rows, and
    `run.side_by_side(record_id)` shows them next to the text.

    Parameters
    ----------
    name
        The step's name.
    of
        The names of the steps that it reads.
    models, prompt, replicates, params, fallback, order, reask
        As in `Synthesiser`.

    Raises
    ------
    SetupError
        `of` names a step that does not answer criteria.

    Notes
    -----
    Offline models use a rule: they group the answers by verdict, for each criterion. A record with a single answer is
    `skipped`.

    Examples
    --------
    >>> Differences("differences", of="judge", models="offline/strict")
    Differences('differences', of: judge, models: offline/strict)
    """

    kind: ClassVar[str] = "differences"
    output_is_json: ClassVar[bool] = True
    role: ClassVar[str] = "differences"
    task: ClassVar[Task] = "differences"
    repair_message: ClassVar[str] = (
        "Your reply could not be read: it is not the JSON object that was asked for, or it names an answer that was "
        "not shown or that holds two positions on one topic. Reply again, with that JSON object and nothing else."
    )

    def answer_schema(self, criteria: Criteria) -> dict[str, Any]:  # the same for all
        position = object_schema(
            {"position": {"type": "string"}, "answers": {"type": "array", "items": {"type": "string"}}}
        )
        topic = object_schema({"topic": {"type": "string"}, "positions": {"type": "array", "items": position}})
        return object_schema({"conclusion": {"type": "string"}, "divergences": {"type": "array", "items": topic}})

    def answer_format(self, criteria: Criteria) -> str:  # the same for all
        return _FORM

    async def run(self, cell: Cell, context: Context) -> Unit:
        watch, trace_id = Stopwatch(), uuid7()
        answers = self.shown_answers(cell)
        if len(answers) < 2:
            raise SkippedCell("there is only one answer, so there is nothing to compare.")
        answer = await ask_and_parse(self, cell.slot.prepared, cell, trace_id, context)
        trace_ids = [other.trace_id for other in answers]
        return parsed_unit(cell, context, watch, trace_id, answer, output=answer.value, input_trace_ids=trace_ids)

    def parse(
        self,
        result: CallResult,
        question: MetaQuestion,
        cell: Cell,
        trace_id: str,
        context: Context,  # the same for all agents
    ) -> ParsedOutput:
        """The topics on which the answers diverge, with the answers that take each position."""
        labels = [answer.label for answer in self.shown_answers(cell)]
        names = ("divergences", "conclusion")
        return parse_output(result, names, partial(_parse_divergences, labels=labels), cell)


def _parse_divergences(reply: Mapping[str, Any], labels: Sequence[str]) -> dict[str, Any]:
    """The checked output: every label was shown, and has one position on each topic."""
    divergences = reply.get("divergences")
    if not isinstance(divergences, list):
        raise InvalidAnswer("`divergences` is not a list")
    return {
        "conclusion": as_text(reply.get("conclusion")) or "",
        "divergences": [_parse_divergence(item, labels) for item in divergences],
    }


def _parse_divergence(item: Any, labels: Sequence[str]) -> dict[str, Any]:
    topic = as_text(item.get("topic")) if isinstance(item, dict) else None
    if not topic:
        raise InvalidAnswer("a divergence has no `topic`")
    positions = item.get("positions")
    if not isinstance(positions, list) or not positions:
        raise InvalidAnswer(f"topic `{topic}` has no `positions`")
    assigned_labels: set[str] = set()
    parsed_positions = []
    for position in positions:
        raw_labels = position.get("answers") if isinstance(position, dict) else None
        if not isinstance(raw_labels, list) or not raw_labels:
            raise InvalidAnswer(f"topic `{topic}`: a position has no `answers`")
        answer_labels = [replace_surrogates(str(label)).strip() for label in raw_labels]
        for label in answer_labels:
            if label not in labels:
                raise InvalidAnswer(
                    f"topic `{topic}` names the answer `{label}`, which was not shown; {nearest(label, labels)}"
                )
            if label in assigned_labels:
                raise InvalidAnswer(f"topic `{topic}`: the answer `{label}` has two positions")
            assigned_labels.add(label)
        parsed_positions.append({"position": as_text(position.get("position")) or "", "answers": answer_labels})
    return {"topic": topic, "positions": parsed_positions}
