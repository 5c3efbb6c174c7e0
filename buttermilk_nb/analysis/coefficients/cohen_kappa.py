"""Cohen's kappa of two coders, plain and weighted."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import Literal

import numpy as np

from .agreement_counts import (
    category_totals,
    chance_corrected,
    complete_units,
    has_one_category,
    mean_agreement,
    pair_sums,
)
from .arrays import FloatArray, IntArray
from .base import CATEGORICAL, Coefficient, register
from .category_weights import declared_weights, weights_as_measure
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
    >>> CohenKappa().estimate(ReliabilityMatrix.from_rows(rows, "nominal")).round(4).tolist()
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
        return kappa(*complete_units(codes.matrix, rows), declared_weights(codes, self.scheme), self.scheme)

    def _undefined_reason(self, codes: ReliabilityMatrix) -> str | None:
        return sole_category(codes.matrix[(codes.matrix >= 0).all(axis=1)], codes)


def kappa(matrix: IntArray, rows: FloatArray, weights: FloatArray, scheme: str = "identity") -> FloatArray:
    """Cohen's kappa of the two columns of a matrix without gaps."""
    size = len(weights)
    first, second = (category_totals(matrix[:, [coder]], size, rows) for coder in (0, 1))
    units = rows.sum(axis=1)
    observed = rows @ pair_sums(matrix, weights_as_measure(scheme, weights)) / units
    expected = ((first @ weights) * second).sum(axis=1) / units**2
    return np.where(has_one_category(first + second), np.nan, chance_corrected(observed, expected))


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


@dataclass(frozen=True)
class CongerKappa(Coefficient):
    """Conger's kappa, called the exact kappa: chance is what each coder's own use of the categories would bring.

    Expected agreement is the mean over pairs of coders of the sum of products of their shares; with two coders it is
    Cohen's. Where codes are missing, agreement is the mean over units with two codes or more, and each coder's
    shares are those of all units that the coder coded (Gwet 2014, ch. 2).

    Examples
    --------
    >>> codes = ReliabilityMatrix.from_rows([["a", "a", "a"], ["a", "a", "b"], ["b", "b", "b"], ["b", "b", "b"]], "nominal")
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
        return np.where(has_one_category(totals), np.nan, found)

    def _undefined_reason(self, codes: ReliabilityMatrix) -> str | None:
        return sole_category(codes.matrix, codes)


@dataclass(frozen=True)
class LightKappa(Coefficient):
    """Light's kappa: the mean of Cohen's kappas of all pairs of coders (Light 1971).

    Each pair is compared on the units that both coded. It is undefined as soon as the kappa of one pair is: leaving
    that pair out would change the question. A coder without any code is no coder.

    Examples
    --------
    >>> codes = ReliabilityMatrix.from_rows([["a", "a", "a"], ["a", "a", "b"], ["b", "b", "b"], ["b", "b", "b"]], "nominal")
    >>> LightKappa().estimate(codes).round(4).tolist()
    [0.6667]
    """

    name: str = "light_kappa"
    title: str = "Light's kappa"
    levels: tuple[str, ...] = CATEGORICAL
    coders: Literal["two", "any"] = "any"
    missing: Literal["used", "dropped", "refused"] = "used"
    source: str = "Light 1971"

    def _estimate(self, codes: ReliabilityMatrix, rows: FloatArray) -> FloatArray:
        weights = declared_weights(codes, "identity")
        coded = (rows > 0).astype(np.float64) @ (codes.matrix >= 0) > 0  # resamples x coders: who gave a code
        total, pairs = np.zeros(len(rows)), np.zeros(len(rows))
        for a, b in combinations(range(codes.matrix.shape[1]), 2):
            both = coded[:, a] & coded[:, b]
            total += np.where(both, kappa(*complete_units(codes.matrix[:, [a, b]], rows), weights), 0)
            pairs += both
        return total / pairs

    def _undefined_reason(self, codes: ReliabilityMatrix) -> str | None:
        coders = np.flatnonzero((codes.matrix >= 0).any(axis=0))
        for a, b in combinations(coders, 2):
            both = codes.matrix[:, [a, b]]
            both = both[(both >= 0).all(axis=1)]
            if not len(both):
                return f"Coders {a + 1} and {b + 1} have no unit in common."
            if problem := sole_category(both, codes):
                return f"Between coders {a + 1} and {b + 1}: {problem[0].lower()}{problem[1:]}"
        return None


register(CongerKappa())
register(LightKappa())
