"""`Extractor`: asks models for tidy rows from a text, in declared columns.

A judge gives one answer to each criterion. An extractor gives as many rows as it finds in the text: one for each
statement, or for each broken rule. A row can quote its passage, and the quotation is looked up in the text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

from pydantic import field_validator, model_validator

from ..._internal.arguments import check_argument_names
from ..._internal.ids import canonical, uuid7
from ...codebook.criteria import Criteria
from ...errors import nearest
from ...llm.calls.client import CallResult
from ...llm.offline_input import OfflineInput, Task
from ...schema import TextRow, Unit
from ..ask_model import ask_and_parse
from ..base import NO_UPSTREAM, AgentBase, Cell, Context, Slot, UpstreamSlots
from ..config_files import criteria_path, default_prompt, load_criteria, relative_path
from ..parse_output import ParsedOutput, parsed_unit
from ..prompt import BoundPrompt, Prompt
from ..schema_agent import SchemaAgent, SchemaQuestion
from ..units import Stopwatch
from .parse_rows import RESERVED, Columns, parse_rows
from .ready_made import FRAMING, HIDDEN_MEANINGS, RULE_FINDINGS
from .row_format import row_format, row_schema

if TYPE_CHECKING:
    from ...project.project import Project


class Extractor(SchemaAgent):
    """Asks models for rows in declared columns. `run.extractions(step)` returns them as a frame.

    Parameters
    ----------
    name
        The step's name.
    instruction
        What to look for, and what one row is.
    columns
        The columns by name: a sentence that describes the content, or the list of allowed values.
    quote
        The column with a quotation, which is looked up in the text. By default the column `quote`, if there is one;
        None for no quotation.
    criteria
        A document of rules to show in the prompt, if the rows are about rules.
    models, prompt, replicates, params, fallback
        As in `Judge`; a prompt may use `record`, `instruction`, `criteria` and `answer_format`.
    reask
        Whether to ask once more if an answer cannot be parsed.

    Raises
    ------
    SetupError
        There are no columns, or `quote` is not one of them.

    Notes
    -----
    Offline models extract by rule, without understanding: one row for each sentence with a cue of the criteria;
    without cues, one row for the first sentence. What no rule can tell is "not answered".

    Examples
    --------
    >>> claims = Extractor("claims", "List every factual claim. One row is one claim.",
    ...     columns={"claim": "the claim in a sentence", "source": ("named", "unnamed", "none"), "quote": "its words"})
    >>> claims
    Extractor('claims', columns: claim, source, quote)
    """

    kind: ClassVar[str] = "extractor"
    results: ClassVar[Literal["extractions"]] = "extractions"
    role: ClassVar[str] = "extractor"
    task: ClassVar[Task] = "extract"
    template_variables: ClassVar[tuple[str, ...]] = ("record", "inputs", "instruction", "criteria", "answer_format")

    instruction: str
    columns: Columns
    quote: str | None = None
    criteria: Criteria | None = None
    reask: bool = True
    repair_message: ClassVar[str] = (
        "Your reply could not be read: it is not the JSON object that was asked for, a column is missing, or a value "
        "is none of those that were offered. Reply again, with that JSON object and nothing else."
    )  # part of the cache key of the second request, so its wording must not change

    @check_argument_names
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
        columns_by_name = dict(columns or {})
        super().__init__(
            name,
            instruction=instruction,
            columns=columns_by_name,
            quote=quote if quote in columns_by_name or quote != "quote" else None,
            criteria=criteria,
            models=models,
            prompt=prompt if prompt is not None else default_prompt("extract"),
            replicates=replicates,
            params=params,
            fallback=fallback,
            reask=reask,
        )

    @classmethod
    def framing(cls, name: str, **options: Any) -> Self:
        """An extractor of frames: one row per statement of a problem, a cause, a moral judgement or a remedy.

        Parameters
        ----------
        name
            The step's name.
        **options
            Other parameters of an `Extractor`: models, replicates, ...

        Returns
        -------
        Extractor
            With the columns `statement`, `speaker`, `function`, `frame` and `quote`.

        Notes
        -----
        The four functions of a frame are those of Entman (1993), Framing: toward clarification of a fractured paradigm,
        Journal of Communication 43(4).

        Examples
        --------
        >>> Extractor.framing("frames").columns["function"]
        ('problem', 'cause', 'moral judgement', 'remedy')
        """
        return cls(name, FRAMING.instruction, columns=FRAMING.columns, **options)

    @classmethod
    def rule_findings(cls, name: str, *, criteria: Criteria | str | Path, **options: Any) -> Self:
        """An extractor of rule findings: one row per rule that a passage breaks, or may seem to break.

        Parameters
        ----------
        name
            The step's name.
        criteria
            A document with the rules as its criteria.
        **options
            Other parameters of an `Extractor`: models, replicates, ...

        Returns
        -------
        Extractor
            With the columns `rule`, `violated`, `quote` and `reason`.

        Examples
        --------
        >>> names, sources = {"question": "Are people named?"}, {"question": "Is there a source?"}
        >>> rules = Criteria("desk", "House rules.", criteria={"names": names, "sources": sources})
        >>> Extractor.rule_findings("rules", criteria=rules).columns["rule"]
        ('names', 'sources')
        """
        rules: Criteria = load_criteria(criteria)
        columns = {"rule": tuple(criterion.name for criterion in rules), **RULE_FINDINGS.columns}
        return cls(name, RULE_FINDINGS.instruction, columns=columns, criteria=rules, **options)

    @classmethod
    def hidden_meanings(cls, name: str, **options: Any) -> Self:
        """An extractor of implied meanings: one row per passage that means more than its words.

        Parameters
        ----------
        name
            The step's name.
        **options
            Other parameters of an `Extractor`: models, replicates, ...

        Returns
        -------
        Extractor
            With the columns `quote`, `surface`, `meaning`, `device`, `audience` and `confidence`.

        Examples
        --------
        >>> list(Extractor.hidden_meanings("subtext").columns)
        ['quote', 'surface', 'meaning', 'device', 'audience', 'confidence']
        """
        return cls(name, HIDDEN_MEANINGS.instruction, columns=HIDDEN_MEANINGS.columns, **options)

    @field_validator("criteria", mode="before")
    @classmethod
    def _load_criteria(cls, value: Any) -> Any:
        return load_criteria(value)

    @field_validator("columns", mode="before")
    @classmethod
    def _values_as_tuples(cls, value: Any) -> Any:
        if not isinstance(value, Mapping):
            return value
        return {name: values if isinstance(values, str) else tuple(map(str, values)) for name, values in value.items()}

    @model_validator(mode="after")
    def _check_fields(self) -> Self:
        if not self.instruction.strip():
            raise ValueError("it needs an instruction that says what to look for, and what one row is")
        if not self.columns:
            raise ValueError('it needs columns, such as columns={"claim": "the claim in a sentence"}')
        if reserved := [name for name in self.columns if name in RESERVED]:
            raise ValueError(f"columns: `{reserved[0]}` is already a column of the frame; give it another name")
        if self.quote is not None and self.quote not in self.columns:
            raise ValueError(f"quote: `{self.quote}` is not one of the columns; {nearest(self.quote, self.columns)}")
        return self

    def reloaded(self) -> tuple[Self, list[str]]:
        agent, changes = super().reloaded()
        if self.criteria is None or (criteria := self.criteria.reload()).criteria_hash == self.criteria.criteria_hash:
            return agent, changes
        change = f"the criteria `{criteria.name}` have changed since they were read:\n{self.criteria.diff(criteria)}"
        return agent.model_copy(update={"criteria": criteria}), [*changes, change]

    def slots(self, project: Project, upstream: UpstreamSlots = NO_UPSTREAM) -> list[Slot]:  # reads records only
        schema = row_schema(self.columns)
        schema_row = TextRow.of("schema", canonical(schema), name=self.name)
        answer_format = row_format(self.columns, self.quote)
        values = {"instruction": self.instruction, "criteria": self.criteria, "answer_format": answer_format}
        bound = BoundPrompt(self.prompt, values)
        slots = []
        for model in self.selected_models(project):
            question = SchemaQuestion(bound, schema_row, schema, self.params_of(model), project.redaction)
            slots += self.model_slots(
                project,
                model,
                question,
                cues=self.criteria,
                instruction=self.instruction,
                criteria=self.criteria.criteria_hash if self.criteria else None,
                schema=schema_row.text_hash,
                columns=self.columns,
                reask=self.reask,
            )
        return slots

    def offline_input(self, cell: Cell) -> OfflineInput:
        return OfflineInput(cell.record, self.criteria, self.task, columns=self.columns, quote=self.quote)

    async def run(self, cell: Cell, context: Context) -> Unit:
        watch, trace_id = Stopwatch(), uuid7()
        answer = await ask_and_parse(self, cell.slot.prepared, cell, trace_id, context)
        output = {"rows": answer.value, "quote": self.quote}
        return parsed_unit(cell, context, watch, trace_id, answer, output=output)

    def parse(
        self,
        result: CallResult,
        question: SchemaQuestion,
        cell: Cell,
        trace_id: str,
        context: Context,  # the same for all agents
    ) -> ParsedOutput:
        """The rows in an answer, in the declared columns."""
        return parse_rows(result, self.columns, cell)

    def texts(self, slots: Sequence[Slot]) -> list[TextRow]:
        return [*super().texts(slots), *(self.criteria.to_rows() if self.criteria else ())]

    def to_plain(self, folder: Path | None) -> dict[str, Any]:
        plain = super().to_plain(folder)
        if self.prompt == default_prompt("extract"):
            plain.pop("prompt", None)
        columns = {name: values if isinstance(values, str) else list(values) for name, values in self.columns.items()}
        criteria = self.criteria
        rules = {"criteria": relative_path(criteria.path, folder) or criteria.to_plain()} if criteria else {}
        fields = {"instruction": self.instruction, "columns": columns, **({"quote": self.quote} if self.quote else {})}
        return {**fields, **rules, **({} if self.reask else {"reask": False}), **plain}

    @classmethod
    def from_plain(cls, name: str, data: dict[str, Any], folder: Path) -> AgentBase:
        criteria = data.get("criteria")
        located = {"criteria": criteria_path(criteria, folder)} if isinstance(criteria, str) else {}
        return super().from_plain(name, {"quote": None, **data, **located}, folder)

    def __repr__(self) -> str:
        return f"Extractor({self.name!r}, columns: {', '.join(self.columns)})"

    __str__ = __repr__
