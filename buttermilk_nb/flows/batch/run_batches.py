"""`flow.run(corpus, batch=True)`: a batch is a way to fill the cache, half as dear and much slower.

Before the cells are worked on, their requests are handed in at the providers' batch APIs, waited for and put into the
cache; then the run goes its ordinary way, and finds them there. So everything else is as without a batch: the rows,
the statuses, what is asked once more because it could not be read. Only requests that are known from the start can
go: those of steps that need no other, put to models whose provider has a batch API. All others are asked directly.

A run may be stopped while it waits, or killed: the batches stay at the provider, table `batches` knows them by the
cache keys of their requests, and the same cell run again collects them and submits nothing twice.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable

from ...agents.base import Cell, Context
from ...config.settings import CacheMode
from ...errors import BudgetReached, ModelError, RunStopped, SetupError, SkippedCell
from ...llm.batch.api import BatchNotFound
from ...llm.batch.providers import BATCH_PRICE, api_of, open_api
from ...llm.batch.recording_model import RecordingModel
from ...llm.model import Model, Request
from ...llm.providers.litellm import LitellmModel
from ...store import batch_jobs
from ...store.batch_jobs import Submission
from ..plan import Plan
from ..step import Step
from .batch import Channel, ProviderBatch, WantedRequest, project_lock
from .collect import Collector
from .polling import BatchPending, Polling
from .submit import Submitter


def check_mode(mode: CacheMode) -> None:
    """Whether batches can be used with this mode of the cache.

    Raises
    ------
    SetupError
        What they bring would not be read.

    Examples
    --------
    >>> check_mode("use")
    """
    if mode in ("refresh", "off"):
        raise SetupError(
            f'batch=True puts answers into the cache, and cache="{mode}" does not read them there: write cache="use", '
            "or leave batch out."
        )


async def run_batches(
    plan: Plan, context: Context, *, stop: asyncio.Event, abort: asyncio.Event, time_limit_s: float | None = None
) -> tuple[str, ...]:
    """Let providers' batches answer what is new, as far as they can.

    Parameters
    ----------
    plan
        The checked plan; it is written to the Store already.
    context
        The run's side: project, budget, mode of the cache.
    stop
        Set where the run is to stop.
    abort
        Set where it is to stop at once.
    time_limit_s
        Seconds that it may take.

    Returns
    -------
    tuple of str
        Remarks on what a reader should know: what was asked directly, and why.

    Raises
    ------
    BatchWaits
        It was stopped, or out of time; the batches are at the provider.
    BudgetReached, ConsentError
        Nothing was submitted.
    RunStopped
        A provider refuses a batch, or cannot be asked about it.
    """
    check_mode(context.scope.mode)
    if context.scope.mode == "only":
        return ()
    batches = _BatchRun(plan, context, Polling(context.project.settings, stop, time_limit_s))
    work = asyncio.ensure_future(batches.run())
    aborted, stopped = asyncio.ensure_future(abort.wait()), asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait({work, aborted, stopped}, return_when=asyncio.FIRST_COMPLETED)
        if not work.done() and not aborted.done():  # what is being sent gets the time that calls get
            grace = context.project.settings.grace_s
            await asyncio.wait({work, aborted}, timeout=grace, return_when=asyncio.FIRST_COMPLETED)
        if not work.done():
            raise BatchPending(batches.collector.stop_message())
        return work.result()
    finally:
        work.cancel()
        aborted.cancel()
        stopped.cancel()
        await asyncio.gather(work, aborted, stopped, return_exceptions=True)
        await batches.close()


class _BatchRun:
    """One filling of the cache."""

    def __init__(self, plan: Plan, context: Context, polling: Polling) -> None:
        self._plan = plan
        self._context = context
        self._project = context.project
        self._client = context.project.client
        self._polling = polling
        self._requests: dict[str, WantedRequest] = {}
        self._cached_requests: dict[str, WantedRequest] = {}
        self._channels: dict[str, Channel] = {}
        self._remarks: dict[str, None] = {}
        self.collector = Collector(context, polling, self._requests)
        self._submitter = Submitter(context, polling, self._requests)
        polling.stop_message = self.collector.stop_message

    async def run(self) -> tuple[str, ...]:
        """Look through the plan, take over what was submitted before, submit the rest, collect."""
        try:
            async with project_lock(self._client, "submitting"):
                await self._list_requests()
                new_keys = await self._resume_batches()
                await self._submit(new_keys)
            await self.collector.wait()
        finally:
            for batch in self.collector.open_batches.values():
                self.collector.settle_cost(batch)
        return tuple(dict.fromkeys([*self._remarks, *self._submitter.remarks, *self.collector.remarks]))

    async def close(self) -> None:
        """Close connections."""
        for channel in self._channels.values():
            await channel.api.close()
            await channel.recorder.close()

    # --- what is wanted ----------------------------------------------------------------------------

    async def _list_requests(self) -> None:
        """Every request that a batch may answer: in the cache already, or wanted."""
        self._project.cache.open()
        for record in self._plan.corpus.records:
            for step, slot, design in self._plan.designs(record):
                if slot.model is not None and self._can_batch(step, slot.model):
                    self._add_requests(Cell(slot, record, design, {}))
            await self._polling.yield_to_loop()

    def _can_batch(self, step: Step, model: Model) -> bool:
        """Whether requests of this step to this model can go in a batch."""
        if api_of(model) is None:
            if not model.in_process:
                self._remarks[f"`{model.name}` has no batch API here; it is asked directly."] = None
            return False
        if step.needs:
            self._remarks[f"step `{step.name}` needs other steps, so `{model.name}` is asked directly there."] = None
        return not step.needs

    def _add_requests(self, cell: Cell) -> None:
        try:
            planned = list(cell.slot.agent.planned_requests(cell))
        except SetupError:
            return  # a field that this record lacks; the cell says so when it is worked on
        for position, planned_request in enumerate(planned):
            key = planned_request.request.key
            if key in self._requests or key in self._cached_requests:
                continue
            if key in self._project.cache:
                self._cached_requests[key] = WantedRequest(cell, position, 0.0)
            elif self._may_send(planned_request.request):
                sender = self._client.sender
                cost = (
                    sender.max_cost(planned_request.request) * BATCH_PRICE
                    if planned_request.request.model.remote
                    else 0.0
                )
                self._requests[key] = WantedRequest(cell, position, cost)

    def _may_send(self, request: Request) -> bool:
        try:
            self._client.consent.clear(request)
        except SkippedCell:  # this record stays; its cell says so
            return False
        return True

    # --- what was submitted before -------------------------------------------------------------------

    async def _resume_batches(self) -> list[str]:
        """Wait for what was submitted before, and pay for what was collected and never paid; what is left is new."""
        store = self._project.store
        keys = [*self._requests, *self._cached_requests]
        rows = await asyncio.to_thread(batch_jobs.newest, store, keys)
        unpaid = await asyncio.to_thread(batch_jobs.unpaid, store, keys)
        for key in unpaid & self._cached_requests.keys():
            if (answer := self._client.cached(self._cached_requests[key].request)) is not None:
                self._client.batch_answers[key] = answer
        await asyncio.to_thread(batch_jobs.close, store, self._cached_requests)
        rows_by_batch: dict[str, list[Submission]] = {}
        for key, row in rows.items():
            if key in self._requests and row.state in ("sending", "submitted", "collected"):
                rows_by_batch.setdefault(row.batch_id, []).append(row)
        for batch_rows in rows_by_batch.values():
            await self._resume_batch(batch_rows)
        self.collector.paid_keys |= {key for key, row in rows.items() if row.state == "collected" and key not in unpaid}
        batch_keys = {key for batch in self.collector.open_batches.values() for key in batch.keys}
        return [key for key in self._requests if key not in batch_keys]

    async def _resume_batch(self, rows: list[Submission]) -> None:
        """Wait for a batch that was submitted before, if its provider still has it."""
        model = self._requests[rows[0].cache_key].cell.slot.model
        assert model is not None
        channel = await self._channel(model)
        batch_id: str | None = rows[0].batch_id
        if rows[0].state == "sending":
            batch_id = await self._submitter.find(channel, rows[0].batch_id)
        if batch_id is None:
            return
        batch = ProviderBatch(batch_id, channel, {row.cache_key for row in rows})
        try:
            batch.status = await self._polling.retry(lambda: channel.api.poll(batch.batch_id))
        except BatchNotFound:
            gone_rows = channel.submission_rows(batch.keys, batch_id, "gone")
            await asyncio.to_thread(batch_jobs.write, self._project.store, gone_rows)
        except ModelError as error:
            raise RunStopped(f"{error} A batch is there; run the same cell again later to collect it.") from error
        else:
            self.collector.open_batches[batch_id] = batch

    # --- what is new ---------------------------------------------------------------------------------

    async def _submit(self, keys: list[str]) -> None:
        """Set the money aside, then hand everything in."""
        by_model: dict[str, list[str]] = {}
        for key in keys:
            model = self._requests[key].cell.slot.model
            assert model is not None
            by_model.setdefault(model.name, []).append(key)
        reserved_usd = await self._reserve_cost(keys)
        try:
            for name, model_keys in by_model.items():
                channel = await self._channel(self._project.model(name))
                async with contextlib.aclosing(self._submitter.submit(channel, model_keys)) as batches:
                    async for batch in batches:
                        reserved_usd -= batch.reserved_usd
                        self.collector.open_batches[batch.batch_id] = batch
        finally:
            self._context.scope.budget.settle(reserved_usd, 0.0)

    async def _reserve_cost(self, keys: Iterable[str]) -> float:
        """Set aside what new batches may cost; nothing of them is submitted where that is too much."""
        cost_usd = sum(self._requests[key].cost_usd for key in keys)
        if not cost_usd:
            return 0.0
        open_usd = await asyncio.to_thread(batch_jobs.open_usd, self._project.store)
        limit = await asyncio.to_thread(self._project.spending_limit)
        if limit.exceeds(cost_usd + open_usd):
            raise BudgetReached(
                f"batches that may cost ${cost_usd:,.4f} at most would be submitted, others that may cost ${open_usd:,.4f} "
                f"are at the provider, and ${limit.spent_usd:,.4f} of {limit.label} (${limit.limit_usd:,.2f}) is "
                f"spent. {limit.hint}"
            )
        try:
            await self._context.scope.budget.reserve(cost_usd)
        except BudgetReached as error:
            raise BudgetReached(f"all batches together, of which none was submitted: {error}") from None
        return cost_usd

    async def _channel(self, model: Model) -> Channel:
        if model.name not in self._channels:
            assert isinstance(model, LitellmModel)
            timeout_s = model.settings.timeout_s or self._project.settings.timeout_s
            api = await asyncio.to_thread(lambda: open_api(model, timeout_s=timeout_s))
            self._channels[model.name] = Channel(model, api, RecordingModel(model, api.path))
        return self._channels[model.name]
