"""Build one result row: estimate, interval, sample sizes, exclusions, note."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..coefficients.arrays import BoolArray, FloatArray, IntArray, mean_of_defined
from ..shared.bootstrap import percentile_interval
from ..shared.notes import few_records_note, join_sentences, unequal_note
from .base import BASES, Metric
from .pair_with_truth import TIE, PairedCoder


@dataclass(frozen=True, eq=False)
class Sample:
    """The planned answers that can count: those with a truth, and on common records if requested.

    Parameters
    ----------
    positions
        Their positions among the answers of the coder.
    cluster
        The cluster of each, as a number from 0.
    n_clusters
        The number of clusters.
    bases
        The bases to report.
    sizes
        For each basis the sample sizes, as columns of the table.
    """

    positions: IntArray
    cluster: IntArray
    n_clusters: int
    bases: tuple[str, ...]
    sizes: dict[str, dict[str, int | None]]

    @classmethod
    def from_coder(cls, coder: PairedCoder, common: IntArray | None) -> Sample:
        """The answers of a coder; only those on `common` records, if they are given."""
        is_used = coder.truth >= 0
        if common is not None:
            is_used &= np.isin(coder.answers.record, common)
        positions = np.flatnonzero(is_used)
        distinct, cluster = np.unique(coder.clusters[coder.answers.record[positions]], return_inverse=True)
        bases = BASES if common is None else BASES[:1]
        answered = positions[coder.answers.code[positions] >= 0]
        sizes = {basis: _sample_sizes(coder, answered if basis == "answered" else positions) for basis in bases}
        return cls(positions, cluster.astype(np.intp), len(distinct), bases, sizes)


def _sample_sizes(coder: PairedCoder, positions: IntArray) -> dict[str, int | None]:
    records, first = np.unique(coder.answers.record[positions], return_index=True)
    flags = coder.question.flags
    return {
        "n": len(records),
        "n_planned": len(coder.answers.record),
        "n_excluded": len(coder.answers.record) - len(positions),
        "n_positive": None if flags is None else int((flags[coder.truth[positions[first]]] == 1).sum()),
        "n_clusters": len(np.unique(coder.clusters[records])),
    }


def result_row(
    coder: PairedCoder, sample: Sample, metric: Metric, basis: str, values: FloatArray, confidence: float
) -> dict[str, Any]:
    """One row of the table.

    Parameters
    ----------
    coder, sample, metric, basis
        What the row is about.
    values
        Replicates x (1 + resamples): the metric; the first column is the sample itself.
    confidence
        The level of the interval.
    """
    means = mean_of_defined(values)
    value, resampled = means[0], means[1:]
    sizes = sample.sizes[basis]
    n, n_clusters = sizes["n"] or 0, sizes["n_clusters"] or 0
    low, high, n_undefined = percentile_interval(resampled, confidence, min_defined=0)
    if n_clusters < 2 or np.isnan(value):
        low = high = np.nan
    return {
        "coder": coder.coder,
        "metric": metric.name,
        "basis": basis,
        "value": float(value),
        "low": low,
        "high": high,
        **sizes,
        "n_undefined": n_undefined,
        "note": join_sentences(
            _definition_note(coder, metric, basis, ~np.isnan(values[:, 0]), n),
            _sample_note(coder, n, n_clusters, resampled.size),
            str(coder.table.code_note.iloc[int(coder.answers.row[0])]) if len(coder.answers.row) else "",
        ),
    }


def _definition_note(coder: PairedCoder, metric: Metric, basis: str, is_defined: BoolArray, n: int) -> str:
    """Why the metric is undefined, in all replicates or in some, or what a reader needs to understand it."""
    if n == 0:
        return _no_pairs_note(coder)
    if not is_defined.any():
        return metric.undefined_reason
    partly = (
        f"The mean of {int(is_defined.sum())} of {len(is_defined)} replicates; in the others: {metric.undefined_reason}"
    )
    return join_sentences("" if is_defined.all() else partly, metric.remark(coder.question, basis))


def _sample_note(coder: PairedCoder, n: int, n_clusters: int, n_resamples: int) -> str:
    n_ties = int((coder.answers.reason == TIE).sum())
    return join_sentences(
        f"{n_ties} records have no modal answer (ties)." if n_ties else "",
        "All records are in one cluster, so there is no interval." if n and n_clusters == 1 and n_resamples else "",
        unequal_note(coder.unequal_probabilities),
        few_records_note(n),
    )


def _no_pairs_note(coder: PairedCoder) -> str:
    if not (coder.truth >= 0).any():
        return "No record has a truth."
    return "No record has both a truth and an answer."
