"""Spearman's rank correlation of truth and coder, and how far non-answers could bring it.

The bounds are outer bounds: each pair of records with a non-answer is taken as if it could be concordant (or
discordant) whatever the others are, and the spread of the ranks as if ties fell as they suit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from .answer_metrics import no_range
from .base import Metric
from .question import BoolArray, CriterionAnswers, FloatArray, IntArray

Ranked = tuple[FloatArray, FloatArray]
_LEAST = 1e-9  # a share of n cubed: a smaller spread of ranks is rounding


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
        return [ranks.on(basis) for basis in bases]

    def remark(self, question: CriterionAnswers, basis: str) -> str:
        if basis in ("lowest", "highest"):
            return "An outer bound: no answers could lead beyond it, and perhaps none lead to it."
        return no_range(question, basis)


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

    def on(self, basis: str) -> FloatArray:
        if not self.truth.size:
            return np.full(len(self.rows), np.nan)
        if basis == "answered" or (basis == "planned" and self.known.all()):
            return _of_ranks(self.few_true, self.few_said, self.few)
        if basis != "planned":
            sign = 1.0 if basis == "highest" else -1.0
            return sign * self._bound(sign)
        assert self.question.values is not None
        said = np.where(self.known, self.question.values[self.answer], self.question.furthest(self.truth))
        if np.isnan(said).any():
            return np.full(len(self.rows), np.nan)
        return _of_ranks(self.true, midranks(said, self.rows), self.rows)

    @cached_property
    def known(self) -> BoolArray:
        return self.answer >= 0

    @cached_property
    def few(self) -> FloatArray:
        return self.rows[:, self.known]

    @cached_property
    def true(self) -> Ranked:
        assert self.question.values is not None
        return midranks(self.question.values[self.truth], self.rows)

    @cached_property
    def few_true(self) -> Ranked:
        assert self.question.values is not None
        return midranks(self.question.values[self.truth[self.known]], self.few)

    @cached_property
    def few_said(self) -> Ranked:
        assert self.question.values is not None
        return midranks(self.question.values[self.answer[self.known]], self.few)

    @cached_property
    def sums(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Of the centred ranks of the truth: with those of the answers, with those of known truths, of squares."""
        centred = self.true[0] - (self.rows.sum(axis=1, keepdims=True) + 1) / 2
        share, middle = self.few * centred[:, self.known], (self.few.sum(axis=1, keepdims=True) + 1) / 2
        said, true = (np.einsum("ij,ij->i", share, ranks - middle) for ranks in (self.few_said[0], self.few_true[0]))
        return said, true, np.einsum("ij,ij,ij->i", self.rows, centred, centred)

    def _bound(self, sign: float) -> FloatArray:
        """Greatest correlation (times `sign`) that no answers exceed: the sum over pairs, over the spread."""
        said, true, square = self.sums
        above = sign * said - true + square
        n, ties = self.rows.sum(axis=1), self.few_said[1]
        none, most = n - self.few.sum(axis=1), ties.max(axis=1, initial=0)
        loose = n * n * n - _cubes(ties)
        tight = loose + most**3 - (most + none) ** 3
        spread, varied = np.where(above > 0, tight, loose), n * n * n - _cubes(self.true[1])
        least = _LEAST * n * n * n
        with np.errstate(divide="ignore", invalid="ignore"):
            found = 12 * above / np.sqrt(varied * np.maximum(spread, 0))
        found = np.where(spread > least, found, np.sign(above))
        return np.where((varied > least) & (loose > least), np.clip(found, -1, 1), np.nan)


def _of_ranks(true: Ranked, said: Ranked, rows: FloatArray) -> FloatArray:
    """The correlation of ranks, whose variance follows from how many are tied."""
    n = rows.sum(axis=1)
    middle = (n[:, None] + 1) / 2
    cross = np.einsum("ij,ij,ij->i", rows, true[0] - middle, said[0] - middle)
    one, other = (n * n * n - _cubes(totals) for _, totals in (true, said))
    least = _LEAST * n * n * n
    with np.errstate(divide="ignore", invalid="ignore"):
        found = 12 * cross / np.sqrt(one * other)
    return np.asarray(np.where((one > least) & (other > least), np.clip(found, -1, 1), np.nan))


def _cubes(totals: FloatArray) -> FloatArray:
    return np.asarray(np.einsum("ij,ij,ij->i", totals, totals, totals))


SPEARMAN = Spearman("spearman", "The truth or the coder gave one and the same number throughout.")
