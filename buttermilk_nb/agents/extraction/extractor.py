"""`Extractor`: tidy rows from a text, in columns that are declared.

Where a judge gives one answer a criterion, an extractor gives as many rows as there is something to say: one a
statement, one a breach of a rule. Every row can quote the words that it rests on, and these are looked up in the text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Self

from pydantic import field_validator, model_validator

from ..._internal.ids import canonical, uuid7
from ...codebook.criteria import Criteria
from ...errors import InvalidAnswer
from ...llm.calls.client import Asked
from ...llm.calls.redaction import Redaction
from ...llm.model import Model, Params, Request
from ...llm.offline_input import Aside
from ...schema import TextRow, Unit
from ..ask_model import answered
from ..base import NOTHING_BEFORE, AgentBase, Before, Cell, Context, Slot, Stopwatch, slot_design
from ..config_files import default_prompt, document, path_or
from ..judge.answer_format import text_of
from ..llm_agent import Agent
from ..parse_output import Parsed, parsed, parsed_unit
from ..prompt import BoundPrompt, Prompt
from ..step_outputs import outputs

if TYPE_CHECKING:
    from ...project.project import Project

_OBJECTION = (
    "Your reply could not be read: it is not the JSON object that was asked for, a column is missing, or a value is "
    "none of those that were offered. Reply again, with that JSON object and nothing else."
)  # part of the cache key of the second request, so its wording stays
RESERVED = ("record_id", "model", "replicate", "row", "verified", "start", "end")
"""Columns that `run.extracted` has of its own."""
Columns = dict[str, str | tuple[str, ...]]


class Question(NamedTuple):
    """What a request asks, prepared once a slot."""

    bound: BoundPrompt
    schema: TextRow
    form: dict[str, Any]
    params: Params
    redaction: Redaction | None


class Extractor(Agent):
    """Asks a model for rows in declared columns. `run.extracted(step)` gives them as a frame.

    Parameters
    ----------
    name
        The step's name.
    instruction
        What to look for, and what one row is.
    columns
        The columns by name: a sentence that says what belongs in it, or the list of values that it may have.
    quote
        The column that holds words of the text; they are looked up in it. None where there is none.
    criteria
        A document of rules that is shown, where the rows are about rules.
    models, prompt, replicates, params, fallback
        As of a `Judge`; a prompt may use `record`, `instruction`, `criteria` and `answer_format`.
    reask
        Whether an answer that cannot be read is asked for once more.

    Raises
    ------
    SetupError
        No columns, or `quote` names none of them.

    Notes
    -----
    Offline models extract nothing: no rule can read for meaning. Their cells are `skipped`.

    Examples
    --------
    >>> claims = Extractor("claims", "List every factual claim. One row is one claim.",
    ...     columns={"claim": "the claim in a sentence", "source": ("named", "unnamed", "none"), "quote": "its words"})
    >>> claims
    Extractor('claims', columns: claim, source, quote)
    """

    kind: ClassVar[str] = "extractor"
    role: ClassVar[str] = "extractor"
    known: ClassVar[tuple[str, ...]] = ("record", "inputs", "instruction", "criteria", "answer_format")

    instruction: str
    columns: Columns
    quote: str | None = None
    criteria: Criteria | None = None
    reask: bool = True

    def __init__(
        self,
        name: str,
        instruction: str = "",
        *,
        columns: Mapping[str, str | Sequence[str]] | None = None,
        quote: str | None = "quote",
        criteria: Criteria | str | Path | None = None,
        models: str | Sequence[str] | None = None,
        prompt: Prompt | str | Path | None = None,
        replicates: int = 1,
        params: Mapping[str, Any] | None = None,
        fallback: str | Sequence[str] | None = None,
        reask: bool = True,
    ) -> None:
        named = dict(columns or {})
        super().__init__(
            name,
            instruction=instruction,
            columns=named,
            quote=quote if quote in named or quote != "quote" else None,
            criteria=criteria,
            models=models,
            prompt=prompt if prompt is not None else default_prompt("extract"),
            replicates=replicates,
            params=params,
            fallback=fallback,
            reask=reask,
        )

    @field_validator("criteria", mode="before")
    @classmethod
    def _document(cls, value: Any) -> Any:
        return document(value)

    @field_validator("columns", mode="before")
    @classmethod
    def _offered(cls, value: Any) -> Any:
        if not isinstance(value, Mapping):
            return value
        return {name: said if isinstance(said, str) else tuple(map(str, said)) for name, said in value.items()}

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if not self.instruction.strip():
            raise ValueError("it needs an instruction: what to look for, and what one row is")
        if not self.columns:
            raise ValueError('it needs columns, such as columns={"claim": "the claim in a sentence"}')
        if taken := [name for name in self.columns if name in RESERVED]:
            raise ValueError(f"columns: `{taken[0]}` is a column of the frame already; call it otherwise")
        if self.quote is not None and self.quote not in self.columns:
            raise ValueError(f"quote: there is no column `{self.quote}`")
        return self

    def fresh(self) -> tuple[Self, list[str]]:
        agent, said = super().fresh()
        if self.criteria is None or (read := self.criteria.reread()).criteria_hash == self.criteria.criteria_hash:
            return agent, said
        changed = f"the criteria `{read.name}` have changed since they were read:\n{self.criteria.diff(read)}"
        return agent.model_copy(update={"criteria": read}), [*said, changed]

    def slots(self, project: Project, before: Before = NOTHING_BEFORE) -> list[Slot]:  # noqa: ARG002  # asks of records
        found = []
        form = self._form()
        schema = TextRow.of("schema", canonical(form), name=self.name)
        values = {"instruction": self.instruction, "criteria": self.criteria, "answer_format": self._answer_format()}
        bound = BoundPrompt(self.prompt, values)
        for model in self.chosen(project):
            params = self.params_of(model)
            question = Question(bound, schema, form, params, project.redaction)
            for replicate in range(self.replicates):
                design = slot_design(
                    self,
                    prompt=self.prompt.prompt_hash,
                    instruction=self.instruction,
                    criteria=self.criteria.criteria_hash if self.criteria else None,
                    schema=schema.text_hash,
                    columns=self.columns,
                    model=model.target,
                    params=params.sent,
                    replicate=replicate,
                    **({} if self.reask else {"reask": False}),
                    **model.design_parts(None),
                    **self.redacted_parts(model, project),
                )
                prompt = self.prompt.prompt_hash
                found.append(Slot(self, design, replicate, model, None, prompt, params.sent_json, question))
        return found

    def request(self, question: Question, cell: Cell, model: Model) -> Request:
        return Request(
            model,
            question.bound.render(cell.record.as_read(), outputs(cell)),
            params=question.params if model is cell.slot.model else self.params_of(model),
            schema_hash=question.schema.text_hash,
            schema=question.form,
            replicate=cell.slot.replicate,
            aside=Aside(cell.record, None, "extract"),
            redaction=question.redaction,
        )

    async def work(self, cell: Cell, context: Context) -> Unit:
        watch, trace_id = Stopwatch(), uuid7()
        objection = _OBJECTION if self.reask else None
        read = partial(_read, columns=self.columns)
        reading: Parsed = await answered(self, cell.slot.bound, read, cell, trace_id, context, objection=objection)
        output = {"rows": reading.found, "quote": self.quote}
        return parsed_unit(cell, context, watch, trace_id, reading, output=output)

    def texts(self, slots: Sequence[Slot]) -> list[TextRow]:
        schemas = {slot.bound.schema.text_hash: slot.bound.schema for slot in slots}
        return [*super().texts(slots), *schemas.values(), *(self.criteria.as_rows() if self.criteria else ())]

    def _form(self) -> dict[str, Any]:
        properties = {
            name: {"type": "string"} if isinstance(said, str) else {"type": "string", "enum": list(said)}
            for name, said in self.columns.items()
        }
        row = {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}
        rows = {"rows": {"type": "array", "items": row}}
        return {"type": "object", "properties": rows, "required": ["rows"], "additionalProperties": False}

    def _answer_format(self) -> str:
        inside = ", ".join(f'"{name}": "..."' for name in self.columns)
        said = "\n".join(
            f'- "{name}": {meant if isinstance(meant, str) else "one of " + ", ".join(meant)}'
            for name, meant in self.columns.items()
        )
        quote = f'\nCopy "{self.quote}" from the text, letter by letter.' if self.quote else ""
        return (
            f'Reply with one JSON object and nothing else, in this form:\n{{"rows": [{{{inside}}}]}}\n'
            f'where\n{said}{quote}\nWhere there is nothing to report, "rows" is an empty list.'
        )

    def to_plain(self, folder: Path | None) -> dict[str, Any]:
        plain = super().to_plain(folder)
        if self.prompt == default_prompt("extract"):
            plain.pop("prompt", None)
        columns = {name: said if isinstance(said, str) else list(said) for name, said in self.columns.items()}
        rules = {"criteria": path_or(self.criteria.path, folder) or self.criteria.to_plain()} if self.criteria else {}
        own = {"instruction": self.instruction, "columns": columns, **({"quote": self.quote} if self.quote else {})}
        return {**own, **rules, **({} if self.reask else {"reask": False}), **plain}

    @classmethod
    def from_plain(cls, name: str, data: dict[str, Any], folder: Path) -> AgentBase:
        criteria = data.get("criteria")
        placed = {"criteria": folder / criteria} if isinstance(criteria, str) else {}
        return super().from_plain(name, {"quote": None, **data, **placed}, folder)

    def __repr__(self) -> str:
        return f"Extractor({self.name!r}, columns: {', '.join(self.columns)})"

    __str__ = __repr__


def _read(asked: Asked, columns: Columns) -> Parsed:
    return parsed(asked, ("rows",), partial(_checked, columns=columns))


def _checked(found: Mapping[str, Any], columns: Columns) -> list[dict[str, str | None]]:
    rows = found.get("rows")
    if not isinstance(rows, list):
        raise InvalidAnswer("`rows` is not a list")
    return [_row(n, row, columns) for n, row in enumerate(rows, 1)]


def _row(n: int, row: Any, columns: Columns) -> dict[str, str | None]:
    if not isinstance(row, dict):
        raise InvalidAnswer(f"row {n} is no object")
    if missing := [name for name in columns if name not in row]:
        raise InvalidAnswer(f"row {n} has no `{missing[0]}`")
    kept = {name: text_of(row[name]) for name in columns}
    for name, offered in columns.items():
        if isinstance(offered, str):
            continue
        said = (kept[name] or "").strip().casefold()
        match = next((value for value in offered if value.casefold() == said), None)
        if match is None:
            raise InvalidAnswer(f"row {n}: `{name}` is `{(kept[name] or '')[:40]}`, which was not offered")
        kept[name] = match
    return kept
