"""`Differences`: where the answers on a record diverge, which positions there are, and who holds them."""

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
from ..judge.answer_format import as_text
from ..parse_output import ParsedOutput, parsed, parsed_unit
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
    """Reads the answers on a record side by side and says where they diverge, by topic and position.

    Every position names the answers that hold it; an answer that was not shown, or that is said to hold two positions
    on one topic, makes the output `invalid`. `run.divergences()` gives it as tidy rows, and
    `run.side_by_side(record_id)` beside the text.

    Parameters
    ----------
    name
        The step's name.
    of
        The steps whose answers it reads, by name.
    models, prompt, replicates, params, fallback, order, reask
        As of a `Synthesiser`.

    Raises
    ------
    SetupError
        `of` names a step that gives no answers on criteria.

    Notes
    -----
    Offline models go by rule: the answers are grouped by verdict, criterion by criterion. A record with a single answer
    is `skipped`.

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

    def form(self, criteria: Criteria) -> dict[str, Any]:  # the same for all
        position = _object(position={"type": "string"}, answers={"type": "array", "items": {"type": "string"}})
        topic = _object(topic={"type": "string"}, positions={"type": "array", "items": position})
        return _object(conclusion={"type": "string"}, divergences={"type": "array", "items": topic})

    def answer_format(self, criteria: Criteria) -> str:  # the same for all
        return _FORM

    async def run(self, cell: Cell, context: Context) -> Unit:
        watch, trace_id = Stopwatch(), uuid7()
        answers = self.seen(cell)
        if len(answers) < 2:
            raise SkippedCell("there is one answer only, and nothing to compare it with.")
        reading = await ask_and_parse(self, cell.slot.prepared, cell, trace_id, context)
        shown = [answer.trace_id for answer in answers]
        return parsed_unit(cell, context, watch, trace_id, reading, output=reading.value, read=shown)

    def parse(
        self,
        result: CallResult,
        question: MetaQuestion,
        cell: Cell,
        trace_id: str,
        context: Context,  # the same for all agents
    ) -> ParsedOutput:
        """The topics on which the answers diverge, and who holds which position."""
        labels = [answer.label for answer in self.seen(cell)]
        return parsed(result, ("divergences", "conclusion"), partial(_checked, marks=labels))


def _object(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


def _checked(found: Mapping[str, Any], marks: Sequence[str]) -> dict[str, Any]:
    """The output in its own form; every id is one that was shown, once a topic."""
    divergences = found.get("divergences")
    if not isinstance(divergences, list):
        raise InvalidAnswer("`divergences` is not a list")
    return {
        "conclusion": as_text(found.get("conclusion")) or "",
        "divergences": [_divergence(item, marks) for item in divergences],
    }


def _divergence(item: Any, marks: Sequence[str]) -> dict[str, Any]:
    topic = as_text(item.get("topic")) if isinstance(item, dict) else None
    if not topic:
        raise InvalidAnswer("a divergence has no `topic`")
    positions = item.get("positions")
    if not isinstance(positions, list) or not positions:
        raise InvalidAnswer(f"topic `{topic}` has no `positions`")
    taken: set[str] = set()
    kept = []
    for position in positions:
        held = position.get("answers") if isinstance(position, dict) else None
        if not isinstance(held, list) or not held:
            raise InvalidAnswer(f"topic `{topic}`: a position names no `answers`")
        names = [replace_surrogates(str(name)).strip() for name in held]
        for name in names:
            if name not in marks:
                raise InvalidAnswer(
                    f"topic `{topic}` names the answer `{name}`, which was not shown; {nearest(name, marks)}"
                )
            if name in taken:
                raise InvalidAnswer(f"topic `{topic}`: the answer `{name}` is said to hold two positions")
            taken.add(name)
        kept.append({"position": as_text(position.get("position")) or "", "answers": names})
    return {"topic": topic, "positions": kept}
