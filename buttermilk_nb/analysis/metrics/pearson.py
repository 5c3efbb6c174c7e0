"""Pearson's correlation of truth and coder, and its exact bounds over non-answers.

The bounds are exact if every number in the range is a possible answer. If a correlation above 0 is possible, the
greatest is the solution of a concave problem (Dinkelbach 1967), found by iteration; otherwise every non-answer is at an
end of the range, and the ends are tried in the order of the truth. Non-answers with one truth are one pair that counts
several times; how many of them are best at the high end follows from the derivative.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..coefficients.agreement_counts import FAST_BLOCK, row_blocks
from ..coefficients.arrays import BoolArray, FloatArray, IntArray
from ..coefficients.centred_products import CentredProducts, sum_of_squares
from .answer_metrics import no_range_note
from .base import Metric, PreparedMetric, divide
from .question import CriterionAnswers

_MAX_STEPS = 500
_LEAST_VARIANCE = 1e-20  # numbers are scaled to a range of 1, so a smaller variance is rounding


@dataclass(frozen=True)
class Pearson(Metric):
    """The product-moment correlation (Pearson 1896)."""

    def estimate(
        self, question: CriterionAnswers, truth: IntArray, answer: IntArray, weights: FloatArray, basis: str
    ) -> FloatArray:
        return self.prepare(question, truth, answer)(weights, (basis,))[0]

    def prepare(self, question: CriterionAnswers, truth: IntArray, answer: IntArray) -> PreparedMetric:
        assert question.values is not None
        has_answer, width = np.asarray(answer >= 0), question.high - question.low
        x, y = question.values[truth], question.values[answer]
        on_basis: dict[str, _Correlation | _HighestPearson] = {}
        if has_answer.any():
            on_basis["answered"] = _Correlation(
                _scale_to_unit(x, has_answer), _scale_to_unit(y, has_answer), has_answer
            )
        if len(x) and np.isfinite(width):
            everywhere = np.ones(len(x), np.bool_)
            planned = _scale_to_unit(np.where(has_answer, y, question.furthest(truth)), everywhere)
            scaled = _scale_to_unit(x, everywhere)
            on_basis["planned"] = _Correlation(scaled, planned, everywhere)
            for basis, sign in (("lowest", -1.0), ("highest", 1.0)):
                on_basis[basis] = _HighestPearson(sign * scaled, (y - question.low) / width, has_answer, sign)

        def estimates(weights: FloatArray, bases: Sequence[str]) -> list[FloatArray]:
            undefined = np.full(len(weights), np.nan)
            return [on_basis[basis].estimate(weights) if basis in on_basis else undefined for basis in bases]

        return estimates

    def remark(self, question: CriterionAnswers, basis: str) -> str:
        return no_range_note(question, basis)


class _Correlation:
    """The weighted correlation of some pairs of numbers."""

    def __init__(self, x: FloatArray, y: FloatArray, is_used: BoolArray) -> None:
        self._products = CentredProducts(np.stack([x, y]), is_used.astype(np.float64))

    def estimate(self, weights: FloatArray) -> FloatArray:
        """The correlation in each resample; NaN if it is undefined."""
        n, products = self._products.of(weights)
        variance_x, variance_y, covariance = products[:, 0, 0], products[:, 1, 1], products[:, 0, 1]
        with np.errstate(divide="ignore", invalid="ignore"):
            r = covariance / np.sqrt(variance_x * variance_y)
        is_defined = (variance_x > _LEAST_VARIANCE * n) & (variance_y > _LEAST_VARIANCE * n)
        return np.asarray(np.where(is_defined, np.clip(r, -1, 1), np.nan))


def _scale_to_unit(numbers: FloatArray, is_used: BoolArray) -> FloatArray:
    """The numbers as shares of the range of those that are used, of which there is one at least; 0 for the others."""
    least, width = numbers[is_used].min(), np.ptp(numbers[is_used])
    return np.where(is_used, (numbers - least) / (width if np.isfinite(width) and width > 0 else 1.0), 0.0)


class _HighestPearson:
    """The greatest Pearson over all numbers from 0 to 1 in the place of non-answers, times `sign`."""

    def __init__(self, x: FloatArray, y: FloatArray, has_answer: BoolArray, sign: float) -> None:
        self._x, self._sign = x, sign
        self._missing = np.flatnonzero(~has_answer)[np.argsort(-x[~has_answer], kind="stable")]
        answered = np.where(has_answer, y, 0)
        self._terms = np.stack([np.ones(len(x)), x, answered, answered**2, answered * x], axis=1)

    def estimate(self, weights: FloatArray) -> FloatArray:
        """The correlation in each resample; NaN if it is undefined."""
        n, sum_x, sum_y, square_y, product = (weights @ self._terms).T
        with np.errstate(divide="ignore", invalid="ignore"):
            mean_x = sum_x / n
        answered = np.stack([sum_y, square_y, product - mean_x * sum_y])
        variance_x = sum_of_squares(self._x, weights)
        best = np.empty(len(weights))
        for rows in row_blocks(len(weights), len(self._missing), FAST_BLOCK):
            free_weights = np.take(weights[rows], self._missing, axis=1)
            free_x = self._x[self._missing] - mean_x[rows, None]
            best[rows] = _highest_pearson(
                n[rows, None], variance_x[rows, None], answered[:, rows, None], free_weights, free_x
            )
        return self._sign * best


def _highest_pearson(
    n: FloatArray, variance_x: FloatArray, answered_sums: FloatArray, free_weights: FloatArray, free_x: FloatArray
) -> FloatArray:
    """The greatest Pearson of each resample.

    Parameters
    ----------
    n, variance_x
        Resamples x 1: the number of pairs, and the sum of squares of their truths about the mean.
    answered_sums
        Sums over the answered pairs, 3 x resamples x 1: of the answers, of their squares, and of their products with
        the truths about the mean.
    free_weights, free_x
        Resamples x non-answers, by falling truth: how often each counts, and its truth about the mean.
    """
    # The first k non-answers at the high end, the others at the low end, for each k.
    free_sums = np.cumsum([free_weights, free_weights * free_x], axis=2)
    ends = np.concatenate([np.zeros((2, len(n), 1)), free_sums], axis=2)
    sums_y, sums_y2, sums_xy = answered_sums[0] + ends[0], answered_sums[1] + ends[0], answered_sums[2] + ends[1]
    at_ends = _pearson(sums_y, sums_y2, sums_xy, n, variance_x)
    best = np.asarray(np.fmax.reduce(at_ends, axis=1))
    if not free_x.size:
        return np.asarray(np.clip(best, -1, 1))
    # Below 0 the same with only some of those that share the next truth: the best number, the first, the last.
    is_below = ~(best > 0)
    if is_below.any():
        own_n, own_weights, own_x, own_spread = (each[is_below] for each in (n, free_weights, free_x, variance_x))
        own_y, own_y2, own_xy = (each[is_below, :-1] for each in (sums_y, sums_y2, sums_xy))
        share = 1 - 2 * own_y / own_n
        best_number = divide(
            own_xy * share - 2 * own_x * (own_y2 - own_y**2 / own_n), own_x * share + 2 * own_xy / own_n
        )
        for number in (np.floor(best_number), np.ceil(best_number), np.ones_like(own_weights), own_weights - 1):
            some = np.clip(np.nan_to_num(number), 0, own_weights)
            at_some = _pearson(own_y + some, own_y2 + some, own_xy + own_x * some, own_n, own_spread)
            best[is_below] = np.fmax(best[is_below], np.fmax.reduce(at_some, axis=1))
    n_high = np.argmax(np.nan_to_num(at_ends, nan=-2.0), axis=1)
    free_y = (np.arange(free_x.shape[1]) < n_high[:, None]).astype(np.float64)
    for step in range(_MAX_STEPS):
        weighted = free_weights * free_y
        sum_y = answered_sums[0] + weighted.sum(axis=1, keepdims=True)
        sum_y2, sum_xy = (
            answered + np.einsum("ij,ij->i", weighted, factor)[:, None]
            for answered, factor in zip(answered_sums[1:], (free_y, free_x), strict=True)
        )
        better = np.fmax(best, _pearson(sum_y, sum_y2, sum_xy, n, variance_x)[:, 0])
        if step and not (better - best > 1e-10).any():
            best = better
            break
        best = better
        slope = divide(sum_y2 - sum_y**2 / n, np.where(sum_xy > 0, sum_xy, 0))
        free_y = np.where(np.isfinite(slope), np.clip(sum_y / n + free_x * slope, 0, 1), free_y)
    return np.asarray(np.clip(best, -1, 1))


def _pearson(
    sum_y: FloatArray, sum_y2: FloatArray, sum_xy: FloatArray, n: FloatArray, variance_x: FloatArray
) -> FloatArray:
    """The correlation from sums over answers; x is centred."""
    variance_y = sum_y2 - sum_y**2 / n
    is_defined = (variance_y > _LEAST_VARIANCE * n) & (variance_x > _LEAST_VARIANCE * n)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(is_defined, sum_xy / np.sqrt(variance_y * variance_x), np.nan)


PEARSON = Pearson("pearson", "The truth or the coder gave the same number throughout.")
