"""Scott's pi of two coders."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from .agreement_counts import category_totals, chance_corrected, complete, equal, one_category, pair_sums
from .base import CATEGORICAL, Coefficient, FloatArray, register
from .reliability_matrix import ReliabilityMatrix
from .undefined_reasons import sole_category


@dataclass(frozen=True)
class ScottPi(Coefficient):
    """Scott's pi: agreement of two coders beyond chance, where chance is what both together used.

    Units that one of the two did not code are dropped. Fleiss' kappa of two coders is the same.

    Examples
    --------
    Both say yes to 20 units and no to 15, one alone to 5 and the other alone to 10; the share of yes is 0.55:

    >>> rows = [["yes", "yes"]] * 20 + [["yes", "no"]] * 5 + [["no", "yes"]] * 10 + [["no", "no"]] * 15
    >>> ScottPi().estimate(ReliabilityMatrix.of(rows, "nominal")).round(4).tolist()
    [0.3939]
    """

    name: str = "scott_pi"
    title: str = "Scott's pi"
    levels: tuple[str, ...] = CATEGORICAL
    coders: Literal["two", "any"] = "two"
    missing: Literal["used", "dropped", "refused"] = "dropped"
    source: str = "Scott 1955"

    def _estimate(self, codes: ReliabilityMatrix, rows: FloatArray) -> FloatArray:
        matrix, rows = complete(codes.matrix, rows)
        units = rows.sum(axis=1)
        totals = category_totals(matrix, len(codes.categories), rows)
        expected = (totals**2).sum(axis=1) / (2 * units) ** 2
        found = chance_corrected(rows @ pair_sums(matrix, equal) / units, expected)
        return np.where(one_category(totals), np.nan, found)

    def _why(self, codes: ReliabilityMatrix) -> str | None:
        return sole_category(codes.matrix[(codes.matrix >= 0).all(axis=1)], codes)


register(ScottPi())
