"""`SchemaAgent`: the base of agents whose answer is one JSON object in the form of a schema."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, NamedTuple

from ..llm.calls.redaction import Redaction
from ..llm.model import Model, Request
from ..llm.offline_input import OfflineInput
from ..llm.params import Params
from ..schema import TextRow
from .base import Cell, Slot
from .llm_agent import Agent
from .prompt import BoundPrompt
from .step_outputs import step_outputs


class SchemaQuestion(NamedTuple):
    """One prepared question of such an agent; the same for every record."""

    bound_prompt: BoundPrompt
    schema_row: TextRow
    schema: dict[str, Any] | None
    """The schema that providers get; None if they take none of its kind."""
    params: Params
    redaction: Redaction | None


class SchemaAgent(Agent):
    """Base of agents whose answer is one JSON object in the form of a schema."""

    output_is_json: ClassVar[bool] = True

    def __init__(self, name: str, **fields: Any) -> None:
        super().__init__(name, **fields)

    def request(self, question: SchemaQuestion, cell: Cell, model: Model) -> Request:
        return Request(
            model,
            question.bound_prompt.render(cell.record.view(), step_outputs(cell)),
            params=question.params if model is cell.slot.model else self.params_of(model),
            schema_hash=question.schema_row.text_hash,
            schema=question.schema,
            replicate=cell.slot.replicate,
            offline_input=self.offline_input(cell),
            redaction=question.redaction,
        )

    def offline_input(self, cell: Cell) -> OfflineInput:
        """What an offline model reads."""
        return OfflineInput(cell.record, None, self.task)

    def texts(self, slots: Sequence[Slot]) -> list[TextRow]:
        schemas = {slot.prepared.schema_row.text_hash: slot.prepared.schema_row for slot in slots}
        return [*super().texts(slots), *schemas.values()]
