"""Metrics of each coder against the truth, on each basis, with intervals.

Replicates share the resamples of the clusters of their records, so that the interval of an average is correct.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..._internal.arguments import check_arguments
from ...errors import SetupError
from ..coefficients.arrays import FloatArray, IntArray
from ..shared.bootstrap import check_resampling, sample_and_cluster_weights
from ..shared.replicate_mode import ReplicateMode
from .answer_pairs import AnswerPairs
from .base import Metric
from .metric_registry import check_metric_names, metrics_for
from .pair_with_truth import PairedCoder, paired_coders
from .result_rows import Sample, result_row

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = (
    "coder", "metric", "basis", "value", "low", "high", "n", "n_planned", "n_excluded", "n_positive", "n_clusters",
    "n_undefined", "note",
)  # fmt: skip


@check_arguments
def metrics(
    ratings: pd.DataFrame,
    *,
    truth: str = "truth",
    by: Sequence[str] = ("criterion",),
    coders: Sequence[str] | None = None,
    replicate_mode: ReplicateMode = "each",
    on: str = "own",
    only: Sequence[str] | None = None,
    n_boot: int = 1000,
    seed: int = 1,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """Metrics of each coder against the truth, with percentile bootstrap intervals over clusters.

    The criterion decides which metrics there are: with a declared flag (column `flagged`) `accuracy`,
    `balanced_accuracy`, `precision`, `recall`, `specificity`, `f1`, `mcc`, `prevalence_truth` and `prevalence_coder`;
    nominal without a flag `accuracy`, with one and more than two categories also `exact_agreement`; ordinal
    `weighted_kappa` (quadratic), `exact_agreement`, `mae`, `spearman`; interval and ratio `mae`, `rmse`, `bias` (coder
    minus truth), `pearson`, `spearman`; sets `exact_match`, `jaccard`, and precision, recall and F1 as `_micro`,
    `_macro` and `[label]`.

    Parameters
    ----------
    ratings
        One row per coder x record x criterion x replicate: `record_id`, `criterion`, `coder`, `category`, and any other
        columns of a ratings frame. A row is a planned answer.
    truth
        The coder to compare with.
    by
        Columns that make the groups. Criteria are never pooled.
    coders
        The coders to compare; by default everyone except the truth.
    replicate_mode
        `each` computes within each replicate and averages those that are defined; `modal` takes the answer that a
        record got most often (a tie is no answer), as another instrument.
    on
        `own`: each coder on all of its records. `common`: only records with a truth that every coder of the group
        answered in each of its replicates; these have no non-answers, so `answered` is the only basis.
    only
        Names of metrics; by default all that fit.
    n_boot
        The number of resamples of the clusters; 0 for no intervals.
    seed
        Seed of the resamples.
    confidence
        The level of the intervals, between 0 and 1.

    Returns
    -------
    pandas.DataFrame
        One row per group x coder x metric x basis. `basis`: `answered`, over usable answers; `planned`, with a
        non-answer as wrong (never right and nothing flagged; in numbers, furthest from the truth); `lowest` and
        `highest`, the bounds over all possible answers in the place of the non-answers. `n` counts records,
        `n_positive` those that the truth flags, `n_clusters` their clusters; `n_planned` and `n_excluded` count
        answers; `n_undefined` counts resamples in which no replicate is defined. Undefined values are NaN, and `note`
        says why.

    Raises
    ------
    SetupError
        A column, coder, metric or flag is missing, or the ratings would pool criteria or wordings.

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
    >>> result = metrics(frame, n_boot=0)
    >>> result[["metric", "basis", "value", "n", "n_planned", "n_excluded"]].round(3).values.tolist()
    ... # doctest: +NORMALIZE_WHITESPACE
    [['accuracy', 'answered', 0.667, 3, 4, 1], ['accuracy', 'planned', 0.5, 4, 4, 0],
     ['accuracy', 'lowest', 0.5, 4, 4, 0], ['accuracy', 'highest', 0.75, 4, 4, 0]]
    """
    import pandas as pd

    if on not in ("own", "common"):
        raise SetupError(f"on: write `own` or `common`, and not `{on}`.")
    check_resampling(n_boot, confidence, least=0)
    pairs = paired_coders(ratings, truth, by, coders, replicate_mode)
    check_metric_names((coder.question for coder in pairs), only)
    common = _common_records(pairs) if on == "common" else {}
    rows: list[dict[str, Any]] = []
    for coder in pairs:
        selected = [metric for metric in metrics_for(coder.question) if only is None or metric.name in only]
        sample = Sample.from_coder(coder, common.get(coder.key))
        for (metric, basis), values in _metric_values(coder, sample, selected, n_boot, seed).items():
            key = dict(zip(by, coder.key, strict=True))
            rows.append(key | result_row(coder, sample, metric, basis, values, confidence))
    table = pd.DataFrame(rows, columns=[*by, *COLUMNS])
    return table.astype({"n_positive": "Int64"})


def _common_records(coders: list[PairedCoder]) -> dict[tuple[object, ...], IntArray]:
    """For each group the records with a truth that every coder answered in each of its replicates."""
    common: dict[tuple[object, ...], IntArray] = {}
    for coder in coders:
        incomplete = coder.answers.record[(coder.answers.code < 0) | (coder.truth < 0)]
        complete = np.setdiff1d(coder.answers.record, incomplete)
        common[coder.key] = np.intersect1d(common[coder.key], complete) if coder.key in common else complete
    return common


def _metric_values(
    coder: PairedCoder, sample: Sample, metrics: list[Metric], n_boot: int, seed: int
) -> dict[tuple[Metric, str], FloatArray]:
    """For each metric and basis its values: replicates x (1 + resamples), the first column for the sample itself."""
    truth, answer = coder.truth[sample.positions], coder.answers.code[sample.positions]
    replicate = coder.answers.replicate[sample.positions]
    replicate_pairs = [
        AnswerPairs.from_answers(truth[rows], answer[rows], sample.cluster[rows], sample.n_clusters)
        for rows in (replicate == number for number in np.unique(replicate).tolist() or [0])
    ]
    prepared = [_prepare_metrics(coder, pairs, metrics) for pairs in replicate_pairs]
    blocks: dict[tuple[Metric, str], list[FloatArray]] = {(m, b): [] for m in metrics for b in sample.bases}
    for cluster_weights in sample_and_cluster_weights(sample.n_clusters, n_boot, seed):
        replicates = [estimates(cluster_weights, sample.bases) for estimates in prepared]
        for key, block in blocks.items():
            block.append(np.stack([values[key] for values in replicates]))
    return {key: np.concatenate(block, axis=1) for key, block in blocks.items()}


def _prepare_metrics(
    coder: PairedCoder, pairs: AnswerPairs, metrics: list[Metric]
) -> Callable[[FloatArray, Sequence[str]], dict[tuple[Metric, str], FloatArray]]:
    """The metrics of some pairs, for any weights of the clusters."""
    has_gaps = bool((pairs.answer < 0).any())  # without non-answers all bases are the same
    flags = pairs.to_flag_pairs(coder.question.flags) if coder.question.flags is not None else None
    prepared = {
        metric: metric.prepare(
            coder.question, *(flags[:2] if flags and metric.uses_flag else (pairs.truth, pairs.answer))
        )
        for metric in metrics
    }

    def estimates(cluster_weights: FloatArray, bases: Sequence[str]) -> dict[tuple[Metric, str], FloatArray]:
        weights = pairs.pair_weights(cluster_weights)
        flag_weights = weights @ flags[2] if flags else weights
        values: dict[tuple[Metric, str], FloatArray] = {}
        for metric, estimate in prepared.items():
            own_weights = flag_weights if metric.uses_flag else weights
            own = estimate(own_weights, bases) if has_gaps else estimate(own_weights, bases[:1]) * len(bases)
            values |= {(metric, basis): value for basis, value in zip(bases, own, strict=True)}
        return values

    return estimates
