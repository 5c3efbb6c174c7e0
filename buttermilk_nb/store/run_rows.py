"""Writes the plan of a run at its start, and its result at its end."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from ..corpus.record import Record
from ..schema import EventRow, RunRow, TextRow, now
from .write_batch import RunEnd, WriteBatch

if TYPE_CHECKING:
    from .store import Store


def write_plan(
    store: Store, run: RunRow, texts: Sequence[TextRow], cells: Iterable[tuple[Any, ...]], event: EventRow
) -> None:
    """Write a run, its prompts, criteria and schemas, and every planned cell."""
    store.write(WriteBatch(rows=[*texts, run, event], cells=cells))


def finish_run(store: Store, run_id: str, status: str, event: EventRow, manifest: str | None = None) -> None:
    """Write the end of a run: its status, the digest of its answers and its link in the chain.

    `manifest` replaces the manifest from before the first call, if the models have identified themselves since.
    """
    store.write(WriteBatch(rows=[event], finish=RunEnd(run_id, status, now(), manifest)))


def write_records(store: Store, records: Sequence[Record]) -> None:
    """Write the versions of records that are not stored yet; hashes are compared, so a re-run writes nothing."""
    store.write(WriteBatch(records=records))
