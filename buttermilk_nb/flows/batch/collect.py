"""`Collector`: waits for batches at providers, and stores their answers.

When a batch has ended, each answer is parsed like the answer of a direct call, written to table `batches` with its
cost, and then put into the cache. The order makes sure that the cost of every cached answer is known.

Requests without an answer (expired, refused, broken) are not cached: their cells call the model directly, with
retries, at the usual price. If the provider refuses them permanently, their rows give the reason, as without a batch.
The run only stops if a provider refused or cancelled a whole batch, because the user did not choose to pay the price
of direct calls for all of it.
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

_ANSWERS_PER_WRITE = 500  # so that a long batch does not fill the memory


class Collector:
    """Waits for batches, and collects their answers.

    Parameters
    ----------
    context
        The project and the scope of the run.
    polling
        Waits between polls, until the run is stopped.
    requests
        The wanted requests, by cache key.
    """

    def __init__(self, context: Context, polling: Polling, requests: dict[str, WantedRequest]) -> None:
        self._context = context
        self._project = context.project
        self._client = context.project.client
        self._polling = polling
        self._requests = requests
        self._refusals: list[str] = []
        self.open_batches: dict[str, ProviderBatch] = {}
        self.remarks: list[str] = []
        self.paid_keys: set[str] = set()
        """The keys of answers that an earlier run paid for, and that are no longer in the cache."""

    async def wait(self) -> None:
        """Wait for all batches, and collect each when it ends.

        Raises
        ------
        BatchPending
            The run was stopped, or reached its time limit.
        RunStopped
            A provider refused or cancelled a batch, or cannot be reached.
        """
        for pause in self._polling.backoff_delays():
            for batch in list(self.open_batches.values()):
                await self._poll(batch)
                if batch.status.state != "working":
                    await (self._record_refusal if batch.status.state == "failed" else self._collect)(batch)
                    del self.open_batches[batch.batch_id]
            if not self.open_batches:
                break
            self._publish_progress(pause)
            await self._polling.sleep(pause)
        if self._refusals:
            raise RunStopped(" ".join(self._refusals))

    def stop_message(self) -> str:
        """The state of the batches, as the message of a run that stops now."""
        batches = self.open_batches.values()
        if not batches:
            return "No batch is known to be at the provider; run this notebook cell again to continue."
        n, done = sum(len(batch.keys) for batch in batches), sum(batch.status.done for batch in batches)
        noun, pronoun = ("a batch", "it") if len(batches) == 1 else (f"{len(batches)} batches", "them")
        return (
            f"At the provider: {pluralise(n, 'request')} in {noun}, {done:,} done so far; run this notebook cell "
            f"again to collect {pronoun}."
        )

    async def _poll(self, batch: ProviderBatch) -> None:
        retries = self._project.settings.give_up_after  # a batch takes up to a day, so a network failure may pass
        try:
            batch.status = await self._polling.retry(lambda: batch.channel.api.poll(batch.batch_id), retries=retries)
        except ModelError as error:
            raise _unreachable_error(batch, error) from error

    async def _collect(self, batch: ProviderBatch) -> None:
        """Collect every answer of a batch that has ended."""
        try:
            async with project_lock(self._client, batch.batch_id):
                await self._polling.retry(lambda: self._read_results(batch))
        except BatchNotFound:
            batch.reasons = dict.fromkeys(batch.keys, "no longer at the provider")
            batch.billed_keys.update(batch.keys)
        except ModelError as error:
            raise _unreachable_error(batch, error) from error
        unanswered = batch.channel.submission_rows(batch.keys, batch.batch_id, "unanswered")
        await self._write_rows(batch.add_costs(unanswered))
        await asyncio.to_thread(batch_jobs.close_requests, self._project.store, batch.unused_keys)
        self.settle_cost(batch)
        await asyncio.to_thread(self._project.spending_limit)  # this batch is no longer open
        self._add_remarks(batch)

    async def _record_refusal(self, batch: ProviderBatch) -> None:
        """Record that the provider refused a whole batch."""
        await self._write_rows(batch.channel.submission_rows(batch.keys, batch.batch_id, "failed"))
        self.settle_cost(batch)
        n = pluralise(len(batch.keys), "request")
        self._refusals.append(
            f"`{batch.channel.api.provider}` refused the batch `{batch.batch_id}` of {n}: "
            f"{batch.status.message or 'it gives no reason'}. No request was answered. Fix the cause and run this "
            "notebook cell again, or run it without batch=True to call the model directly."
        )

    def settle_cost(self, batch: ProviderBatch) -> None:
        """Replace the reserved cost of a batch by its actual cost."""
        self._context.scope.budget.settle(batch.reserved_usd, batch.spent_usd, is_batch=True)
        batch.reserved_usd = batch.spent_usd = 0.0

    async def _read_results(self, batch: ProviderBatch) -> None:
        """Read the results of a batch; after a failure all are read again, and stored answers are skipped."""
        members = await asyncio.to_thread(batch_jobs.keys_in_batch, self._project.store, batch.batch_id)
        answers: dict[str, Completion] = {}
        batch.n_unmatched = 0
        async with aclosing(batch.channel.api.results(batch.batch_id, batch.status)) as results:
            async for result in results:
                await self._polling.yield_to_loop()
                if result is None or result.key not in members:
                    batch.n_unmatched += 1
                elif result.key in batch.keys and result.key not in answers:
                    await self._read_result(batch, result, answers)
                    if len(answers) >= _ANSWERS_PER_WRITE:
                        await self._store_answers(batch, answers)
                        answers = {}
        await self._store_answers(batch, answers)

    async def _read_result(self, batch: ProviderBatch, result: BatchResult, answers: dict[str, Completion]) -> None:
        """Add the answer in one result, or note why there is none."""
        if result.key in self._project.cache:  # another run has answered it
            batch.keys.discard(result.key)
            batch.unused_keys.append(result.key)
        elif result.body is None:
            batch.reasons[result.key] = result.reason
        else:
            request = self._requests[result.key].request
            try:
                answer = await batch.channel.recorder.read(request, result.body, result.request_id)
            except ModelError as error:
                batch.reasons[result.key] = error.code or type(error).__name__
                if error.may_have_cost:
                    batch.billed_keys.add(result.key)
            else:
                cost = None if answer.cost_usd is None else answer.cost_usd * BATCH_PRICE
                answers[result.key] = answer.model_copy(update={"cost_usd": cost, "latency_s": None})

    async def _store_answers(self, batch: ProviderBatch, answers: dict[str, Completion]) -> None:
        """Write answers to the Store and the cache; the first cell that uses an answer pays for it."""
        costs = {
            key: self._requests[key].cost_usd if answer.cost_usd is None else answer.cost_usd
            for key, answer in answers.items()
        }
        rows = batch.channel.submission_rows(answers, batch.batch_id, "collected")
        await self._write_rows(
            row.model_copy(update={"happened_at": answers[row.cache_key].answered_at, "cost_usd": costs[row.cache_key]})
            for row in rows
        )
        await asyncio.gather(
            *(self._client.store_answer(self._requests[key].request, answer) for key, answer in answers.items())
        )
        unpaid_costs = {key: cost_usd for key, cost_usd in costs.items() if key not in self.paid_keys}
        self._client.unpaid_answers.update(unpaid_costs)
        batch.spent_usd += sum(unpaid_costs.values())
        batch.n_answered += len(answers)
        batch.keys.difference_update(answers)

    async def _write_rows(self, rows: Iterable[Submission]) -> None:
        if submissions := list(rows):
            await asyncio.to_thread(batch_jobs.write_submissions, self._project.store, submissions)

    def _add_remarks(self, batch: ProviderBatch) -> None:
        name = batch.channel.model.name
        if batch.n_answered:
            self.remarks.append(
                f"in a batch of `{name}`: {pluralise(batch.n_answered, 'answer')}. The cost is counted at "
                f"{BATCH_PRICE:.0%} of the usual price."
            )
        if batch.n_unmatched:
            lines = pluralise(batch.n_unmatched, "line")
            effect = "belongs to no request, and was" if batch.n_unmatched == 1 else "belong to no request, and were"
            self.remarks.append(f"in a batch of `{name}`: {lines} {effect} ignored.")
        if not batch.keys:
            return
        n = pluralise(len(batch.keys), "request")
        if batch.status.cancelled:
            self._refusals.append(
                f"The batch `{batch.batch_id}` was cancelled at `{batch.channel.api.provider}`, with {n} unanswered. "
                "Run this notebook cell again to submit them, or run it without batch=True to call the model directly."
            )
            return
        reasons = Counter(batch.reasons.get(key, "not in the results") for key in batch.keys)
        why = ", ".join(f"{reason}: {n:,}" for reason, n in reasons.most_common())
        self.remarks.append(
            f"in a batch of `{name}`: {n} without an answer ({why}). The model is called directly for them, at the "
            "usual price."
        )

    def _publish_progress(self, pause: float) -> None:
        """Publish the progress of the batches of each model."""
        by_model: dict[str, list[ProviderBatch]] = {}
        for batch in self.open_batches.values():
            by_model.setdefault(batch.channel.model.name, []).append(batch)
        for name, batches in by_model.items():
            done = sum(batch.status.done for batch in batches)
            total = sum(batch.status.total or len(batch.keys) for batch in batches)
            publish_progress(self._context, name, pause, "at the provider as a batch", done, total)


def _unreachable_error(batch: ProviderBatch, error: ModelError) -> RunStopped:
    return RunStopped(
        f"{error} The batch `{batch.batch_id}` is still at `{batch.channel.api.provider}`: run this notebook cell "
        "again later to collect it."
    )
