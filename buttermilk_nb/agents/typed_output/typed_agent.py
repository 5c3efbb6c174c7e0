"""`TypedAgent`: an agent whose answer is an object of a declared type. `Agent(..., output=...)` makes one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import field_validator

from ..._internal.arguments import check_argument_names
from ..._internal.ids import uuid7
from ..._internal.markdown import code_list
from ...llm.calls.client import CallResult
from ...llm.offline_input import OfflineInput, Task
from ...schema import TextRow, Unit
from ..ask_model import ask_and_parse
from ..base import NO_UPSTREAM, Cell, Context, Slot, UpstreamSlots
from ..parse_output import ParsedOutput, parse_output, parsed_unit
from ..prompt import BoundPrompt, Prompt
from ..schema_agent import SchemaAgent, SchemaQuestion
from ..units import Stopwatch
from .output_form import OutputForm

if TYPE_CHECKING:
    from ...project.project import Project


class TypedAgent(SchemaAgent):
    """Sends a prompt to one or more models; the output is an object of a declared type.

    Parameters
    ----------
    name
        The step's name.
    output
        A pydantic model, a dataclass, a typed dictionary, or a JSON schema of an object.
    prompt, models, replicates, params, fallback
        As in `Agent`. The prompt may say with `{{ answer_format }}` where the form of the answer is explained; by
        default that is its last paragraph.
    reask
        Whether to ask once more if an answer does not fit.

    Raises
    ------
    SetupError
        The type has no JSON schema, or its values are no objects with named fields.

    Notes
    -----
    Models that take a JSON schema get it; what they answer is checked in any case, and exactly: "5" is no number. An
    answer that does not fit is `invalid`, and its text is kept.

    Examples
    --------
    >>> from pydantic import BaseModel
    >>> class Speaker(BaseModel):
    ...     name: str
    ...     office: str | None = None
    >>> TypedAgent("who", prompt="Who speaks? {{ record.content }}", output=Speaker)
    Agent('who', output: Speaker(name, office))
    """

    kind: ClassVar[str] = "typed_agent"
    has_repeatable_answers: ClassVar[bool] = False  # the user's own types check them
    task: ClassVar[Task] = "fill"
    template_variables: ClassVar[tuple[str, ...]] = ("record", "inputs", "answer_format")
    repair_message: ClassVar[str] = (
        "Your reply could not be read: it is not the JSON object that was asked for, a field is missing, or a value "
        "does not fit the schema. Reply again, with that JSON object and nothing else."
    )  # part of the cache key of the second request, so its wording must not change

    output: OutputForm
    reask: bool = True

    @check_argument_names
    def __init__(
        self,
        name: str,
        *,
        output: Any,
        prompt: Prompt | str | Path | None = None,
        models: str | Sequence[str] | None = None,
        replicates: int = 1,
        params: Mapping[str, Any] | None = None,
        fallback: str | Sequence[str] | None = None,
        reask: bool = True,
    ) -> None:
        super().__init__(
            name,
            output=output,
            prompt=prompt,
            models=models,
            replicates=replicates,
            params=params,
            fallback=fallback,
            reask=reask,
        )

    @field_validator("output", mode="before")
    @classmethod
    def _as_form(cls, value: Any) -> Any:
        return value if isinstance(value, OutputForm) else OutputForm(value)

    def slots(self, project: Project, upstream: UpstreamSlots = NO_UPSTREAM) -> list[Slot]:  # reads records only
        schema_row = TextRow.of("schema", self.output.schema_text, name=self.name)
        bound = BoundPrompt(_with_form(self.prompt), {"answer_format": self.output.instruction})
        slots = []
        for model in self.selected_models(project):
            params = self.params_of(model)
            question = SchemaQuestion(bound, schema_row, self.output.sent_schema, params, project.redaction)
            slots += self.model_slots(project, model, question, schema=schema_row.text_hash, reask=self.reask)
        return slots

    def offline_input(self, cell: Cell) -> OfflineInput:
        return OfflineInput(cell.record, None, self.task, schema=self.output.schema)

    async def run(self, cell: Cell, context: Context) -> Unit:
        watch, trace_id = Stopwatch(), uuid7()
        answer = await ask_and_parse(self, cell.slot.prepared, cell, trace_id, context)
        return parsed_unit(cell, context, watch, trace_id, answer, output=answer.value)

    def parse(
        self,
        result: CallResult,
        question: SchemaQuestion,
        cell: Cell,
        trace_id: str,
        context: Context,  # the same for all agents
    ) -> ParsedOutput:
        """The object in an answer, as plain data."""
        return parse_output(result, self.output.fields, self.output.parse, cell)

    def remarks(self, project: Project) -> list[str]:
        remarks = super().remarks(project)
        if self.output.sent_schema is None and any(model.takes_schema for model in self.selected_models(project)):
            remarks.append(
                f"`{self.name}`: providers do not take a schema such as that of `{self.output.name}` (maps with keys "
                "of any name, values of any type), so the form of the answer is only asked for in words."
            )
        baselines = [model.name for model in self.selected_models(project) if not model.remote and model.needs_cues]
        if baselines:
            remarks.append(
                f"{code_list(baselines)} cannot answer `{self.name}`: a rule fills the form with the emptiest values, "
                "which say nothing on the texts."
            )
        return remarks

    def rebuild_output(self, stored: Any) -> Any:
        return self.output.rebuild(stored)

    def to_plain(self, folder: Path | None) -> dict[str, Any]:
        return {"output": self.output.schema, **({} if self.reask else {"reask": False}), **super().to_plain(folder)}

    def __repr__(self) -> str:
        return f"Agent({self.name!r}, output: {self.output!r})"

    __str__ = __repr__


def _with_form(prompt: Prompt) -> Prompt:
    """The prompt with the form of the answer as its last paragraph, unless it says itself where that is."""
    if "answer_format" in prompt.names:
        return prompt
    return Prompt(name=prompt.name, system=prompt.system, user=f"{prompt.user}\n\n{{{{ answer_format }}}}".lstrip())
