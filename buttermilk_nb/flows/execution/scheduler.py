"""The cells that may be worked on now.

Records are opened one by one, when a worker has nothing else to do, so that only the records in flight
are in memory. A cell becomes ready when the steps that its own step needs have finished its record.
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
    """A record in flight, where some step needs another."""

    def __init__(self, record: Record, planned: list[tuple[Step, Slot, str]]) -> None:
        self.record = record
        self.planned: dict[str, list[tuple[Slot, str]]] = {}
        for step, slot, design in planned:
            self.planned.setdefault(step.name, []).append((slot, design))
        self.units: dict[str, dict[str, Unit]] = {name: {} for name in self.planned}
        """What has finished, by step and design."""
        self.waiting = set(self.planned)

    def cell(self, step: Step, slot: Slot, design: str) -> Cell:
        """A cell, with the answers that it reads in the order of the grid, whichever came first."""
        inputs: dict[str, list[Unit]] = {}
        single = set()
        for name in step.needs:
            taken = [other for theirs, other in self.planned[name] if step.agent.reads_slot(slot, theirs)]
            found = [self.units[name][other] for other in taken]
            inputs[name] = [unit for unit in found if unit.answers]
            if len(taken) == 1:
                single.add(name)
        return Cell(slot, self.record, design, inputs, frozenset(single))


class Scheduler:
    """Hands out cells, and learns of finished ones.

    Parameters
    ----------
    plan
        The plan.
    """

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._records: Iterator[Record] = iter(plan.corpus.records)
        self._ready: deque[Cell] = deque()
        self._open: dict[str, _OpenRecord] = {}
        self._graph = any(step.needs for step in plan.steps)
        self._in_flight = 0
        self._drained = False
        self._moved: asyncio.Event = asyncio.Event()
        self.on_skip: Callable[[Cell, SkippedCell], Unit] | None = None
        self.skipped: deque[tuple[Cell, Unit]] = deque()

    @property
    def is_done(self) -> bool:
        """Nothing is ready, nothing is left, and nothing in flight could make something ready."""
        return self._drained and not self._ready and (not self._graph or self._in_flight == 0)

    def next_cell(self) -> Cell | None:
        """The next cell, or None where one may come later or none at all."""
        while not self._ready and not self._drained:
            record = next(self._records, None)
            if record is None:
                self._drained = True
            else:
                self._begin(record)
        if not self._ready:
            return None
        self._in_flight += 1
        return self._ready.popleft()

    def complete(self, cell: Cell, unit: Unit) -> None:
        """A cell is done; what waited for it may be ready now."""
        self._in_flight -= 1
        if self._graph:
            self._advance(cell, unit)
            self._moved.set()
            self._moved = asyncio.Event()

    def release(self, cell: Cell) -> None:  # noqa: ARG002  # told like `finished`
        """A cell was not worked on, and stays pending; so does what waits for it."""
        self._in_flight -= 1
        self._moved.set()
        self._moved = asyncio.Event()

    async def wait_for_change(self) -> None:
        """Wait until a cell has finished."""
        await self._moved.wait()

    def _begin(self, record: Record) -> None:
        planned = list(self._plan.designs(record))
        if not self._graph:
            self._ready.extend(Cell(slot, record, design, {}) for _, slot, design in planned)
            return
        self._open[record.record_id] = state = _OpenRecord(record, planned)
        for step in self._plan.steps:
            if not step.needs:
                self._release(state, step)

    def _release(self, state: _OpenRecord, step: Step) -> None:
        state.waiting.discard(step.name)
        left_out = False
        for slot, design in state.planned[step.name]:
            cell = state.cell(step, slot, design)
            empty = step.agent.missing_input(cell)
            if empty is None or self.on_skip is None:
                self._ready.append(cell)
                continue
            why = SkippedCell(f"step `{empty}` has no finished answer for this record, and `{step.name}` needs one.")
            unit = self.on_skip(cell, why)
            self.skipped.append((cell, unit))
            state.units[step.name][design] = unit
            left_out = True
        if left_out:
            self._open_next(state)

    def _advance(self, cell: Cell, unit: Unit) -> None:
        state = self._open[cell.record.record_id]
        state.units[cell.slot.agent.name][cell.design_id] = unit
        self._open_next(state)

    def _open_next(self, state: _OpenRecord) -> None:
        for step in self._plan.steps:
            complete = all(len(state.units[name]) == len(state.planned[name]) for name in step.needs)
            if step.name in state.waiting and complete:
                self._release(state, step)
        if all(len(units) == len(state.planned[name]) for name, units in state.units.items()):
            self._open.pop(state.record.record_id, None)
