"""`Agent`: a prompt and a model, giving free text. `Judge` builds on it.

Requests are prepared per slot once (`bound`), so that a cell costs one rendering of the part that
depends on the record.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

from pydantic import Field, field_validator

from .._ids import canonical, uuid7
from ..criteria import Criteria
from ..errors import SetupError, nearest
from ..llm.base import Aside, Model, Params, Request
from ..llm.client import Asked
from ..prompts import BoundPrompt, Prompt
from ..records import Record
from ..traces import Status, TextRow, Unit
from .base import AgentBase, Ask, Cell, Context, Slot, Stopwatch, make_unit, slot_design

if TYPE_CHECKING:
    from ..project import Project

_PROMPT_FILES = (".md", ".txt", ".jinja", ".j2")


class Agent(AgentBase):
    """A prompt put to one or more models; the output is the answer's text.

    Parameters
    ----------
    name
        The step's name.
    prompt
        A `Prompt`, the path of a prompt file, or the text of one.
    models
        A model, a set of models, or a list; by default the project's set `judges`.
    replicates
        How often each model is asked the same.
    params
        Sampling parameters, sent as given. The default is `{"temperature": 0}`.

    Examples
    --------
    >>> Agent("gist", prompt="In one sentence: {{ record.content }}", models="openai/some-model").role
    'agent'
    """

    kind: ClassVar[str] = "agent"
    known: ClassVar[tuple[str, ...]] = ("record", "inputs")

    prompt: Prompt = Field(default_factory=Prompt)
    models: str | tuple[str, ...] | None = None
    replicates: int = Field(default=1, ge=1)
    params: dict[str, Any] = Field(default_factory=lambda: {"temperature": 0})

    def __init__(
        self,
        name: str,
        *,
        prompt: Prompt | str | Path | None = None,
        models: str | Sequence[str] | None = None,
        replicates: int = 1,
        params: Mapping[str, Any] | None = None,
        **others: Any,
    ) -> None:
        given = {"prompt": prompt, "models": models, "params": params}
        chosen = {key: value for key, value in given.items() if value is not None}
        super().__init__(name, replicates=replicates, **chosen, **others)

    @field_validator("prompt", mode="before")
    @classmethod
    def _prompt(cls, value: Any) -> Any:
        if isinstance(value, Path) or (isinstance(value, str) and "\n" not in value and value.endswith(_PROMPT_FILES)):
            return Prompt.from_file(value)
        return Prompt.from_text(value) if isinstance(value, str) else value

    @field_validator("params")
    @classmethod
    def _params(cls, value: dict[str, Any]) -> dict[str, Any]:
        try:
            canonical(value)
        except (TypeError, ValueError):
            raise ValueError("holds something that JSON cannot hold, so it could not be sent or stored") from None
        whole = {key: int(v) for key, v in value.items() if isinstance(v, float) and v.is_integer()}
        return {**value, **whole}  # temperature 0.0 and 0 are one instrument

    @field_validator("models", mode="before")
    @classmethod
    def _models(cls, value: Any) -> Any:
        return tuple(value) if isinstance(value, list) else value

    def fresh(self) -> tuple[Self, list[str]]:
        prompt = self.prompt.reread()
        if prompt.prompt_hash == self.prompt.prompt_hash:
            return self, []
        return self.model_copy(update={"prompt": prompt}), [f"the prompt `{prompt.name}` has changed since it was read"]

    def slots(self, project: Project) -> list[Slot]:
        found = []
        bound = BoundPrompt(self.prompt, {})
        for model in self.chosen(project):
            params = Params.of(model, self.params)
            for replicate in range(self.replicates):
                design = slot_design(
                    self, prompt=self.prompt.prompt_hash, model=model.name, params=params.sent, replicate=replicate
                )
                prepared = (bound, params)
                prompt_hash = self.prompt.prompt_hash
                found.append(Slot(self, design, replicate, model, None, prompt_hash, params.sent_json, prepared))
        return found

    def chosen(self, project: Project) -> list[Model]:
        """The models that this agent asks in that project."""
        return [project.model(name) for name in project.model_names(self.models)]

    async def work(self, cell: Cell, context: Context) -> Unit:
        watch, trace_id = Stopwatch(), uuid7()
        request = self._request(cell)
        asked = await self.put(request, trace_id, context)
        if asked.call and asked.call.cached and asked.call.status in context.retry:
            asked = await self.put(request, trace_id, context, again=True)
        status: Status = asked.error.status if asked.error else asked.call.status if asked.call else "error"  # type: ignore[assignment]  # statuses are checked by Trace
        return make_unit(
            cell,
            context,
            watch,
            trace_id=trace_id,
            status=status,
            output=asked.completion.text if asked.completion else None,
            error=asked.error,
            attempts=int(asked.call is not None),
            calls=[asked.call] if asked.call else [],
            texts=asked.texts,
        )

    async def put(self, request: Request, trace_id: str, context: Context, *, again: bool = False) -> Asked:
        """Ask the client, as this run uses the cache."""
        return await context.project.client.ask(
            request, trace_id=trace_id, run_id=context.run_id, mode=context.cache, again=again, gate=context.gate
        )

    def reads(self, record: Record) -> str:
        parts = self.prompt.read_parts(record.as_read())
        return canonical(parts) if parts else ""

    def asks(self, cell: Cell) -> Iterable[Ask]:
        if "inputs" in self.prompt.names and not cell.inputs:
            return
        for request, answers in self.requests(cell):
            yield Ask(request.key, "".join(m.content for m in request.messages), answers, request.model)

    def requests(self, cell: Cell) -> list[tuple[Request, int]]:
        """The requests of a cell, each with the number of answers that it asks for."""
        return [(self._request(cell), 1)]

    def problems(self, project: Project, records: Sequence[Record], needs: Sequence[str]) -> list[str]:
        known = [name for name in self.known if name != "inputs" or needs]
        found = self.prompt.problems(known)
        if found:
            return found
        for name in sorted(self.prompt.inputs - set(needs) - {"get", "items", "keys", "values"}):
            found.append(
                f"prompt `{self.prompt.name}` reads `inputs.{name}`, which is not needed; {nearest(name, needs)}"
            )
        if (
            "content" not in self.prompt.fields
            and "metadata" not in self.prompt.fields
            and "inputs" not in self.prompt.names
        ):
            found.append(f"prompt `{self.prompt.name}` never shows `record.content`, so every answer would be blind.")
        for model in self.chosen(project):
            for criteria in self.judged():
                found += model.problems(criteria)
        if "inputs" not in self.prompt.names:
            found += self._rendering(project, records)
        return list(dict.fromkeys(found))

    def judged(self) -> Sequence[Criteria | None]:
        """The criteria that are put to each model, or a single None."""
        return [None]

    def remarks(self, project: Project) -> list[str]:
        found = []
        for model in self.chosen(project):
            sent, dropped = model.split_params(self.params)
            if "params" in self.model_fields_set and dropped:
                found.append(f"`{model.name}` ignores {', '.join(f'`{name}`' for name in dropped)}.")
            if self.replicates > 1 and model.deterministic:
                found.append(
                    f"`{model.name}` gives the same answer each time: its {self.replicates} replicates measure nothing."
                )
            elif self.replicates > 1 and sent.get("temperature") == 0:
                found.append(
                    f"`{model.name}` at temperature 0 hardly varies: its {self.replicates} replicates measure little. "
                    'Write params={"temperature": 0.7}.'
                )
        return found

    def texts(self, project: Project) -> list[TextRow]:  # noqa: ARG002  # the same in every project
        body = "".join(f"## {role}\n{source}\n" for role, source in self.prompt.parts)
        return [TextRow(text_hash=self.prompt.prompt_hash, kind="prompt", name=self.prompt.name, body=body)]

    def to_plain(self, folder: Path | None) -> dict[str, Any]:
        plain: dict[str, Any] = {}
        if "prompt" in self.model_fields_set:
            plain["prompt"] = path_or(self.prompt.path, folder) or self.prompt.to_plain()
        if self.models is not None:
            plain["models"] = list(self.models) if isinstance(self.models, tuple) else self.models
        if self.replicates != 1:
            plain["replicates"] = self.replicates
        if "params" in self.model_fields_set:
            plain["params"] = self.params
        return plain

    @classmethod
    def from_plain(cls, name: str, data: dict[str, Any], folder: Path) -> AgentBase:
        prompt = data.get("prompt")
        if isinstance(prompt, str) and "\n" not in prompt and prompt.endswith(_PROMPT_FILES):
            data = {**data, "prompt": folder / prompt}
        return cls(name=name, **data)

    def _request(self, cell: Cell) -> Request:
        slot = cell.slot
        bound, params = slot.bound
        assert slot.model is not None
        messages = bound.render(cell.record.as_read(), outputs(cell))
        return Request(slot.model, messages, params=params, replicate=slot.replicate, aside=Aside(cell.record))

    def _rendering(self, project: Project, records: Sequence[Record]) -> list[str]:
        """Render every slot's prompt for one record of each set of fields."""
        found = []
        try:
            slots = self.slots(project)
        except SetupError as error:
            return list(error.problems)
        for record in records:
            for slot in slots:
                try:
                    self.requests(Cell(slot, record, "", {}))
                except SetupError as error:
                    found += [f"record `{record.record_id}`: {problem}" for problem in error.problems]
        return found[:20]


def outputs(cell: Cell) -> dict[str, Any]:
    """What templates and functions see of earlier steps, by step name.

    Of a step with one cell a record its output, of a step with several a list, however many of them finished. A
    judge's output is a mapping from criterion to answer, conclusion, reasons and uncertainty.
    """
    seen: dict[str, Any] = {}
    for step, units in cell.inputs.items():
        values = [_output(unit) for unit in units]
        seen[step] = values[0] if step in cell.single and values else values
    return seen


def _output(unit: Unit) -> Any:
    if unit.trace.role == "judge":
        return {
            score.criterion: {
                "answer": score.value if score.category is None else score.category,
                "conclusion": score.conclusion,
                "reasons": score.reasons or [],
                "uncertainty": score.uncertainty,
                "model": score.model,
            }
            for score in unit.scores
        }
    output = unit.trace.output
    return json.loads(output) if unit.trace.agent == "function" and output else output


def path_or(path: Path | None, folder: Path | None) -> str | None:
    """A path as it is written in a flow file beside which it lies; None where it lies elsewhere."""
    if path is None or folder is None:
        return None
    absolute, beside = path.absolute(), folder.absolute()
    return absolute.relative_to(beside).as_posix() if absolute.is_relative_to(beside) else None
