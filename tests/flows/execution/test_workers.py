"""Workers hand control back to the loop, so that progress and Ctrl-C come through although no cell ever waits."""

from __future__ import annotations

import asyncio
import itertools

import pytest

from buttermilk_nb.flows.execution import workers
from buttermilk_nb.flows.execution.workers import run_workers

CELLS, WORKERS = 200, 4


class _Cells:
    """A scheduler with that many cells, all ready."""

    def __init__(self, n):
        self.left = n
        self.is_done = False

    def next_cell(self):
        if not self.left:
            self.is_done = True
            return None
        self.left -= 1
        return self.left, None


def turns(monkeypatch, slice_s):
    """What happened in which order, `cell` or `other`, if each look at the clock takes `slice_s` seconds."""
    clock = itertools.count()
    monkeypatch.setattr(workers.time, "perf_counter", lambda: next(clock) * slice_s)
    order = []

    async def run_cell(cell, skipped):
        order.append("cell")

    async def other():
        while True:
            order.append("other")
            await asyncio.sleep(0)

    async def both():
        others = asyncio.create_task(other())
        await run_workers(_Cells(CELLS), run_cell, workers=WORKERS, stopping=lambda: False)
        others.cancel()

    asyncio.run(both())
    return order


def longest_run(order):
    return max(len(list(group)) for kind, group in itertools.groupby(order) if kind == "cell")


@pytest.mark.parametrize(("cells_per_slice", "at_most"), [(1, WORKERS), (5, 6 * WORKERS)])
def test_no_more_cells_than_a_slice_holds_run_before_others_have_a_turn(monkeypatch, cells_per_slice, at_most):
    order = turns(monkeypatch, workers._SLICE_S * 1.01 / cells_per_slice)
    assert order.count("cell") == CELLS
    assert longest_run(order) <= at_most


def test_without_the_slice_the_others_would_have_no_turn(monkeypatch):
    assert longest_run(turns(monkeypatch, 0.0)) == CELLS
