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

from ..._internal.text import counted
from ...agents.base import Context
from ...errors import ModelError, RunStopped
from ...llm.batch.api import NotThere, Result
from ...llm.batch.providers import BATCH_PRICE
from ...llm.model import Completion
from ...store import batch_jobs
from ...store.batch_jobs import Submission
from .batch import Batch, Wanted, tell, turn
from .polling import Patience

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

    def __init__(self, context: Context, patience: Patience, asked: dict[str, Wanted]) -> None:
        self._context = context
        self._project = context.project
        self._client = context.project.client
        self._patience = patience
        self._asked = asked
        self._refused: list[str] = []
        self.running: dict[str, Batch] = {}
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
        for pause in self._patience.pauses():
            for batch in list(self.running.values()):
                await self._look(batch)
                if batch.look.state != "working":
                    await (self._give_up if batch.look.state == "failed" else self._collect)(batch)
                    del self.running[batch.batch_id]
            if not self.running:
                break
            self._tell(pause)
            await self._patience.sleep(pause)
        if self._refused:
            raise RunStopped(" ".join(self._refused))

    def sentence(self) -> str:
        """Where things stand, for whoever stops now."""
        batches = self.running.values()
        if not batches:
            return "No batch is known to be at the provider; run the same cell again to go on."
        n, done = sum(len(batch.keys) for batch in batches), sum(batch.look.done for batch in batches)
        what, it = ("a batch", "it") if len(batches) == 1 else (f"{len(batches)} batches", "them")
        return (
            f"At the provider: {counted(n, 'request')} in {what}, {done:,} done so far; run the same cell again to "
            f"collect {it}."
        )

    async def _look(self, batch: Batch) -> None:
        often = self._project.settings.give_up_after  # a wait of a day outlasts a network that is away for a while
        try:
            batch.look = await self._patience.again(lambda: batch.channel.api.look(batch.batch_id), retries=often)
        except ModelError as error:
            raise _unreachable(batch, error) from error

    async def _collect(self, batch: Batch) -> None:
        """Take every answer of a batch that has ended."""
        try:
            async with turn(self._client, batch.batch_id):
                await self._patience.again(lambda: self._read(batch))
        except NotThere:
            batch.why = dict.fromkeys(batch.keys, "not kept any more")
        except ModelError as error:
            raise _unreachable(batch, error) from error
        await self._write(batch.channel.rows(batch.keys, batch.batch_id, "unanswered"))
        await asyncio.to_thread(batch_jobs.close, self._project.store, batch.unused)
        self.settle(batch)
        self._remark(batch)

    async def _give_up(self, batch: Batch) -> None:
        """The provider has refused a batch as a whole."""
        await self._write(batch.channel.rows(batch.keys, batch.batch_id, "failed"))
        self.settle(batch)
        n = counted(len(batch.keys), "request")
        self._refused.append(
            f"`{batch.channel.api.provider}` refused the batch `{batch.batch_id}` of {n}: "
            f"{batch.look.said or 'it does not say why'}. None of them was answered. Run the cell again when that is "
            "mended, or without batch=True to ask directly."
        )

    def settle(self, batch: Batch) -> None:
        """Spend what it has cost instead of what was set aside for it."""
        self._context.calls.budget.settle(batch.aside_usd, batch.spent_usd)
        batch.aside_usd = batch.spent_usd = 0.0

    async def _read(self, batch: Batch) -> None:
        """Go through the results; after a failure they are read again, and what is on disk is passed over."""
        members = await asyncio.to_thread(batch_jobs.members, self._project.store, batch.batch_id)
        found: dict[str, Completion] = {}
        batch.strange = 0
        async with aclosing(batch.channel.api.results(batch.batch_id, batch.look)) as results:
            async for result in results:
                await self._patience.breathe()
                if result is None or result.key not in members:
                    batch.strange += 1
                elif result.key in batch.keys and result.key not in found:
                    await self._take(batch, result, found)
                    if len(found) >= _AT_ONCE:
                        await self._keep(batch, found)
                        found = {}
        await self._keep(batch, found)

    async def _take(self, batch: Batch, result: Result, found: dict[str, Completion]) -> None:
        """Read one result."""
        if result.key in self._project.cache:  # another run was faster
            batch.keys.discard(result.key)
            batch.unused.append(result.key)
        elif result.body is None:
            batch.why[result.key] = result.why
        else:
            request = self._asked[result.key].request
            try:
                answer = await batch.channel.relay.read(request, result.body, result.request_id)
            except ModelError as error:
                batch.why[result.key] = error.code or type(error).__name__
            else:
                cost = None if answer.cost_usd is None else answer.cost_usd * BATCH_PRICE
                found[result.key] = answer.model_copy(update={"cost_usd": cost, "latency_s": None})

    async def _keep(self, batch: Batch, found: dict[str, Completion]) -> None:
        """Put answers on disk, and let the first cell that takes one pay for it."""
        rows = batch.channel.rows(found, batch.batch_id, "collected")
        await self._write(
            row.model_copy(update={"happened_at": answer.answered_at, "cost_usd": answer.cost_usd})
            for row, answer in zip(rows, found.values(), strict=True)
        )
        await asyncio.gather(*(self._client.keep(self._asked[key].request, answer) for key, answer in found.items()))
        fresh = {key: answer for key, answer in found.items() if key not in self.paid}
        self._client.collected.update(fresh)
        batch.spent_usd += sum(answer.cost_usd or 0.0 for answer in fresh.values())
        batch.answered += len(found)
        batch.keys.difference_update(found)

    async def _write(self, rows: Iterable[Submission]) -> None:
        if listed := list(rows):
            await asyncio.to_thread(batch_jobs.write, self._project.store, listed)

    def _remark(self, batch: Batch) -> None:
        name = batch.channel.model.name
        if batch.answered:
            self.remarks.append(
                f"in a batch of `{name}`: {counted(batch.answered, 'answer')}, of which the cost is counted at "
                f"{BATCH_PRICE:.0%} of the usual price."
            )
        if batch.strange:
            lines = counted(batch.strange, "line")
            self.remarks.append(f"in a batch of `{name}`: {lines} that belong to no request, and were left out.")
        if not batch.keys:
            return
        n = counted(len(batch.keys), "request")
        if batch.look.cancelled:
            self._refused.append(
                f"The batch `{batch.batch_id}` was cancelled at `{batch.channel.api.provider}`, with {n} unanswered. "
                "Run the cell again to submit these, or without batch=True to ask them directly."
            )
            return
        reasons = Counter(batch.why.get(key, "not in the results") for key in batch.keys)
        why = ", ".join(f"{reason}: {n:,}" for reason, n in reasons.most_common())
        self.remarks.append(
            f"in a batch of `{name}`: {n} without an answer ({why}), asked directly at the usual price."
        )

    def _tell(self, pause: float) -> None:
        """Say how far the batches of each model are."""
        by_model: dict[str, list[Batch]] = {}
        for batch in self.running.values():
            by_model.setdefault(batch.channel.model.name, []).append(batch)
        for name, batches in by_model.items():
            done = sum(batch.look.done for batch in batches)
            total = sum(batch.look.total or len(batch.keys) for batch in batches)
            tell(self._context, name, pause, "at the provider as a batch", done, total)


def _unreachable(batch: Batch, error: ModelError) -> RunStopped:
    return RunStopped(
        f"{error} The batch `{batch.batch_id}` is at `{batch.channel.api.provider}` all the same: run the same cell "
        "again later to collect it."
    )
