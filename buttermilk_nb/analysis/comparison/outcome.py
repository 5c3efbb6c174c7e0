"""What is compared: one number per record and level of the factor.

The declared flag comes first, since it is what the study asks for; then the number of an answer; and names without
order have nothing but their shares, of which the most frequent one's is shown. The category is taken from all answers
of the group, so that each pair of levels is measured alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...codebook.scales import Continuous
from ..coefficients.agreement_counts import IntArray
from ..coefficients.base import FloatArray
from ..coefficients.reliability_matrix import NUMERIC
from ..shared.modes import mode_share, row_modes
from ..shared.record_table import RecordTable


@dataclass(frozen=True)
class Measure:
    """How the answers of one group become numbers.

    Parameters
    ----------
    name
        `flagged share`, `mean`, or which category's share.
    table
        The answers: records x (level, replicate).
    category
        Whose share it is, as an index; None for the others.
    """

    name: str
    table: RecordTable
    category: int | None = None

    @property
    def is_share(self) -> bool:
        """Whether a record's number is 0 or 1."""
        return self.name != "mean"

    def numbers_and_answers(self, places: Sequence[int]) -> tuple[FloatArray, FloatArray]:
        """Of every cell of some columns: what is measured, and what was said (two that differ are a change)."""
        matrix = self.table.codes.matrix[:, places]
        if self.name == "flagged share":
            return self.table.flags[:, places], self.table.flags[:, places]
        if self.name == "mean":
            numbers = _code_numbers(self.table, matrix)
            return numbers, numbers
        said = np.where(matrix >= 0, matrix, np.nan)
        return _is_category(said, self.category), said

    def modal(self, places: Sequence[int]) -> tuple[FloatArray, FloatArray]:
        """Of every record, over the replicates in some columns: the same two, as a column.

        Shares go by the most frequent answer; where two are as frequent there is none. Ordinal numbers go by the mode
        too, and by the mean of those tied; numbers on a continuous scale, which hardly repeat, by their mean.
        """
        matrix = self.table.codes.matrix[:, places]
        if self.name == "mean":
            ordinal = self.table.codes.level == "ordinal"
            numbers = (_modal_number if ordinal else _mean_number)(_code_numbers(self.table, matrix), matrix)
            return numbers[:, None], numbers[:, None]
        if self.name == "flagged share":
            flags = self.table.flags[:, places]
            matrix = np.where(np.isnan(flags), -1, flags).astype(np.intp)
        mode = row_modes(matrix).mode
        said = np.where(mode >= 0, mode, np.nan)[:, None]
        return (said if self.category is None else _is_category(said, self.category)), said

    def has_tie(self, places: Sequence[int]) -> NDArray[np.bool_]:
        """Which records have no most frequent answer although they have answers."""
        return np.asarray(
            np.isnan(self.modal(places)[0][:, 0]) & ~np.isnan(self.numbers_and_answers(places)[0]).all(axis=1)
        )

    def range(self) -> tuple[float, float]:
        """The least and the most that a record's number can be; NaN where the scale does not say."""
        scale, values = self.table.scale, self.table.codes.values
        if self.is_share:
            return 0.0, 1.0
        if isinstance(scale, Continuous):
            return scale.low, scale.high
        if self.table.codes.level == "ordinal" and values is not None:
            return float(values.min()), float(values.max())
        return float("nan"), float("nan")


def choose_measure(table: RecordTable) -> Measure:
    """The measure that fits the answers of a group."""
    codes = table.codes
    if not np.isnan(table.flags).all():
        return Measure("flagged share", table)
    if codes.level in NUMERIC:
        return Measure("mean", table)
    given = codes.matrix[codes.matrix >= 0]
    if not len(given):
        return Measure("share of the most frequent answer", table, 0)
    category = int(np.bincount(given).argmax())
    return Measure(f"share of `{codes.categories[category]}`", table, category)


def _is_category(said: FloatArray, category: int | None) -> FloatArray:
    return np.where(np.isnan(said), np.nan, said == category)


def _code_numbers(table: RecordTable, matrix: IntArray) -> FloatArray:
    values: Any = table.codes.values
    return np.append(values, np.nan)[matrix]  # a missing code, -1, finds the NaN at the end


def _modal_number(numbers: FloatArray, matrix: IntArray) -> FloatArray:
    counts = mode_share(matrix)
    best = (counts == counts.max(axis=1, initial=0, keepdims=True)) & (matrix >= 0)
    return _mean_number(numbers, np.where(best, matrix, -1))


def _mean_number(numbers: FloatArray, matrix: IntArray) -> FloatArray:
    """The mean of each row's numbers that have a code."""
    n = (matrix >= 0).sum(axis=1)
    total = np.where(matrix >= 0, numbers, 0.0).sum(axis=1)
    return np.asarray(np.divide(total, n, out=np.full(len(n), np.nan), where=n > 0))
