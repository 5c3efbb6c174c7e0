"""Waiting for batches that providers work on, and putting their answers on disk.

When a batch has ended, each answer is read as a direct call's would be, written to table `batches` with its price, and
put into the cache; in that order, so that an answer that a later run finds in the cache is never one whose price is
lost.

What comes back without an answer (expired, refused, broken) is not cached: the cell asks it directly, with retries, at
the usual price, and where the provider refuses it for good its row says why, as it would without a batch. Only where
a batch as a whole was refused or cancelled the run stops: to ask all of it directly was not what was wanted.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable
from contextlib import aclosing

from ..._internal.text import pluralise
from ...agents.base import Context
from ...errors import ModelError, RunStopped
from ...llm.batch.api import BatchNotFound, BatchResult
from ...llm.batch.providers import BATCH_PRICE
from ...llm.completion import Completion
from ...store import batch_jobs
from ...store.batch_jobs import Submission
from .batch import ProviderBatch, WantedRequest, project_lock, publish_progress
from .polling import Polling

_AT_ONCE = 500  # answers written together


class Collector:
    """Waits for batches and collects them.

    Parameters
    ----------
    context
        The run's side.
    patience
        How long to wait.
    asked
        The requests that are wanted, by cache key.
    """

    def __init__(self, context: Context, patience: Polling, asked: dict[str, WantedRequest]) -> None:
        self._context = context
        self._project = context.project
        self._client = context.project.client
        self._patience = patience
        self._asked = asked
        self._refused: list[str] = []
        self.running: dict[str, ProviderBatch] = {}
        self.remarks: list[str] = []
        self.paid: set[str] = set()
        """Requests whose answer was paid for before, and has gone from the cache since."""

    async def wait(self) -> None:
        """Wait for all batches, and collect each as it ends.

        Raises
        ------
        BatchWaits
            It is time to stop.
        RunStopped
            A provider refused or cancelled a batch, or cannot be asked how far it is.
        """
        for pause in self._patience.backoff_delays():
            for batch in list(self.running.values()):
                await self._look(batch)
                if batch.status.state != "working":
                    await (self._give_up if batch.status.state == "failed" else self._collect)(batch)
                    del self.running[batch.batch_id]
            if not self.running:
                break
            self._tell(pause)
            await self._patience.sleep(pause)
        if self._refused:
            raise RunStopped(" ".join(self._refused))

    def stop_message(self) -> str:
        """Where things stand, for whoever stops now."""
        batches = self.running.values()
        if not batches:
            return "No batch is known to be at the provider; run the same cell again to go on."
        n, done = sum(len(batch.keys) for batch in batches), sum(batch.status.done for batch in batches)
        what, it = ("a batch", "it") if len(batches) == 1 else (f"{len(batches)} batches", "them")
        return (
            f"At the provider: {pluralise(n, 'request')} in {what}, {done:,} done so far; run the same cell again to "
            f"collect {it}."
        )

    async def _look(self, batch: ProviderBatch) -> None:
        often = self._project.settings.give_up_after  # a wait of a day outlasts a network that is away for a while
        try:
            batch.status = await self._patience.retry(lambda: batch.channel.api.poll(batch.batch_id), retries=often)
        except ModelError as error:
            raise _unreachable(batch, error) from error

    async def _collect(self, batch: ProviderBatch) -> None:
        """Take every answer of a batch that has ended."""
        try:
            async with project_lock(self._client, batch.batch_id):
                await self._patience.retry(lambda: self._read(batch))
        except BatchNotFound:
            batch.reason = dict.fromkeys(batch.keys, "not kept any more")
        except ModelError as error:
            raise _unreachable(batch, error) from error
        await self._write(batch.channel.rows(batch.keys, batch.batch_id, "unanswered"))
        await asyncio.to_thread(batch_jobs.close_requests, self._project.store, batch.unused)
        self.finish(batch)
        self._remark(batch)

    async def _give_up(self, batch: ProviderBatch) -> None:
        """The provider has refused a batch as a whole."""
        await self._write(batch.channel.rows(batch.keys, batch.batch_id, "failed"))
        self.finish(batch)
        n = pluralise(len(batch.keys), "request")
        self._refused.append(
            f"`{batch.channel.api.provider}` refused the batch `{batch.batch_id}` of {n}: "
            f"{batch.status.message or 'it does not say why'}. None of them was answered. Run the cell again when "
            "that is mended, or without batch=True to ask directly."
        )

    def finish(self, batch: ProviderBatch) -> None:
        """Spend what it has cost instead of what was set aside for it."""
        self._context.scope.budget.settle(batch.aside_usd, batch.spent_usd)
        batch.aside_usd = batch.spent_usd = 0.0

    async def _read(self, batch: ProviderBatch) -> None:
        """Go through the results; after a failure they are read again, and what is on disk is passed over."""
        members = await asyncio.to_thread(batch_jobs.keys_in_batch, self._project.store, batch.batch_id)
        found: dict[str, Completion] = {}
        batch.strange = 0
        async with aclosing(batch.channel.api.results(batch.batch_id, batch.status)) as results:
            async for result in results:
                await self._patience.yield_to_loop()
                if result is None or result.key not in members:
                    batch.strange += 1
                elif result.key in batch.keys and result.key not in found:
                    await self._take(batch, result, found)
                    if len(found) >= _AT_ONCE:
                        await self._keep(batch, found)
                        found = {}
        await self._keep(batch, found)

    async def _take(self, batch: ProviderBatch, result: BatchResult, found: dict[str, Completion]) -> None:
        """Read one result."""
        if result.key in self._project.cache:  # another run was faster
            batch.keys.discard(result.key)
            batch.unused.append(result.key)
        elif result.body is None:
            batch.reason[result.key] = result.reason
        else:
            request = self._asked[result.key].request
            try:
                answer = await batch.channel.relay.read(request, result.body, result.request_id)
            except ModelError as error:
                batch.reason[result.key] = error.code or type(error).__name__
            else:
                cost = None if answer.cost_usd is None else answer.cost_usd * BATCH_PRICE
                found[result.key] = answer.model_copy(update={"cost_usd": cost, "latency_s": None})

    async def _keep(self, batch: ProviderBatch, found: dict[str, Completion]) -> None:
        """Put answers on disk, and let the first cell that takes one pay for it."""
        rows = batch.channel.rows(found, batch.batch_id, "collected")
        await self._write(
            row.model_copy(update={"happened_at": answer.answered_at, "cost_usd": answer.cost_usd})
            for row, answer in zip(rows, found.values(), strict=True)
        )
        await asyncio.gather(
            *(self._client.store_answer(self._asked[key].request, answer) for key, answer in found.items())
        )
        fresh = {key: answer for key, answer in found.items() if key not in self.paid}
        self._client.batch_answers.update(fresh)
        batch.spent_usd += sum(answer.cost_usd or 0.0 for answer in fresh.values())
        batch.answered += len(found)
        batch.keys.difference_update(found)

    async def _write(self, rows: Iterable[Submission]) -> None:
        if listed := list(rows):
            await asyncio.to_thread(batch_jobs.write_submissions, self._project.store, listed)

    def _remark(self, batch: ProviderBatch) -> None:
        name = batch.channel.model.name
        if batch.answered:
            self.remarks.append(
                f"in a batch of `{name}`: {pluralise(batch.answered, 'answer')}, of which the cost is counted at "
                f"{BATCH_PRICE:.0%} of the usual price."
            )
        if batch.strange:
            lines = pluralise(batch.strange, "line")
            self.remarks.append(f"in a batch of `{name}`: {lines} that belong to no request, and were left out.")
        if not batch.keys:
            return
        n = pluralise(len(batch.keys), "request")
        if batch.status.cancelled:
            self._refused.append(
                f"The batch `{batch.batch_id}` was cancelled at `{batch.channel.api.provider}`, with {n} unanswered. "
                "Run the cell again to submit these, or without batch=True to ask them directly."
            )
            return
        reasons = Counter(batch.reason.get(key, "not in the results") for key in batch.keys)
        why = ", ".join(f"{reason}: {n:,}" for reason, n in reasons.most_common())
        self.remarks.append(
            f"in a batch of `{name}`: {n} without an answer ({why}), asked directly at the usual price."
        )

    def _tell(self, pause: float) -> None:
        """Say how far the batches of each model are."""
        by_model: dict[str, list[ProviderBatch]] = {}
        for batch in self.running.values():
            by_model.setdefault(batch.channel.model.name, []).append(batch)
        for name, batches in by_model.items():
            done = sum(batch.status.done for batch in batches)
            total = sum(batch.status.total or len(batch.keys) for batch in batches)
            publish_progress(self._context, name, pause, "at the provider as a batch", done, total)


def _unreachable(batch: ProviderBatch, error: ModelError) -> RunStopped:
    return RunStopped(
        f"{error} The batch `{batch.batch_id}` is at `{batch.channel.api.provider}` all the same: run the same cell "
        "again later to collect it."
    )
