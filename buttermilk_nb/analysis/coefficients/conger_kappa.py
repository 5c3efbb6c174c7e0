"""Conger's kappa: Cohen's kappa for more than two coders."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from .agreement_counts import category_totals, chance_corrected, mean_agreement, one_category
from .base import CATEGORICAL, Coefficient, FloatArray, register
from .reliability_matrix import ReliabilityMatrix
from .undefined_reasons import sole_category


@dataclass(frozen=True)
class CongerKappa(Coefficient):
    """Conger's kappa, called the exact kappa: chance is what each coder's own use of the categories would bring.

    Expected agreement is the mean over pairs of coders of the sum of products of their shares; with two coders it is
    Cohen's. Where codes are missing, agreement is the mean over units with two codes or more, and each coder's
    shares are those of all units that the coder coded (Gwet 2014, ch. 2).

    Examples
    --------
    >>> codes = ReliabilityMatrix.of([["a", "a", "a"], ["a", "a", "b"], ["b", "b", "b"], ["b", "b", "b"]], "nominal")
    >>> CongerKappa().estimate(codes).round(4).tolist()
    [0.6667]
    """

    name: str = "conger_kappa"
    title: str = "Conger's kappa"
    levels: tuple[str, ...] = CATEGORICAL
    coders: Literal["two", "any"] = "any"
    missing: Literal["used", "dropped", "refused"] = "used"
    source: str = "Conger 1980"

    def _estimate(self, codes: ReliabilityMatrix, rows: FloatArray) -> FloatArray:
        size = len(codes.categories)
        summed, squared, totals = (np.zeros((len(rows), size)) for _ in range(3))
        coders = np.zeros(len(rows))  # with a code in this resample
        for coder in range(codes.matrix.shape[1]):
            given = category_totals(codes.matrix[:, [coder]], size, rows)
            codes_given = given.sum(axis=1, keepdims=True)
            shares = np.divide(given, codes_given, out=np.zeros_like(given), where=codes_given > 0)
            coders += codes_given[:, 0] > 0
            totals += given
            summed += shares
            squared += shares**2
        expected = (summed**2 - squared).sum(axis=1) / (coders * (coders - 1))
        found = chance_corrected(mean_agreement(codes.matrix, rows), expected)
        return np.where(one_category(totals), np.nan, found)

    def _why(self, codes: ReliabilityMatrix) -> str | None:
        return sole_category(codes.matrix, codes)


register(CongerKappa())
