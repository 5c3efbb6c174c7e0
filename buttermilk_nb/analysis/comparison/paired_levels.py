"""Two levels of a factor, record by record."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ..coefficients.base import FloatArray
from ..shared.groups import sorted_values
from ..shared.record_table import RecordTable
from .outcome import Measure

Replicates = Literal["modal", "each"]


@dataclass(frozen=True, eq=False)
class PairedLevels:
    """The answers at two levels of a factor, `a` and `b`.

    Parameters
    ----------
    a, b
        Records x replicates: what is measured, NaN where there is no answer. With the mode, one column.
    said_a, said_b
        The same, of what was said.
    both
        Records x replicates: whether there is an answer at both levels.
    asked
        Which records were asked at either level.
    ties
        Records whose replicates, at a level or both, have no most frequent answer.
    unpaired
        Replicates at one level without one of the same number at the other.
    """

    a: FloatArray
    b: FloatArray
    answer_a: FloatArray
    answer_b: FloatArray
    is_complete: NDArray[np.bool_]
    was_planned: NDArray[np.bool_]
    n_ties: int = 0
    n_unpaired: int = 0

    @property
    def has_pair(self) -> NDArray[np.bool_]:
        """Which records have an answer at both levels, in one replicate at least."""
        return np.asarray(self.is_complete.any(axis=1))

    def means(self, rows: FloatArray) -> tuple[FloatArray, FloatArray]:
        """The mean at each level, for each row of weights over the used records: in each replicate, then averaged."""
        both = self.is_complete[self.has_pair]
        n = rows @ both
        found = []
        for measured in (self.a, self.b):
            total = rows @ np.where(both, measured[self.has_pair], 0.0)
            mean = np.divide(total, n, out=np.zeros(n.shape), where=n > 0)
            known = (n > 0).sum(axis=1)
            sums = mean.sum(axis=1)
            found.append(np.divide(sums, known, out=np.full(len(rows), np.nan), where=known > 0))
        return found[0], found[1]

    def contributions(self) -> FloatArray:
        """What each used record adds to the difference of the means."""
        both = self.is_complete[self.has_pair]
        n = both.sum(axis=0)
        apart = np.where(both, self.b[self.has_pair] - self.a[self.has_pair], 0.0)
        return np.asarray((apart[:, n > 0] / n[n > 0]).sum(axis=1) / max(1, int((n > 0).sum())))

    def mean_count(self, found: NDArray[np.bool_]) -> float:
        """How many records, on average over the replicates."""
        return (
            float((found & self.is_complete).sum() / self.is_complete.shape[1])
            if self.is_complete.shape[1]
            else float("nan")
        )

    def bounds(self, least: float, most: float) -> tuple[float, float]:
        """The difference over all records asked, had the missing answers been such as to make it least and most."""
        a, b = self.a[self.was_planned], self.b[self.was_planned]
        if not a.size:
            return float("nan"), float("nan")
        low = np.where(np.isnan(b), least, b) - np.where(np.isnan(a), most, a)
        high = np.where(np.isnan(b), most, b) - np.where(np.isnan(a), least, a)
        return float(low.mean()), float(high.mean())


def pair_levels(found: Measure, a: Any, b: Any, replicate_mode: Replicates) -> PairedLevels:
    """The answers at two levels, reduced to the mode of the replicates or in each of them.

    In each: replicates of the same number are paired. A level with a single replicate, such as a person, is paired
    with each of the other's.
    """
    places_a, places_b = _replicate_columns(found.table, a), _replicate_columns(found.table, b)
    asked = np.asarray(found.table.has_row[:, [*places_a.values(), *places_b.values()]].any(axis=1))
    if replicate_mode == "modal":
        columns = [found.modal(list(places.values())) for places in (places_a, places_b)]
        tied = [found.has_tie(list(places.values())) for places in (places_a, places_b)]
        ties, unpaired = int((tied[0] | tied[1]).sum()), 0
    else:
        numbers = _paired_replicates(list(places_a), list(places_b))
        chosen = zip((places_a, places_b), numbers, strict=True)
        columns = [found.numbers_and_answers([places[one] for one in own]) for places, own in chosen]
        ties, unpaired = 0, len(places_a) + len(places_b) - sum(len(set(own)) for own in numbers)
    (at_a, said_a), (at_b, said_b) = columns
    both = ~np.isnan(at_a) & ~np.isnan(at_b)
    return PairedLevels(at_a, at_b, said_a, said_b, both, asked, ties, unpaired)


def _replicate_columns(table: RecordTable, level: Any) -> dict[Any, int]:
    """Which column has which replicate of a level."""
    return {replicate: i for i, (own, replicate) in enumerate(table.columns) if own == level}


def _paired_replicates(a: list[Any], b: list[Any]) -> tuple[list[Any], list[Any]]:
    if len(a) == 1 or len(b) == 1:
        return a * len(b), b * len(a)
    common = sorted_values(set(a) & set(b))
    return common, common
