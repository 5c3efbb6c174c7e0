"""What every metric is: what it fits, its estimate on each basis, and why it may be undefined.

An estimate takes B rows of weights, one per resample, that say how often each pair of truth and answer counts.

The four bases. `answered` rests on the cells with a usable answer. `planned` counts a non-answer as wrong: as an answer
that is never right and flags nothing, or, where answers are numbers, as the one furthest from the truth. `lowest` and
`highest` are the least and greatest value that any answers in the place of the non-answers could have given (Manski
2003, Partial Identification of Probability Distributions).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .question import CriterionAnswers, FloatArray, IntArray

BASES = ("answered", "planned", "lowest", "highest")


@dataclass(frozen=True)
class Metric(ABC):
    """Base of all metrics.

    Parameters
    ----------
    name
        The name in the table.
    reason
        When it is undefined, in one sentence.
    flag
        Whether it rests on whether answers are flagged, rather than on the answers.
    """

    name: str
    undefined_reason: str = "No record has both a truth and an answer."
    uses_flag: bool = False

    @abstractmethod
    def estimate(
        self, question: CriterionAnswers, truth: IntArray, answer: IntArray, rows: FloatArray, basis: str
    ) -> FloatArray:
        """The metric, once for each resample.

        Parameters
        ----------
        question
            What was asked.
        truth, answer
            The pairs: indices into the categories (1 and 0 where `flag`), -1 for no usable answer.
        rows
            Resamples x pairs: how often each counts.
        basis
            One of `BASES`.

        Returns
        -------
        numpy.ndarray
            One number per row of weights, NaN where it is undefined.
        """

    def estimates(
        self, question: CriterionAnswers, truth: IntArray, answer: IntArray, rows: FloatArray, bases: Sequence[str]
    ) -> list[FloatArray]:
        """The metric on several bases; a metric whose bases share work does it once."""
        return [self.estimate(question, truth, answer, rows, basis) for basis in bases]

    def remark(self, question: CriterionAnswers, basis: str) -> str:  # noqa: ARG002  # most have nothing to say
        """What a reader must know about this number, beside why it may be undefined."""
        return ""


def divide(numerator: FloatArray, denominator: FloatArray) -> FloatArray:
    """A quotient; NaN where the divisor is 0."""
    numerator, denominator = np.broadcast_arrays(np.asarray(numerator, np.float64), np.asarray(denominator, np.float64))
    return np.asarray(np.divide(numerator, denominator, out=np.full(numerator.shape, np.nan), where=denominator != 0))


def drop_non_answers(truth: IntArray, answer: IntArray, rows: FloatArray) -> tuple[IntArray, IntArray, FloatArray]:
    """The pairs with a usable answer."""
    kept = answer >= 0
    return truth[kept], answer[kept], rows[:, kept]
