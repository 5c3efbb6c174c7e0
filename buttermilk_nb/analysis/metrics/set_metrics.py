"""Metrics of sets of labels: shared labels, and each label as a yes or no of its own.

`precision[label]` and so on are of one label, `_micro` of the counts of all labels together, `_macro` the mean over the
labels for which it is defined. Two empty sets are the same: their Jaccard similarity is 1.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..coefficients.distances import jaccard_distance
from .base import Metric, divide, drop_non_answers
from .flag_metrics import FlagCounts, Formula, f1, for_basis, precision, recall
from .question import CriterionAnswers, FloatArray, IntArray


@dataclass(frozen=True)
class Jaccard(Metric):
    """Mean of shared labels / all labels (Jaccard 1912). A non-answer could share none, or be the truth's set."""

    def estimate(
        self, question: CriterionAnswers, truth: IntArray, answer: IntArray, rows: FloatArray, basis: str
    ) -> FloatArray:
        if basis == "answered":
            truth, answer, rows = drop_non_answers(truth, answer, rows)
        if not truth.size:
            return np.full(len(rows), np.nan)
        assert question.sets is not None
        alike = 1 - jaccard_distance(question.sets)(truth, answer)
        alike = np.where(answer < 0, float(basis == "highest"), alike)
        return divide(rows @ alike, rows.sum(axis=1))


@dataclass(frozen=True)
class LabelMetric(Metric):
    """A formula of the counts of one label, of all labels together, or its mean over labels."""

    formula: Formula = precision
    average: str = "macro"
    label: str = ""

    def estimate(
        self, question: CriterionAnswers, truth: IntArray, answer: IntArray, rows: FloatArray, basis: str
    ) -> FloatArray:
        labels = (self.label,) if self.average == "label" else question.labels
        counts = _label_counts(question, labels, truth, answer, rows)
        if self.average != "macro":
            summed = FlagCounts(*(one.sum(axis=1) for one in counts))
            return for_basis(self.formula, summed, basis)
        found = for_basis(self.formula, counts, basis)
        if basis not in ("lowest", "highest"):
            return divide(np.nansum(found, axis=1), (~np.isnan(found)).sum(axis=1))
        none = np.zeros_like(counts.tp)
        may_fail = np.isnan(self.formula(counts.with_answers(none, none))) & ~np.isnan(found)
        sign = 1.0 if basis == "lowest" else -1.0
        return sign * _least_mean(sign * found, may_fail)

    def remark(self, question: CriterionAnswers, basis: str) -> str:  # noqa: ARG002  # the same on each basis
        return "The mean is over the labels for which it is defined." if self.average == "macro" else ""


def _label_counts(
    question: CriterionAnswers, labels: tuple[str, ...], truth: IntArray, answer: IntArray, rows: FloatArray
) -> FlagCounts:
    """For each resample and label how often truth and coder named it: resamples x labels."""
    assert question.sets is not None
    named = np.array([[label in one for label in labels] for one in question.sets], np.bool_).reshape(-1, len(labels))
    true, said, none = named[truth], named[answer], (answer < 0)[:, None]
    said, unsaid = said & ~none, ~said & ~none
    parts = (true & said, ~true & said, true & unsaid, ~true & unsaid, true & none, ~true & none)
    return FlagCounts(*(np.asarray(rows @ part.astype(np.float64)) for part in parts))


def _least_mean(values: FloatArray, optional: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> FloatArray:
    """The least mean of each row over its values, of which the optional ones may be left out; NaN is none."""
    forced = ~np.isnan(values) & ~optional
    total, count = np.where(forced, values, 0).sum(axis=1), forced.sum(axis=1)
    rest = np.sort(np.where(optional, values, np.nan), axis=1)  # NaN comes last
    means = [divide(total, count)]
    for column in rest.T:
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
    found = [
        LabelMetric(f"{name}_{over}", _REASONS[name], formula=formula, average=over)
        for over in ("micro", "macro")
        for name, formula in _FORMULAS.items()
    ]
    return found + [
        LabelMetric(f"{name}[{label}]", _REASONS[name], formula=formula, average="label", label=label)
        for label in labels
        for name, formula in _FORMULAS.items()
    ]
