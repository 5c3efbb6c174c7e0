"""Metrics of the answers themselves: whether they match, and the errors of numbers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..coefficients.arrays import FloatArray, IntArray
from .base import Metric, divide
from .question import CriterionAnswers


@dataclass(frozen=True)
class ExactMatch(Metric):
    """Share of answers equal to the truth: accuracy, exact agreement, exact match of sets."""

    def estimate(
        self,
        question: CriterionAnswers,  # noqa: ARG002  # equality needs no scale
        truth: IntArray,
        answer: IntArray,
        weights: FloatArray,
        basis: str,
    ) -> FloatArray:
        is_right = (answer == truth) | ((answer < 0) & (basis == "highest"))
        is_counted = (answer >= 0) | (basis != "answered")
        return divide(weights @ is_right.astype(np.float64), weights @ is_counted.astype(np.float64))


@dataclass(frozen=True)
class MeanError(Metric):
    """A mean of a function of answer - truth, in the numbers of the scale; or the root of that mean.

    Parameters
    ----------
    error_function
        The function of the error that is averaged.
    root
        Whether to take the root of the mean.
    signed
        Whether its least value is at the low end of the scale, instead of at the truth.
    """

    error_function: Callable[[FloatArray], FloatArray] = np.abs
    root: bool = False
    signed: bool = False

    def estimate(
        self, question: CriterionAnswers, truth: IntArray, answer: IntArray, weights: FloatArray, basis: str
    ) -> FloatArray:
        assert question.values is not None
        is_counted = np.ones(len(truth))
        truth_value = question.values[truth]
        error = question.values[answer] - truth_value
        if basis == "answered":
            is_counted = (answer >= 0).astype(np.float64)
        else:
            error = np.where(answer < 0, self._replacement_values(question, truth, basis) - truth_value, error)
        total, count = (weights @ np.stack([self.error_function(error) * is_counted, is_counted], axis=1)).T
        mean = divide(total, count)
        return np.sqrt(mean) if self.root else mean

    def _replacement_values(self, question: CriterionAnswers, truth: IntArray, basis: str) -> FloatArray:
        """The number that replaces a non-answer on a basis other than `answered`."""
        assert question.values is not None
        if self.signed and basis != "planned":
            return np.full(len(truth), question.low if basis == "lowest" else question.high)
        return question.values[truth] if basis == "lowest" else question.furthest(truth)

    def remark(self, question: CriterionAnswers, basis: str) -> str:
        return no_range_note(question, basis)


def no_range_note(question: CriterionAnswers, basis: str) -> str:
    """Why a non-answer has no number on a scale without ends."""
    if basis == "answered" or np.isfinite(question.low):
        return ""
    return "The scale declares no range, so a non-answer has no possible numbers."


EXACT_MATCH = {name: ExactMatch(name) for name in ("accuracy", "exact_agreement", "exact_match")}
MAE = MeanError("mae")
RMSE = MeanError("rmse", error_function=np.square, root=True)
BIAS = MeanError("bias", error_function=np.asarray, signed=True)
