"""Correlations of truth and coder: Pearson's, Spearman's, and their bounds over non-answers.

Pearson's bounds are exact if every number in the range is a possible answer. If a correlation above 0 is possible, the
greatest is the solution of a concave problem (Dinkelbach 1967), found by iteration; otherwise every non-answer is at an
end of the range, and the ends are tried in the order of the truth. Non-answers with one truth are one pair that counts
several times; how many of them are best at the high end follows from the derivative. Spearman's bounds are outer
bounds: each pair of records with a non-answer counts as if it could be concordant (or discordant) whatever the other
answers are, and the spread of the ranks as if ties were the most favourable.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..coefficients.arrays import BoolArray, FloatArray, IntArray
from .answer_metrics import no_range_note
from .base import Metric, divide, drop_non_answers
from .question import CriterionAnswers

_MAX_STEPS = 500
_LEAST_VARIANCE = 1e-20  # numbers are scaled to a range of 1, so a smaller variance is rounding
_LEAST_SPREAD = 1e-9  # a share of n cubed: a smaller spread of ranks is rounding

Ranks = tuple[FloatArray, FloatArray]
"""Resamples x numbers: the rank of each number; resamples x distinct numbers: how often each occurs."""


@dataclass(frozen=True)
class Pearson(Metric):
    """The product-moment correlation (Pearson 1896)."""

    def estimate(
        self, question: CriterionAnswers, truth: IntArray, answer: IntArray, weights: FloatArray, basis: str
    ) -> FloatArray:
        assert question.values is not None
        if basis == "answered":
            truth, answer, weights = drop_non_answers(truth, answer, weights)
        width = question.high - question.low
        if not truth.size or (basis != "answered" and not np.isfinite(width)):
            return np.full(len(weights), np.nan)
        x, y = question.values[truth], question.values[answer]
        if basis in ("answered", "planned"):
            y = np.where(answer < 0, question.furthest(truth), y)
            return correlation(_scale_to_unit(x), _scale_to_unit(y), weights)
        sign = 1.0 if basis == "highest" else -1.0
        return sign * _highest_pearson(sign * _scale_to_unit(x), (y - question.low) / width, answer >= 0, weights)

    def remark(self, question: CriterionAnswers, basis: str) -> str:
        return no_range_note(question, basis)


def correlation(x: FloatArray, y: FloatArray, weights: FloatArray) -> FloatArray:
    """The weighted correlation of two arrays of numbers, or of one pair of arrays per resample."""
    n = weights.sum(axis=1, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        x = x - np.sum(weights * x, axis=1, keepdims=True) / n
        y = y - np.sum(weights * y, axis=1, keepdims=True) / n
        weighted = weights * x
        variance_x, covariance = np.einsum("ij,ij->i", weighted, x), np.einsum("ij,ij->i", weighted, y)
        variance_y = np.einsum("ij,ij,ij->i", weights, y, y)
        r = covariance / np.sqrt(variance_x * variance_y)
    least = _LEAST_VARIANCE * n[:, 0]
    return np.asarray(np.where((variance_x > least) & (variance_y > least), np.clip(r, -1, 1), np.nan))


def _scale_to_unit(numbers: FloatArray) -> FloatArray:
    width = np.ptp(numbers)
    return np.asarray((numbers - numbers.min()) / (width if np.isfinite(width) and width > 0 else 1.0))


def _highest_pearson(x: FloatArray, y: FloatArray, has_answer: BoolArray, weights: FloatArray) -> FloatArray:
    """The greatest Pearson over all numbers from 0 to 1 in the place of non-answers."""
    n = weights.sum(axis=1, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        centred = x - (weights @ x)[:, None] / n
    variance_x = (weights * centred**2).sum(axis=1)[:, None]
    order = np.flatnonzero(~has_answer)[np.argsort(-x[~has_answer], kind="stable")]
    free_weights, free_x = weights[:, order], centred[:, order]
    answered_weights, answered_y = weights[:, has_answer], y[has_answer]
    answered_sums = np.stack(
        [
            answered_weights @ answered_y,
            answered_weights @ answered_y**2,
            (answered_weights * centred[:, has_answer]) @ answered_y,
        ]
    )[:, :, None]

    def pearson(sum_y: FloatArray, sum_y2: FloatArray, sum_xy: FloatArray) -> FloatArray:
        variance_y = sum_y2 - sum_y**2 / n
        is_defined = (variance_y > _LEAST_VARIANCE * n) & (variance_x > _LEAST_VARIANCE * n)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(is_defined, sum_xy / np.sqrt(variance_y * variance_x), np.nan)

    # The first k non-answers at the high end, the others at the low end, for each k.
    free_sums = np.cumsum([free_weights, free_weights * free_x], axis=2)
    ends = np.concatenate([np.zeros((2, len(weights), 1)), free_sums], axis=2)
    sums_y, sums_y2, sums_xy = answered_sums[0] + ends[0], answered_sums[1] + ends[0], answered_sums[2] + ends[1]
    at_ends = pearson(sums_y, sums_y2, sums_xy)
    best = np.asarray(np.fmax.reduce(at_ends, axis=1))
    if not order.size:
        return np.asarray(np.clip(best, -1, 1))
    # The same with only some of those that share the next truth: the best number, and the first and last that differ.
    sums_y, sums_y2, sums_xy = sums_y[:, :-1], sums_y2[:, :-1], sums_xy[:, :-1]
    share = 1 - 2 * sums_y / n
    best_number = divide(sums_xy * share - 2 * free_x * (sums_y2 - sums_y**2 / n), free_x * share + 2 * sums_xy / n)
    for number in (np.floor(best_number), np.ceil(best_number), np.ones_like(free_weights), free_weights - 1):
        some = np.clip(np.nan_to_num(number), 0, free_weights)
        at_some = pearson(sums_y + some, sums_y2 + some, sums_xy + free_x * some)
        best = np.fmax(best, np.fmax.reduce(at_some, axis=1))
    n_high = np.argmax(np.nan_to_num(at_ends, nan=-2.0), axis=1)
    free_y = (np.arange(order.size) < n_high[:, None]).astype(np.float64)
    for step in range(_MAX_STEPS):
        sum_y, sum_y2, sum_xy = (
            answered + (free_weights * term).sum(axis=1, keepdims=True)
            for answered, term in zip(answered_sums, (free_y, free_y**2, free_x * free_y), strict=True)
        )
        better = np.fmax(best, pearson(sum_y, sum_y2, sum_xy)[:, 0])
        if step and not (better - best > 1e-10).any():
            best = better
            break
        best = better
        slope = divide(sum_y2 - sum_y**2 / n, np.where(sum_xy > 0, sum_xy, 0))
        free_y = np.where(np.isfinite(slope), np.clip(sum_y / n + free_x * slope, 0, 1), free_y)
    return np.asarray(np.clip(best, -1, 1))


@dataclass(frozen=True)
class Spearman(Metric):
    """The correlation of midranks (Spearman 1904; ties: Kendall 1945)."""

    def estimate(
        self, question: CriterionAnswers, truth: IntArray, answer: IntArray, weights: FloatArray, basis: str
    ) -> FloatArray:
        return self.estimates(question, truth, answer, weights, (basis,))[0]

    def estimates(
        self, question: CriterionAnswers, truth: IntArray, answer: IntArray, weights: FloatArray, bases: Sequence[str]
    ) -> list[FloatArray]:
        ranks = _RankedPairs(question, truth, answer, weights)
        return [ranks.correlation_on(basis) for basis in bases]

    def remark(self, question: CriterionAnswers, basis: str) -> str:
        if basis in ("lowest", "highest"):
            return "An outer bound: no answers lead beyond it, and perhaps none lead to it."
        return no_range_note(question, basis)


def midranks(numbers: FloatArray, weights: FloatArray) -> Ranks:
    """The rank of each number in each resample, ties at their mean; and how often each distinct number occurs.

    Examples
    --------
    >>> midranks(np.array([5.0, 7.0, 7.0]), np.ones((1, 3)))[0].tolist()
    [[1.0, 2.5, 2.5]]
    """
    distinct, index = np.unique(numbers, return_inverse=True)
    if len(distinct) == 0:
        return np.zeros(weights.shape), np.zeros((len(weights), 0))
    order = np.argsort(index, kind="stable")
    starts = np.searchsorted(index[order], np.arange(len(distinct)))
    totals = np.add.reduceat(weights[:, order], starts, axis=1)
    ranks = np.cumsum(totals, axis=1) - totals / 2 + 0.5
    return np.asarray(ranks[:, index]), np.asarray(totals)


@dataclass(eq=False)
class _RankedPairs:
    """The ranks that the bases share: of all truths, and of truths and answers of answered pairs."""

    question: CriterionAnswers
    truth: IntArray
    answer: IntArray
    weights: FloatArray

    def correlation_on(self, basis: str) -> FloatArray:
        """Spearman's correlation on a basis."""
        if not self.truth.size:
            return np.full(len(self.weights), np.nan)
        if basis == "answered" or (basis == "planned" and self.has_answer.all()):
            return _rank_correlation(self.answered_truth_ranks, self.answer_ranks, self.answered_weights)
        if basis != "planned":
            sign = 1.0 if basis == "highest" else -1.0
            return sign * self._bound(sign)
        assert self.question.values is not None
        numbers = np.where(self.has_answer, self.question.values[self.answer], self.question.furthest(self.truth))
        if np.isnan(numbers).any():
            return np.full(len(self.weights), np.nan)
        return _rank_correlation(self.truth_ranks, midranks(numbers, self.weights), self.weights)

    @cached_property
    def has_answer(self) -> BoolArray:
        return self.answer >= 0

    @cached_property
    def answered_weights(self) -> FloatArray:
        return self.weights[:, self.has_answer]

    @cached_property
    def truth_ranks(self) -> Ranks:
        assert self.question.values is not None
        return midranks(self.question.values[self.truth], self.weights)

    @cached_property
    def answered_truth_ranks(self) -> Ranks:
        assert self.question.values is not None
        return midranks(self.question.values[self.truth[self.has_answer]], self.answered_weights)

    @cached_property
    def answer_ranks(self) -> Ranks:
        assert self.question.values is not None
        return midranks(self.question.values[self.answer[self.has_answer]], self.answered_weights)

    @cached_property
    def rank_sums(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Sums of products of centred truth ranks: with answer ranks, with answered truth ranks, with themselves."""
        centred = self.truth_ranks[0] - (self.weights.sum(axis=1, keepdims=True) + 1) / 2
        weighted = self.answered_weights * centred[:, self.has_answer]
        middle = (self.answered_weights.sum(axis=1, keepdims=True) + 1) / 2
        with_answers, with_truths = (
            np.einsum("ij,ij->i", weighted, ranks - middle)
            for ranks in (self.answer_ranks[0], self.answered_truth_ranks[0])
        )
        return with_answers, with_truths, np.einsum("ij,ij,ij->i", self.weights, centred, centred)

    def _bound(self, sign: float) -> FloatArray:
        """The greatest correlation (times `sign`) that no answers exceed: the sum over pairs, over the spread."""
        with_answers, with_truths, square = self.rank_sums
        numerator = sign * with_answers - with_truths + square
        n, ties = self.weights.sum(axis=1), self.answer_ranks[1]
        n_missing, largest_tie = n - self.answered_weights.sum(axis=1), ties.max(axis=1, initial=0)
        loose = n * n * n - _sum_of_cubes(ties)
        tight = loose + largest_tie**3 - (largest_tie + n_missing) ** 3
        answer_spread = np.where(numerator > 0, tight, loose)
        truth_spread = n * n * n - _sum_of_cubes(self.truth_ranks[1])
        least = _LEAST_SPREAD * n * n * n
        with np.errstate(divide="ignore", invalid="ignore"):
            bound = 12 * numerator / np.sqrt(truth_spread * np.maximum(answer_spread, 0))
        bound = np.where(answer_spread > least, bound, np.sign(numerator))
        return np.where((truth_spread > least) & (loose > least), np.clip(bound, -1, 1), np.nan)


def _rank_correlation(x: Ranks, y: Ranks, weights: FloatArray) -> FloatArray:
    """The correlation of ranks; their variance follows from the number of ties."""
    n = weights.sum(axis=1)
    middle = (n[:, None] + 1) / 2
    covariance = np.einsum("ij,ij,ij->i", weights, x[0] - middle, y[0] - middle)
    spread_x, spread_y = (n * n * n - _sum_of_cubes(totals) for _, totals in (x, y))
    least = _LEAST_SPREAD * n * n * n
    with np.errstate(divide="ignore", invalid="ignore"):
        r = 12 * covariance / np.sqrt(spread_x * spread_y)
    return np.asarray(np.where((spread_x > least) & (spread_y > least), np.clip(r, -1, 1), np.nan))


def _sum_of_cubes(totals: FloatArray) -> FloatArray:
    return np.asarray(np.einsum("ij,ij,ij->i", totals, totals, totals))


_CONSTANT = "The truth or the coder gave the same number throughout."
PEARSON = Pearson("pearson", _CONSTANT)
SPEARMAN = Spearman("spearman", _CONSTANT)
