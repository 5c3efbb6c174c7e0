"""`Scheduler`: hand out the cells that are ready, in the order of the plan.

Records are opened one by one, when no cell of an open record is ready, so that only the records in progress are in
memory. A cell becomes ready when the steps that its own step needs have finished its record. A cell that one of these
steps left without an answer comes with the unit that says so, and is not worked on.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterator

from ...agents.base import Cell, Slot
from ...corpus.record import Record
from ...errors import SkippedCell
from ...schema import Unit
from ..plan import Plan
from ..step import Step


class _OpenRecord:
    """A record in progress, in a flow in which some step needs another."""

    def __init__(self, record: Record, planned: list[tuple[Step, Slot, str]]) -> None:
        self.record = record
        self.planned: dict[str, list[tuple[Slot, str]]] = {}
        for step, slot, design in planned:
            self.planned.setdefault(step.name, []).append((slot, design))
        self.units: dict[str, dict[str, Unit]] = {name: {} for name in self.planned}
        """The finished units, by step and design."""
        self.waiting_steps = set(self.planned)

    def cell(self, step: Step, slot: Slot, design: str) -> Cell:
        """A cell, with the answers that it reads in the order of the grid, whichever finished first."""
        inputs: dict[str, list[Unit]] = {}
        single = set()
        for name in step.needs:
            designs = [other for upstream, other in self.planned[name] if step.agent.reads_slot(slot, upstream)]
            units = [self.units[name][other] for other in designs]
            inputs[name] = [unit for unit in units if unit.answers]
            if len(designs) == 1:
                single.add(name)
        return Cell(slot, self.record, design, inputs, frozenset(single))

    def is_finished(self, step_name: str) -> bool:
        """Whether every planned cell of a step has its unit."""
        return len(self.units[step_name]) == len(self.planned[step_name])


class Scheduler:
    """Hands out ready cells, and is told when they are finished.

    Parameters
    ----------
    plan
        The plan.
    on_skip
        Makes the unit of a cell whose input is missing.
    """

    def __init__(self, plan: Plan, on_skip: Callable[[Cell, SkippedCell], Unit]) -> None:
        self._plan = plan
        self._on_skip = on_skip
        self._records: Iterator[tuple[int, Record]] = enumerate(plan.corpus.records)
        self._finished = bytearray()
        self._ready: deque[tuple[Cell, Unit | None]] = deque()
        self._open_records: dict[str, _OpenRecord] = {}
        self._has_needs = any(step.needs for step in plan.steps)
        self._in_flight = 0
        self._all_opened = False
        self._change: asyncio.Event = asyncio.Event()

    @property
    def is_done(self) -> bool:
        """Whether no cell is ready, and no cell in flight could make one ready."""
        return self._all_opened and not self._ready and (not self._has_needs or self._in_flight == 0)

    def next_cell(self) -> tuple[Cell, Unit | None] | None:
        """The next cell, with its unit if it is skipped; None if no cell is ready now."""
        while not self._ready and not self._all_opened:
            item = next(self._records, None)
            if item is None:
                self._all_opened = True
            else:
                self._begin(*item)
        if not self._ready:
            return None
        cell, skipped = self._ready.popleft()
        self._in_flight += skipped is None
        return cell, skipped

    def complete(self, cell: Cell, unit: Unit) -> None:
        """Take the unit of a finished cell; cells that wait for it may become ready."""
        self._in_flight -= 1
        if self._has_needs:
            record = self._open_records[cell.record.record_id]
            record.units[cell.slot.agent.name][cell.design_id] = unit
            self._advance(record)
            self._notify()

    def release(self, cell: Cell) -> None:  # noqa: ARG002  # the counterpart of `complete`
        """Give back a cell that was not worked on: it stays pending, and so do the cells that need it."""
        self._in_flight -= 1
        self._notify()

    async def wait_for_change(self) -> None:
        """Wait until a cell is finished or given back."""
        await self._change.wait()

    def _notify(self) -> None:
        self._change.set()
        self._change = asyncio.Event()

    def leave_out(self, finished: bytearray) -> None:
        """Hand out no cells that are finished: for each cell, in the order of the plan, whether it is."""
        self._finished = finished

    def _begin(self, number: int, record: Record) -> None:
        n_slots = sum(map(len, self._plan.slots.values()))
        finished = self._finished[number * n_slots : (number + 1) * n_slots]
        if finished and all(finished):
            return
        planned = list(self._plan.designs(record))
        if not self._has_needs:
            self._ready.extend(
                (Cell(slot, record, design, {}), None)
                for place, (_, slot, design) in enumerate(planned)
                if not (finished and finished[place])
            )
            return
        self._open_records[record.record_id] = open_record = _OpenRecord(record, planned)
        self._advance(open_record)

    def _advance(self, record: _OpenRecord) -> None:
        """Make the cells ready whose steps wait for nothing more; close a record that is finished."""
        for step in self._plan.steps:  # in the order of needs, so that one pass is enough
            if step.name in record.waiting_steps and all(map(record.is_finished, step.needs)):
                self._open_step(record, step)
        if all(map(record.is_finished, record.planned)):
            self._open_records.pop(record.record.record_id, None)

    def _open_step(self, record: _OpenRecord, step: Step) -> None:
        record.waiting_steps.discard(step.name)
        for slot, design in record.planned[step.name]:
            cell = record.cell(step, slot, design)
            skipped = None
            if missing := step.agent.missing_input(cell):
                reason = f"step `{missing}` has no finished answer for this record, and `{step.name}` needs one."
                skipped = record.units[step.name][design] = self._on_skip(cell, SkippedCell(reason))
            self._ready.append((cell, skipped))
