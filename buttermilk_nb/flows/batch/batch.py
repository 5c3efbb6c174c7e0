"""The parts of a batch run: wanted requests, channels to providers, and batches at a provider."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple
from weakref import WeakKeyDictionary

from ...agents.base import Cell, Context
from ...events.event import WaitEvent
from ...llm.batch.api import BatchApi, BatchStatus
from ...llm.batch.recording_model import RecordingModel
from ...llm.calls.client import Client
from ...llm.model import Request
from ...llm.providers.litellm import LitellmModel
from ...schema import now
from ...store.batch_jobs import State, Submission

_NOT_POLLED = BatchStatus("working", 0, 0)
_locks: WeakKeyDictionary[Client, dict[str, asyncio.Lock]] = WeakKeyDictionary()


class WantedRequest(NamedTuple):
    """A request that a cell will make, rendered only when it is needed, because many would fill the memory."""

    cell: Cell
    position: int
    cost_usd: float
    """The most that it can cost in a batch, in US dollars."""

    @property
    def request(self) -> Request:
        """The request itself."""
        return list(self.cell.slot.agent.planned_requests(self.cell))[self.position].request


class Channel(NamedTuple):
    """A model, its provider's batch API, and a recorder of the requests that a direct call would send."""

    model: LitellmModel
    api: BatchApi
    recorder: RecordingModel

    def submission_rows(self, keys: Iterable[str], batch_id: str, state: State) -> list[Submission]:
        """The rows that record a new state of these requests."""
        at = now()
        return [
            Submission(
                batch_id=batch_id,
                provider=self.api.provider,
                model=self.model.full_name,
                cache_key=key,
                state=state,
                happened_at=at,
            )
            for key in keys
        ]


@dataclass
class ProviderBatch:
    """A batch at a provider."""

    batch_id: str
    channel: Channel
    keys: set[str]
    """The cache keys of its requests that this run wants and that are not answered yet."""
    costs_usd: dict[str, float]
    """The most that each of its requests can cost, by key, in US dollars."""
    reserved_usd: float = 0.0
    spent_usd: float = 0.0
    status: BatchStatus = _NOT_POLLED
    n_answered: int = 0
    n_unmatched: int = 0
    """How many lines of its results do not belong to a request, or cannot be parsed."""
    unused_keys: list[str] = field(default_factory=list)
    """The keys of requests that another run answered meanwhile."""
    reasons: dict[str, str] = field(default_factory=dict)
    """Why requests have no answer, by key."""
    billed_keys: set[str] = field(default_factory=set)
    """The keys of requests that the provider may bill although they have no answer that can be used."""

    def add_costs(self, rows: Iterable[Submission]) -> list[Submission]:
        """The rows with the highest cost of those requests that the provider may bill."""
        return [
            row.model_copy(update={"cost_usd": self.costs_usd.get(row.cache_key)})
            if row.cache_key in self.billed_keys
            else row
            for row in rows
        ]


def project_lock(client: Client, task: str) -> asyncio.Lock:
    """The lock for a task that only one run of a project may do at a time."""
    return _locks.setdefault(client, {}).setdefault(task, asyncio.Lock())


def publish_progress(context: Context, model: str, seconds: float, why: str, done: int, total: int) -> None:
    """Publish the progress of a model's batches, and the seconds until the next poll."""
    payload = {
        "run_id": context.run_id,
        "model": model,
        "seconds": round(seconds, 1),
        "why": f"{why}, {done:,} of {total:,} done",
        "done": done,
        "total": total,
    }
    context.project.bus.publish(WaitEvent(source="batches", payload=payload))
