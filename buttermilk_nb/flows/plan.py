"""A plan: the steps with their slots, the checks, and the cells, which are generated and never listed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from ..agents.base import Cell, Slot
from ..agents.design import design_id
from ..codebook.check_codes import code_problems, unused_codes
from ..corpus.corpus import Corpus
from ..corpus.record import Record
from ..errors import SetupError
from ..llm.model import Model
from ..project.project import Project
from ..schema import CellRow, TextRow
from .step import Step


class Grid(NamedTuple):
    """How many cells a flow has over a corpus, and what is worth saying before it runs."""

    records: int
    slots: dict[str, int]
    remarks: tuple[str, ...]

    @property
    def cells(self) -> int:
        """Records x slots, over all steps."""
        return self.records * sum(self.slots.values())

    def __repr__(self) -> str:
        per = ", ".join(f"{name}: {n} per record" for name, n in self.slots.items())
        lines = [f"{self.cells:,} cells ({self.records:,} records; {per}). No problem was found."]
        return "\n".join(lines + [f"Note: {remark}" for remark in self.remarks])


class Plan:
    """A flow unfolded over a corpus.

    Parameters
    ----------
    steps
        The steps, in an order in which each comes after what it needs; their files are read again here.
    corpus
        The records.
    project
        Where the models are named.
    """

    def __init__(self, steps: Sequence[Step], corpus: Corpus, project: Project) -> None:
        self.corpus = corpus
        self._project = project
        self.changes: list[str] = []
        reloaded_steps = []
        for step in steps:
            agent, changes = step.agent.reloaded()
            self.changes += changes
            reloaded_steps.append(step.model_copy(update={"agent": agent}) if changes else step)
        self.steps: tuple[Step, ...] = tuple(reloaded_steps)
        self._slots: dict[str, list[Slot]] | None = None

    @property
    def slots(self) -> dict[str, list[Slot]]:
        """The slots of each step."""
        if self._slots is None:
            slots_by_step: dict[str, list[Slot]] = {}
            for step in self.steps:
                upstream = {name: slots_by_step[name] for name in step.needs}
                slots = step.agent.slots(self._project, upstream)
                slots_by_step[step.name] = [slot._replace(policy=step.policy) for slot in slots]
            self._slots = slots_by_step
        return self._slots

    @property
    def models(self) -> list[Model]:
        """Every model that may be asked, those of last resort too."""
        models = [slot.model for slots in self.slots.values() for slot in slots if slot.model]
        models += [model for step in self.steps for model in step.agent.fallback_models(self._project)]
        return list({model.name: model for model in models}.values())

    def cell_count(self, models: Sequence[Model]) -> int:
        """How many cells are planned for these models."""
        names = {model.name for model in models}
        slots = [slot for slots in self.slots.values() for slot in slots if slot.model and slot.model.name in names]
        return len(self.corpus) * sum(len(slot.criteria or ()) or 1 for slot in slots)

    def checked(self) -> Grid:
        """Every problem at once, as a SetupError; else the grid."""
        problems: list[str] = []
        if not len(self.corpus):
            problems.append("the corpus is empty.")
        examples = _example_records(self.corpus)
        for step in self.steps:
            try:
                problems += step.agent.problems(self._project, examples, step.needs)
            except SetupError as error:
                problems += error.problems
        documents = [document for step in self.steps for document in step.agent.criteria_documents()]
        problems += code_problems(self.corpus.records, documents)
        if problems:
            raise SetupError(*dict.fromkeys(problems))
        remarks = [remark for step in self.steps for remark in step.agent.remarks(self._project)]
        remarks += unused_codes(self.corpus.records, documents)
        slot_counts = {name: len(step_slots) for name, step_slots in self.slots.items()}
        return Grid(len(self.corpus), slot_counts, tuple(dict.fromkeys([*self.changes, *remarks])))

    def designs(self, record: Record) -> Iterator[tuple[Step, Slot, str]]:
        """The cells of one record, each with its design id, in the order of the steps."""
        designs_by_step: dict[str, list[tuple[Slot, str]]] = {}
        for step in self.steps:
            designs_by_step[step.name] = step_designs = []
            upstream = [cell for name in step.needs for cell in designs_by_step[name]]
            for slot in self.slots[step.name]:
                inputs = [design for upstream_slot, design in upstream if step.agent.reads_slot(slot, upstream_slot)]
                design = design_id(slot, record, inputs)
                step_designs.append((slot, design))
                yield step, slot, design

    def cells(self) -> Iterator[Cell]:
        """Every cell whose step needs nothing, as `estimate` sees it; the others with no inputs yet."""
        for record in self.corpus.records:
            for _, slot, design in self.designs(record):
                yield Cell(slot, record, design, {})

    def rows(self, run_id: str) -> Iterator[tuple[Any, ...]]:
        """The rows of table `cells`, as tuples in the order of `CellRow`."""
        assert tuple(CellRow.model_fields)[:3] == ("run_id", "design_id", "step")
        for record in self.corpus.records:
            for step, slot, design in self.designs(record):
                criteria = slot.criteria
                yield (
                    run_id,
                    design,
                    step.name,
                    record.record_id,
                    record.record_hash,
                    criteria.name if criteria else None,
                    criteria.criteria_hash if criteria else None,
                    slot.model.name if slot.model else None,
                    slot.replicate,
                    record.annotations_hash,
                )

    def texts(self) -> list[TextRow]:
        """Prompts, criteria and schemas."""
        return [text for step in self.steps for text in step.agent.texts(self.slots[step.name])]


def _example_records(corpus: Corpus) -> list[Record]:
    """One record for each distinct set of fields, and of questions on which an expert gave reasons."""
    records: dict[tuple[frozenset[str], frozenset[str]], Record] = {}
    for record in corpus.records:
        reasoned = frozenset(name for name, reasons in record.expert_reasons.items() if reasons)
        records.setdefault((frozenset(record.metadata), reasoned), record)
    return list(records.values())
