"""Correlations of truth and coder: Pearson's, Spearman's, and their bounds over non-answers.

Pearson's bounds are exact if every number in the range is an answer. Where a correlation above 0 is possible, the
greatest is a concave problem (Dinkelbach 1967), solved by turns; otherwise every non-answer is at an end of the range,
and the ends are tried in the order of the truth. Spearman's bounds are outer bounds: each pair of records with a
non-answer counts as if it could be concordant (or discordant) whatever the others are, and the spread of the ranks as
if ties fell as they suit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from .answer_metrics import no_range_note
from .base import Metric, divide, drop_non_answers
from .question import BoolArray, CriterionAnswers, FloatArray, IntArray

_STEPS = 500
_LEAST_VARIANCE = 1e-20  # numbers lie within a range of 1, so that a smaller variance is rounding


@dataclass(frozen=True)
class Pearson(Metric):
    """The product-moment correlation (Pearson 1896)."""

    def estimate(
        self, question: CriterionAnswers, truth: IntArray, answer: IntArray, rows: FloatArray, basis: str
    ) -> FloatArray:
        assert question.values is not None
        if basis == "answered":
            truth, answer, rows = drop_non_answers(truth, answer, rows)
        reach = question.high - question.low
        if not truth.size or (basis != "answered" and not np.isfinite(reach)):
            return np.full(len(rows), np.nan)
        true, said = question.values[truth], question.values[answer]
        if basis in ("answered", "planned"):
            said = np.where(answer < 0, question.furthest(truth), said)
            return correlation(_scale_to_unit(true), _scale_to_unit(said), rows)
        sign = 1.0 if basis == "highest" else -1.0
        return sign * _highest_pearson(sign * _scale_to_unit(true), (said - question.low) / reach, answer >= 0, rows)

    def remark(self, question: CriterionAnswers, basis: str) -> str:
        return no_range_note(question, basis)


def correlation(x: FloatArray, y: FloatArray, rows: FloatArray) -> FloatArray:
    """The weighted correlation of two rows of numbers, or of one per resample."""
    n = rows.sum(axis=1, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        x = x - np.sum(rows * x, axis=1, keepdims=True) / n
        y = y - np.sum(rows * y, axis=1, keepdims=True) / n
        weighted = rows * x
        one, both = np.einsum("ij,ij->i", weighted, x), np.einsum("ij,ij->i", weighted, y)
        other = np.einsum("ij,ij,ij->i", rows, y, y)
        found = both / np.sqrt(one * other)
    least = _LEAST_VARIANCE * n[:, 0]
    return np.asarray(np.where((one > least) & (other > least), np.clip(found, -1, 1), np.nan))


def _scale_to_unit(numbers: FloatArray) -> FloatArray:
    reach = np.ptp(numbers)
    return np.asarray((numbers - numbers.min()) / (reach if np.isfinite(reach) and reach > 0 else 1.0))


def _highest_pearson(true: FloatArray, said: FloatArray, known: BoolArray, rows: FloatArray) -> FloatArray:
    """The greatest Pearson over all answers from 0 to 1 for those that are not known."""
    n = rows.sum(axis=1, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        centred = true - (rows @ true)[:, None] / n
    spread = (rows * centred**2).sum(axis=1)
    order = np.flatnonzero(~known)[np.argsort(-true[~known], kind="stable")]
    w, c, few, y = rows[:, order], centred[:, order], rows[:, known], said[known]
    sums = np.stack([few @ y, few @ y**2, (few * centred[:, known]) @ y])[:, :, None]

    def at(first: FloatArray, second: FloatArray, cross: FloatArray) -> FloatArray:
        var = second - first**2 / n
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(
                (var > _LEAST_VARIANCE * n) & (spread[:, None] > _LEAST_VARIANCE * n),
                cross / np.sqrt(var * spread[:, None]),
                np.nan,
            )

    ends = np.concatenate([np.zeros((2, len(rows), 1)), np.cumsum([w, w * c], axis=2)], axis=2)
    tried = at(sums[0] + ends[0], sums[1] + ends[0], sums[2] + ends[1])
    best = np.asarray(np.fmax.reduce(tried, axis=1))
    if not order.size:
        return np.asarray(np.clip(best, -1, 1))
    start = np.argmax(np.nan_to_num(tried, nan=-2.0), axis=1)
    y = (np.arange(order.size) < start[:, None]).astype(np.float64)
    for step in range(_STEPS):
        first, second, cross = (
            total + (w * part).sum(axis=1, keepdims=True) for total, part in zip(sums, (y, y**2, c * y), strict=True)
        )
        found = np.fmax(best, at(first, second, cross)[:, 0])
        if step and not (found - best > 1e-10).any():
            best = found
            break
        best = found
        slope = divide(second - first**2 / n, np.where(cross > 0, cross, 0))
        y = np.where(np.isfinite(slope), np.clip(first / n + c * slope, 0, 1), y)
    return np.asarray(np.clip(best, -1, 1))


PEARSON = Pearson("pearson", "The truth or the coder gave one and the same number throughout.")


Ranked = tuple[FloatArray, FloatArray]


_LEAST_SPREAD = 1e-9  # a share of n cubed: a smaller spread of ranks is rounding


@dataclass(frozen=True)
class Spearman(Metric):
    """The correlation of midranks (Spearman 1904; ties: Kendall 1945)."""

    def estimate(
        self, question: CriterionAnswers, truth: IntArray, answer: IntArray, rows: FloatArray, basis: str
    ) -> FloatArray:
        return self.estimates(question, truth, answer, rows, (basis,))[0]

    def estimates(
        self, question: CriterionAnswers, truth: IntArray, answer: IntArray, rows: FloatArray, bases: Sequence[str]
    ) -> list[FloatArray]:
        ranks = _Ranks(question, truth, answer, rows)
        return [ranks.correlation_on(basis) for basis in bases]

    def remark(self, question: CriterionAnswers, basis: str) -> str:
        if basis in ("lowest", "highest"):
            return "An outer bound: no answers could lead beyond it, and perhaps none lead to it."
        return no_range_note(question, basis)


def midranks(numbers: FloatArray, rows: FloatArray) -> Ranked:
    """The rank of each number in each resample, ties at their mean; and how often each distinct number stands.

    Examples
    --------
    >>> midranks(np.array([5.0, 7.0, 7.0]), np.ones((1, 3)))[0].tolist()
    [[1.0, 2.5, 2.5]]
    """
    distinct, place = np.unique(numbers, return_inverse=True)
    if len(distinct) == 0:
        return np.zeros(rows.shape), np.zeros((len(rows), 0))
    order = np.argsort(place, kind="stable")
    starts = np.searchsorted(place[order], np.arange(len(distinct)))
    totals = np.add.reduceat(rows[:, order], starts, axis=1)
    ranks = np.cumsum(totals, axis=1) - totals / 2 + 0.5
    return np.asarray(ranks[:, place]), np.asarray(totals)


@dataclass(eq=False)
class _Ranks:
    """The ranks that the bases share: of all truths, and of truths and answers where there is an answer."""

    question: CriterionAnswers
    truth: IntArray
    answer: IntArray
    rows: FloatArray

    def correlation_on(self, basis: str) -> FloatArray:
        if not self.truth.size:
            return np.full(len(self.rows), np.nan)
        if basis == "answered" or (basis == "planned" and self.has_answer.all()):
            return _rank_correlation(self.answered_truth_ranks, self.answer_ranks, self.answered_rows)
        if basis != "planned":
            sign = 1.0 if basis == "highest" else -1.0
            return sign * self._bound(sign)
        assert self.question.values is not None
        said = np.where(self.has_answer, self.question.values[self.answer], self.question.furthest(self.truth))
        if np.isnan(said).any():
            return np.full(len(self.rows), np.nan)
        return _rank_correlation(self.truth_ranks, midranks(said, self.rows), self.rows)

    @cached_property
    def has_answer(self) -> BoolArray:
        return self.answer >= 0

    @cached_property
    def answered_rows(self) -> FloatArray:
        return self.rows[:, self.has_answer]

    @cached_property
    def truth_ranks(self) -> Ranked:
        assert self.question.values is not None
        return midranks(self.question.values[self.truth], self.rows)

    @cached_property
    def answered_truth_ranks(self) -> Ranked:
        assert self.question.values is not None
        return midranks(self.question.values[self.truth[self.has_answer]], self.answered_rows)

    @cached_property
    def answer_ranks(self) -> Ranked:
        assert self.question.values is not None
        return midranks(self.question.values[self.answer[self.has_answer]], self.answered_rows)

    @cached_property
    def rank_sums(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Of the centred ranks of the truth: with those of the answers, with those of known truths, of squares."""
        centred = self.truth_ranks[0] - (self.rows.sum(axis=1, keepdims=True) + 1) / 2
        share, middle = (
            self.answered_rows * centred[:, self.has_answer],
            (self.answered_rows.sum(axis=1, keepdims=True) + 1) / 2,
        )
        said, true = (
            np.einsum("ij,ij->i", share, ranks - middle)
            for ranks in (self.answer_ranks[0], self.answered_truth_ranks[0])
        )
        return said, true, np.einsum("ij,ij,ij->i", self.rows, centred, centred)

    def _bound(self, sign: float) -> FloatArray:
        """Greatest correlation (times `sign`) that no answers exceed: the sum over pairs, over the spread."""
        said, true, square = self.rank_sums
        above = sign * said - true + square
        n, ties = self.rows.sum(axis=1), self.answer_ranks[1]
        none, most = n - self.answered_rows.sum(axis=1), ties.max(axis=1, initial=0)
        loose = n * n * n - _sum_of_cubes(ties)
        tight = loose + most**3 - (most + none) ** 3
        spread, varied = np.where(above > 0, tight, loose), n * n * n - _sum_of_cubes(self.truth_ranks[1])
        least = _LEAST_SPREAD * n * n * n
        with np.errstate(divide="ignore", invalid="ignore"):
            found = 12 * above / np.sqrt(varied * np.maximum(spread, 0))
        found = np.where(spread > least, found, np.sign(above))
        return np.where((varied > least) & (loose > least), np.clip(found, -1, 1), np.nan)


def _rank_correlation(true: Ranked, said: Ranked, rows: FloatArray) -> FloatArray:
    """The correlation of ranks, whose variance follows from how many are tied."""
    n = rows.sum(axis=1)
    middle = (n[:, None] + 1) / 2
    cross = np.einsum("ij,ij,ij->i", rows, true[0] - middle, said[0] - middle)
    one, other = (n * n * n - _sum_of_cubes(totals) for _, totals in (true, said))
    least = _LEAST_SPREAD * n * n * n
    with np.errstate(divide="ignore", invalid="ignore"):
        found = 12 * cross / np.sqrt(one * other)
    return np.asarray(np.where((one > least) & (other > least), np.clip(found, -1, 1), np.nan))


def _sum_of_cubes(totals: FloatArray) -> FloatArray:
    return np.asarray(np.einsum("ij,ij,ij->i", totals, totals, totals))


SPEARMAN = Spearman("spearman", "The truth or the coder gave one and the same number throughout.")
