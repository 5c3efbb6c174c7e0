"""`MetaAgent`: the base of agents that show the answers of other steps to a model."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from pydantic import field_validator, model_validator

from ..._internal.arguments import as_tuple, check_argument_names
from ..._internal.ids import canonical
from ...codebook.criteria import Criteria
from ...corpus.record import Record
from ...errors import SetupError
from ...llm.calls.redaction import Redaction
from ...llm.model import Model, Request
from ...llm.offline_input import AnonymisedAnswer, OfflineInput
from ...llm.params import Params
from ...schema import TextRow
from ..base import NO_UPSTREAM, Cell, PlannedRequest, Slot, UpstreamSlots
from ..config_files import default_prompt
from ..llm_agent import Agent
from ..prompt import BoundPrompt, Prompt
from .anonymised_answers import Order, anonymised_answers, to_template

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ...project.project import Project


class MetaQuestion(NamedTuple):
    """One prepared question about the answers of other steps; the same for every record."""

    criteria: Criteria
    bound_prompt: BoundPrompt
    schema_row: TextRow
    schema: dict[str, Any]
    params: Params
    redaction: Redaction | None
    upstream_design: str | None = None
    """The design of the one upstream slot that it reads; None if it reads all answers at once."""


class MetaAgent(Agent):
    """Base of the agents that read the answers of other steps, for one criteria document at a time."""

    template_variables: ClassVar[tuple[str, ...]] = ("record", "criteria", "answers", "answer_format")
    required_name: ClassVar[str] = "answers"
    """The variable that its prompt must show."""
    repair_message: ClassVar[str]
    """The second request for an answer that cannot be parsed; part of the cache key of that request."""

    of: tuple[str, ...]
    order: Order = "shuffled"
    reask: bool = True

    @check_argument_names
    def __init__(
        self,
        name: str,
        *,
        of: str | Sequence[str] = (),
        models: str | Sequence[str] | None = None,
        prompt: Prompt | str | Path | None = None,
        replicates: int = 1,
        params: Mapping[str, Any] | None = None,
        fallback: str | Sequence[str] | None = None,
        order: Order = "shuffled",
        reask: bool = True,
        **fields: Any,
    ) -> None:
        super().__init__(
            name,
            of=of,
            models=models,
            prompt=prompt,
            replicates=replicates,
            params=params,
            fallback=fallback,
            order=order,
            reask=reask,
            **fields,
        )

    @field_validator("of", mode="before")
    @classmethod
    def _steps_as_tuple(cls, value: Any) -> Any:
        steps = as_tuple(value)
        return tuple(dict.fromkeys(steps)) if isinstance(steps, tuple) else steps

    @model_validator(mode="before")
    @classmethod
    def _default_prompt(cls, data: Any) -> Any:
        return {"prompt": default_prompt(cls.task), **data} if isinstance(data, dict) else data

    @model_validator(mode="after")
    def _check_steps(self) -> Any:
        if not self.of:
            raise ValueError('it reads the answers of other steps: write of="judge", with the name of one')
        return self

    @property
    def upstream_steps(self) -> tuple[str, ...]:
        return self.of

    def slots(self, project: Project, upstream: UpstreamSlots = NO_UPSTREAM) -> list[Slot]:
        slots = []
        for criteria in self.upstream_criteria(upstream):
            for model in self.selected_models(project):
                for question in self.questions(criteria, self.params_of(model), project, upstream):
                    slots += self.model_slots(
                        project,
                        model,
                        question,
                        criteria,
                        criteria=criteria.criteria_hash,
                        schema=question.schema_row.text_hash,
                        order=self.order,
                        reask=self.reask,
                    )
        return slots

    def upstream_criteria(self, upstream: UpstreamSlots) -> list[Criteria]:
        """The criteria documents that the steps in `of` answer.

        Raises
        ------
        SetupError
            One of these steps does not answer criteria.
        """
        documents: dict[str, Criteria] = {}
        for name in self.of:
            criteria = [slot.criteria for slot in upstream.get(name, ()) if slot.criteria is not None]
            if not criteria:
                raise SetupError(
                    f"step `{self.name}`: `{name}` does not answer criteria; of= must name judges, or steps that read "
                    "judges."
                )
            documents |= {document.criteria_hash: document for document in criteria}
        return list(documents.values())

    def questions(
        self,
        criteria: Criteria,
        params: Params,
        project: Project,
        upstream: UpstreamSlots,  # for kinds with a question on each
    ) -> list[MetaQuestion]:
        """The questions on one document: one about all answers, unless a kind has one about each answer."""
        return [self.question(criteria, params, project)]

    def question(
        self, criteria: Criteria, params: Params, project: Project, upstream_design: str | None = None
    ) -> MetaQuestion:
        """One question, with everything filled in except the record and its answers."""
        schema = self.answer_schema(criteria)
        bound = BoundPrompt(self.prompt, {"criteria": criteria, "answer_format": self.answer_format(criteria)})
        schema_row = TextRow.of("schema", canonical(schema), name=f"{criteria.name}, {self.kind}")
        return MetaQuestion(criteria, bound, schema_row, schema, params, project.redaction, upstream_design)

    @abstractmethod
    def answer_schema(self, criteria: Criteria) -> dict[str, Any]:
        """The JSON schema of its answer."""

    @abstractmethod
    def answer_format(self, criteria: Criteria) -> str:
        """The instruction on the form of the answer."""

    def reads_slot(self, own_slot: Slot, upstream_slot: Slot) -> bool:
        question: MetaQuestion = own_slot.prepared
        if upstream_slot.agent.name not in self.of:
            return True
        if upstream_slot.criteria is None or upstream_slot.criteria.criteria_hash != question.criteria.criteria_hash:
            return False
        return question.upstream_design is None or upstream_slot.design == question.upstream_design

    def missing_input(self, cell: Cell) -> str | None:
        other_inputs = {name: units for name, units in cell.inputs.items() if name not in self.of}
        if not any(cell.inputs.get(name) for name in self.of):
            return self.of[0]
        return next((name for name, units in other_inputs.items() if not units), None)

    def shown_answers(self, cell: Cell) -> tuple[AnonymisedAnswer, ...]:
        """The answers that a cell reads, in the order in which they are shown."""
        return anonymised_answers(cell, self.of, self.order)

    def request(self, question: MetaQuestion, cell: Cell, model: Model) -> Request:
        answers = self.shown_answers(cell)
        return Request(
            model,
            question.bound_prompt.render(cell.record.view(), None, **self.template_values(cell, answers)),
            params=question.params if model is cell.slot.model else self.params_of(model),
            schema_hash=question.schema_row.text_hash,
            schema=question.schema,
            replicate=cell.slot.replicate,
            offline_input=OfflineInput(cell.record, question.criteria, self.task, answers, self.expert_reasons(cell)),
            redaction=question.redaction,
        )

    def template_values(
        self, cell: Cell, answers: Sequence[AnonymisedAnswer]
    ) -> dict[str, Any]:  # for kinds that show other values
        """The values that its prompt shows in addition to the record and the criteria."""
        return {"answers": [to_template(answer) for answer in answers]}

    def expert_reasons(self, cell: Cell) -> tuple[tuple[str, str], ...]:  # only the scorer reads them
        """The expert's reasons that a cell reads: pairs of criterion and reason."""
        return ()

    def planned_requests(self, cell: Cell) -> Iterable[PlannedRequest]:
        return super().planned_requests(cell) if cell.inputs and self.missing_input(cell) is None else ()

    def problems(self, project: Project, records: Sequence[Record], needs: Sequence[str]) -> list[str]:
        problems = self.prompt.problems(self.template_variables)
        if not problems and self.required_name not in self.prompt.names:
            problems.append(
                f"prompt `{self.prompt.name}` never shows `{self.required_name}`, so the model would not see them."
            )
        return [*problems, *self.model_problems(project)]

    def texts(self, slots: Sequence[Slot]) -> list[TextRow]:
        schemas = {slot.prepared.schema_row.text_hash: slot.prepared.schema_row for slot in slots}
        return [*super().texts(slots), *schemas.values()]

    def to_plain(self, folder: Path | None) -> dict[str, Any]:
        plain = super().to_plain(folder)
        if self.prompt == default_prompt(self.task):
            plain.pop("prompt", None)
        options: Mapping[str, Any] = {"order": (self.order, "shuffled"), "reask": (self.reask, True)}
        set_options = {name: value for name, (value, default) in options.items() if value != default}
        return {"of": list(self.of), **set_options, **plain}

    def __repr__(self) -> str:
        models = self.models if isinstance(self.models, str) else ", ".join(self.models or ["the project's judges"])
        return f"{type(self).__name__}({self.name!r}, of: {', '.join(self.of)}, models: {models})"

    __str__ = __repr__
