"""What a number stands with in the table: its interval, what it rests on, what was left out, and why it is none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .base import BASES, Metric
from .pair_with_truth import TIE, PairedCoder
from .question import FloatArray, IntArray

FEW = 30


@dataclass(frozen=True, eq=False)
class Sample:
    """The cells that can count: those with a truth, on common records where asked for. One entry per cell."""

    positions: IntArray
    cluster: IntArray
    n_clusters: int
    bases: tuple[str, ...]
    sizes: dict[str, dict[str, int | None]]

    @classmethod
    def from_coder(cls, one: PairedCoder, common: IntArray | None) -> Sample:
        """The cells of a comparison; on `common` records only, where they are given."""
        usable = one.truth >= 0
        if common is not None:
            usable &= np.isin(one.answers.record, common)
        cells = np.flatnonzero(usable)
        distinct, cluster = np.unique(one.clusters[one.answers.record[cells]], return_inverse=True)
        bases = BASES if common is None else BASES[:1]
        answered = cells[one.answers.code[cells] >= 0]
        rests = {basis: _sample_sizes(one, answered if basis == "answered" else cells) for basis in bases}
        return cls(cells, cluster.astype(np.intp), len(distinct), bases, rests)


def _sample_sizes(one: PairedCoder, cells: IntArray) -> dict[str, int | None]:
    """What a number rests on, as columns of the table."""
    records, first = np.unique(one.answers.record[cells], return_index=True)
    flags = one.question.flags
    return {
        "n": len(records),
        "n_planned": len(one.answers.record),
        "n_excluded": len(one.answers.record) - len(cells),
        "n_positive": None if flags is None else int((flags[one.truth[cells[first]]] == 1).sum()),
        "n_clusters": len(np.unique(one.clusters[records])),
    }


def result_row(
    one: PairedCoder, sample: Sample, metric: Metric, basis: str, values: FloatArray, confidence: float
) -> dict[str, Any]:
    """One row of the table: replicates x (1 + resamples) values, the first of each for the sample itself."""
    defined = ~np.isnan(values)
    count = defined.sum(axis=0)
    means = np.divide(np.nansum(values, axis=0), count, out=np.full(values.shape[1], np.nan), where=count > 0)
    value, drawn = means[0], means[1:]
    kept = drawn[~np.isnan(drawn)]
    rests = sample.sizes[basis]
    n, clusters = rests["n"] or 0, rests["n_clusters"] or 0
    low = high = np.nan
    if clusters > 1 and kept.size and not np.isnan(value):
        low, high = np.quantile(kept, [(1 - confidence) / 2, (1 + confidence) / 2])
    undefined = int(np.isnan(drawn).sum())
    return {
        "coder": one.coder,
        "metric": metric.name,
        "basis": basis,
        "value": float(value),
        "low": float(low),
        "high": float(high),
        **rests,
        "n_undefined": undefined,
        "note": _metric_note(one, metric, basis, defined[:, 0], n, clusters, drawn.size),
    }


def _metric_note(
    one: PairedCoder, metric: Metric, basis: str, defined: NDArray[np.bool_], n: int, clusters: int, resamples: int
) -> str:
    said = []
    if n == 0:
        said.append(_no_pairs_note(one))
    elif not defined.any():
        said.append(metric.undefined_reason)
    elif not defined.all():
        said.append(
            f"The mean of {int(defined.sum())} of {len(defined)} replicates; in the others: {metric.undefined_reason}"
        )
    if n and defined.any() and (remark := metric.remark(one.question, basis)):
        said.append(remark)
    if ties := int((one.answers.reason == TIE).sum()):
        said.append(f"{ties} records without a modal answer (ties).")
    if n and clusters == 1 and resamples:
        said.append("One cluster only: no interval.")
    if one.unequal_probabilities:
        said.append("Unweighted, although records came into the sample with unequal probability.")
    if n < FEW:
        said.append(f"Fewer than {FEW} records: no conclusion follows.")
    return " ".join(said)


def _no_pairs_note(one: PairedCoder) -> str:
    if not (one.truth >= 0).any():
        return "No record has a truth."
    return "No record has both a truth and an answer."
