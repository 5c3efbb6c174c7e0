"""Metrics of a declared flag: functions of how often truth and coder flag, and how often the coder does not answer.

The positive class is the declared finding. A non-answer counted as wrong misses a finding, does not clear what is
none, and flags nothing: it lowers recall and specificity, and leaves precision to what was flagged. Matthews'
correlation then is Gorodkin's for three categories, of which the truth uses two; it alone may lie a little outside the
bounds, because no answers of two categories are three.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from .base import Metric, divide
from .question import CriterionAnswers, FloatArray, IntArray


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
        """All cells."""
        return self.tp + self.fp + self.fn + self.tn + self.unanswered_p + self.unanswered_n

    def answered_only(self) -> FlagCounts:
        """Without the non-answers."""
        return self._replace(unanswered_p=np.zeros_like(self.tp), unanswered_n=np.zeros_like(self.tp))

    def with_answers(self, flagged_p: FloatArray, flagged_n: FloatArray) -> FlagCounts:
        """With answers for the non-answers, of which so many flag a positive and a negative truth."""
        none = np.zeros_like(self.tp)
        return FlagCounts(
            self.tp + flagged_p,
            self.fp + flagged_n,
            self.fn + self.unanswered_p - flagged_p,
            self.tn + self.unanswered_n - flagged_n,
            none,
            none,
        )


Formula = Callable[[FlagCounts], FloatArray]


def recall(c: FlagCounts) -> FloatArray:
    """Share of the truth's findings that were flagged (sensitivity)."""
    return divide(c.tp, c.tp + c.fn + c.unanswered_p)


def specificity(c: FlagCounts) -> FloatArray:
    """Share of what the truth does not flag that was answered and not flagged."""
    return divide(c.tn, c.tn + c.fp + c.unanswered_n)


def precision(c: FlagCounts) -> FloatArray:
    """Share of what was flagged that the truth flags."""
    return divide(c.tp, c.tp + c.fp)


def f1(c: FlagCounts) -> FloatArray:
    """Harmonic mean of precision and recall (van Rijsbergen 1979), from counts: 0 where nothing was found."""
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
    true = (c.tp + c.fn + c.unanswered_p, c.fp + c.tn + c.unanswered_n)
    said = (c.tp + c.fp, c.fn + c.tn, c.unanswered_p + c.unanswered_n)
    above = (c.tp + c.tn) * n - true[0] * said[0] - true[1] * said[1]
    below = (n**2 - sum(one**2 for one in said)) * (n**2 - sum(one**2 for one in true))
    return divide(above, np.sqrt(below))


def prevalence_truth(c: FlagCounts) -> FloatArray:
    """Share that the truth flags."""
    return divide(c.tp + c.fn + c.unanswered_p, c.total)


def prevalence_coder(c: FlagCounts) -> FloatArray:
    """Share that the coder flags."""
    return divide(c.tp + c.fp, c.total)


def extreme(formula: Formula, c: FlagCounts, basis: str) -> FloatArray:
    """The least or greatest value over all answers for the non-answers in which the formula is defined.

    Each formula rises with flagged findings and falls (or, the coder's prevalence, rises) with flagged non-findings, so
    that it is extreme at a corner; where it is undefined there, one step beside it.
    """
    none, one_p, one_n = np.zeros_like(c.tp), np.minimum(c.unanswered_p, 1), np.minimum(c.unanswered_n, 1)
    corners = (
        (none, c.unanswered_n), (one_p, c.unanswered_n), (none, c.unanswered_n - one_n),
        (c.unanswered_p, none), (c.unanswered_p - one_p, none), (c.unanswered_p, one_n),
        (none, none), (c.unanswered_p, c.unanswered_n),
    )  # fmt: skip
    found = [formula(c.with_answers(flagged_p, flagged_n)) for flagged_p, flagged_n in corners]
    return np.asarray((np.fmin if basis == "lowest" else np.fmax).reduce(found))


def for_basis(formula: Formula, c: FlagCounts, basis: str) -> FloatArray:
    """A formula on one of the four bases."""
    if basis == "answered":
        return formula(c.answered_only())
    return formula(c) if basis == "planned" else extreme(formula, c, basis)


@dataclass(frozen=True)
class FlagMetric(Metric):
    """A formula of the counts at the declared flag."""

    uses_flag: bool = True
    formula: Formula = accuracy

    def estimate(
        self,
        question: CriterionAnswers,  # noqa: ARG002  # the flag is all that counts
        truth: IntArray,
        answer: IntArray,
        rows: FloatArray,
        basis: str,
    ) -> FloatArray:
        def total(true: int, said: int) -> FloatArray:
            return np.asarray(rows @ ((truth == true) & (answer == said)).astype(np.float64))

        counts = FlagCounts(total(1, 1), total(0, 1), total(1, 0), total(0, 0), total(1, -1), total(0, -1))
        return for_basis(self.formula, counts, basis)

    def remark(self, question: CriterionAnswers, basis: str) -> str:  # noqa: ARG002  # the same on each basis
        if self.formula is not accuracy or (question.level == "nominal" and len(question.categories) <= 2):
            return ""
        return "Of the flag: right is what is flagged, or not, as the truth is."


FLAG_METRICS = (
    FlagMetric("accuracy", formula=accuracy),
    FlagMetric("balanced_accuracy", "The truth holds only findings, or none.", formula=balanced_accuracy),
    FlagMetric("precision", "The coder flagged nothing.", formula=precision),
    FlagMetric("recall", "The truth flags nothing.", formula=recall),
    FlagMetric("specificity", "The truth flags everything.", formula=specificity),
    FlagMetric("f1", "Neither truth nor coder flagged anything.", formula=f1),
    FlagMetric("mcc", "The truth or the coder gave one and the same answer throughout.", formula=mcc),
    FlagMetric("prevalence_truth", formula=prevalence_truth),
    FlagMetric("prevalence_coder", formula=prevalence_coder),
)
