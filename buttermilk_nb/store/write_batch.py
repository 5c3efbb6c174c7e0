"""What is written together: a batch lands in one transaction, or waits in one file of the spool."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from ..corpus.record import Record
from ..schema import Row, Unit


class RunEnd(NamedTuple):
    """That a run ended: its state, digest and place in the chain are written when its rows are there."""

    run_id: str
    status: str
    finished_at: dt.datetime
    manifest: str | None = None
    """What is known now of how it came about; None where nothing was learnt since it began."""


@dataclass(frozen=True, slots=True)
class WriteBatch:
    """Rows that belong together.

    Parameters
    ----------
    rows
        Rows of any models.
    cells
        Planned cells, as tuples in the order of `CellRow`; read once.
    units
        What agents have handed back.
    records
        Records of which the versions that are not stored yet shall be.
    finish
        The end of a run.
    known_text_hashes
        Hashes of texts that are certainly stored.
    """

    rows: Sequence[Row] = ()
    cells: Iterable[tuple[Any, ...]] = ()
    units: Sequence[Unit] = ()
    records: Sequence[Record] = ()
    finish: RunEnd | None = None
    known_text_hashes: Collection[str] = frozenset()
