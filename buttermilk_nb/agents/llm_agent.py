"""`Agent`: sends a prompt to models and returns free text; the base of `Judge`.

The parts of a request that are the same for every record are prepared once for each slot. So each cell only renders
the part that depends on its record.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Self

from pydantic import Field, field_validator

from .._internal.arguments import as_tuple, check_argument_names
from .._internal.ids import canonical, uuid7
from ..codebook.criteria import Criteria
from ..corpus.record import Record
from ..errors import SetupError
from ..llm.calls.redaction import Redaction
from ..llm.model import Model, Request
from ..llm.offline_input import OfflineInput, Task
from ..llm.params import Params, with_whole_numbers
from ..schema import TextRow, Unit
from .ask_model import ask_with_fallbacks, call_model, text_status
from .base import NO_UPSTREAM, AgentBase, Cell, Context, PlannedRequest, Slot, UpstreamSlots
from .check_agent import (
    content_problems,
    duplicate_model_problems,
    model_remarks,
    rendering_problems,
    template_problems,
)
from .config_files import prompt_path, relative_path
from .design import slot_design
from .prompt import BoundPrompt, Prompt
from .step_outputs import step_outputs
from .templates.includes import PROMPT_ENDINGS
from .units import Stopwatch, make_unit

if TYPE_CHECKING:
    from ..project.project import Project


class PromptQuestion(NamedTuple):
    """One prepared question of an agent; the same for every record."""

    bound_prompt: BoundPrompt
    params: Params
    redaction: Redaction | None


class Agent(AgentBase):
    """Sends a prompt to one or more models; the output is the text of the answer.

    Parameters
    ----------
    name
        The step's name.
    prompt
        A `Prompt`, the path of a prompt file, or the text of one.
    models
        A model, a set of models, or a list; by default the project's set `judges`.
    replicates
        How often each model gets the same request; by default once.
    params
        Sampling parameters, sent unchanged. By default those of the model in `buttermilk.yaml`, and
        `{"temperature": 0}`.
    fallback
        Models to call if the selected model fails permanently (overloaded, unreachable, no credit, text too long).
        Their answers carry their own model name, because another model is another instrument. By default none.
    output
        The type of the answer: a pydantic model, dataclass, typed dictionary or JSON schema; by default a text. The
        model gets it as its schema. A wrong answer is asked once more (unless `reask=False`), then `invalid`.

    Raises
    ------
    SetupError
        The prompt file does not exist, or a field is unknown or invalid.

    Examples
    --------
    >>> Agent("gist", prompt="In one sentence: {{ record.content }}", models="openai/some-model").role
    'agent'
    """

    kind: ClassVar[str] = "agent"
    has_repeatable_answers: ClassVar[bool] = True
    task: ClassVar[Task] = "judge"  # for offline models
    template_variables: ClassVar[tuple[str, ...]] = ("record", "inputs")

    prompt: Prompt = Field(default_factory=Prompt)
    models: str | tuple[str, ...] | None = None
    replicates: int = Field(default=1, ge=1)
    params: dict[str, Any] = Field(default_factory=lambda: {"temperature": 0})
    fallback: tuple[str, ...] = ()

    def __new__(cls, *_: Any, output: Any = None, **__: Any) -> Agent:
        """An agent; with an `output`, a TypedAgent."""
        kind = AgentBase.kinds["typed_agent"] if cls is Agent and output is not None else cls
        return object.__new__(kind)  # type: ignore[return-value]  # a TypedAgent is an Agent

    @check_argument_names
    def __init__(
        self,
        name: str,
        *,
        prompt: Prompt | str | Path | None = None,
        models: str | Sequence[str] | None = None,
        replicates: int = 1,
        params: Mapping[str, Any] | None = None,
        fallback: str | Sequence[str] | None = None,
        output: Any = None,
        **fields: Any,
    ) -> None:
        options = {"prompt": prompt, "models": models, "params": params, "fallback": fallback, "output": output}
        set_options = {key: value for key, value in options.items() if value is not None}
        super().__init__(name, replicates=replicates, **set_options, **fields)

    @field_validator("prompt", mode="before")
    @classmethod
    def _load_prompt(cls, value: Any) -> Any:
        if isinstance(value, Path) or (isinstance(value, str) and "\n" not in value and value.endswith(PROMPT_ENDINGS)):
            return Prompt.from_file(value)
        if isinstance(value, dict) and "path" in value:  # a run reads the file of a prompt again
            raise ValueError("a prompt as plain data has no `path`; name the file alone")
        return Prompt.from_text(value) if isinstance(value, str) else value

    @field_validator("params")
    @classmethod
    def _check_params(cls, value: dict[str, Any]) -> dict[str, Any]:
        try:
            canonical(value)
        except (TypeError, ValueError):
            raise ValueError("contains a value that JSON cannot represent, so it cannot be sent or stored") from None
        return {key: with_whole_numbers(v) if isinstance(v, float) else v for key, v in value.items()}

    @field_validator("models", mode="before")
    @classmethod
    def _models_as_tuple(cls, value: Any) -> Any:
        return tuple(value) if isinstance(value, list) else value

    @field_validator("fallback", mode="before")
    @classmethod
    def _fallback_as_tuple(cls, value: Any) -> Any:
        return as_tuple(value)

    def reloaded(self) -> tuple[Self, list[str]]:
        prompt = self.prompt.reload()
        if prompt.prompt_hash == self.prompt.prompt_hash:
            return self, []
        return self.model_copy(update={"prompt": prompt}), [f"the prompt `{prompt.name}` has changed since it was read"]

    def slots(self, project: Project, upstream: UpstreamSlots = NO_UPSTREAM) -> list[Slot]:  # reads records only
        bound = BoundPrompt(self.prompt, {})
        slots = []
        for model in self.selected_models(project):
            question = PromptQuestion(bound, self.params_of(model), project.redaction)
            slots += self.model_slots(project, model, question)
        return slots

    def model_slots(
        self,
        project: Project,
        model: Model,
        prepared: Any,
        document: Criteria | None = None,
        *,
        cues: Criteria | None = None,
        reask: bool = True,
        **parts: Any,
    ) -> list[Slot]:
        """The slots of one model: one for each replicate.

        `document` are the criteria that the slots answer; `cues` are the criteria with the cues for offline models, if
        they differ from `document`. `parts` are the parts of the design in addition to prompt, model and parameters.
        """
        params, prompt_hash = self.params_of(model), self.prompt.prompt_hash
        parts |= {"prompt": prompt_hash, "model": model.full_name, "params": params.sent}
        parts |= {} if reask else {"reask": False}
        parts |= {**model.design_parts(cues or document), **self.redaction_parts(model, project)}
        slots = []
        for replicate in range(self.replicates):
            design = slot_design(self, replicate=replicate, **parts)
            slots.append(Slot(self, design, replicate, model, document, prompt_hash, params.sent_json, prepared))
        return slots

    def selected_models(self, project: Project) -> list[Model]:
        """The models that this agent calls in a project."""
        return [project.model(name) for name in project.model_names(self.models)]

    def fallback_models(self, project: Project) -> list[Model]:
        """The models that are called if the model of a slot fails."""
        return [project.model(name) for name in project.model_names(self.fallback)] if self.fallback else []

    def params_of(self, model: Model) -> Params:
        """The parameters of a model: those of this agent, then those of the project's settings, then the default."""
        own_params = self.params if "params" in self.model_fields_set else {}
        default = {} if "params" in self.model_fields_set else self.params
        return Params.for_model(model, {**default, **model.settings.params, **own_params})

    def redaction_parts(self, model: Model, project: Project) -> dict[str, str]:
        """The parts of a design for a model that gets redacted texts."""
        return {"redaction": project.redaction.policy_hash} if project.redaction and model.remote else {}

    async def run(self, cell: Cell, context: Context) -> Unit:
        watch, trace_id = Stopwatch(), uuid7()
        requests = self.requests_in_order(cell.slot.prepared, cell, context.project)
        result = await ask_with_fallbacks(requests, cell, trace_id, context)
        if result.call and result.call.cached and result.call.status in context.retry:
            result = await call_model(result.request, cell, trace_id, context, again=True)
        status, error = text_status(result)
        return make_unit(
            cell,
            context,
            watch,
            trace_id=trace_id,
            status=status,
            output=result.completion.text if result.completion else None,
            error=error,
            attempts=result.attempts,
            calls=result.calls,
            texts=result.texts,
            redacted=result.redacted,
            model=result.request.model,
        )

    def extra_input(self, record: Record) -> str:
        parts = self.prompt.read_parts(record.view())
        return canonical(parts) if parts else ""

    def planned_requests(self, cell: Cell) -> Iterable[PlannedRequest]:
        if "inputs" in self.prompt.names and not cell.inputs:
            return
        try:
            requests = self.requests(cell)
        except SetupError as error:  # raised while calls are counted, so the message must name the record
            raise SetupError(*(f"record `{cell.record.record_id}`: {problem}" for problem in error.problems)) from error
        for request, answers in requests:
            yield PlannedRequest(request, answers)

    def requests(self, cell: Cell) -> list[tuple[Request, int]]:
        """The requests of a cell, each with the number of answers that it asks for."""
        assert cell.slot.model is not None
        return [(self.request(cell.slot.prepared, cell, cell.slot.model), 1)]

    def requests_in_order(self, question: Any, cell: Cell, project: Project) -> Iterator[Request]:
        """The request to the cell's model, then those to its fallbacks."""
        assert cell.slot.model is not None
        yield self.request(question, cell, cell.slot.model)
        for model in self.fallback_models(project):
            yield self.request(question, cell, model)

    def request(self, question: Any, cell: Cell, model: Model) -> Request:
        """The request that puts one question of a cell to a model."""
        bound, params, redaction = question
        messages = bound.render(cell.record.view(), step_outputs(cell))
        return Request(
            model,
            messages,
            params=params if model is cell.slot.model else self.params_of(model),
            replicate=cell.slot.replicate,
            offline_input=OfflineInput(cell.record, None, self.task),
            redaction=redaction,
        )

    def problems(self, project: Project, records: Sequence[Record], needs: Sequence[str]) -> list[str]:
        problems = template_problems(self.prompt, self.template_variables, needs)
        if problems:
            return problems
        problems += content_problems(self.prompt, records, needs)
        problems += self.model_problems(project)
        if "inputs" not in self.prompt.names:
            problems += rendering_problems(self, project, records)
        return list(dict.fromkeys(problems))

    def model_problems(self, project: Project) -> list[str]:
        """Sentences on models that do not exist, cannot answer the criteria, or are named twice."""
        models, fallbacks = self.selected_models(project), self.fallback_models(project)
        problems = [
            problem
            for model in [*models, *fallbacks]
            for criteria in self.model_criteria()
            for problem in model.validate(criteria)
        ]
        return problems + duplicate_model_problems(models, fallbacks, self.params_of)

    def model_criteria(self) -> Sequence[Criteria | None]:
        """The criteria that each model must be able to answer; None for an agent without criteria."""
        return [None]

    def remarks(self, project: Project) -> list[str]:
        has_own_params = "params" in self.model_fields_set
        models = self.selected_models(project)
        return model_remarks(models, self.params_of, replicates=self.replicates, has_own_params=has_own_params)

    def texts(self, slots: Sequence[Slot]) -> list[TextRow]:  # the same in each
        body = "".join(f"## {role}\n{source}\n" for role, source in self.prompt.parts)
        return [TextRow(text_hash=self.prompt.prompt_hash, kind="prompt", name=self.prompt.name, body=body)]

    def to_plain(self, folder: Path | None) -> dict[str, Any]:
        plain: dict[str, Any] = {}
        if "prompt" in self.model_fields_set:
            plain["prompt"] = relative_path(self.prompt.path, folder) or self.prompt.to_plain()
        if self.models is not None:
            plain["models"] = list(self.models) if isinstance(self.models, tuple) else self.models
        if self.replicates != 1:
            plain["replicates"] = self.replicates
        if "params" in self.model_fields_set:
            plain["params"] = self.params
        if self.fallback:
            plain["fallback"] = list(self.fallback)
        return plain

    @classmethod
    def from_plain(cls, name: str, data: dict[str, Any], folder: Path) -> AgentBase:
        prompt = data.get("prompt")
        if isinstance(prompt, str) and "\n" not in prompt and prompt.endswith(PROMPT_ENDINGS):
            data = {**data, "prompt": prompt_path(prompt, folder)}
        return cls(name=name, **data)
