"""The answers of the instruments of a group as arrays, for each way to treat replicates."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..coefficients.arrays import BoolArray, FloatArray
from ..coefficients.reliability_matrix import NUMERIC
from ..shared.measure import Measure
from ..shared.ratings_groups import sorted_values
from ..shared.record_table import RecordTable, record_table

if TYPE_CHECKING:
    import pandas as pd


class Instrument(NamedTuple):
    """One judge: its name, its model, and the rest of its name, which is its prompt."""

    coder: str
    model: str
    prompt: str


class InstrumentAnswers(NamedTuple):
    """The answers of the instruments, records x instruments.

    Parameters
    ----------
    replicates
        How the replicates were treated.
    flags, numbers
        The flag (0 or 1) and the number of each answer, NaN if there is none.
    has_row
        Whether the answer was planned.
    """

    replicates: str
    flags: FloatArray
    numbers: FloatArray
    has_row: BoolArray

    def has_missing(self, flags: bool, numbers: bool) -> bool:
        """Whether a planned answer has no flag, or no number, if these are needed."""
        needed = [values for values, is_needed in ((self.flags, flags), (self.numbers, numbers)) if is_needed]
        return any(bool((np.isnan(values) & self.has_row).any()) for values in needed)


@dataclass(frozen=True, eq=False)
class InstrumentTable:
    """All instruments of a group, and the table of their answers."""

    table: RecordTable
    instruments: list[Instrument]

    @property
    def has_flag(self) -> bool:
        """Whether a flag is declared."""
        return bool((~np.isnan(self.table.flags)).any())

    @property
    def has_numbers(self) -> bool:
        """Whether the answers have an order, so that a threshold can divide them."""
        return self.table.codes.level in NUMERIC

    def answers(self, replicate_modes: Sequence[str]) -> Iterator[InstrumentAnswers]:
        """The answers for each way to treat replicates: the most frequent (`modal`), and each of them (`each`)."""
        replicates = sorted_values(replicate for _, replicate in self.table.columns)
        if len(replicates) == 1:
            yield self._combine_replicates("asked once", replicates)
            return
        if "modal" in replicate_modes:
            yield self._combine_replicates(f"mode of {len(replicates)}", replicates)
        if "each" in replicate_modes:
            for replicate in replicates:
                yield self._combine_replicates(f"replicate {replicate}", [replicate])

    def _combine_replicates(self, name: str, replicates: Sequence[Any]) -> InstrumentAnswers:
        flags, numbers, has_row = [], [], []
        no_numbers = np.full(len(self.table.records), np.nan)
        for instrument in self.instruments:
            columns = [
                i
                for i, (coder, replicate) in enumerate(self.table.columns)
                if coder == instrument.coder and replicate in replicates
            ]
            flags.append(_modal_numbers("flagged share", self.table, columns))
            numbers.append(_modal_numbers("mean", self.table, columns) if self.has_numbers else no_numbers)
            has_row.append(self.table.has_row[:, columns].any(axis=1))
        return InstrumentAnswers(name, np.column_stack(flags), np.column_stack(numbers), np.column_stack(has_row))


def instrument_table(part: pd.DataFrame, judges: Sequence[str]) -> InstrumentTable:
    """The judges of one group of prepared ratings."""
    own = part[part.coder.isin(list(judges))]
    return InstrumentTable(record_table(own, ["coder", "replicate"]), _name_instruments(own, judges))


def _modal_numbers(measure: str, table: RecordTable, columns: list[int]) -> FloatArray:
    if not columns:
        return np.full(len(table.records), np.nan)
    return Measure(measure, table).modal(columns)[0][:, 0]


def _name_instruments(part: pd.DataFrame, judges: Sequence[str]) -> list[Instrument]:
    """The model and prompt of each judge; if a frame names no models, each judge counts as a model."""
    columns = [name for name in ("judge", "model") if name in part.columns]
    first = part.groupby("coder")[columns].first() if columns else None
    instruments = []
    for coder in judges:
        model = None if first is None or "model" not in first else first.model[coder]
        if not isinstance(model, str):
            instruments.append(Instrument(coder, coder, ""))
            continue
        prompt = coder.replace(f" · {model}", "", 1)
        step = first.judge[coder] if first is not None and "judge" in first else None
        prompt = str(step) if prompt == coder and isinstance(step, str) else prompt
        instruments.append(Instrument(coder, model, prompt))
    names = [(instrument.model, instrument.prompt) for instrument in instruments]
    return [
        instrument if names.count(name) == 1 else instrument._replace(prompt=instrument.coder)
        for instrument, name in zip(instruments, names, strict=True)
    ]
