"""Cohen's kappa with quadratic weights between truth and coder, and its exact bounds.

With quadratic weights kappa is 2 sum((t - T) a) / sum(var t + (a - T)^2), with t the truth, a the answer and T the mean
truth: both sums are over records. So the answers with the greatest kappa are found by Dinkelbach's method (1967), each
non-answer by itself.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..coefficients import COEFFICIENTS, ReliabilityMatrix
from ..coefficients.arrays import FloatArray, IntArray
from .base import Metric, drop_non_answers
from .question import CriterionAnswers

_MAX_STEPS = 20  # each step doubles the number of correct digits, so about five are needed


@dataclass(frozen=True)
class WeightedKappa(Metric):
    """Kappa over the declared categories (Cohen 1968)."""

    def estimate(
        self, question: CriterionAnswers, truth: IntArray, answer: IntArray, weights: FloatArray, basis: str
    ) -> FloatArray:
        if basis == "answered":
            return _kappa(question, *drop_non_answers(truth, answer, weights))
        table, n_missing = _pair_table(question, truth, answer, weights)
        if basis == "planned":
            assert question.values is not None
            furthest = question.furthest(np.arange(len(question.values)))
            categories = np.argmax(question.values == furthest[:, None], axis=1)
            return _kappa_with_answers(question, table, n_missing, np.broadcast_to(categories, n_missing.shape))
        return _kappa_bound(question, table, n_missing, 1.0 if basis == "highest" else -1.0)


def _kappa(question: CriterionAnswers, truth: IntArray, answer: IntArray, weights: FloatArray) -> FloatArray:
    codes = ReliabilityMatrix(np.stack([truth, answer], axis=1), "ordinal", question.categories, question.values)
    return COEFFICIENTS["cohen_kappa_quadratic"].estimate(codes, weights)


def _pair_table(
    question: CriterionAnswers, truth: IntArray, answer: IntArray, weights: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Resamples x truths x answers; and the non-answers, resamples x truths."""
    size = len(question.categories)
    keys = truth * (size + 1) + answer + 1
    order = np.argsort(keys, kind="stable")
    used, starts = np.unique(keys[order], return_index=True)
    counts = np.zeros((len(weights), size * (size + 1)))
    if len(used):
        counts[:, used] = np.add.reduceat(weights[:, order], starts, axis=1)
    table = counts.reshape(len(weights), size, size + 1)
    return table[:, :, 1:], table[:, :, 0]


def _kappa_with_answers(
    question: CriterionAnswers, table: FloatArray, n_missing: FloatArray, categories: IntArray
) -> FloatArray:
    """Kappa if non-answers are replaced by a category, given for each resample and truth."""
    size = len(question.categories)
    added = np.where(categories[:, :, None] == np.arange(size), n_missing[:, :, None], 0)
    truth, answer = (axis.ravel() for axis in np.indices((size, size)))
    return _kappa(question, truth, answer, (table + added).reshape(len(table), size * size))


def _kappa_bound(question: CriterionAnswers, table: FloatArray, n_missing: FloatArray, sign: float) -> FloatArray:
    """The greatest kappa over all categories in the place of non-answers; with `sign` -1 the least."""
    values = question.values
    assert values is not None
    total = table.sum(axis=2) + n_missing
    n = total.sum(axis=1, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = (total @ values)[:, None] / n
    gain = 2 * sign * (values[None, :, None] - mean[:, :, None]) * values[None, None, :]
    cost = (values[None, :] - mean) ** 2
    categories = np.broadcast_to(np.argmax(_value_distances(values), axis=1), n_missing.shape)
    best = _kappa_with_answers(question, table, n_missing, categories)
    best = np.where(np.isnan(best), np.nan, sign * best)
    for _ in range(_MAX_STEPS):
        categories = np.argmax(gain - np.nan_to_num(best)[:, None, None] * cost[:, None, :], axis=2)
        better = np.fmax(best, sign * _kappa_with_answers(question, table, n_missing, categories))
        if np.array_equal(better, best, equal_nan=True):
            break
        best = better
    return sign * best


def _value_distances(values: FloatArray) -> FloatArray:
    return np.abs(values[:, None] - values[None, :])


KAPPA = WeightedKappa("weighted_kappa", "Truth and coder gave the same answer throughout.")
