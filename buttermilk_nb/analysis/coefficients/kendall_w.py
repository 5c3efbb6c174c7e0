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

    Each coder's codes are ranked, ties sharing their midrank (Kendall and Gibbons 1990). Complete units only; the
    others are dropped and counted. It does not see that one coder is stricter than another. In a resample the copies
    of a unit are ties of each other, as they are wherever a unit stands twice in the data.

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
        sums = np.zeros((len(rows), units))  # of each unit's ranks, less their mean
        ties = np.zeros(len(rows))
        unranked = np.ones(len(rows), dtype=bool)
        for coder in range(coders):
            used, column = np.unique(matrix[:, coder], return_inverse=True)
            totals = category_totals(column[:, None], len(used), rows)
            ranks = np.cumsum(totals, axis=1) - (totals + n[:, None]) / 2
            for some in row_blocks(len(rows), units):
                sums[some] += np.take(ranks[some], column, axis=1)
            ties += (totals**3 - totals).sum(axis=1)
            unranked &= has_one_category(totals)
        found = 12 * (rows * sums**2).sum(axis=1) / (coders * (coders * (n**3 - n) - ties))
        return np.where(unranked, np.nan, found)

    def _undefined_reason(self, codes: ReliabilityMatrix) -> str | None:
        matrix = codes.matrix[(codes.matrix >= 0).all(axis=1)]
        if len(matrix) < 2:
            return "Kendall's W needs two units that every coder coded, and there is one."
        if (matrix == matrix[0]).all():
            return sole_category(matrix, codes) or "No coder told any unit from another: there is no order to compare."
        return None


register(KendallW())
