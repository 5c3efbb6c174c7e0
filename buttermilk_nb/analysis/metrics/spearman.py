"""Spearman's correlation of truth and coder, and its bounds over non-answers.

The bounds are outer bounds: each pair of records with a non-answer counts as if it could be concordant (or discordant)
whatever the other answers are, and the spread of the ranks as if ties were the most favourable.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..coefficients.agreement_counts import FAST_BLOCK, row_blocks
from ..coefficients.arrays import FloatArray, IntArray
from .answer_metrics import no_range_note
from .base import Metric, PreparedMetric
from .question import CriterionAnswers

_LEAST_SPREAD = 1e-9  # a share of n cubed: a smaller spread of ranks is rounding

Ranks = tuple[FloatArray, FloatArray]
"""Resamples x numbers: the rank of each number; resamples x distinct numbers: how often each occurs."""


@dataclass(frozen=True)
class Spearman(Metric):
    """The correlation of midranks (Spearman 1904; ties: Kendall 1945)."""

    def estimate(
        self, question: CriterionAnswers, truth: IntArray, answer: IntArray, weights: FloatArray, basis: str
    ) -> FloatArray:
        return self.prepare(question, truth, answer)(weights, (basis,))[0]

    def prepare(self, question: CriterionAnswers, truth: IntArray, answer: IntArray) -> PreparedMetric:
        orders = _Orders(question, truth, answer)

        def estimates(weights: FloatArray, bases: Sequence[str]) -> list[FloatArray]:
            values = np.full((len(bases), len(weights)), np.nan)
            for block in row_blocks(len(weights) if truth.size else 0, len(truth), FAST_BLOCK):
                ranks = _ResampledRanks(orders, weights[block])
                values[:, block] = [ranks.correlation_on(basis) for basis in bases]
            return list(values)

        return estimates

    def remark(self, question: CriterionAnswers, basis: str) -> str:
        if basis in ("lowest", "highest"):
            return "An outer bound: no answers lead beyond it, and perhaps none lead to it."
        return no_range_note(question, basis)


class Order:
    """The order of some numbers, from which their midranks in many resamples follow.

    Parameters
    ----------
    numbers
        The numbers.

    Examples
    --------
    >>> Order(np.array([5.0, 7.0, 7.0])).midranks(np.ones((1, 3)))[0].tolist()
    [[1.0, 2.5, 2.5]]
    """

    def __init__(self, numbers: FloatArray) -> None:
        distinct, self._index = np.unique(numbers, return_inverse=True)
        order = np.argsort(self._index, kind="stable")
        self._order = None if (order == np.arange(len(numbers))).all() else order
        self._ends = np.searchsorted(self._index[order], np.arange(len(distinct)), side="right") - 1

    def midranks(self, weights: FloatArray) -> Ranks:
        """The rank of each number in each resample, ties at their mean; and how often each distinct number occurs."""
        cumulated = np.cumsum(weights if self._order is None else np.take(weights, self._order, axis=1), axis=1)
        last_ranks = cumulated if len(self._ends) == weights.shape[1] else np.take(cumulated, self._ends, axis=1)
        totals = np.diff(last_ranks, axis=1, prepend=0)
        ranks = last_ranks - (totals - 1) / 2
        return np.take(ranks, self._index, axis=1), totals


class _Orders:
    """The orders of truths and answers, worked out once for all resamples."""

    def __init__(self, question: CriterionAnswers, truth: IntArray, answer: IntArray) -> None:
        assert question.values is not None
        self.has_answer = np.asarray(answer >= 0)
        self.answered = np.flatnonzero(self.has_answer)
        truths, answers = question.values[truth], question.values[answer]
        self.answered_truths, self.answers = Order(truths[self.answered]), Order(answers[self.answered])
        self.truths = self.answered_truths if self.has_answer.all() else Order(truths)
        planned = np.where(self.has_answer, answers, question.furthest(truth))
        self.planned_answers = None if np.isnan(planned).any() else Order(planned)


@dataclass(eq=False)
class _ResampledRanks:
    """The ranks that the bases share: of all truths, and of truths and answers of answered pairs."""

    orders: _Orders
    weights: FloatArray

    def correlation_on(self, basis: str) -> FloatArray:
        """Spearman's correlation on a basis."""
        if basis == "answered":
            return _rank_correlation(self.answered_truth_ranks, self.answer_ranks, self.answered_weights)
        if basis != "planned":
            sign = 1.0 if basis == "highest" else -1.0
            return sign * self._bound(sign)
        if self.orders.planned_answers is None:
            return np.full(len(self.weights), np.nan)
        return _rank_correlation(self.truth_ranks, self.orders.planned_answers.midranks(self.weights), self.weights)

    @cached_property
    def answered_weights(self) -> FloatArray:
        if self.orders.has_answer.all():
            return self.weights
        return np.take(self.weights, self.orders.answered, axis=1)

    @cached_property
    def truth_ranks(self) -> Ranks:
        return self.orders.truths.midranks(self.weights)

    @cached_property
    def answered_truth_ranks(self) -> Ranks:
        return self.orders.answered_truths.midranks(self.answered_weights)

    @cached_property
    def answer_ranks(self) -> Ranks:
        return self.orders.answers.midranks(self.answered_weights)

    @cached_property
    def rank_sums(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Sums of products of centred truth ranks: with answer ranks, with answered truth ranks, with themselves."""
        centred = self.truth_ranks[0] - (self.weights.sum(axis=1, keepdims=True) + 1) / 2
        weighted = self.answered_weights * np.take(centred, self.orders.answered, axis=1)
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


SPEARMAN = Spearman("spearman", "The truth or the coder gave the same number throughout.")
