"""The instruments of a group as arrays: what each said of each record, in each replicate and in most of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..coefficients.base import FloatArray
from ..coefficients.reliability_matrix import NUMERIC
from ..comparison.outcome import Measure
from ..shared.groups import sorted_values
from ..shared.record_table import RecordTable, record_table

if TYPE_CHECKING:
    import pandas as pd

BoolArray = NDArray[np.bool_]


class Instrument(NamedTuple):
    """One judge: its model, and the rest of its name, which is its prompt."""

    coder: str
    model: str
    prompt: str


class InstrumentAnswers(NamedTuple):
    """What the instruments said, records x instruments: flags (0 or 1) and numbers, NaN where there is none."""

    replicates: str
    flags: FloatArray
    numbers: FloatArray
    has_row: BoolArray

    def has_missing(self, flags: bool, numbers: bool) -> bool:
        """Whether somebody was asked and has no flag, or no number, where these are wanted."""
        wanted = [own for own, want in ((self.flags, flags), (self.numbers, numbers)) if want]
        return any(bool((np.isnan(own) & self.has_row).any()) for own in wanted)


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
        """Whether the answers are in order, so that a threshold can part them."""
        return self.table.codes.level in NUMERIC

    def answers(self, replicates: Sequence[str]) -> Iterator[InstrumentAnswers]:
        """Each way to take the replicates: the most frequent answer (`modal`), and each of them (`each`)."""
        numbers = sorted_values(replicate for _, replicate in self.table.columns)
        if len(numbers) == 1:
            yield self._combine_replicates("asked once", numbers)
            return
        if "modal" in replicates:
            yield self._combine_replicates(f"mode of {len(numbers)}", numbers)
        if "each" in replicates:
            for one in numbers:
                yield self._combine_replicates(f"replicate {one}", [one])

    def _combine_replicates(self, name: str, chosen: Sequence[Any]) -> InstrumentAnswers:
        flags, numbers, asked = [], [], []
        nothing = np.full(len(self.table.records), np.nan)
        for instrument in self.instruments:
            places = [
                i for i, (coder, one) in enumerate(self.table.columns) if coder == instrument.coder and one in chosen
            ]
            flags.append(_modal_numbers("flagged share", self.table, places))
            numbers.append(_modal_numbers("mean", self.table, places) if self.has_numbers else nothing)
            asked.append(self.table.has_row[:, places].any(axis=1))
        return InstrumentAnswers(name, np.column_stack(flags), np.column_stack(numbers), np.column_stack(asked))


def instrument_table(part: pd.DataFrame, judges: Sequence[str]) -> InstrumentTable:
    """The judges of one group of a checked frame."""
    own = part[part.coder.isin(list(judges))]
    return InstrumentTable(record_table(own, ["coder", "replicate"]), _name_instruments(own, judges))


def _modal_numbers(name: str, answers: RecordTable, places: list[int]) -> FloatArray:
    if not places:
        return np.full(len(answers.records), np.nan)
    return Measure(name, answers).modal(places)[0][:, 0]


def _name_instruments(part: pd.DataFrame, judges: Sequence[str]) -> list[Instrument]:
    """The model and prompt of each judge; a frame that names no models has a model for each judge."""
    columns = [name for name in ("judge", "model") if name in part.columns]
    first = part.groupby("coder")[columns].first() if columns else None
    found = []
    for coder in judges:
        model = None if first is None or "model" not in first else first.model[coder]
        if not isinstance(model, str):
            found.append(Instrument(coder, coder, ""))
            continue
        rest = coder.replace(f" · {model}", "", 1)
        step = first.judge[coder] if first is not None and "judge" in first else None
        found.append(Instrument(coder, model, str(step) if rest == coder and isinstance(step, str) else rest))
    pairs = [(one.model, one.prompt) for one in found]
    return [one if pairs.count((one.model, one.prompt)) == 1 else one._replace(prompt=one.coder) for one in found]
