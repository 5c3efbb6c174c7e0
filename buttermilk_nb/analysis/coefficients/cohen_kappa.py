"""Cohen's kappa of two coders, plain and weighted; Conger's and Light's kappa of more."""

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
    """Cohen's kappa: agreement of two coders beyond chance, if each keeps their own use of the categories.

    Units that one of the two did not code are dropped. The weighted forms (Cohen 1968) use the numbers of the
    *declared* categories: an unused category between two others separates them, as `labels=` does in scikit-learn. R's
    `irr::kappa2` counts only the categories that were used, and then gives other values.

    Parameters
    ----------
    scheme
        `identity` (plain), `linear` or `quadratic`.

    Examples
    --------
    Both say yes to 20 units and no to 15, only the first to 5 and only the second to 10 (agreement 0.7, by chance 0.5):

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
    """Conger's kappa, also called the exact kappa: agreement beyond chance, if each coder keeps their own shares.

    Expected agreement is the mean over pairs of coders of the sum of products of their shares; with two coders it is
    Cohen's. If codes are missing, agreement is the mean over units with two codes or more, and each coder's shares are
    over all units that the coder coded (Gwet 2014, ch. 2).

    Examples
    --------
    >>> rows = [["a", "a", "a"], ["a", "a", "b"], ["b", "b", "b"], ["b", "b", "b"]]
    >>> codes = ReliabilityMatrix.from_rows(rows, "nominal")
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
        share_sums, square_sums, totals = (np.zeros((len(rows), size)) for _ in range(3))
        n_coders = np.zeros(len(rows))  # with a code in this resample
        for coder in range(codes.matrix.shape[1]):
            coder_totals = category_totals(codes.matrix[:, [coder]], size, rows)
            n_codes = coder_totals.sum(axis=1, keepdims=True)
            shares = np.divide(coder_totals, n_codes, out=np.zeros_like(coder_totals), where=n_codes > 0)
            n_coders += n_codes[:, 0] > 0
            totals += coder_totals
            share_sums += shares
            square_sums += shares**2
        expected = (share_sums**2 - square_sums).sum(axis=1) / (n_coders * (n_coders - 1))
        kappas = chance_corrected(mean_agreement(codes.matrix, rows), expected)
        return np.where(has_one_category(totals), np.nan, kappas)

    def _undefined_reason(self, codes: ReliabilityMatrix) -> str | None:
        return sole_category(codes.matrix, codes)


@dataclass(frozen=True)
class LightKappa(Coefficient):
    """Light's kappa: the mean of Cohen's kappas of all pairs of coders (Light 1971).

    Each pair is compared on the units that both coded. It is undefined if the kappa of any pair is: leaving that pair
    out would change the question. A coder without any code does not count as a coder.

    Examples
    --------
    >>> rows = [["a", "a", "a"], ["a", "a", "b"], ["b", "b", "b"], ["b", "b", "b"]]
    >>> codes = ReliabilityMatrix.from_rows(rows, "nominal")
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
        has_code = (rows > 0).astype(np.float64) @ (codes.matrix >= 0) > 0  # resamples x coders
        total, n_pairs = np.zeros(len(rows)), np.zeros(len(rows))
        for a, b in combinations(range(codes.matrix.shape[1]), 2):
            is_pair = has_code[:, a] & has_code[:, b]
            total += np.where(is_pair, kappa(*complete_units(codes.matrix[:, [a, b]], rows), weights), 0)
            n_pairs += is_pair
        return total / n_pairs

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
