"""Kendall's W, the coefficient of concordance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from .agreement_counts import category_totals, complete_units, has_one_category, row_blocks
from .arrays import FloatArray
from .base import Coefficient, register
from .reliability_matrix import ReliabilityMatrix
from .undefined_reasons import sole_category


@dataclass(frozen=True)
class KendallW(Coefficient):
    """Kendall's W: how far the coders put the units into the same order, from 0 to 1, corrected for ties.

    Each coder's codes are ranked, and ties share their midrank (Kendall and Gibbons 1990). It uses complete units only;
    the others are dropped and counted. It does not depend on whether one coder is stricter than another. In a resample
    the copies of a unit are ties of each other, as if the unit were twice in the data.

    Examples
    --------
    >>> codes = ReliabilityMatrix.from_rows([[1, 2, 1], [2, 1, 2], [3, 3, 3]], "ordinal")
    >>> KendallW().estimate(codes).round(4).tolist()
    [0.7778]
    """

    name: str = "kendall_w"
    title: str = "Kendall's W"
    levels: tuple[str, ...] = ("ordinal", "interval", "ratio")
    coders: Literal["two", "any"] = "any"
    missing: Literal["used", "dropped", "refused"] = "dropped"
    source: str = "Kendall and Babington Smith 1939; Kendall and Gibbons 1990"

    def _estimate(self, codes: ReliabilityMatrix, rows: FloatArray) -> FloatArray:
        matrix, rows = complete_units(codes.matrix, rows)
        units, coders = matrix.shape
        n = rows.sum(axis=1)
        rank_sums = np.zeros((len(rows), units))  # of each unit, minus their mean
        ties = np.zeros(len(rows))
        has_no_order = np.ones(len(rows), dtype=bool)
        for coder in range(coders):
            used, column = np.unique(matrix[:, coder], return_inverse=True)
            totals = category_totals(column[:, None], len(used), rows)
            ranks = np.cumsum(totals, axis=1) - (totals + n[:, None]) / 2
            for block in row_blocks(len(rows), units):
                rank_sums[block] += np.take(ranks[block], column, axis=1)
            ties += (totals**3 - totals).sum(axis=1)
            has_no_order &= has_one_category(totals)
        w = 12 * (rows * rank_sums**2).sum(axis=1) / (coders * (coders * (n**3 - n) - ties))
        return np.where(has_no_order, np.nan, w)

    def _undefined_reason(self, codes: ReliabilityMatrix) -> str | None:
        matrix = codes.matrix[(codes.matrix >= 0).all(axis=1)]
        if len(matrix) < 2:
            return "Kendall's W needs two units that every coder coded, and there is one."
        if (matrix == matrix[0]).all():
            return sole_category(matrix, codes) or "No coder distinguished any units: there is no order to compare."
        return None


register(KendallW())
