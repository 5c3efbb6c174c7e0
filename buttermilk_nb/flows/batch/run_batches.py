"""`run_batches`: fills the cache with answers from batch APIs, at half the price, before a run.

`flow.run(corpus, batch=True)` first submits the requests of its cells to the batch APIs of providers, waits, and puts
the answers into the cache. Then the run continues as usual, and finds the answers there. So everything else is the
same as without a batch: rows, statuses, and second requests for answers that cannot be parsed. Only requests that are
known at the start can be sent in a batch: those of steps that need no other steps, to models with a batch API. All
others are sent directly.

If the run is stopped or killed while it waits, the batches stay at the provider. Table `batches` records the cache
keys of their requests, so running the same notebook cell again collects them, and submits nothing twice.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable

from ...agents.base import Cell, Context
from ...config.settings import CacheMode
from ...errors import BudgetReached, ModelError, RunStopped, SetupError, SkippedCell
from ...llm.batch.api import BatchNotFound
from ...llm.batch.providers import BATCH_PRICE, batch_api, open_batch_api
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
    """Check that batches can be used with a cache mode.

    Raises
    ------
    SetupError
        The run would not read the answers from the cache.

    Examples
    --------
    >>> check_mode("use")
    """
    if mode in ("refresh", "off"):
        raise SetupError(
            f'batch=True puts answers into the cache, and cache="{mode}" does not read them: write cache="use", or '
            "leave out batch."
        )


async def run_batches(
    plan: Plan, context: Context, *, stop: asyncio.Event, abort: asyncio.Event, time_limit_s: float | None = None
) -> tuple[str, ...]:
    """Send the new requests of a plan in batches, and put their answers into the cache.

    Parameters
    ----------
    plan
        The checked plan, which is already in the Store.
    context
        The project and the scope of the run, with its budget and cache mode.
    stop
        An event that is set when the run must stop.
    abort
        An event that is set when the run must stop at once.
    time_limit_s
        The time limit in seconds; by default there is no limit.

    Returns
    -------
    tuple of str
        Remarks for the user: which requests are sent directly, and why.

    Raises
    ------
    BatchPending
        The run was stopped, or reached its time limit; the batches are at the provider.
    BudgetReached, ConsentError
        The budget is too small, or a provider has no consent; nothing was submitted.
    RunStopped
        A provider refused a batch, or cannot be reached.
    """
    check_mode(context.scope.mode)
    if context.scope.mode == "only":
        return ()
    batches = _BatchRun(plan, context, Polling(context.project.settings, stop, time_limit_s))
    work = asyncio.ensure_future(batches.run())
    aborted, stopped = asyncio.ensure_future(abort.wait()), asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait({work, aborted, stopped}, return_when=asyncio.FIRST_COMPLETED)
        if not work.done() and not aborted.done():  # submissions in progress get a grace period, as calls do
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
    """The batches of one run: resumes earlier batches, submits new ones and collects all."""

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
        """List the requests of the plan, resume earlier batches, submit new requests, and collect."""
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

    # --- the wanted requests -----------------------------------------------------------------------

    async def _list_requests(self) -> None:
        """List every request that a batch can answer: those in the cache, and those that are wanted."""
        self._project.cache.open()
        for record in self._plan.corpus.records:
            for step, slot, design in self._plan.designs(record):
                if slot.model is not None and self._can_batch(step, slot.model):
                    self._add_requests(Cell(slot, record, design, {}))
            await self._polling.yield_to_loop()

    def _can_batch(self, step: Step, model: Model) -> bool:
        """Whether requests of this step to this model can go in a batch."""
        if batch_api(model) is None:
            if not model.in_process:
                self._remarks[f"`{model.name}` has no batch API here, so it is called directly."] = None
            return False
        if step.needs:
            self._remarks[f"step `{step.name}` needs other steps, so it calls `{model.name}` directly."] = None
        return not step.needs

    def _add_requests(self, cell: Cell) -> None:
        try:
            planned = list(cell.slot.agent.planned_requests(cell))
        except SetupError:
            return  # such as a field that is missing in this record; the cell's row will say so
        for position, (request, _) in enumerate(planned):
            key = request.key
            if key in self._requests or key in self._cached_requests:
                continue
            if self._client.has_cached(request):
                self._cached_requests[key] = WantedRequest(cell, position, 0.0)
            elif self._may_send(request):
                cost_usd = self._client.sender.max_cost(request) * BATCH_PRICE if request.model.remote else 0.0
                self._requests[key] = WantedRequest(cell, position, cost_usd)

    def _may_send(self, request: Request) -> bool:
        try:
            self._client.consent.clear(request)
        except SkippedCell:  # the record is local_only; the cell's row will say so
            return False
        return True

    # --- earlier batches -----------------------------------------------------------------------------

    async def _resume_batches(self) -> list[str]:
        """Resume the batches of earlier runs, and take over collected answers that no run has paid for.

        Returns the keys of the requests that are new.
        """
        store = self._project.store
        keys = [*self._requests, *self._cached_requests]
        rows = await asyncio.to_thread(batch_jobs.newest_submissions, store, keys)
        unpaid = await asyncio.to_thread(batch_jobs.unpaid_keys, store, keys)
        for key in unpaid & self._cached_requests.keys():
            if self._client.cached(self._cached_requests[key].request) is not None:
                self._client.unpaid_answers[key] = rows[key].cost_usd or 0.0
        await asyncio.to_thread(batch_jobs.close_requests, store, self._cached_requests)
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
        """Add a batch of an earlier run, if its provider still has it."""
        model = self._requests[rows[0].cache_key].cell.slot.model
        assert model is not None
        channel = await self._channel(model)
        batch_id: str | None = rows[0].batch_id
        if rows[0].state == "sending":
            batch_id = await self._submitter.find(channel, rows[0].batch_id)
        if batch_id is None:
            return
        costs_usd = {row.cache_key: row.cost_usd or self._requests[row.cache_key].cost_usd for row in rows}
        batch = ProviderBatch(batch_id, channel, set(costs_usd), costs_usd)
        try:
            batch.status = await self._polling.retry(lambda: channel.api.poll(batch.batch_id))
        except BatchNotFound:
            batch.billed_keys.update(batch.keys)
            gone_rows = batch.add_costs(channel.submission_rows(batch.keys, batch_id, "gone"))
            await asyncio.to_thread(batch_jobs.write_submissions, self._project.store, gone_rows)
        except ModelError as error:
            raise RunStopped(f"{error} A batch is there; run this notebook cell again later to collect it.") from error
        else:
            self.collector.open_batches[batch_id] = batch

    # --- new batches ---------------------------------------------------------------------------------

    async def _submit(self, keys: list[str]) -> None:
        """Reserve the cost, then submit the requests."""
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
            self._context.scope.budget.settle(reserved_usd, 0.0, is_batch=True)

    async def _reserve_cost(self, keys: Iterable[str]) -> float:
        """Reserve the most that new batches can cost; if that is too much, nothing is submitted."""
        cost_usd = sum(self._requests[key].cost_usd for key in keys)
        if not cost_usd:
            return 0.0
        limit = await asyncio.to_thread(self._project.spending_limit)
        if limit.exceeds(cost_usd + limit.own_batches_usd):
            open_usd = limit.open_usd + limit.own_batches_usd
            raise BudgetReached(
                f"the new batches may cost up to ${cost_usd:,.4f}, batches that are at the provider may cost up to "
                f"${open_usd:,.4f}, and ${limit.spent_usd:,.4f} of {limit.label} (${limit.limit_usd:,.2f}) is spent. "
                f"{limit.hint}"
            )
        try:
            await self._context.scope.budget.reserve(lambda: cost_usd, is_batch=True)
        except BudgetReached as error:
            raise BudgetReached(f"no batch was submitted. All batches together: {error}") from None
        return cost_usd

    async def _channel(self, model: Model) -> Channel:
        if model.name not in self._channels:
            assert isinstance(model, LitellmModel)
            timeout_s = model.settings.timeout_s or self._project.settings.timeout_s
            api = await asyncio.to_thread(lambda: open_batch_api(model, timeout_s=timeout_s))
            self._channels[model.name] = Channel(model, api, RecordingModel(model, api.path))
        return self._channels[model.name]
