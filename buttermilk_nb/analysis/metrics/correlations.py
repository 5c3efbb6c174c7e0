"""Pearson's correlation of truth and coder, and how far non-answers could bring it.

The bounds are exact where any number in the range is an answer. Where a correlation above 0 is possible, the
greatest is a concave problem (Dinkelbach 1967), solved by turns; else every non-answer lies at an end of the range,
and the ends are tried in the order of the truth.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .answer_metrics import no_range
from .base import Metric, divided, drop_non_answers
from .question import BoolArray, CriterionAnswers, FloatArray, IntArray

_STEPS = 500
_LEAST = 1e-20  # numbers lie within a range of 1, so that a smaller variance is rounding


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
            return correlation(_scaled(true), _scaled(said), rows)
        sign = 1.0 if basis == "highest" else -1.0
        return sign * _highest(sign * _scaled(true), (said - question.low) / reach, answer >= 0, rows)

    def remark(self, question: CriterionAnswers, basis: str) -> str:
        return no_range(question, basis)


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
    least = _LEAST * n[:, 0]
    return np.asarray(np.where((one > least) & (other > least), np.clip(found, -1, 1), np.nan))


def _scaled(numbers: FloatArray) -> FloatArray:
    reach = np.ptp(numbers)
    return np.asarray((numbers - numbers.min()) / (reach if np.isfinite(reach) and reach > 0 else 1.0))


def _highest(true: FloatArray, said: FloatArray, known: BoolArray, rows: FloatArray) -> FloatArray:
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
                (var > _LEAST * n) & (spread[:, None] > _LEAST * n), cross / np.sqrt(var * spread[:, None]), np.nan
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
        slope = divided(second - first**2 / n, np.where(cross > 0, cross, 0))
        y = np.where(np.isfinite(slope), np.clip(first / n + c * slope, 0, 1), y)
    return np.asarray(np.clip(best, -1, 1))


PEARSON = Pearson("pearson", "The truth or the coder gave one and the same number throughout.")
