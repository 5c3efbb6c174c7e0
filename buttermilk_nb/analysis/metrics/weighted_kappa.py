"""Cohen's kappa with quadratic weights between truth and coder, and its exact bounds.

With quadratic weights kappa is 2 sum((t - T) a) / sum(var t + (a - T)^2), where T is the mean truth: both sums go by
cell. So the answers that make it greatest are found by Dinkelbach's method (1967), each non-answer by itself.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..coefficients import COEFFICIENTS, ReliabilityMatrix
from .base import Metric, drop_non_answers
from .question import CriterionAnswers, FloatArray, IntArray

_STEPS = 20  # it doubles the digits that are right at each step, so that some five are taken


@dataclass(frozen=True)
class WeightedKappa(Metric):
    """Kappa over the declared categories (Cohen 1968)."""

    def estimate(
        self, question: CriterionAnswers, truth: IntArray, answer: IntArray, rows: FloatArray, basis: str
    ) -> FloatArray:
        if basis == "answered":
            return _kappa(question, *drop_non_answers(truth, answer, rows))
        table, none = _pair_table(question, truth, answer, rows)
        if basis == "planned":
            assert question.values is not None
            far = question.furthest(np.arange(len(question.values)))
            chosen = np.argmax(question.values == far[:, None], axis=1)
            return _kappa_with_answers(question, table, none, np.broadcast_to(chosen, none.shape))
        return _kappa_bound(question, table, none, 1.0 if basis == "highest" else -1.0)


def _kappa(question: CriterionAnswers, truth: IntArray, answer: IntArray, rows: FloatArray) -> FloatArray:
    codes = ReliabilityMatrix(np.stack([truth, answer], axis=1), "ordinal", question.categories, question.values)
    return COEFFICIENTS["cohen_kappa_quadratic"].estimate(codes, rows)


def _pair_table(
    question: CriterionAnswers, truth: IntArray, answer: IntArray, rows: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Resamples x truths x answers; and the non-answers, resamples x truths."""
    size = len(question.categories)
    keys = truth * (size + 1) + answer + 1
    order = np.argsort(keys, kind="stable")
    used, starts = np.unique(keys[order], return_index=True)
    found = np.zeros((len(rows), size * (size + 1)))
    if len(used):
        found[:, used] = np.add.reduceat(rows[:, order], starts, axis=1)
    cube = found.reshape(len(rows), size, size + 1)
    return cube[:, :, 1:], cube[:, :, 0]


def _kappa_with_answers(
    question: CriterionAnswers, table: FloatArray, none: FloatArray, chosen: IntArray
) -> FloatArray:
    """Kappa with each non-answer to a truth answered by the category chosen for it, in each resample."""
    size = len(question.categories)
    more = np.where(chosen[:, :, None] == np.arange(size), none[:, :, None], 0)
    truth, answer = (axis.ravel() for axis in np.indices((size, size)))
    return _kappa(question, truth, answer, (table + more).reshape(len(table), size * size))


def _kappa_bound(question: CriterionAnswers, table: FloatArray, none: FloatArray, sign: float) -> FloatArray:
    values = question.values
    assert values is not None
    total = table.sum(axis=2) + none
    n = total.sum(axis=1, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = (total @ values)[:, None] / n
    gain = 2 * sign * (values[None, :, None] - mean[:, :, None]) * values[None, None, :]
    cost = (values[None, :] - mean) ** 2
    best = _kappa_with_answers(
        question, table, none, np.broadcast_to(np.argmax(_value_distances(values), axis=1), none.shape)
    )
    best = np.where(np.isnan(best), np.nan, sign * best)
    for _ in range(_STEPS):
        chosen = np.argmax(gain - np.nan_to_num(best)[:, None, None] * cost[:, None, :], axis=2)
        found = np.fmax(best, sign * _kappa_with_answers(question, table, none, chosen))
        if np.array_equal(found, best, equal_nan=True):
            break
        best = found
    return sign * best


def _value_distances(values: FloatArray) -> FloatArray:
    return np.abs(values[:, None] - values[None, :])


KAPPA = WeightedKappa("weighted_kappa", "Truth and coder gave one and the same answer throughout.")
