"""What every agent is, and the shape of its work.

An agent unfolds into *slots* (criteria x model x replicate); a slot and a record make a *cell*; an
agent turns a cell into a *unit* of rows. Agents are stateless: all that they know is in the cell.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Self

from pydantic import BaseModel, ConfigDict, ValidationError, field_validator

from .._internal.validation_errors import validation_error
from ..codebook.criteria import Criteria
from ..corpus.record import Record
from ..llm.calls.run_scope import NO_POLICY, Policy, RunScope
from ..llm.model import Model, Request
from ..schema import Score, Status, TextRow, Unit

if TYPE_CHECKING:
    from ..llm.calls.client import CallResult
    from ..project.project import Project


class Slot(NamedTuple):
    """One column of the grid: everything about a cell but its record."""

    agent: AgentBase
    design: str
    replicate: int
    model: Model | None = None
    criteria: Criteria | None = None
    prompt_hash: str | None = None
    params: str = "{}"
    prepared: Any = None
    """What the agent prepared for this slot (bound prompts, schemas), once."""
    policy: Policy = NO_POLICY
    """The step's time limit and retries."""


UpstreamSlots = Mapping[str, Sequence[Slot]]
"""The columns of the steps that an agent needs, by step."""
NO_UPSTREAM: UpstreamSlots = {}


class Cell(NamedTuple):
    """One square of the grid."""

    slot: Slot
    record: Record
    design_id: str
    inputs: Mapping[str, Sequence[Unit]]
    single_cell_steps: frozenset[str] = frozenset()
    """The steps among `inputs` that plan one cell a record."""


class Context(NamedTuple):
    """What a run lends to its agents."""

    project: Project
    run_id: str
    retry: frozenset[str]
    scope: RunScope
    """The run's side of the call path."""
    completed_calls: list[CallResult] | None = None
    """What one cell has been answered so far: its rows are kept where the cell does not come to an end."""


class PlannedRequest(NamedTuple):
    """One request that a cell would make, for `estimate`."""

    request: Request
    answers: int
    """How many criteria it asks for."""


class AgentBase(BaseModel, ABC):
    """Base of all agents. A new kind is one file with a `kind`, and one test."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)
    kind: ClassVar[str]
    role: ClassVar[str] = "agent"
    kinds: ClassVar[dict[str, type[AgentBase]]] = {}
    version: ClassVar[str] = "1"
    output_is_json: ClassVar[bool] = False
    """Whether its stored output is JSON, so that later steps read it as data."""

    name: str

    def __init__(self, name: str, **fields: Any) -> None:
        try:
            super().__init__(name=name, **fields)
        except ValidationError as error:
            raise validation_error(f"{self.kind} `{name}`", error, type(self).model_fields) from None

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        if "kind" in vars(cls):
            AgentBase.kinds[cls.kind] = cls

    @field_validator("name")
    @classmethod
    def _check_name(cls, value: str) -> str:
        if not value.strip():
            raise ValueError("an agent needs a name")
        return value

    def reloaded(self) -> tuple[Self, list[str]]:
        """The agent with its files read again, and what changed in them."""
        return self, []

    @property
    def upstream_steps(self) -> tuple[str, ...]:
        """The steps whose answers this kind of agent reads, so that they come before it without being named again."""
        return ()

    @abstractmethod
    def slots(self, project: Project, upstream: UpstreamSlots = NO_UPSTREAM) -> list[Slot]:
        """The columns of the grid that this agent fills, given those of the steps that it needs."""

    def reads_slot(self, own_slot: Slot, upstream_slot: Slot) -> bool:  # most agents read all of what they need
        """Whether a cell in this column reads the record's cell in that one."""
        return True

    @abstractmethod
    async def run(self, cell: Cell, context: Context) -> Unit:
        """Fill one cell. Whatever fails becomes a unit with its status; only a failing Store or a cache miss raises."""

    def missing_input(self, cell: Cell) -> str | None:
        """The first of the steps that a cell needs which has no answer for it; None where it can be worked on."""
        return next((name for name, units in cell.inputs.items() if not units), None)

    def problems(self, project: Project, records: Sequence[Record], needs: Sequence[str]) -> list[str]:
        """What is wrong with the declaration, given the records; found before anything is paid for."""
        return []

    def fallback_models(self, project: Project) -> Sequence[Model]:  # functions ask no model
        """The models that are asked where the chosen one fails."""
        return ()

    def criteria_documents(self) -> Sequence[Criteria]:
        """The criteria that this agent asks, against whose scales truth and human codes are checked."""
        return ()

    def remarks(self, project: Project) -> list[str]:  # most agents have none
        """What is allowed, but would measure nothing."""
        return []

    def texts(self, slots: Sequence[Slot]) -> list[TextRow]:  # most agents have none
        """The bodies that a run stores once: prompt, criteria, schema; given its columns."""
        return []

    def extra_input(self, record: Record) -> str:  # most agents read nothing but the text
        """What the agent reads of a record beside its text, as a hashable text."""
        return ""

    def empty_scores(self, cell: Cell, context: Context, trace_id: str, status: Status) -> tuple[Score, ...]:
        """The scores of a cell that got no answer: one a criterion, with its status and nothing else."""
        return ()

    def planned_requests(self, cell: Cell) -> Iterable[PlannedRequest]:  # functions ask no model
        """The requests that this cell would make."""
        return ()

    @abstractmethod
    def to_plain(self, folder: Path | None) -> dict[str, Any]:
        """The agent as plain data for YAML; paths are written relative to `folder`."""

    @classmethod
    @abstractmethod
    def from_plain(cls, name: str, data: dict[str, Any], folder: Path) -> AgentBase:
        """The agent from plain data; relative paths start from `folder`."""
