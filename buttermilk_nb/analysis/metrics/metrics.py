"""How far each coder is from the truth: one row for each metric and basis, with its interval.

Replicates share the resamples of their records' clusters, so that the interval of an average is that of the average.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import SetupError
from .base import Metric
from .bootstrap_pairs import AnswerPairs, sample_and_cluster_weights
from .metric_registry import check_metric_names, metrics_for
from .pair_with_truth import PairedCoder, paired_coders
from .question import FloatArray, IntArray
from .result_rows import Sample, result_row

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = (
    "coder", "metric", "basis", "value", "low", "high", "n", "n_planned", "n_excluded", "n_positive", "n_clusters",
    "n_undefined", "note",
)  # fmt: skip


def metrics(
    ratings: pd.DataFrame,
    *,
    truth: str = "truth",
    by: Sequence[str] = ("criterion",),
    coders: Sequence[str] | None = None,
    replicate_mode: str = "each",
    on: str = "own",
    only: Sequence[str] | None = None,
    n_boot: int = 1000,
    seed: int = 1,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """Metrics of each coder against the truth, with percentile bootstrap intervals over clusters.

    Which metrics there are follows from the criterion: with a declared flag (column `flagged`) `accuracy`,
    `balanced_accuracy`, `precision`, `recall`, `specificity`, `f1`, `mcc`, `prevalence_truth` and `prevalence_coder`;
    nominal without a flag `accuracy`, with one and more than two categories `exact_agreement`; ordinal
    `weighted_kappa` (quadratic), `exact_agreement`, `mae`, `spearman`; interval and ratio `mae`, `rmse`, `bias` (coder
    less truth), `pearson`, `spearman`; sets `exact_match`, `jaccard`, and precision, recall and F1 as `_micro`,
    `_macro` and `[label]`.

    Parameters
    ----------
    ratings
        One row per coder x record x criterion x replicate: `record_id`, `criterion`, `coder`, `category`, and
        whatever else of a ratings frame there is. A row is a planned cell.
    truth
        The coder to compare with.
    by
        Columns that make the groups. Criteria are never pooled.
    coders
        Whom to compare; default: everyone but the truth.
    replicate_mode
        `each` computes within each replicate and averages those that are defined; `modal` takes the answer that a
        record got most often (a tie is no answer) as another instrument.
    on
        `own`: each coder on all of its records. `common`: only records with a truth that every coder of the group
        answered in each of its replicates; nothing is unanswered there, so `answered` is the only basis.
    only
        Names of metrics.
    n_boot
        Resamples of the clusters; 0 for no intervals.
    seed
        Of the resamples.
    confidence
        Of the intervals, between 0 and 1.

    Returns
    -------
    pandas.DataFrame
        One row per group x coder x metric x basis. `basis`: `answered` cells; `planned`, with a non-answer as wrong
        (never right and nothing flagged; in numbers, furthest from the truth); `lowest` and `highest`, the bounds over
        what the non-answers could have been. `n` counts records, `n_positive` those that the truth flags, `n_clusters`
        their clusters; `n_planned` and `n_excluded` count cells; `n_undefined` resamples in which no
        replicate is defined. What is undefined is NaN,
        and `note` says why.

    Raises
    ------
    SetupError
        A column, coder, metric or flag is missing, or the ratings would pool what must not be pooled.

    Notes
    -----
    Percentile intervals: Efron and Tibshirani (1993); clusters: Davison and Hinkley (1997), 3.8; bounds: Manski (2003).
    Records are not weighted by `inclusion_p`.

    Examples
    --------
    >>> import pandas as pd
    >>> rows = [(i, c, a) for i, (t, j) in enumerate(["yy", "yn", "nn", "n?"]) for c, a in (("truth", t), ("judge", j))]
    >>> frame = pd.DataFrame(rows, columns=["record_id", "coder", "category"]).replace("?", None)
    >>> frame["criterion"] = "tone"
    >>> found = metrics(frame, n_boot=0)
    >>> found[["metric", "basis", "value", "n", "n_planned", "n_excluded"]].round(3).values.tolist()
    ... # doctest: +NORMALIZE_WHITESPACE
    [['accuracy', 'answered', 0.667, 3, 4, 1], ['accuracy', 'planned', 0.5, 4, 4, 0],
     ['accuracy', 'lowest', 0.5, 4, 4, 0], ['accuracy', 'highest', 0.75, 4, 4, 0]]
    """
    import pandas as pd

    if on not in ("own", "common"):
        raise SetupError(f"`on` is `own` or `common`, not `{on}`.")
    if not 0 < confidence < 1:
        raise SetupError(f"`level` lies between 0 and 1, for example 0.95, and is {confidence}.")
    if n_boot < 0:
        raise SetupError(f"`n_boot` is a number of resamples, 0 or more, and is {n_boot}.")
    found = paired_coders(ratings, truth, by, coders, replicate_mode)
    check_metric_names((one.question for one in found), only)
    common = _common_records(found) if on == "common" else {}
    rows: list[dict[str, Any]] = []
    for one in found:
        asked = [metric for metric in metrics_for(one.question) if only is None or metric.name in only]
        sample = Sample.from_coder(one, common.get(one.key))
        resampled = _metric_values(one, sample, asked, n_boot, seed)
        for (metric, basis), values in resampled.items():
            row = dict(zip(by, one.key, strict=True))
            rows.append(row | result_row(one, sample, metric, basis, values, confidence))
    table = pd.DataFrame(rows, columns=[*by, *COLUMNS])
    return table.astype({"n_positive": "Int64"})


def _common_records(found: list[PairedCoder]) -> dict[tuple[object, ...], IntArray]:
    """For each group the records with a truth that every coder answered in each of its replicates."""
    shared: dict[tuple[object, ...], IntArray] = {}
    for one in found:
        lacking = one.answers.record[(one.answers.code < 0) | (one.truth < 0)]
        mine = np.setdiff1d(one.answers.record, lacking)
        shared[one.key] = np.intersect1d(shared[one.key], mine) if one.key in shared else mine
    return shared


def _metric_values(
    one: PairedCoder, sample: Sample, asked: list[Metric], n_boot: int, seed: int
) -> dict[tuple[Metric, str], FloatArray]:
    """For each metric and basis its values: replicates x (1 + resamples), the first for the sample itself."""
    truth, answer = one.truth[sample.positions], one.answers.code[sample.positions]
    numbers = one.answers.replicate[sample.positions]
    views = [
        AnswerPairs.from_answers(truth[here], answer[here], sample.cluster[here], sample.n_clusters)
        for here in (numbers == number for number in np.unique(numbers).tolist() or [0])
    ]
    parts: dict[tuple[Metric, str], list[FloatArray]] = {(m, b): [] for m in asked for b in sample.bases}
    for weights in sample_and_cluster_weights(sample.n_clusters, n_boot, seed):
        values: dict[tuple[Metric, str], list[FloatArray]] = {key: [] for key in parts}
        for view in views:
            rows = view.pair_weights(weights)
            seen = {False: (view.truth, view.answer, rows)}
            if one.question.flags is not None:
                flagged, said, which = view.to_flag_pairs(one.question.flags)
                seen[True] = flagged, said, rows @ which
            for metric in asked:
                found = metric.estimates(one.question, *seen[metric.uses_flag], sample.bases)
                for basis, value in zip(sample.bases, found, strict=True):
                    values[metric, basis].append(value)
        for key, into in values.items():
            parts[key].append(np.stack(into))
    return {key: np.concatenate(blocks, axis=1) for key, blocks in parts.items()}
