"""Metrics of the answers themselves: whether they match, and the errors of numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from ..coefficients.arrays import FloatArray, IntArray
from .base import BASES, Metric, PreparedMetric, divide
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
        return self.prepare(question, truth, answer)(weights, (basis,))[0]

    def prepare(self, question: CriterionAnswers, truth: IntArray, answer: IntArray) -> PreparedMetric:
        has_answer = (answer >= 0).astype(np.float64)
        terms = {basis: self._terms(question, truth, answer, basis) for basis in BASES}
        columns = np.stack([*terms.values(), has_answer, np.ones(len(truth))], axis=1)

        def estimates(weights: FloatArray, bases: Sequence[str]) -> list[FloatArray]:
            *totals, n_answered, n = (weights @ columns).T
            total_of = dict(zip(terms, totals, strict=True))
            means = [divide(total_of[basis], n_answered if basis == "answered" else n) for basis in bases]
            return [np.sqrt(mean) if self.root else mean for mean in means]

        return estimates

    def _terms(self, question: CriterionAnswers, truth: IntArray, answer: IntArray, basis: str) -> FloatArray:
        """What each pair adds to the sum of errors on a basis."""
        assert question.values is not None
        truth_value = question.values[truth]
        error = question.values[answer] - truth_value
        if basis == "answered":
            return self.error_function(error) * (answer >= 0)
        return self.error_function(
            np.where(answer < 0, self._replacement_values(question, truth, basis) - truth_value, error)
        )

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
