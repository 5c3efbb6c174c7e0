"""Writes the plan of a run at its start, and its result at its end."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from ..corpus.record import Record
from ..schema import EventRow, RunRow, TextRow, now
from .write_batch import RunEnd, WriteBatch, WriteResult

if TYPE_CHECKING:
    from .store import Store


def write_plan(
    store: Store,
    run: RunRow,
    event: EventRow,
    *,
    cells: Iterable[tuple[Any, ...]],
    records: Sequence[Record] = (),
    texts: Sequence[TextRow] = (),
) -> WriteResult:
    """Write a run, its records, its prompts, criteria and schemas, and every planned cell."""
    return store.write(WriteBatch(rows=[*texts, run, event], cells=cells, records=records))


def finish_run(store: Store, run_id: str, status: str, event: EventRow, manifest: str | None = None) -> None:
    """Write the end of a run: its status, the digest of its answers and its link in the chain.

    `manifest` replaces the manifest from before the first call, if the models have identified themselves since.
    """
    store.write(WriteBatch(rows=[event], finish=RunEnd(run_id, status, now(), manifest)))
