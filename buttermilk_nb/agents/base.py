"""`AgentBase`: the base of all agents, and the slots, cells and context of their work.

An agent has *slots*: combinations of criteria, model and replicate. A slot and a record make a *cell*. The agent turns
each cell into a *unit* of rows. Agents are stateless: everything that they need is in the cell.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple, Self

from pydantic import BaseModel, ConfigDict, ValidationError, field_validator

from .._internal.hooks import get_hook
from .._internal.validation_errors import validation_error
from ..codebook.criteria import Criteria
from ..corpus.record import Record
from ..llm.calls.run_scope import NO_POLICY, Policy, RunScope
from ..llm.model import Model, Request
from ..schema import Score, Status, TextRow, Unit

if TYPE_CHECKING:
    import pandas as pd

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
    """The bound prompts and schemas of this slot, which the agent prepares once."""
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
    """The steps among `inputs` with one cell for each record."""


class Context(NamedTuple):
    """The state of a run that agents need."""

    project: Project
    run_id: str
    retry: frozenset[str]
    scope: RunScope
    """The run's settings and state of model calls."""
    completed_calls: list[CallResult] | None = None
    """The calls of one cell, those that were cut off too: their rows are kept even if the cell is cancelled."""


class PlannedRequest(NamedTuple):
    """One request that a cell would make, for `estimate`."""

    request: Request
    answers: int
    """How many criteria it asks about."""


class AgentBase(BaseModel, ABC):
    """Base of all agents. A new kind of agent is one file with a class that has a `kind`, and one test."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)
    kind: ClassVar[str]
    role: ClassVar[str] = "agent"
    kinds: ClassVar[dict[str, type[AgentBase]]] = {}
    version: ClassVar[str] = "1"
    output_is_json: ClassVar[bool] = False
    """Whether its stored output is JSON, which later steps read as data."""
    has_repeatable_answers: ClassVar[bool] = False
    """Whether its answers depend on its design and on what models said alone, so that stored ones may be copied."""
    results: ClassVar[Literal["outputs", "scores", "extractions"]] = "outputs"
    """Which frame of a run has its results."""

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

    def __call__(self, source: Any, **options: Any) -> pd.DataFrame:
        """Run this agent alone, without a flow, and return its results.

        The answers are cached and stored as in a flow with the agent's name; `bm.last_run()` is the run.

        Parameters
        ----------
        source
            A text, a Record, a dataframe with a column `text` or `content`, a list of these, or a corpus.
        **options
            Options of `Flow.run`, such as `limit` or `cache`.

        Returns
        -------
        pandas.DataFrame
            The scores of a judge, the rows of an extractor, the outputs of any other agent: in the order of the
            records, each with its text in `content`.

        Raises
        ------
        SetupError
            The source has no texts, or the agent reads the answers of other steps.

        Examples
        --------
        >>> import tempfile
        >>> from buttermilk_nb import Criteria, Judge, init
        >>> _ = init("call-example", path=tempfile.mkdtemp())
        >>> respect = Criteria("respect", "Is it respectful?", flag="no", cues={"no": ["scum"]})
        >>> Judge("judge", criteria=respect, models="offline/strict")(["They are scum.", "Hello."]).category.tolist()
        ['no', 'yes']
        """
        run_agent = get_hook("run_agent")
        assert run_agent is not None, "the package registers it"
        frame: pd.DataFrame = run_agent(self, source, **options)
        return frame

    def reloaded(self) -> tuple[Self, list[str]]:
        """The agent with its files read again, and a sentence on each change in them."""
        return self, []

    @property
    def upstream_steps(self) -> tuple[str, ...]:
        """The steps that this agent reads by itself, so that `needs` does not have to name them."""
        return ()

    @abstractmethod
    def slots(self, project: Project, upstream: UpstreamSlots = NO_UPSTREAM) -> list[Slot]:
        """The agent's columns of the grid, given the columns of the steps that it needs."""

    def reads_slot(self, own_slot: Slot, upstream_slot: Slot) -> bool:  # most agents read all inputs
        """Whether a cell of the agent's own slot reads the record's cell of the upstream slot."""
        return True

    @abstractmethod
    async def run(self, cell: Cell, context: Context) -> Unit:
        """Run one cell. A failure becomes a unit with a status; only a failing Store or a cache miss raises."""

    def missing_input(self, cell: Cell) -> str | None:
        """The first needed step without an answer for this cell; None if the cell can run."""
        return next((name for name, units in cell.inputs.items() if not units), None)

    def problems(self, project: Project, records: Sequence[Record], needs: Sequence[str]) -> list[str]:
        """Sentences on what is wrong with the declaration, given the records; checked before any call is made."""
        return []

    def fallback_models(self, project: Project) -> Sequence[Model]:  # functions call no model
        """The models that are called if the model of a slot fails."""
        return ()

    def criteria_documents(self) -> Sequence[Criteria]:
        """The criteria that this agent asks about. Truth and human codes are checked against their scales."""
        return ()

    def remarks(self, project: Project) -> list[str]:  # most agents have none
        """Sentences on options that are allowed, but measure nothing."""
        return []

    def texts(self, slots: Sequence[Slot]) -> list[TextRow]:  # most agents have none
        """The texts that a run stores once, given the agent's slots: prompt, criteria, schema."""
        return []

    def extra_input(self, record: Record) -> str:  # most agents read only the text
        """What the agent reads of a record in addition to its text, as one text to hash."""
        return ""

    def empty_scores(self, cell: Cell, context: Context, trace_id: str, status: Status) -> tuple[Score, ...]:
        """The scores of a cell without an answer: one for each criterion, with a status and no value."""
        return ()

    def planned_requests(self, cell: Cell) -> Iterable[PlannedRequest]:  # functions call no model
        """The requests that this cell would make."""
        return ()

    def rebuild_output(self, stored: Any) -> Any:
        """The output that stored data are; for most agents the data themselves."""
        return stored

    @abstractmethod
    def to_plain(self, folder: Path | None) -> dict[str, Any]:
        """The agent as plain data for YAML; paths are written relative to `folder`."""

    @classmethod
    @abstractmethod
    def from_plain(cls, name: str, data: dict[str, Any], folder: Path) -> AgentBase:
        """The agent from plain data; paths are relative to `folder`."""
