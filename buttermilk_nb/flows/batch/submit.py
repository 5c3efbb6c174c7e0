"""`Submitter`: submits requests as batches, each exactly once.

A program may end at any moment. So the requests of a batch are stored as `sending` before it is submitted, with a
submission id by which it can be found at the provider, and as `submitted` afterwards, with its id. A run that finds
the state `sending` asks the provider whether the batch has arrived. A retry does the same, because only the response to
the first attempt may have been lost.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from ...agents.base import Context
from ...errors import ModelError, RunStopped
from ...llm.batch.api import BatchNotFound
from ...schema import now
from ...store import batch_jobs
from ...store.batch_jobs import State, Submission
from .batch import Channel, ProviderBatch, WantedRequest, publish_progress
from .polling import Polling

_PROGRESS_EVERY = 500  # requests; litellm prepares about 300 a second
_PROGRESS_LIFETIME_S = 5.0


@dataclass
class Chunk:
    """Requests that are submitted as one batch."""

    headers: dict[str, str]
    keys: list[str] = field(default_factory=list)
    lines: list[bytes] = field(default_factory=list)
    size: int = 0

    def add(self, key: str, line: bytes) -> None:
        """Add a request, as one line of the batch."""
        self.keys.append(key)
        self.lines.append(line)
        self.size += len(line) + 2  # and the separator between lines


class Submitter:
    """Submits requests as batches.

    Parameters
    ----------
    context
        The project and the scope of the run.
    polling
        Waits and retries, until the run is stopped.
    requests
        The wanted requests, by cache key.
    """

    def __init__(self, context: Context, polling: Polling, requests: Mapping[str, WantedRequest]) -> None:
        self._context = context
        self._store = context.project.store
        self._polling = polling
        self._requests = requests
        self.remarks: list[str] = []

    async def submit(self, channel: Channel, keys: Sequence[str]) -> AsyncGenerator[ProviderBatch, None]:
        """Submit these requests to one model, in as many batches as its provider requires.

        Raises
        ------
        RunStopped
            The provider does not accept them.
        """
        async for chunk in self._chunks(channel, keys):
            self._polling.check()
            try:
                batch_id = await self._submit_chunk(channel, chunk)
            except BatchNotFound as error:
                self.remarks.append(f"{error} It has no batch API, so `{channel.model.name}` is called directly.")
                return
            except ModelError as error:
                raise RunStopped(_rejection_message(channel, error)) from error
            costs_usd = {key: self._requests[key].cost_usd for key in chunk.keys}
            yield ProviderBatch(batch_id, channel, set(chunk.keys), costs_usd, sum(costs_usd.values()))

    async def find(self, channel: Channel, submission_id: str) -> str | None:
        """The id of a batch that a program was submitting when it ended; None if it did not arrive.

        Raises
        ------
        RunStopped
            The provider cannot be reached.
        """
        members = await asyncio.to_thread(batch_jobs.keys_in_batch, self._store, submission_id)
        rows = await asyncio.to_thread(batch_jobs.newest_submissions, self._store, members)
        since = min(row.happened_at for row in rows.values())
        known_batch_ids = await asyncio.to_thread(batch_jobs.batch_ids, self._store)
        try:
            batch_id = await self._polling.retry(
                lambda: channel.api.find(submission_id, since, len(members), known_batch_ids)
            )
        except BatchNotFound:
            batch_id = None
        except ModelError as error:
            raise RunStopped(
                f"{error} A batch may have arrived there when the program ended; run this notebook cell again later."
            ) from error
        if batch_id is not None:
            await self._write_rows(channel, members, batch_id, "submitted")
        return batch_id

    async def _chunks(self, channel: Channel, keys: Sequence[str]) -> AsyncGenerator[Chunk, None]:
        """Chunks with as many requests as one batch may contain, each as a direct call would send it."""
        api, chunk, n_direct = channel.api, Chunk({}), 0
        for n_done, key in enumerate(keys):
            await self._polling.yield_to_loop()
            if n_done and not n_done % _PROGRESS_EVERY:
                publish_progress(
                    self._context,
                    channel.model.name,
                    _PROGRESS_LIFETIME_S,
                    "being prepared as a batch",
                    n_done,
                    len(keys),
                )
            recorded = await channel.recorder.record(self._requests[key].request)
            if recorded is None and not chunk.keys:
                n_direct += 1
                break  # the same is true of every request to this model
            line = api.request_line(key, recorded.body) if recorded else b""
            if recorded is None or len(line) + 2 > api.max_bytes:
                n_direct += 1
                continue
            is_full = len(chunk.keys) >= api.max_requests or chunk.size + len(line) + 2 > api.max_bytes
            if chunk.keys and (is_full or recorded.headers != chunk.headers):
                yield chunk
                chunk = Chunk(recorded.headers)
            chunk.headers = recorded.headers
            chunk.add(key, line)
        if n_direct:
            self.remarks.append(f"requests to `{channel.model.name}` that do not fit into a batch are sent directly.")
        if chunk.keys:
            yield chunk

    async def _submit_chunk(self, channel: Channel, chunk: Chunk) -> str:
        api = channel.api
        submission_id = await self._polling.retry(lambda: api.prepare(chunk.lines))
        await self._write_rows(channel, chunk.keys, submission_id, "sending")
        since, known_batch_ids = now(), await asyncio.to_thread(batch_jobs.batch_ids, self._store)

        async def submit() -> str | None:
            try:
                return await api.submit(submission_id, chunk.lines, chunk.headers)
            except ModelError as error:
                if not error.transient:  # the provider has refused the batch, so it cannot arrive later
                    await self._write_rows(channel, chunk.keys, submission_id, "failed")
                raise

        async def find_arrived() -> str | None:
            try:
                return await api.find(submission_id, since, len(chunk.keys), known_batch_ids)
            except BatchNotFound:  # a server without a list of batches
                return None

        batch_id = await self._polling.retry(submit, recover=find_arrived)
        assert batch_id is not None
        await self._write_rows(channel, chunk.keys, batch_id, "submitted")
        return batch_id

    async def _write_rows(self, channel: Channel, keys: Iterable[str], batch_id: str, state: State) -> None:
        rows = channel.submission_rows(keys, batch_id, state)
        await asyncio.to_thread(batch_jobs.write_submissions, self._store, [self._add_request(row) for row in rows])

    def _add_request(self, row: Submission) -> Submission:
        """The row with the record and the highest cost of its request, if this run wants the request."""
        wanted = self._requests.get(row.cache_key)
        update = {"cost_usd": wanted.cost_usd, "record_id": wanted.cell.record.record_id} if wanted else {}
        return row.model_copy(update=update)


def _rejection_message(channel: Channel, error: ModelError) -> str:
    if error.transient:
        return (
            f"{error} Whether the batch has arrived at `{channel.api.provider}` is not known: run this notebook cell "
            "again later. It looks there before it submits anything."
        )
    provider = channel.api.provider
    return f"`{provider}` does not accept the batch. {error} Run without batch=True to call the model directly."
