"""Metrics of sets of labels: shared labels, and precision, recall and F1 of labels.

`precision[label]` and the like are of one label, `_micro` of the counts of all labels together, `_macro` the mean over
the labels for which it is defined. Two empty sets are the same: their Jaccard similarity is 1.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..coefficients.arrays import BoolArray, FloatArray, IntArray
from ..coefficients.distances import jaccard_distance
from .base import Metric, divide, drop_non_answers
from .flag_metrics import FlagCounts, Formula, f1, for_basis, precision, recall
from .question import CriterionAnswers


@dataclass(frozen=True)
class Jaccard(Metric):
    """Mean of shared labels / all labels (Jaccard 1912). A non-answer could share none, or be the truth's set."""

    def estimate(
        self, question: CriterionAnswers, truth: IntArray, answer: IntArray, weights: FloatArray, basis: str
    ) -> FloatArray:
        if basis == "answered":
            truth, answer, weights = drop_non_answers(truth, answer, weights)
        if not truth.size:
            return np.full(len(weights), np.nan)
        assert question.sets is not None
        similarity = 1 - jaccard_distance(question.sets)(truth, answer)
        similarity = np.where(answer < 0, float(basis == "highest"), similarity)
        return divide(weights @ similarity, weights.sum(axis=1))


@dataclass(frozen=True)
class LabelMetric(Metric):
    """A formula of the counts of one label, of all labels together, or its mean over labels.

    Parameters
    ----------
    formula
        The formula of the counts.
    average
        `label`, `micro` or `macro`.
    label
        The label, with `label`.
    """

    formula: Formula = precision
    average: str = "macro"
    label: str = ""

    def estimate(
        self, question: CriterionAnswers, truth: IntArray, answer: IntArray, weights: FloatArray, basis: str
    ) -> FloatArray:
        labels = (self.label,) if self.average == "label" else question.labels
        counts = _label_counts(question, labels, truth, answer, weights)
        if self.average != "macro":
            return for_basis(self.formula, FlagCounts(*(count.sum(axis=1) for count in counts)), basis)
        values = for_basis(self.formula, counts, basis)
        if basis not in ("lowest", "highest"):
            return divide(np.nansum(values, axis=1), (~np.isnan(values)).sum(axis=1))
        zero = np.zeros_like(counts.tp)
        may_be_undefined = np.isnan(self.formula(counts.with_answers(zero, zero))) & ~np.isnan(values)
        sign = 1.0 if basis == "lowest" else -1.0
        return sign * _least_mean(sign * values, may_be_undefined)

    def remark(self, question: CriterionAnswers, basis: str) -> str:  # noqa: ARG002  # the same on each basis
        return "The mean is over the labels for which it is defined." if self.average == "macro" else ""


def _label_counts(
    question: CriterionAnswers, labels: tuple[str, ...], truth: IntArray, answer: IntArray, weights: FloatArray
) -> FlagCounts:
    """Resamples x labels: how often truth and coder named each label."""
    assert question.sets is not None
    is_member = np.array([[label in members for label in labels] for members in question.sets], np.bool_)
    is_member = is_member.reshape(-1, len(labels))
    in_truth, no_answer = is_member[truth], (answer < 0)[:, None]
    in_answer, not_in_answer = is_member[answer] & ~no_answer, ~is_member[answer] & ~no_answer
    masks = (
        in_truth & in_answer, ~in_truth & in_answer, in_truth & not_in_answer, ~in_truth & not_in_answer,
        in_truth & no_answer, ~in_truth & no_answer,
    )  # fmt: skip
    return FlagCounts(*(np.asarray(weights @ mask.astype(np.float64)) for mask in masks))


def _least_mean(values: FloatArray, is_optional: BoolArray) -> FloatArray:
    """The least mean of each row over its values; optional ones may be left out, NaN always is."""
    is_forced = ~np.isnan(values) & ~is_optional
    total, count = np.where(is_forced, values, 0).sum(axis=1), is_forced.sum(axis=1)
    optional = np.sort(np.where(is_optional, values, np.nan), axis=1)  # NaN comes last
    means = [divide(total, count)]
    for column in optional.T:
        total, count = total + np.nan_to_num(column), count + ~np.isnan(column)
        means.append(divide(total, count))
    return np.asarray(np.fmin.reduce(means))


_FORMULAS = {"precision": precision, "recall": recall, "f1": f1}
_REASONS = {
    "precision": "The coder named no such label.",
    "recall": "The truth names no such label.",
    "f1": "Neither truth nor coder named such a label.",
}
JACCARD = Jaccard("jaccard")


def label_metrics(labels: tuple[str, ...]) -> list[LabelMetric]:
    """Precision, recall and F1: micro, macro, and of each label."""
    averages = [
        LabelMetric(f"{name}_{average}", _REASONS[name], formula=formula, average=average)
        for average in ("micro", "macro")
        for name, formula in _FORMULAS.items()
    ]
    return averages + [
        LabelMetric(f"{name}[{label}]", _REASONS[name], formula=formula, average="label", label=label)
        for label in labels
        for name, formula in _FORMULAS.items()
    ]
