"""`Judge`: an agent that asks models about criteria and returns scores.

A model gives its reasons first, then conclusion, answer and uncertainty. Every planned criterion of every cell becomes
a score row, even if the model refused or failed; such a row has a status and no value.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple, Self

from pydantic import Field, field_validator, model_validator

from ..._internal.arguments import check_argument_names
from ..._internal.ids import canonical, uuid7
from ..._internal.markdown import code_list
from ...codebook.criteria import Criteria
from ...corpus.record import Record
from ...llm.calls.client import CallResult
from ...llm.calls.redaction import Redaction
from ...llm.model import Model, Request
from ...llm.offline_input import OfflineInput, Task
from ...llm.params import Params
from ...schema import Score, Status, TextRow, Unit
from ..ask_model import ask_and_parse
from ..base import NO_UPSTREAM, AgentBase, Cell, Context, Slot, UpstreamSlots
from ..config_files import criteria_path, default_prompt, load_criteria, relative_path
from ..llm_agent import Agent
from ..prompt import BoundPrompt, Prompt
from ..step_outputs import step_outputs
from ..units import Stopwatch
from .answer_format import REPAIR_MESSAGE, answer_format, answer_schema
from .parse_scores import ParsedScores, ScoreParser, empty_scores, scored_unit

if TYPE_CHECKING:
    from ...project.project import Project


class JudgeQuestion(NamedTuple):
    """One prepared question of a judge: on a document, or on one of its criteria."""

    criteria: Criteria
    bound_prompt: BoundPrompt
    schema_row: TextRow
    schema: dict[str, Any]
    params: Params
    redaction: Redaction | None


class Judge(Agent):
    """Asks models about criteria, and parses their answers on the scales of the criteria.

    Parameters
    ----------
    name
        The step's name; it becomes the value of the column `judge`.
    criteria
        A `Criteria`, the path of a criteria file, or a list of these. Each run reads the files again.
    models
        A model, a set of models, or a list; by default the project's set `judges`.
    prompt
        A prompt instead of the default; it may use `record`, `criteria`, `answer_format` and `inputs`.
    replicates
        How often each model gets the same request; by default once.
    ask
        `together`: one request for all questions of a document; `separately`: one request for each question.
    params
        Sampling parameters, sent and stored unchanged. By default those of the model in `buttermilk.yaml`, and
        `{"temperature": 0}`.
    fallback
        Models to call if the selected model fails permanently; their answers carry their own model name. By default
        none.
    reask
        Whether to ask once more if an answer cannot be parsed. The second request says what is wrong with the
        answer, and is stored like the first. Refused, filtered and cut-off answers are never asked for again.

    Raises
    ------
    SetupError
        A file does not exist, or a field is unknown or invalid.

    Examples
    --------
    >>> respect = Criteria("respect", "Does the text treat people with respect?", flag="no")
    >>> Judge("judge", criteria=respect, models=["offline/strict"])
    Judge('judge', criteria: respect, models: offline/strict, params: temperature=0)
    """

    kind: ClassVar[str] = "judge"
    results: ClassVar[Literal["scores"]] = "scores"
    role: ClassVar[str] = "judge"
    task: ClassVar[Task] = "judge"
    template_variables: ClassVar[tuple[str, ...]] = ("record", "inputs", "criteria", "answer_format")

    criteria: tuple[Criteria, ...]
    prompt: Prompt = Field(default_factory=partial(default_prompt, "judge"))
    ask: Literal["together", "separately"] = "together"
    reask: bool = True
    repair_message: ClassVar[str] = REPAIR_MESSAGE

    @check_argument_names
    def __init__(
        self,
        name: str,
        *,
        criteria: Criteria | str | Path | Sequence[Criteria | str | Path] = (),
        models: str | Sequence[str] | None = None,
        prompt: Prompt | str | Path | None = None,
        replicates: int = 1,
        ask: Literal["together", "separately"] = "together",
        params: Mapping[str, Any] | None = None,
        fallback: str | Sequence[str] | None = None,
        reask: bool = True,
        **fields: Any,
    ) -> None:
        super().__init__(
            name,
            prompt=prompt,
            models=models,
            replicates=replicates,
            params=params,
            fallback=fallback,
            criteria=criteria,
            ask=ask,
            reask=reask,
            **fields,
        )

    @field_validator("criteria", mode="before")
    @classmethod
    def _load_criteria(cls, value: Any) -> Any:
        items = value if isinstance(value, list | tuple) else [value]
        return tuple(load_criteria(item) for item in items)

    @model_validator(mode="after")
    def _check_documents(self) -> Self:
        if not self.criteria:
            raise ValueError("a judge needs criteria")
        names = [criteria.name for criteria in self.criteria]
        if len(set(names)) != len(names):
            raise ValueError(f"two documents are called `{max(names, key=names.count)}`; rename one")
        return self

    def reloaded(self) -> tuple[Self, list[str]]:
        agent, changes = super().reloaded()
        documents = tuple(criteria.reload() for criteria in self.criteria)
        for old, new in zip(self.criteria, documents, strict=True):
            if (old.criteria_hash, old.cues_hash) != (new.criteria_hash, new.cues_hash):
                changes.append(f"the criteria `{new.name}` have changed since they were read:\n{old.diff(new)}")
        return (agent.model_copy(update={"criteria": documents}), changes) if changes else (self, changes)

    def slots(self, project: Project, upstream: UpstreamSlots = NO_UPSTREAM) -> list[Slot]:  # reads records only
        slots = []
        for criteria in self.criteria:
            for model in self.selected_models(project):
                params = self.params_of(model)
                questions = [
                    self._question(document, params, project) for document in self._request_documents(criteria)
                ]
                slots += self.model_slots(
                    project,
                    model,
                    questions,
                    criteria,
                    criteria=criteria.criteria_hash,
                    schema=[question.schema_row.text_hash for question in questions],
                    ask=self.ask,
                    reask=self.reask,
                )
        return slots

    async def run(self, cell: Cell, context: Context) -> Unit:
        watch, trace_id = Stopwatch(), uuid7()
        answers = [await ask_and_parse(self, question, cell, trace_id, context) for question in cell.slot.prepared]
        return scored_unit(cell, context, watch, trace_id, answers)

    def parse(
        self, result: CallResult, question: JudgeQuestion, cell: Cell, trace_id: str, context: Context
    ) -> ParsedScores:
        """The scores in an answer: one for each criterion in the question."""
        return ScoreParser(cell, context.run_id, trace_id).parse(question.criteria, result)

    def requests(self, cell: Cell) -> list[tuple[Request, int]]:
        model = cell.slot.model
        assert model is not None
        return [(self.request(question, cell, model), len(question.criteria)) for question in cell.slot.prepared]

    def request(self, question: JudgeQuestion, cell: Cell, model: Model) -> Request:
        return Request(
            model,
            question.bound_prompt.render(cell.record.view(), step_outputs(cell)),
            params=question.params if model is cell.slot.model else self.params_of(model),
            schema_hash=question.schema_row.text_hash,
            schema=question.schema,
            replicate=cell.slot.replicate,
            offline_input=OfflineInput(cell.record, question.criteria, self.task),
            redaction=question.redaction,
        )

    def empty_scores(self, cell: Cell, context: Context, trace_id: str, status: Status) -> tuple[Score, ...]:
        return empty_scores(cell, context, trace_id, status)

    def model_criteria(self) -> Sequence[Criteria | None]:
        return self.criteria

    def problems(self, project: Project, records: Sequence[Record], needs: Sequence[str]) -> list[str]:
        problems = super().problems(project, records, needs)
        if not problems and "criteria" not in self.prompt.names:
            problems.append(
                f"prompt `{self.prompt.name}` never shows `criteria`, so the model would not see the question."
            )
        return problems

    def remarks(self, project: Project) -> list[str]:
        remarks = super().remarks(project)
        if "answer_format" not in self.prompt.names:
            remarks.append(
                f"prompt `{self.prompt.name}` does not show `answer_format`, so it must describe that form in its own "
                "words."
            )
        for criteria in self.criteria:
            for model in self.selected_models(project):
                without_cues = [c.name for c in criteria if model.needs_cues and not c.cues]
                if without_cues:
                    remarks.append(
                        f"`{model.name}` will skip {code_list(without_cues)}, because there are no cues; "
                        "add a line such as `cues: {yes: [word, other word*]}`."
                    )
        return remarks

    def criteria_documents(self) -> Sequence[Criteria]:
        return self.criteria

    def texts(self, slots: Sequence[Slot]) -> list[TextRow]:
        rows = super().texts(slots)
        for criteria in self.criteria:
            rows += criteria.to_rows()
            rows += [self._schema_row(document) for document in self._request_documents(criteria)]
        return rows

    def to_plain(self, folder: Path | None) -> dict[str, Any]:
        plain: dict[str, Any] = {"criteria": [relative_path(c.path, folder) or c.to_plain() for c in self.criteria]}
        if self.ask != "together":
            plain["ask"] = self.ask
        if not self.reask:
            plain["reask"] = False
        return {**plain, **super().to_plain(folder)}

    @classmethod
    def from_plain(cls, name: str, data: dict[str, Any], folder: Path) -> AgentBase:
        criteria = data.get("criteria", ())
        items = criteria if isinstance(criteria, list) else [criteria]
        located = [criteria_path(item, folder) if isinstance(item, str) else item for item in items]
        return super().from_plain(name, {**data, "criteria": located}, folder)

    def _request_documents(self, criteria: Criteria) -> list[Criteria]:
        return [criteria] if self.ask == "together" else [criteria.select(criterion.name) for criterion in criteria]

    def _question(self, document: Criteria, params: Params, project: Project) -> JudgeQuestion:
        bound = BoundPrompt(self.prompt, {"criteria": document, "answer_format": answer_format(document)})
        return JudgeQuestion(
            document, bound, self._schema_row(document), answer_schema(document), params, project.redaction
        )

    def _schema_row(self, document: Criteria) -> TextRow:
        return TextRow.of("schema", canonical(answer_schema(document)), name=document.name)

    def __repr__(self) -> str:
        models = self.models if isinstance(self.models, str) else ", ".join(self.models or ["the project's judges"])
        params = ", ".join(f"{key}={value}" for key, value in self.params.items()) or "none"
        repeat = f", replicates: {self.replicates}" if self.replicates > 1 else ""
        return (
            f"Judge({self.name!r}, criteria: {', '.join(c.name for c in self.criteria)}, models: {models}"
            f"{repeat}, params: {params})"
        )

    __str__ = __repr__
