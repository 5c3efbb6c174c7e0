"""The runner: what walks a plan. Plan on disk first, then calls, then every row on disk, then the answer.

It runs on the background loop. Stopping comes in two strengths: the first gives the calls in flight a
grace period, because they are paid for; the second cuts them off. Both flush.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any

from ..._internal import event_loop, gc_pause
from ..._internal.ids import canonical
from ...agents.base import Cell, Context
from ...agents.units import failed_unit
from ...errors import BudgetReached, CacheMiss, ConsentError, RunError, RunStopped, SetupError, SkippedCell
from ...events.event import ErrorEvent, Event, ResultEvent, StatusEvent
from ...schema import RunRow, Unit
from ...store import Writer
from ...store.run_rows import finish_run, write_plan, write_records
from ..batch.polling import BatchPending
from ..batch.run_batches import fill
from ..plan import Plan
from ..run import Run
from ..run_options import RunOptions
from .scheduler import Scheduler
from .workers import run_workers

_FAILED = frozenset({"error", "timeout"})


class Runner:
    """One execution of a plan.

    Parameters
    ----------
    plan
        The checked plan.
    run
        The handle that the user gets.
    context
        What agents are lent.
    """

    def __init__(
        self,
        plan: Plan,
        run: Run,
        context: Context,
        *,
        workers: int,
        options: RunOptions,
        about: RunRow,
        manifest: dict[str, Any],
    ) -> None:
        self._plan = plan
        self._run = run
        self._context = context
        self._workers = workers
        self._raise = options.on_error == "raise"
        self._time_limit_s = options.time_limit_s
        self._batch = options.batch
        self._out_of_time = False
        self._about = about
        self._manifest = manifest
        self._stop = asyncio.Event()
        self._abort = asyncio.Event()
        self._writer: Writer | None = None
        self._scheduler: Scheduler | None = None
        self._finished_cells = 0
        self._failure: RunError | SetupError | None = None

    def interrupt(self, presses: int = 1) -> None:
        """Stop: once gently, twice at once. May be called from any thread."""
        loop = event_loop.background_loop()
        loop.call_soon_threadsafe(self._stop_calls)
        if presses > 1:
            loop.call_soon_threadsafe(self._abort.set)

    def _stop_calls(self) -> None:
        self._context.scope.stop()
        self._stop.set()

    def _fail(self, error: RunError | SetupError) -> None:
        """End the run because of this: no new calls, and those in flight have their time, because they are paid for."""
        self._failure = self._failure or error
        self._stop_calls()

    async def run(self) -> Run:
        """Run to the end, or to where it was stopped."""
        with gc_pause.paused_gc():
            return await self._execute()

    async def _execute(self) -> Run:
        status = "failed"
        try:
            self._context.project.cache.open()  # in this thread, which reads it
            await asyncio.to_thread(self._write_plan)
            if self._batch and (stopped := await self._fill()):
                status = stopped
                return self._run
            self._writer = Writer(self._context.project.store)
            self._scheduler = Scheduler(self._plan)
            self._scheduler.on_skip = lambda cell, why: failed_unit(cell, self._context, "skipped", why)
            ended = "failed"
            try:
                ended = await self._walk(self._scheduler)
            finally:
                await self._writer.close()
            status = ended  # every row is on disk
        finally:
            self._run.status = status
            await self._close(status)
        return self._run

    async def _close(self, status: str) -> None:
        """Write how it ended, and tell; told also where it cannot be written."""
        event = self._event(StatusEvent, payload=self._state(status))
        try:
            await asyncio.to_thread(
                finish_run,
                self._context.project.store,
                self._context.run_id,
                status,
                event.as_row(),
                self._manifest_json() if self._context.scope.model_info else None,
            )
        finally:
            self._context.project.bus.publish(event)
        if spooled := self._context.project.store.spooled():
            self._run.remarks += (
                f"{spooled:,} rows wait beside the file, because another process holds it; they are merged by whatever "
                "reads or writes it next.",
            )

    async def _fill(self) -> str | None:
        """Let providers' batches answer what they can; how the run ended where they have not finished."""
        began = time.monotonic()
        try:
            self._run.remarks += await fill(
                self._plan, self._context, stop=self._stop, abort=self._abort, time_limit_s=self._time_limit_s
            )
        except BudgetReached as error:
            self._run.stopped_by = str(error)
            return "over budget"
        except BatchPending as error:
            self._run.stopped_by = str(error)
            return "interrupted" if self._stop.is_set() else "out of time"
        if self._time_limit_s is not None:  # what is left of it for the walk
            self._time_limit_s = max(0.001, self._time_limit_s - (time.monotonic() - began))
        return None

    def _manifest_json(self) -> str:
        """The manifest, with what is known of each model: more of those that were called."""
        met = self._context.scope.model_info
        models = {model.name: met.get(model.name) or model.info() for model in self._plan.models}
        return canonical({**self._manifest, "models": models})

    def _write_plan(self) -> None:
        """The run, its records, its texts and every planned cell, before the first call."""
        store, run_id = self._context.project.store, self._context.run_id
        event = self._event(StatusEvent, payload=self._state("running"))
        write_records(store, self._plan.corpus.records)
        about = self._about.model_copy(update={"manifest": self._manifest_json()})
        write_plan(store, about, self._plan.texts(), self._plan.rows(run_id), event.as_row())
        self._context.project.bus.publish(event)

    def _state(self, state: str) -> dict[str, object]:
        return {"state": state, "run_id": self._context.run_id, "cells": self._run.planned, "flow": self._run.flow}

    async def _walk(self, frontier: Scheduler) -> str:
        loop = asyncio.get_running_loop()
        work = loop.create_task(
            run_workers(frontier, self._run_cell, workers=self._workers, stopping=self._stop.is_set)
        )
        stop, abort = loop.create_task(self._stop.wait()), loop.create_task(self._abort.wait())
        try:
            await asyncio.wait({work, stop}, timeout=self._time_limit_s, return_when=asyncio.FIRST_COMPLETED)
            if not work.done():
                self._out_of_time = not self._stop.is_set()
                self._stop.set()
                grace = self._context.project.settings.grace_s
                await asyncio.wait({work, abort}, timeout=grace, return_when=asyncio.FIRST_COMPLETED)
            if not work.done():
                work.cancel()
            await asyncio.gather(work, return_exceptions=True)
            if not work.cancelled() and (error := work.exception()):
                raise error
            if self._failure is not None:
                raise self._failure
        finally:
            stop.cancel()
            abort.cancel()
        if self._finished_cells == self._run.planned:
            return "finished"
        if self._out_of_time:
            return "out of time"
        if self._stop.is_set():
            return "interrupted"
        return "over budget" if self._run.stopped_by else "failed"

    async def _run_cell(self, cell: Cell) -> None:
        writer, frontier = self._writer, self._scheduler
        assert writer is not None
        assert frontier is not None
        context = self._context._replace(completed_calls=[])
        try:
            unit = await cell.slot.agent.run(cell, context)
        except SkippedCell as error:
            unit = failed_unit(cell, context, "skipped", error)
        except (CacheMiss, ConsentError) as error:
            if context.completed_calls:  # what was paid for has its rows
                writer.put_now(failed_unit(cell, context, "cancelled", error))
            self._fail(error)  # the user asked to hear of it
            frontier.release(cell)
            return
        except RunStopped as error:
            if isinstance(error, BudgetReached):
                self._run.stopped_by = self._run.stopped_by or str(error)
            if context.completed_calls:
                writer.put_now(failed_unit(cell, context, "cancelled", error))
            frontier.release(cell)
            return
        except SetupError as error:  # a field that only this record lacks: it costs this cell, not the study
            unit = failed_unit(cell, context, "error", error)
        except asyncio.CancelledError as error:
            writer.put_now(failed_unit(cell, context, "cancelled", error))
            raise
        await writer.put(unit)
        self._finished_cells += 1
        frontier.complete(cell, unit)
        self._publish_result(cell, unit)
        while frontier.skipped:
            skipped_cell, skipped = frontier.skipped.popleft()
            await writer.put(skipped)
            self._finished_cells += 1
            self._publish_result(skipped_cell, skipped)
        if self._raise and unit.trace.status in _FAILED:
            self._fail(
                RunError(f"record `{cell.record.record_id}`, step `{cell.slot.agent.name}`: {unit.trace.error_message}")
            )

    def _publish_result(self, cell: Cell, unit: Unit) -> None:
        trace = unit.trace
        cached = bool(unit.calls) and all(call.cached for call in unit.calls)
        payload = {
            "run_id": trace.run_id,
            "status": trace.status,
            "cached": cached,
            "model": trace.model,
            "cost_usd": sum(call.cost_usd or 0.0 for call in unit.calls),
        }
        if trace.status in _FAILED:
            self._publish(ErrorEvent, cell, unit, {**payload, "message": trace.error_message})
        self._publish(ResultEvent, cell, unit, payload)

    def _publish(self, kind: type[Event], cell: Cell, unit: Unit, payload: dict[str, object]) -> None:
        event = self._event(kind, cell, unit, payload)
        self._context.project.bus.publish(event)
        if kind.is_stored and self._writer is not None:
            self._writer.put_event(event.as_row())

    def _event(
        self,
        kind: type[Event],
        cell: Cell | None = None,
        unit: Unit | None = None,
        payload: dict[str, object] | None = None,
    ) -> Event:
        run_id = self._context.run_id
        return kind(
            transaction_id=f"{run_id}/{cell.record.record_id}" if cell else run_id,
            correlation_id=unit.trace.trace_id if unit else None,
            source=cell.slot.agent.name if cell else "runner",
            payload=payload or {},
        )
