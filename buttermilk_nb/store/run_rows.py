"""The rows of a run as a whole: its plan before the first call, its state and digest at the end."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from ..corpus.record import Record
from ..schema import EventRow, RunRow, TextRow, now
from .write_batch import RunEnd, WriteBatch

if TYPE_CHECKING:
    from .store import Store
if TYPE_CHECKING:
    from .store import Store


def write_plan(
    store: Store, run: RunRow, texts: Sequence[TextRow], cells: Iterable[tuple[Any, ...]], event: EventRow
) -> None:
    """Write a run, its prompts, criteria and schemas, and every cell that it plans."""
    store.write(WriteBatch(rows=[*texts, run, event], cells=cells))


def finish_run(store: Store, run_id: str, status: str, event: EventRow, manifest: str | None = None) -> None:
    """Write how a run ended, the digest of its answers (equal digests are equal numbers) and its link in the chain.

    `manifest` replaces the one that was written before the first call, where the models have said what they are.
    """
    store.write(WriteBatch(rows=[event], finish=RunEnd(run_id, status, now(), manifest)))


def write_records(store: Store, records: Sequence[Record]) -> None:
    """Write the versions that are not stored yet; only hashes are compared, so that a re-run writes nothing."""
    store.write(WriteBatch(records=records))
