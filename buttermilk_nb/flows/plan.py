"""`Plan`: the slots and cells of a flow over a corpus, and the checks before a run.

Cells are generated when they are needed and never kept in a list, so that a large plan needs little memory. Only
their ids are kept: about a hundred bytes for each cell.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from .._internal.markdown import code_list
from .._internal.text import is_blank, pluralise
from ..agents.base import Cell, Slot
from ..agents.design import design_id
from ..codebook.check_codes import code_problems, unused_codes
from ..corpus.corpus import Corpus
from ..corpus.record import PAIR_FIELDS, Record
from ..errors import SetupError
from ..llm.model import Model
from ..project.project import Project
from ..schema import CellRow, TextRow
from .step import Step


class Grid(NamedTuple):
    """How many answers a flow plans for a corpus, remarks before it runs, and what a run needs first."""

    records: int
    slots: dict[str, int]
    remarks: tuple[str, ...]
    needs: tuple[str, ...] = ()
    """What a run would stop for: a key, a consent, a price, a server, a confirmation."""

    @property
    def cells(self) -> int:
        """The number of planned answers: records x slots, over all steps."""
        return self.records * sum(self.slots.values())

    def __repr__(self) -> str:
        per = ", ".join(f"{name}: {n} per record" for name, n in self.slots.items())
        result = "The flow is ready, but a run needs something first:" if self.needs else "No problem was found."
        lines = [f"{self.cells:,} answers ({self.records:,} records; {per}). {result}"]
        lines += [f"- {need}" for need in self.needs]
        return "\n".join(lines + [f"Note: {remark}" for remark in self.remarks])


class Plan:
    """The steps of a flow with their slots, for each record of a corpus.

    Parameters
    ----------
    steps
        The steps, in an order in which each comes after the steps that it needs. The plan reads their files again.
    corpus
        The records.
    project
        The project, whose settings name the models.
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
        self._design_ids: dict[str, tuple[str, ...]] = {}

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
        """Every model that may be called, with the fallbacks."""
        models = [slot.model for slots in self.slots.values() for slot in slots if slot.model]
        models += [model for step in self.steps for model in step.agent.fallback_models(self._project)]
        return list({model.name: model for model in models}.values())

    def cell_count(self, models: Sequence[Model]) -> int:
        """How many calls are planned for these models at most."""
        names = {model.name for model in models}
        slots = [slot for slots in self.slots.values() for slot in slots if slot.model and slot.model.name in names]
        return len(self.corpus) * sum(len(slot.criteria or ()) or 1 for slot in slots)

    def checked(self) -> Grid:
        """Check the plan, and return its grid; raises a SetupError that lists every problem."""
        problems: list[str] = []
        if not len(self.corpus):
            problems.append("the corpus is empty.")
        problems += _blank_problems(self.corpus)
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
        remarks += [*unused_codes(self.corpus.records, documents), *self.corpus.remarks]
        slot_counts = {name: len(step_slots) for name, step_slots in self.slots.items()}
        return Grid(len(self.corpus), slot_counts, tuple(dict.fromkeys([*self.changes, *remarks])))

    def designs(self, record: Record) -> Iterator[tuple[Step, Slot, str]]:
        """The cells of one record, each with its design id, in the order of the steps."""
        design_ids = self._design_ids.get(record.record_id)
        if design_ids is None:
            design_ids = self._design_ids[record.record_id] = tuple(self._find_design_ids(record))
        cells = ((step, slot) for step in self.steps for slot in self.slots[step.name])
        for (step, slot), design in zip(cells, design_ids, strict=True):
            yield step, slot, design

    def _find_design_ids(self, record: Record) -> Iterator[str]:
        designs_by_step: dict[str, list[tuple[Slot, str]]] = {}
        for step in self.steps:
            designs_by_step[step.name] = step_designs = []
            upstream = [cell for name in step.needs for cell in designs_by_step[name]]
            for slot in self.slots[step.name]:
                inputs = [design for upstream_slot, design in upstream if step.agent.reads_slot(slot, upstream_slot)]
                design = design_id(slot, record, inputs)
                step_designs.append((slot, design))
                yield design

    def cells(self) -> Iterator[Cell]:
        """Every cell without its inputs, as `estimate` needs it."""
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
        """The texts that the run stores once: prompts, criteria and schemas."""
        return [text for step in self.steps for text in step.agent.texts(self.slots[step.name])]


def _blank_problems(corpus: Corpus) -> list[str]:
    """A sentence on records with nothing to read: neither text nor images, nor the two texts of a pair."""
    blank = [
        record.record_id
        for record in corpus.records
        if is_blank(record.content) and not record.images and not record.metadata.keys() >= PAIR_FIELDS
    ]
    if not blank:
        return []
    shown = code_list(blank[:3]) + (", ..." if len(blank) > 3 else "")
    return [f"{pluralise(len(blank), 'record')} without text or image: {shown}; leave out such records."]


def _example_records(corpus: Corpus) -> list[Record]:
    """One record for each distinct set of metadata fields and of criteria with expert reasons."""
    records: dict[tuple[frozenset[str], frozenset[str]], Record] = {}
    for record in corpus.records:
        reasoned = frozenset(name for name, reasons in record.expert_reasons.items() if reasons)
        records.setdefault((frozenset(record.metadata), reasoned), record)
    return list(records.values())
