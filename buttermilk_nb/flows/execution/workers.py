"""Run cells on the background loop: several workers, each takes the next ready cell.

A cell whose answer is cached never really waits, so each worker hands control back to the loop every few milliseconds;
otherwise a cached run would block progress and Ctrl-C.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

from ...agents.base import Cell
from ...schema import Unit
from .scheduler import Scheduler

_SLICE_S = 0.01


async def run_workers(
    scheduler: Scheduler,
    run_cell: Callable[[Cell, Unit | None], Awaitable[None]],
    *,
    workers: int,
    stopping: Callable[[], bool],
) -> None:
    """Run cells until none is left or `stopping()` is true. The first exception ends all workers."""

    async def work() -> None:
        slice_began = time.perf_counter()
        while not stopping():
            item = scheduler.next_cell()
            if item is None:
                if scheduler.is_done:
                    return
                await scheduler.wait_for_change()
                continue
            await run_cell(*item)
            if time.perf_counter() - slice_began > _SLICE_S:
                await asyncio.sleep(0)
                slice_began = time.perf_counter()

    tasks = [asyncio.create_task(work()) for _ in range(workers)]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
