"""Cohen's kappa of two coders, plain and weighted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from .agreement_counts import IntArray, category_totals, chance_corrected, complete, one_category, pair_sums
from .base import CATEGORICAL, Coefficient, FloatArray, register
from .category_weights import as_measure, declared_weights
from .reliability_matrix import ReliabilityMatrix
from .undefined_reasons import sole_category


@dataclass(frozen=True)
class CohenKappa(Coefficient):
    """Cohen's kappa: agreement of two coders beyond what their own use of the categories would bring by chance.

    Units that one of the two did not code are dropped. The weighted forms (Cohen 1968) go by the numbers of the
    *declared* categories: an unused category between two others keeps them apart, as `labels=` does in
    scikit-learn. R's `irr::kappa2` counts only the categories that were used, and gives other values there.

    Parameters
    ----------
    scheme
        `identity` (plain), `linear` or `quadratic`.

    Examples
    --------
    Both say yes to 20 units and no to 15, one alone to 5 and the other alone to 10 (agreement 0.7, by chance 0.5):

    >>> rows = [["yes", "yes"]] * 20 + [["yes", "no"]] * 5 + [["no", "yes"]] * 10 + [["no", "no"]] * 15
    >>> CohenKappa().estimate(ReliabilityMatrix.of(rows, "nominal")).round(4).tolist()
    [0.4]
    """

    name: str = "cohen_kappa"
    title: str = "Cohen's kappa"
    levels: tuple[str, ...] = CATEGORICAL
    coders: Literal["two", "any"] = "two"
    missing: Literal["used", "dropped", "refused"] = "dropped"
    source: str = "Cohen 1960"
    scheme: str = "identity"

    def _estimate(self, codes: ReliabilityMatrix, rows: FloatArray) -> FloatArray:
        return kappa(*complete(codes.matrix, rows), declared_weights(codes, self.scheme), self.scheme)

    def _why(self, codes: ReliabilityMatrix) -> str | None:
        return sole_category(codes.matrix[(codes.matrix >= 0).all(axis=1)], codes)


def kappa(matrix: IntArray, rows: FloatArray, weights: FloatArray, scheme: str = "identity") -> FloatArray:
    """Cohen's kappa of the two columns of a matrix without gaps."""
    size = len(weights)
    first, second = (category_totals(matrix[:, [coder]], size, rows) for coder in (0, 1))
    units = rows.sum(axis=1)
    observed = rows @ pair_sums(matrix, as_measure(scheme, weights)) / units
    expected = ((first @ weights) * second).sum(axis=1) / units**2
    return np.where(one_category(first + second), np.nan, chance_corrected(observed, expected))


register(CohenKappa())
for _scheme in ("linear", "quadratic"):
    register(
        CohenKappa(
            f"cohen_kappa_{_scheme}",
            f"Cohen's kappa, {_scheme} weights",
            ("ordinal",),
            source="Cohen 1968",
            scheme=_scheme,
        )
    )
