"""`Runner`: execute a plan. Order: write the plan, make the calls, write the results, return.

It runs on the background loop. It can be stopped twice: the first time, calls in flight get a grace period, because
they are paid for; the second time, they are cancelled. Both times every result is written.
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
from ...store.run_rows import finish_run, write_plan
from ..batch.polling import BatchPending
from ..batch.run_batches import run_batches
from ..plan import Plan
from ..run import Run
from ..run_options import RunOptions
from .scheduler import Scheduler
from .stored_answers import StoredAnswers
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
        What agents get: project, run id, statuses to retry, scope of calls.
    workers
        How many cells are worked on at once.
    options
        The options of `Flow.run`.
    run_row
        The run's row; its manifest is filled in here.
    manifest
        How the run came about: versions, definition, corpus, options.
    """

    def __init__(
        self,
        plan: Plan,
        run: Run,
        context: Context,
        *,
        workers: int,
        options: RunOptions,
        run_row: RunRow,
        manifest: dict[str, Any],
    ) -> None:
        self._plan = plan
        self._run = run
        self._context = context
        self._workers = workers
        self._raise_on_error = options.on_error == "raise"
        self._time_limit_s = options.time_limit_s
        self._batch = options.batch
        self._out_of_time = False
        self._run_row = run_row
        self._manifest = manifest
        self._stop = asyncio.Event()
        self._abort = asyncio.Event()
        self._scheduler = Scheduler(plan, self._skipped_unit)
        self._writer: Writer | None = None
        self._n_finished = 0
        self._is_plan_stored = False
        self._failure: RunError | SetupError | None = None

    def interrupt(self, presses: int = 1) -> None:
        """Stop: after one press gently, after two at once. May be called from any thread."""
        loop = event_loop.background_loop()
        loop.call_soon_threadsafe(self._stop_calls)
        if presses > 1:
            loop.call_soon_threadsafe(self._abort.set)

    def _stop_calls(self) -> None:
        self._context.scope.stop()
        self._stop.set()

    def _fail(self, error: RunError | SetupError) -> None:
        """End the run because of an error: no new calls; calls in flight may finish, because they are paid for."""
        self._failure = self._failure or error
        self._stop_calls()

    async def run(self) -> Run:
        """Run to the end, or to where it is stopped."""
        with gc_pause.paused_gc():
            return await self._execute()

    async def _execute(self) -> Run:
        status = "failed"
        try:
            self._context.project.cache.open()  # in this thread, which reads it
            await asyncio.to_thread(self._write_plan)
            if self._batch and (stop_status := await self._run_batches()):
                status = stop_status
                return self._run
            await self._copy_stored_answers()
            self._writer = Writer(self._context.project.store)
            end_status = "failed"
            try:
                end_status = await self._run_cells(self._writer)
            finally:
                await self._writer.close()
            status = end_status  # every row is on disk
        finally:
            self._run.status = status
            await self._close(status)
        return self._run

    async def _close(self, status: str) -> None:
        """Store the final status and publish it; publish even if storing fails."""
        event = self._event(StatusEvent, payload=self._run_state(status))
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
        if n_rows := self._context.project.store.spooled():
            self._run.remarks += (
                f"{n_rows:,} rows wait in a file beside the database, because another process has it open; the next "
                "read or write adds them.",
            )

    async def _copy_stored_answers(self) -> None:
        """Copy the answers that an earlier run has."""
        answers = StoredAnswers(self._plan, self._context)
        if self._is_plan_stored and answers.is_possible:
            began = time.monotonic()
            self._n_finished += await answers.copy_all(self._stop.is_set, self._time_limit_s)
            self._scheduler.leave_out(answers.copied)
            if self._time_limit_s is not None:  # what remains of it for the other cells
                self._time_limit_s = max(0.001, self._time_limit_s - (time.monotonic() - began))

    async def _run_batches(self) -> str | None:
        """Let providers' batches answer what they can; the run's status if they have not finished."""
        began = time.monotonic()
        try:
            self._run.remarks += await run_batches(
                self._plan, self._context, stop=self._stop, abort=self._abort, time_limit_s=self._time_limit_s
            )
        except BudgetReached as error:
            self._run.stopped_by = str(error)
            return "over budget"
        except BatchPending as error:
            self._run.stopped_by = str(error)
            return "interrupted" if self._stop.is_set() else "out of time"
        if self._time_limit_s is not None:  # what remains of it for the cells
            self._time_limit_s = max(0.001, self._time_limit_s - (time.monotonic() - began))
        return None

    def _manifest_json(self) -> str:
        """The manifest, with what is known of each model: more of those that were called."""
        identified = self._context.scope.model_info
        models = {model.name: identified.get(model.name) or model.info() for model in self._plan.models}
        return canonical({**self._manifest, "models": models})

    def _write_plan(self) -> None:
        """Write the run, its records, its texts and every planned cell, before the first call."""
        store, run_id = self._context.project.store, self._context.run_id
        event = self._event(StatusEvent, payload=self._run_state("running"))
        run_row = self._run_row.model_copy(update={"manifest": self._manifest_json()})
        result = write_plan(
            store,
            run_row,
            event.as_row(),
            cells=self._plan.rows(run_id),
            records=self._plan.corpus.records,
            texts=self._plan.texts(),
        )
        self._is_plan_stored = not result.is_spooled
        if result.forgotten_remark:
            self._run.remarks += (result.forgotten_remark,)
        self._context.project.bus.publish(event)

    def _run_state(self, state: str) -> dict[str, object]:
        return {"state": state, "run_id": self._context.run_id, "cells": self._run.planned, "flow": self._run.flow}

    async def _run_cells(self, writer: Writer) -> str:
        """Run every cell, and return the run's final status."""

        async def run_cell(cell: Cell, skipped: Unit | None) -> None:
            await self._run_cell(writer, cell, skipped)

        n_workers = max(1, min(self._workers, self._run.planned))
        loop = asyncio.get_running_loop()
        cells = loop.create_task(run_workers(self._scheduler, run_cell, workers=n_workers, stopping=self._stop.is_set))
        stop, abort = loop.create_task(self._stop.wait()), loop.create_task(self._abort.wait())
        try:
            await asyncio.wait({cells, stop}, timeout=self._time_limit_s, return_when=asyncio.FIRST_COMPLETED)
            if not cells.done():
                self._out_of_time = not self._stop.is_set()
                self._stop.set()
                grace_s = self._context.project.settings.grace_s
                await asyncio.wait({cells, abort}, timeout=grace_s, return_when=asyncio.FIRST_COMPLETED)
            if not cells.done():
                cells.cancel()
            await asyncio.gather(cells, return_exceptions=True)
            if not cells.cancelled() and (error := cells.exception()):
                raise error
            if self._failure is not None:
                raise self._failure
        finally:
            stop.cancel()
            abort.cancel()
        return self._end_status()

    def _end_status(self) -> str:
        if self._n_finished == self._run.planned:
            return "finished"
        if self._out_of_time:
            return "out of time"
        if self._stop.is_set():
            return "interrupted"
        return "over budget" if self._run.stopped_by else "failed"

    async def _run_cell(self, writer: Writer, cell: Cell, skipped: Unit | None) -> None:
        """Run one cell and write its unit; of a skipped cell, write the unit that says why."""
        unit = skipped or await self._answer(writer, cell)
        if unit is None:
            self._scheduler.release(cell)
            return
        await writer.put(unit)
        self._n_finished += 1
        if skipped is None:
            self._scheduler.complete(cell, unit)
        self._publish_result(writer, cell, unit)
        if self._raise_on_error and unit.trace.status in _FAILED:
            self._fail(
                RunError(f"record `{cell.record.record_id}`, step `{cell.slot.agent.name}`: {unit.trace.error_message}")
            )

    async def _answer(self, writer: Writer, cell: Cell) -> Unit | None:
        """The unit of a cell; None if the cell stays pending. Completed calls of a stopped cell keep their rows."""
        context = self._context._replace(completed_calls=[])
        try:
            return await cell.slot.agent.run(cell, context)
        except SkippedCell as error:
            return failed_unit(cell, context, "skipped", error)
        except (CacheMiss, ConsentError, RunStopped) as error:
            if context.completed_calls:
                writer.put_now(failed_unit(cell, context, "cancelled", error))
            if isinstance(error, BudgetReached):
                self._run.stopped_by = self._run.stopped_by or str(error)
            elif not isinstance(error, RunStopped):
                self._fail(error)  # the user has to decide, so the run ends with it
            return None
        except SetupError as error:  # such as a field that only this record lacks: it costs this answer, not the study
            return failed_unit(cell, context, "error", error)
        except asyncio.CancelledError as error:
            writer.put_now(failed_unit(cell, context, "cancelled", error))
            raise

    def _skipped_unit(self, cell: Cell, reason: SkippedCell) -> Unit:
        return failed_unit(cell, self._context, "skipped", reason)

    def _publish_result(self, writer: Writer, cell: Cell, unit: Unit) -> None:
        trace = unit.trace
        cached, cost_usd, n_unknown_costs = bool(unit.calls), 0.0, 0
        for call in unit.calls:
            cached = cached and call.cached
            cost_usd += call.cost_usd or 0.0
            n_unknown_costs += call.has_unknown_cost
        payload: dict[str, object] = {
            "run_id": trace.run_id,
            "status": trace.status,
            "cached": cached,
            "model": trace.model,
            "cost_usd": cost_usd,
            "n_unknown_costs": n_unknown_costs,
        }
        if trace.status in _FAILED:
            self._publish(writer, self._event(ErrorEvent, cell, unit, {**payload, "message": trace.error_message}))
        self._publish(writer, self._event(ResultEvent, cell, unit, payload))

    def _publish(self, writer: Writer, event: Event) -> None:
        self._context.project.bus.publish(event)
        if event.is_stored:
            writer.put_event(event.as_row())

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
