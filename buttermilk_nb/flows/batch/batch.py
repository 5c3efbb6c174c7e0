"""What batches are made of: requests that are wanted, the channel that they go through, a batch at a provider."""

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
    """A request that a cell will make, rendered again when it is needed: a hundred thousand would fill the memory."""

    cell: Cell
    position: int
    cost_usd: float
    """What it may cost at most, in a batch."""

    @property
    def request(self) -> Request:
        """The request itself."""
        return list(self.cell.slot.agent.planned_requests(self.cell))[self.position].request


class Channel(NamedTuple):
    """A model, its provider's batch API, and its own call through a wire of ours."""

    model: LitellmModel
    api: BatchApi
    recorder: RecordingModel

    def submission_rows(self, keys: Iterable[str], batch_id: str, state: State) -> list[Submission]:
        """A state that requests have taken now."""
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
    """Those of its requests that this run wants and has no answer of yet."""
    reserved_usd: float = 0.0
    spent_usd: float = 0.0
    status: BatchStatus = _NOT_POLLED
    n_answered: int = 0
    n_unmatched: int = 0
    """Lines of its results that belong to no request, or cannot be read."""
    unused_keys: list[str] = field(default_factory=list)
    """Requests that were answered in another way meanwhile."""
    reasons: dict[str, str] = field(default_factory=dict)
    """Why requests came back without an answer."""


def project_lock(client: Client, task: str) -> asyncio.Lock:
    """What runs of one project do one after another, so that the second sees what the first has done."""
    return _locks.setdefault(client, {}).setdefault(task, asyncio.Lock())


def publish_progress(context: Context, model: str, seconds: float, why: str, done: int, total: int) -> None:
    """Tell whoever watches how far the batches of a model are, and when there will be more to tell."""
    payload = {
        "run_id": context.run_id,
        "model": model,
        "seconds": round(seconds, 1),
        "why": f"{why}, {done:,} of {total:,} done",
        "done": done,
        "total": total,
    }
    context.project.bus.publish(WaitEvent(source="batches", payload=payload))
