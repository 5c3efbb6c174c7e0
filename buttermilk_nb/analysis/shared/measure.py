"""The measure of a group: one number per record and level of a factor.

The declared flag comes first, because it is what the study asks for; then the number of an answer. Names without an
order have only their shares, and the share of the most frequent one is reported. This category is determined from all
answers of the group, so that every pair of levels is measured alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..coefficients.arrays import BoolArray, FloatArray, IntArray
from ..coefficients.reliability_matrix import NUMERIC
from .modes import is_modal_code, row_modes
from .record_table import RecordTable


@dataclass(frozen=True)
class Measure:
    """How the answers of one group become numbers.

    Parameters
    ----------
    name
        `flagged share`, `mean`, or the share of a category.
    table
        The answers: records x (level, replicate).
    category
        The index of the category of which this is the share; None for the others.
    """

    name: str
    table: RecordTable
    category: int | None = None

    @property
    def is_share(self) -> bool:
        """Whether a record's number is 0 or 1."""
        return self.name != "mean"

    def numbers_and_answers(self, columns: Sequence[int]) -> tuple[FloatArray, FloatArray]:
        """The number of each answer in some columns, and the answer itself (two different answers are a change)."""
        matrix = self.table.codes.matrix[:, columns]
        if self.name == "flagged share":
            return self.table.flags[:, columns], self.table.flags[:, columns]
        if self.name == "mean":
            numbers = _code_numbers(self.table, matrix)
            return numbers, numbers
        answers = np.where(matrix >= 0, matrix, np.nan)
        return _is_category(answers, self.category), answers

    def modal(self, columns: Sequence[int]) -> tuple[FloatArray, FloatArray]:
        """The same two for each record over the replicates in some columns, as arrays of one column.

        A share depends on the modal answer; if two are as frequent there is none. An ordinal number is the mode too, or
        the mean of those tied; a number on a continuous scale, which hardly repeats, is the mean of all.
        """
        matrix = self.table.codes.matrix[:, columns]
        if self.name == "mean":
            ordinal = self.table.codes.level == "ordinal"
            averaged = np.where(is_modal_code(matrix), matrix, -1) if ordinal else matrix
            numbers = _mean_number(_code_numbers(self.table, matrix), averaged)
            return numbers[:, None], numbers[:, None]
        if self.name == "flagged share":
            flags = self.table.flags[:, columns]
            matrix = np.where(np.isnan(flags), -1, flags).astype(np.intp)
        mode = row_modes(matrix).mode
        answers = np.where(mode >= 0, mode, np.nan)[:, None]
        return (answers if self.category is None else _is_category(answers, self.category)), answers

    def has_tie(self, columns: Sequence[int]) -> BoolArray:
        """Which records have answers, but no modal answer."""
        has_answer = ~np.isnan(self.numbers_and_answers(columns)[0]).all(axis=1)
        return np.asarray(np.isnan(self.modal(columns)[0][:, 0]) & has_answer)

    def range(self) -> tuple[float, float]:
        """The least and the greatest possible number of a record; NaN if the scale does not say."""
        scale, values = self.table.scale, self.table.codes.values
        if self.is_share:
            return 0.0, 1.0
        if self.table.codes.level == "ordinal" and values is not None:
            return float(values.min()), float(values.max())
        return (scale.bounds if scale else None) or (np.nan, np.nan)


def choose_measure(table: RecordTable) -> Measure:
    """The measure that fits the answers of a group."""
    codes = table.codes
    if not np.isnan(table.flags).all():
        return Measure("flagged share", table)
    if codes.level in NUMERIC:
        return Measure("mean", table)
    used = codes.matrix[codes.matrix >= 0]
    if not len(used):
        return Measure("share of the most frequent answer", table, 0)
    category = int(np.bincount(used).argmax())
    return Measure(f"share of `{codes.categories[category]}`", table, category)


def _is_category(answers: FloatArray, category: int | None) -> FloatArray:
    return np.where(np.isnan(answers), np.nan, answers == category)


def _code_numbers(table: RecordTable, matrix: IntArray) -> FloatArray:
    values: Any = table.codes.values
    return np.append(values, np.nan)[matrix]  # a missing code is -1, the index of the NaN at the end


def _mean_number(numbers: FloatArray, matrix: IntArray) -> FloatArray:
    """The mean of each row's numbers that have a code."""
    n = (matrix >= 0).sum(axis=1)
    total = np.where(matrix >= 0, numbers, 0.0).sum(axis=1)
    return np.asarray(np.divide(total, n, out=np.full(len(n), np.nan), where=n > 0))
