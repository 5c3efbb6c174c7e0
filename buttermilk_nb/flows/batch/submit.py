"""Handing requests in as batches, once each: what is about to be submitted is on disk before it is submitted.

A program may end at any moment. Before a batch goes, its requests are written down as `sending`, under a mark by which
it can be found at the provider; afterwards as `submitted`, under its id. Whoever finds `sending` looks at the provider
whether it has arrived, and so does an attempt after one whose answer was lost on the way.
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
from ...store.batch_jobs import State
from .batch import Channel, ProviderBatch, WantedRequest, publish_progress
from .polling import Polling

_PROGRESS_EVERY = 500  # requests; litellm prepares about 300 a second
_PROGRESS_LIFETIME_S = 5.0


@dataclass
class Chunk:
    """Requests that go as one batch."""

    headers: dict[str, str]
    keys: list[str] = field(default_factory=list)
    lines: list[bytes] = field(default_factory=list)
    size: int = 0

    def add(self, key: str, line: bytes) -> None:
        """One more."""
        self.keys.append(key)
        self.lines.append(line)
        self.size += len(line) + 2  # what stands between lines


class Submitter:
    """Hands requests in.

    Parameters
    ----------
    context
        The run's side.
    patience
        How long to go on.
    asked
        The requests that are wanted, by cache key.
    """

    def __init__(self, context: Context, polling: Polling, requests: Mapping[str, WantedRequest]) -> None:
        self._context = context
        self._store = context.project.store
        self._polling = polling
        self._requests = requests
        self.remarks: list[str] = []

    async def submit(self, channel: Channel, keys: Sequence[str]) -> AsyncGenerator[ProviderBatch, None]:
        """Hand in these requests of one model, in as many batches as its provider wants.

        Raises
        ------
        RunStopped
            The provider does not take them.
        """
        async for chunk in self._chunks(channel, keys):
            self._polling.check()
            try:
                batch_id = await self._submit_chunk(channel, chunk)
            except BatchNotFound as error:
                self.remarks.append(f"{error} It has no batch API, so `{channel.model.name}` is asked directly.")
                return
            except ModelError as error:
                raise RunStopped(_rejection_message(channel, error)) from error
            reserved_usd = sum(self._requests[key].cost_usd for key in chunk.keys)
            yield ProviderBatch(batch_id, channel, set(chunk.keys), reserved_usd)

    async def find(self, channel: Channel, mark: str) -> str | None:
        """The batch that was being submitted under this mark when a program ended, if it arrived.

        Raises
        ------
        RunStopped
            The provider cannot be asked.
        """
        members = await asyncio.to_thread(batch_jobs.members, self._store, mark)
        rows = await asyncio.to_thread(batch_jobs.newest, self._store, members)
        since = min(row.happened_at for row in rows.values())
        known_batch_ids = await asyncio.to_thread(batch_jobs.ids, self._store)
        try:
            batch_id = await self._polling.retry(lambda: channel.api.find(mark, since, len(members), known_batch_ids))
        except BatchNotFound:
            batch_id = None
        except ModelError as error:
            raise RunStopped(
                f"{error} A batch may have arrived there when the program ended; run the same cell again later."
            ) from error
        if batch_id is not None:
            await self._write_rows(channel, members, batch_id, "submitted")
        return batch_id

    async def _chunks(self, channel: Channel, keys: Sequence[str]) -> AsyncGenerator[Chunk, None]:
        """As many requests as one batch may hold, each as a direct call would send it."""
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
                break  # so is every other of this model
            line = api.line(key, recorded.body) if recorded else b""
            if recorded is None or len(line) + 2 > api.most_bytes:
                n_direct += 1
                continue
            is_full = len(chunk.keys) >= api.most_requests or chunk.size + len(line) + 2 > api.most_bytes
            if chunk.keys and (is_full or recorded.headers != chunk.headers):
                yield chunk
                chunk = Chunk(recorded.headers)
            chunk.headers = recorded.headers
            chunk.add(key, line)
        if n_direct:
            self.remarks.append(f"requests to `{channel.model.name}` that no batch can hold are asked directly.")
        if chunk.keys:
            yield chunk

    async def _submit_chunk(self, channel: Channel, chunk: Chunk) -> str:
        api = channel.api
        mark = await self._polling.retry(lambda: api.prepare(chunk.lines))
        await self._write_rows(channel, chunk.keys, mark, "sending")
        since, known_batch_ids = now(), await asyncio.to_thread(batch_jobs.ids, self._store)

        async def submit() -> str | None:
            try:
                return await api.submit(mark, chunk.lines, chunk.headers)
            except ModelError as error:
                if not error.transient:  # the provider has said no, so that nothing is under way
                    await self._write_rows(channel, chunk.keys, mark, "failed")
                raise

        async def find_arrived() -> str | None:
            try:
                return await api.find(mark, since, len(chunk.keys), known_batch_ids)
            except BatchNotFound:  # a server without a list of batches
                return None

        batch_id = await self._polling.retry(submit, recover=find_arrived)
        assert batch_id is not None
        await self._write_rows(channel, chunk.keys, batch_id, "submitted")
        return batch_id

    async def _write_rows(self, channel: Channel, keys: Iterable[str], batch_id: str, state: State) -> None:
        rows = [
            row.model_copy(
                update={"cost_usd": self._requests[row.cache_key].cost_usd if row.cache_key in self._requests else None}
            )
            for row in channel.submission_rows(keys, batch_id, state)
        ]
        await asyncio.to_thread(batch_jobs.write, self._store, rows)


def _rejection_message(channel: Channel, error: ModelError) -> str:
    if error.transient:
        return (
            f"{error} Whether the batch has arrived at `{channel.api.provider}` is not known: run the same cell again "
            "later, which looks there before it submits anything."
        )
    return f"`{channel.api.provider}` does not take the batch. {error} Without batch=True the cell asks directly."
