"""`WriteBatch`: rows that are written in one transaction or one spool file."""

from __future__ import annotations

import datetime as dt
import warnings
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from .._internal.text import pluralise, shorten
from ..corpus.record import Record
from ..schema import Row, Unit


class RunEnd(NamedTuple):
    """The end of a run, from which its status, digest and link in the chain are written after its rows."""

    run_id: str
    status: str
    finished_at: dt.datetime
    manifest: str | None = None
    """A new manifest; None if the manifest from the beginning still holds."""


class WriteResult(NamedTuple):
    """The result of writing a batch."""

    is_spooled: bool = False
    """Whether it is in the spool, because another process had the file. Its rows will be in the file later."""
    forgotten_ids: tuple[str, ...] = ()
    """The names of its records that had been forgotten here before, and are stored again."""

    @property
    def forgotten_remark(self) -> str:
        """A remark on records that had been forgotten; empty if there are none."""
        if not self.forgotten_ids:
            return ""
        it, verb = ("it", "is") if len(self.forgotten_ids) == 1 else ("them", "are")
        return (
            f"{pluralise(len(self.forgotten_ids), 'record')} of this corpus had been forgotten in this project, and "
            f"{verb} now stored again: {shorten(', '.join(self.forgotten_ids), 60)}. Take {it} out of the data, and "
            "forget again."
        )

    def warn_of_forgotten(self) -> None:
        """Warn of records that had been forgotten."""
        if remark := self.forgotten_remark:
            warnings.warn(remark, stacklevel=4)


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
        Results of agents.
    records
        Records; only versions that are not stored yet are written.
    finish
        The end of a run.
    known_text_hashes
        Hashes of texts that are certainly stored already.
    """

    rows: Sequence[Row] = ()
    cells: Iterable[tuple[Any, ...]] = ()
    units: Sequence[Unit] = ()
    records: Sequence[Record] = ()
    finish: RunEnd | None = None
    known_text_hashes: Collection[str] = frozenset()
