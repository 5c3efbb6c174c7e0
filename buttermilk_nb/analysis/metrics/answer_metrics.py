"""Metrics of the answers as they stand: the same or not, and how far apart in numbers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .base import Metric, divide
from .question import CriterionAnswers, FloatArray, IntArray


@dataclass(frozen=True)
class ExactMatch(Metric):
    """Share of answers that are the truth's: accuracy, exact agreement, exact match of sets."""

    def estimate(
        self,
        question: CriterionAnswers,  # noqa: ARG002  # the same is the same
        truth: IntArray,
        answer: IntArray,
        rows: FloatArray,
        basis: str,
    ) -> FloatArray:
        right = (answer == truth) | ((answer < 0) & (basis == "highest"))
        counts = (answer >= 0) | (basis != "answered")
        return divide(rows @ right.astype(np.float64), rows @ counts.astype(np.float64))


@dataclass(frozen=True)
class MeanError(Metric):
    """A mean of a function of answer - truth, in the numbers of the scale; of its square, the root.

    Parameters
    ----------
    of
        What is averaged.
    root
        Whether the root of the mean is taken.
    signed
        Whether its least value is at the low end of the scale, and not where answer and truth are the same.
    """

    error_function: Callable[[FloatArray], FloatArray] = np.abs
    root: bool = False
    signed: bool = False

    def estimate(
        self, question: CriterionAnswers, truth: IntArray, answer: IntArray, rows: FloatArray, basis: str
    ) -> FloatArray:
        assert question.values is not None
        counts = np.ones(len(truth))
        true = question.values[truth]
        error = question.values[answer] - true
        if basis == "answered":
            counts = (answer >= 0).astype(np.float64)
        else:
            error = np.where(answer < 0, self._worst_values(question, truth, basis) - true, error)
        total, count = (rows @ np.stack([self.error_function(error) * counts, counts], axis=1)).T
        mean = divide(total, count)
        return np.sqrt(mean) if self.root else mean

    def _worst_values(self, question: CriterionAnswers, truth: IntArray, basis: str) -> FloatArray:
        assert question.values is not None
        if self.signed and basis != "planned":
            return np.full(len(truth), question.low if basis == "lowest" else question.high)
        return question.values[truth] if basis == "lowest" else question.furthest(truth)

    def remark(self, question: CriterionAnswers, basis: str) -> str:
        return no_range_note(question, basis)


def no_range_note(question: CriterionAnswers, basis: str) -> str:
    """Why there is no number for a non-answer on a scale without ends."""
    if basis == "answered" or np.isfinite(question.low):
        return ""
    return "The scale declares no range that a non-answer could lie in."


EXACT_MATCH = {name: ExactMatch(name) for name in ("accuracy", "exact_agreement", "exact_match")}
MAE = MeanError("mae")
RMSE = MeanError("rmse", error_function=np.square, root=True)
BIAS = MeanError("bias", error_function=np.asarray, signed=True)
