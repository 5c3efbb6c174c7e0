"""The answers at two levels of a factor, paired record by record."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..coefficients.arrays import BoolArray, FloatArray
from ..shared.measure import Measure
from ..shared.ratings_groups import sorted_values
from ..shared.record_table import RecordTable
from ..shared.replicate_mode import ReplicateMode


@dataclass(frozen=True, eq=False)
class PairedLevels:
    """The answers at two levels of a factor, `a` and `b`.

    Parameters
    ----------
    a, b
        Records x replicates: the number, NaN without an answer. One column if the replicates are reduced to their mode.
    answer_a, answer_b
        The same shape: the answer itself, as a number.
    is_complete
        Records x replicates: whether there is an answer at both levels.
    was_planned
        Which records have a planned answer at either level.
    n_ties
        The number of records whose replicates tie, at one level or both.
    n_unpaired
        The number of replicates at one level without one of the same number at the other.
    """

    a: FloatArray
    b: FloatArray
    answer_a: FloatArray
    answer_b: FloatArray
    is_complete: BoolArray
    was_planned: BoolArray
    n_ties: int = 0
    n_unpaired: int = 0

    @property
    def has_pair(self) -> BoolArray:
        """Which records have an answer at both levels, in at least one replicate."""
        return np.asarray(self.is_complete.any(axis=1))

    def means(self, weights: FloatArray) -> tuple[FloatArray, FloatArray]:
        """The mean at each level in each resample: within each replicate, then averaged.

        Parameters
        ----------
        weights
            Resamples x records with a pair: how often each record counts.
        """
        is_complete = self.is_complete[self.has_pair]
        n = weights @ is_complete
        result = []
        for numbers in (self.a, self.b):
            total = weights @ np.where(is_complete, numbers[self.has_pair], 0.0)
            mean = np.divide(total, n, out=np.zeros(n.shape), where=n > 0)
            n_defined = (n > 0).sum(axis=1)
            total = mean.sum(axis=1)
            result.append(np.divide(total, n_defined, out=np.full(len(weights), np.nan), where=n_defined > 0))
        return result[0], result[1]

    def contributions(self) -> FloatArray:
        """How much each record with a pair adds to the difference of the means."""
        is_complete = self.is_complete[self.has_pair]
        n = is_complete.sum(axis=0)
        difference = np.where(is_complete, self.b[self.has_pair] - self.a[self.has_pair], 0.0)
        return np.asarray((difference[:, n > 0] / n[n > 0]).sum(axis=1) / max(1, int((n > 0).sum())))

    def mean_count(self, mask: BoolArray) -> float:
        """The number of complete records in a mask (records x replicates), averaged over the replicates."""
        n_replicates = self.is_complete.shape[1]
        return float((mask & self.is_complete).sum() / n_replicates) if n_replicates else float("nan")

    def bounds(self, least: float, most: float) -> tuple[float, float]:
        """The least and the greatest difference over all planned records, whatever the missing answers are.

        Parameters
        ----------
        least, most
            The range of the number of a record.
        """
        a, b = self.a[self.was_planned], self.b[self.was_planned]
        if not a.size:
            return float("nan"), float("nan")
        low = np.where(np.isnan(b), least, b) - np.where(np.isnan(a), most, a)
        high = np.where(np.isnan(b), most, b) - np.where(np.isnan(a), least, a)
        return float(low.mean()), float(high.mean())


def pair_levels(measure: Measure, a: Any, b: Any, replicate_mode: ReplicateMode) -> PairedLevels:
    """The answers at two levels, reduced to the mode of the replicates or in each of them.

    With `each`, replicates of the same number are paired. A level with a single replicate, such as a person, is paired
    with every replicate of the other level.
    """
    columns_a, columns_b = _replicate_columns(measure.table, a), _replicate_columns(measure.table, b)
    was_planned = np.asarray(measure.table.has_row[:, [*columns_a.values(), *columns_b.values()]].any(axis=1))
    if replicate_mode == "modal":
        sides = [list(columns.values()) for columns in (columns_a, columns_b)]
        levels = [measure.modal(columns) for columns in sides]
        n_ties, n_unpaired = int((measure.has_tie(sides[0]) | measure.has_tie(sides[1])).sum()), 0
    else:
        replicates = _paired_replicates(list(columns_a), list(columns_b))
        levels = [
            measure.numbers_and_answers([columns[replicate] for replicate in own])
            for columns, own in zip((columns_a, columns_b), replicates, strict=True)
        ]
        n_ties, n_unpaired = 0, len(columns_a) + len(columns_b) - sum(len(set(own)) for own in replicates)
    (numbers_a, answers_a), (numbers_b, answers_b) = levels
    is_complete = ~np.isnan(numbers_a) & ~np.isnan(numbers_b)
    return PairedLevels(
        numbers_a, numbers_b, answers_a, answers_b, is_complete, was_planned, n_ties=n_ties, n_unpaired=n_unpaired
    )


def _replicate_columns(table: RecordTable, level: Any) -> dict[Any, int]:
    """The column of each replicate of a level."""
    return {replicate: i for i, (own, replicate) in enumerate(table.columns) if own == level}


def _paired_replicates(a: list[Any], b: list[Any]) -> tuple[list[Any], list[Any]]:
    if len(a) == 1 or len(b) == 1:
        return a * len(b), b * len(a)
    common = sorted_values(set(a) & set(b))
    return common, common
