"""Base class of metrics: the estimate on each basis, and why it may be undefined.

An estimate takes B rows of weights, one per resample, that say how often each pair of truth and answer counts.

There are four bases. `answered` uses the usable answers. `planned` counts a non-answer as wrong: as an answer that is
never right and flags nothing, or, if answers are numbers, as the one furthest from the truth. `lowest` and `highest`
are the least and greatest value that any answers in the place of the non-answers could have given (Manski 2003, Partial
Identification of Probability Distributions).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from ..coefficients.arrays import FloatArray, IntArray
from .question import CriterionAnswers

PreparedMetric = Callable[[FloatArray, Sequence[str]], list[FloatArray]]
"""From weights (resamples x pairs) and names of bases to the values on each basis."""

BASES = ("answered", "planned", "lowest", "highest")


@dataclass(frozen=True)
class Metric(ABC):
    """Base of all metrics.

    Parameters
    ----------
    name
        The name in the table.
    undefined_reason
        When it is undefined, in one sentence.
    uses_flag
        Whether it compares flags instead of answers.
    """

    name: str
    undefined_reason: str = "No record has both a truth and an answer."
    uses_flag: bool = False

    @abstractmethod
    def estimate(
        self, question: CriterionAnswers, truth: IntArray, answer: IntArray, weights: FloatArray, basis: str
    ) -> FloatArray:
        """The metric, once for each resample.

        Parameters
        ----------
        question
            The criterion.
        truth, answer
            The pairs: indices into the categories (1 and 0 if `uses_flag`), -1 for no usable answer.
        weights
            Resamples x pairs: how often each counts.
        basis
            One of `BASES`.

        Returns
        -------
        numpy.ndarray
            One number per row of weights, NaN if it is undefined.
        """

    def prepare(self, question: CriterionAnswers, truth: IntArray, answer: IntArray) -> PreparedMetric:
        """The metric of these pairs, for any number of resamples.

        A metric overrides this to work out once what is the same in all resamples, or what the bases share.
        """

        def estimates(weights: FloatArray, bases: Sequence[str]) -> list[FloatArray]:
            return [self.estimate(question, truth, answer, weights, basis) for basis in bases]

        return estimates

    def remark(self, question: CriterionAnswers, basis: str) -> str:  # noqa: ARG002  # most metrics need no remark
        """A sentence that a reader needs to understand this number; empty by default."""
        return ""


def divide(numerator: FloatArray, denominator: FloatArray) -> FloatArray:
    """A quotient; NaN if the denominator is 0."""
    above, below = np.broadcast_arrays(np.asarray(numerator, np.float64), np.asarray(denominator, np.float64))
    return np.asarray(np.divide(above, below, out=np.full(above.shape, np.nan), where=below != 0))


def drop_non_answers(truth: IntArray, answer: IntArray, weights: FloatArray) -> tuple[IntArray, IntArray, FloatArray]:
    """The pairs with a usable answer."""
    has_answer = answer >= 0
    return truth[has_answer], answer[has_answer], weights[:, has_answer]
