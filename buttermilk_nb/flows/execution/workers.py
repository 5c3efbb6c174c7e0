"""The local executor: a number of workers on the background loop, each taking the next ready cell.

A cell that is answered from the cache never really waits, so each worker hands the loop back every few
milliseconds; otherwise a cached run would block progress and Ctrl-C.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

from ...agents.base import Cell
from .scheduler import Scheduler

_SLICE_S = 0.01


async def run_workers(
    frontier: Scheduler, work: Callable[[Cell], Awaitable[None]], *, workers: int, stopping: Callable[[], bool]
) -> None:
    """Work until the frontier is exhausted or `stopping()` says so. The first exception ends all workers."""

    async def worker() -> None:
        turn = time.perf_counter()
        while not stopping():
            cell = frontier.next_cell()
            if cell is None:
                if frontier.is_done:
                    return
                await frontier.wait_for_change()
                continue
            await work(cell)
            if time.perf_counter() - turn > _SLICE_S:
                await asyncio.sleep(0)
                turn = time.perf_counter()

    tasks = [asyncio.create_task(worker()) for _ in range(workers)]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
