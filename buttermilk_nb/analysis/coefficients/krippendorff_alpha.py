"""Krippendorff's alpha at every level of measurement, with missing codes.

alpha = 1 - observed / expected disagreement. Units with only one code have no pair and are dropped, from the expected
disagreement too. The weight of a disagreement depends on the level, and needs no table of all pairs of categories:

- nominal: 1. The coincidences on the diagonal suffice.
- ordinal: the number of codes from one category to the other, with each end counted half: the difference of their
  midranks. The ranks are those of the resample, so they are computed for each; the coincidences of few categories are
  sums over units, and of many categories the ranks of all codes are compared.
- interval: the squared difference. Means and squares suffice, whatever the number of distinct values.
- ratio, and sets: distances between distinct values, in blocks; the time grows with the square of their number.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from .agreement_counts import (
    PairMeasure,
    category_totals,
    codes_per_unit,
    has_one_category,
    nominal_distance,
    pair_sums,
    row_blocks,
    units_with_two_codes,
)
from .arrays import FloatArray, IntArray
from .base import Coefficient, register
from .category_weights import declared_weights, weights_as_measure
from .centred_products import sum_of_squares
from .distances import jaccard_distance, masi_distance, ratio_distance
from .reliability_matrix import ReliabilityMatrix
from .undefined_reasons import sole_category

_FEW_CATEGORIES = 12  # their coincidences are 66 numbers for each unit
_LEAST_SQUARES = 1e-12  # numbers are scaled to a range of 1


@dataclass(frozen=True)
class KrippendorffAlpha(Coefficient):
    """Krippendorff's alpha with the metric of the level of the codes.

    Examples
    --------
    >>> rows = [["a", "a", "a"], ["a", "b", None], ["b", "b", None], ["b", None, None]]
    >>> codes = ReliabilityMatrix.from_rows(rows, "nominal")
    >>> KrippendorffAlpha().estimate(codes).round(4).tolist()
    [0.5]
    >>> KrippendorffAlpha().sample_counts(codes)
    SampleCounts(units=3, codes=7, n_excluded=1)
    """

    name: str = "krippendorff_alpha"
    title: str = "Krippendorff's alpha"
    levels: tuple[str, ...] = ("nominal", "ordinal", "interval", "ratio")
    coders: Literal["two", "any"] = "any"
    missing: Literal["used", "dropped", "refused"] = "used"
    source: str = "Krippendorff 2019"
    is_by_coder: bool = False

    def _estimate(self, codes: ReliabilityMatrix, rows: FloatArray) -> FloatArray:
        if _has_negative_ratio(codes):
            return np.full(len(rows), np.nan)
        if codes.level == "interval":
            return _interval_alpha(codes.matrix, rows, _category_numbers(codes))
        matrix, rows, n_codes = units_with_two_codes(codes.matrix, rows)
        totals = category_totals(matrix, len(codes.categories), rows)
        if codes.level == "ordinal":
            alpha = _ordinal_alpha(matrix, rows, n_codes, totals)
        else:
            alpha = _distance_alpha(matrix, rows, n_codes, totals, self._distance(codes))
        return np.where(has_one_category(totals), np.nan, alpha)

    def _distance(self, codes: ReliabilityMatrix) -> PairMeasure:
        return ratio_distance(_category_numbers(codes)) if codes.level == "ratio" else nominal_distance

    def _undefined_reason(self, codes: ReliabilityMatrix) -> str | None:
        if _has_negative_ratio(codes):
            return "Ratios need values of 0 or more."
        pairable = codes.matrix[(codes.matrix >= 0).sum(axis=1) >= 2]
        return sole_category(pairable, codes)


@dataclass(frozen=True)
class SetAlpha(KrippendorffAlpha):
    """Krippendorff's alpha for sets of labels, with the MASI or the Jaccard distance.

    Parameters
    ----------
    distance
        `masi` (Passonneau 2006) or `jaccard`. The distance replaces the squared difference of a metric, as in
        Passonneau's own work.

    Examples
    --------
    >>> codes = ReliabilityMatrix.from_rows([[["a"], ["a"]], [["a", "b"], ["b"]], [[], []]], "set")
    >>> SetAlpha().estimate(codes).round(4).tolist()
    [0.7222]
    """

    name: str = "krippendorff_alpha_masi"
    title: str = "Krippendorff's alpha, MASI distance"
    levels: tuple[str, ...] = ("set",)
    source: str = "Passonneau 2006"
    distance: Literal["masi", "jaccard"] = "masi"

    def _distance(self, codes: ReliabilityMatrix) -> PairMeasure:
        assert codes.sets is not None
        return masi_distance(codes.sets) if self.distance == "masi" else jaccard_distance(codes.sets)


@dataclass(frozen=True)
class WeightedAlpha(KrippendorffAlpha):
    """Krippendorff's alpha with one of Gwet's schemes of weights as the metric, as irrCAC and kappaetc print it.

    It is not in the registry: it serves to reproduce and compare their values. Its `quadratic` is the interval metric,
    but its `ordinal` is not Krippendorff's ordinal metric.

    Parameters
    ----------
    scheme
        A scheme of `agreement_weights`.

    Examples
    --------
    >>> codes = ReliabilityMatrix.from_rows([[1, 1], [1, 2], [3, 3]], "ordinal")
    >>> WeightedAlpha(scheme="linear").estimate(codes).round(4).tolist()
    [0.7059]
    """

    name: str = "krippendorff_alpha_weighted"
    title: str = "Krippendorff's alpha, weighted"
    levels: tuple[str, ...] = ("ordinal",)
    source: str = "Gwet 2014"
    scheme: str = "ordinal"

    def _estimate(self, codes: ReliabilityMatrix, rows: FloatArray) -> FloatArray:
        matrix, rows, n_codes = units_with_two_codes(codes.matrix, rows)
        totals = category_totals(matrix, len(codes.categories), rows)
        distance = weights_as_measure("disagreement", 1 - declared_weights(codes, self.scheme))
        return np.where(has_one_category(totals), np.nan, _distance_alpha(matrix, rows, n_codes, totals, distance))


def _category_numbers(codes: ReliabilityMatrix) -> FloatArray:
    assert codes.values is not None  # ReliabilityMatrix checks it
    return codes.values


def _has_negative_ratio(codes: ReliabilityMatrix) -> bool:
    return codes.level == "ratio" and bool(_category_numbers(codes).min() < 0)


def _alpha(observed: FloatArray, expected: FloatArray, pairable: FloatArray) -> FloatArray:
    """Alpha from sums over ordered pairs of codes: within units, each divided by its codes - 1, and among all."""
    return np.asarray(1 - (pairable - 1) * observed / expected)


def _distance_alpha(
    matrix: IntArray, rows: FloatArray, n_codes: FloatArray, totals: FloatArray, distance: PairMeasure
) -> FloatArray:
    observed = rows @ (2 * pair_sums(matrix, distance) / (n_codes - 1))
    pairable = totals.sum(axis=1)
    if distance is nominal_distance:
        return _alpha(observed, pairable**2 - (totals**2).sum(axis=1), pairable)
    used = np.flatnonzero(totals.any(axis=0))
    totals = totals[:, used]
    expected = np.zeros(len(rows))
    for block in row_blocks(len(used), len(used) + len(rows)):
        expected += ((totals @ distance(used[:, None], used[None, block])) * totals[:, block]).sum(axis=1)
    return _alpha(observed, expected, pairable)


def _ordinal_alpha(matrix: IntArray, rows: FloatArray, n_codes: FloatArray, totals: FloatArray) -> FloatArray:
    pairable = totals.sum(axis=1)
    ranks = np.cumsum(totals, axis=1) - (totals + pairable[:, None]) / 2  # midranks, with mean 0
    expected = 2 * (pairable * (totals * ranks**2).sum(axis=1) - (totals * ranks).sum(axis=1) ** 2)
    if totals.shape[1] <= _FEW_CATEGORIES:
        coincidences, pairs = _coincidences(matrix, n_codes, totals.shape[1])
        squares = (ranks[:, pairs[0]] - ranks[:, pairs[1]]) ** 2
        return _alpha(((rows @ coincidences) * squares).sum(axis=1), expected, pairable)
    columns = np.ascontiguousarray(matrix.T)
    has_code = columns >= 0
    padded = np.pad(ranks, ((0, 0), (0, 1)))  # a missing code is -1, the index of the 0 at the end
    observed = np.empty(len(rows))
    for block in row_blocks(len(rows), columns.size):
        deviations = np.take(padded[block], columns, axis=1)  # resamples x codes x units
        deviations -= (deviations.sum(axis=1) / n_codes)[:, None]
        if not has_code.all():
            deviations *= has_code
        within = np.einsum("bcu,bcu->bu", deviations, deviations)
        observed[block] = np.einsum("bu,bu->b", rows[block] * (2 * n_codes / (n_codes - 1)), within)
    return _alpha(observed, expected, pairable)


def _coincidences(matrix: IntArray, n_codes: FloatArray, categories: int) -> tuple[FloatArray, IntArray]:
    """For each unit the coincidences of each two categories, in both orders; and these categories, 2 x pairs."""
    pairs = np.array(np.triu_indices(categories, 1))
    counts = (matrix[:, :, None] == np.arange(categories)).sum(axis=1).astype(np.float64)
    return 2 * counts[:, pairs[0]] * counts[:, pairs[1]] / (n_codes - 1)[:, None], pairs


def _interval_alpha(matrix: IntArray, rows: FloatArray, values: FloatArray) -> FloatArray:
    has_code = matrix >= 0
    n_codes = codes_per_unit(matrix)
    pairable = np.where(n_codes >= 2, n_codes, 0)
    scaled = (values - values[0]) / (np.ptp(values) or 1.0)  # alpha depends on neither origin nor unit
    numbers = scaled[matrix] * has_code
    means = numbers.sum(axis=1) / np.maximum(n_codes, 1)
    within = np.where(pairable, (((numbers - means[:, None]) * has_code) ** 2).sum(axis=1), 0)
    ordered_pairs = 2 * n_codes / np.maximum(n_codes - 1, 1) * within
    observed, total_within, n_pairable = (rows @ np.stack([ordered_pairs, within, pairable], axis=1)).T
    squares = total_within + sum_of_squares(means, rows, pairable)
    alpha = _alpha(observed, 2 * n_pairable * squares, n_pairable)
    for resample in np.flatnonzero(~(squares > _LEAST_SQUARES * n_pairable)):  # rounding, if all numbers are the same
        used = matrix[(rows[resample] > 0) & (pairable > 0)]
        if len(np.unique(used[used >= 0])) < 2:
            alpha[resample] = np.nan
    return alpha


register(KrippendorffAlpha())
register(SetAlpha())
register(SetAlpha("krippendorff_alpha_jaccard", "Krippendorff's alpha, Jaccard distance", distance="jaccard"))
