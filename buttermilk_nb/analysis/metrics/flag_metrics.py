"""Metrics of a declared flag, from counts of true and false positives and negatives.

The positive class is the declared finding. A non-answer counted as wrong misses a finding, does not clear a
non-finding, and flags nothing: it lowers recall and specificity, and does not affect precision. Matthews' correlation
then is Gorodkin's for three categories, of which the truth uses two; it alone may be slightly outside the bounds,
because no answers in two categories equal three.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ..coefficients.arrays import FloatArray, IntArray
from .base import Metric, divide
from .question import CriterionAnswers


class FlagCounts(NamedTuple):
    """True and false positives, false and true negatives, and non-answers to a positive and a negative truth."""

    tp: FloatArray
    fp: FloatArray
    fn: FloatArray
    tn: FloatArray
    unanswered_p: FloatArray
    unanswered_n: FloatArray

    @property
    def total(self) -> FloatArray:
        """All planned answers."""
        return self.tp + self.fp + self.fn + self.tn + self.unanswered_p + self.unanswered_n

    def answered_only(self) -> FlagCounts:
        """The counts without the non-answers."""
        return self._replace(unanswered_p=np.zeros_like(self.tp), unanswered_n=np.zeros_like(self.tp))

    def with_answers(self, flagged_p: FloatArray, flagged_n: FloatArray) -> FlagCounts:
        """The counts if this many non-answers to a positive and to a negative truth flagged, and the others did not."""
        zero = np.zeros_like(self.tp)
        return FlagCounts(
            self.tp + flagged_p,
            self.fp + flagged_n,
            self.fn + self.unanswered_p - flagged_p,
            self.tn + self.unanswered_n - flagged_n,
            zero,
            zero,
        )


Formula = Callable[[FlagCounts], FloatArray]


def recall(c: FlagCounts) -> FloatArray:
    """Share of the truth's findings that were flagged (sensitivity)."""
    return divide(c.tp, c.tp + c.fn + c.unanswered_p)


def specificity(c: FlagCounts) -> FloatArray:
    """Share of the truth's non-findings that were answered and not flagged."""
    return divide(c.tn, c.tn + c.fp + c.unanswered_n)


def precision(c: FlagCounts) -> FloatArray:
    """Share of flagged answers that the truth flags too."""
    return divide(c.tp, c.tp + c.fp)


def f1(c: FlagCounts) -> FloatArray:
    """Harmonic mean of precision and recall (van Rijsbergen 1979), from counts: 0 without a true positive."""
    return divide(2 * c.tp, 2 * c.tp + c.fp + c.fn + c.unanswered_p)


def accuracy(c: FlagCounts) -> FloatArray:
    """Share of right answers."""
    return divide(c.tp + c.tn, c.total)


def balanced_accuracy(c: FlagCounts) -> FloatArray:
    """Mean of recall and specificity (Brodersen and others 2010)."""
    return (recall(c) + specificity(c)) / 2


def mcc(c: FlagCounts) -> FloatArray:
    """Matthews' correlation (Matthews 1975); with non-answers as a third category, Gorodkin's (2004)."""
    n = c.total
    truth = (c.tp + c.fn + c.unanswered_p, c.fp + c.tn + c.unanswered_n)
    answer = (c.tp + c.fp, c.fn + c.tn, c.unanswered_p + c.unanswered_n)
    numerator = (c.tp + c.tn) * n - truth[0] * answer[0] - truth[1] * answer[1]
    denominator = (n**2 - sum(count**2 for count in answer)) * (n**2 - sum(count**2 for count in truth))
    return divide(numerator, np.sqrt(denominator))


def prevalence_truth(c: FlagCounts) -> FloatArray:
    """Share that the truth flags."""
    return divide(c.tp + c.fn + c.unanswered_p, c.total)


def prevalence_coder(c: FlagCounts) -> FloatArray:
    """Share that the coder flags."""
    return divide(c.tp + c.fp, c.total)


def extreme(formula: Formula, c: FlagCounts, basis: str) -> FloatArray:
    """The least or greatest defined value of a formula over all answers in the place of the non-answers.

    Each formula rises with flagged findings and falls (or, the coder's prevalence, rises) with flagged non-findings, so
    it is extreme at a corner; if it is undefined there, one step next to it.
    """
    zero, step_p, step_n = np.zeros_like(c.tp), np.minimum(c.unanswered_p, 1), np.minimum(c.unanswered_n, 1)
    corners = (
        (zero, c.unanswered_n), (step_p, c.unanswered_n), (zero, c.unanswered_n - step_n),
        (c.unanswered_p, zero), (c.unanswered_p - step_p, zero), (c.unanswered_p, step_n),
        (zero, zero), (c.unanswered_p, c.unanswered_n),
    )  # fmt: skip
    values = [formula(c.with_answers(flagged_p, flagged_n)) for flagged_p, flagged_n in corners]
    return np.asarray((np.fmin if basis == "lowest" else np.fmax).reduce(values))


def for_basis(formula: Formula, c: FlagCounts, basis: str) -> FloatArray:
    """A formula on one of the four bases."""
    if basis == "answered":
        return formula(c.answered_only())
    return formula(c) if basis == "planned" else extreme(formula, c, basis)


@dataclass(frozen=True)
class FlagMetric(Metric):
    """A formula of the counts of the declared flag."""

    uses_flag: bool = True
    formula: Formula = accuracy

    def estimate(
        self,
        question: CriterionAnswers,  # noqa: ARG002  # only the flag matters
        truth: IntArray,
        answer: IntArray,
        weights: FloatArray,
        basis: str,
    ) -> FloatArray:
        def count(truth_flag: int, answer_flag: int) -> FloatArray:
            return np.asarray(weights @ ((truth == truth_flag) & (answer == answer_flag)).astype(np.float64))

        counts = FlagCounts(count(1, 1), count(0, 1), count(1, 0), count(0, 0), count(1, -1), count(0, -1))
        return for_basis(self.formula, counts, basis)

    def remark(self, question: CriterionAnswers, basis: str) -> str:  # noqa: ARG002  # the same on each basis
        if self.formula is not accuracy or (question.level == "nominal" and len(question.categories) <= 2):
            return ""
        return "This is about the flag: an answer is right if it is flagged, or not, as the truth is."


FLAG_METRICS = (
    FlagMetric("accuracy", formula=accuracy),
    FlagMetric("balanced_accuracy", "The truth has only findings, or none.", formula=balanced_accuracy),
    FlagMetric("precision", "The coder flagged nothing.", formula=precision),
    FlagMetric("recall", "The truth flags nothing.", formula=recall),
    FlagMetric("specificity", "The truth flags everything.", formula=specificity),
    FlagMetric("f1", "Neither truth nor coder flagged anything.", formula=f1),
    FlagMetric("mcc", "The truth or the coder gave the same answer throughout.", formula=mcc),
    FlagMetric("prevalence_truth", formula=prevalence_truth),
    FlagMetric("prevalence_coder", formula=prevalence_coder),
)
