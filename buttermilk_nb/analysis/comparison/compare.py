"""Compare every pair of levels of a factor, with tests adjusted for their number."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations, product
from typing import TYPE_CHECKING, Any

import numpy as np

from ..._internal.arguments import check_arguments
from ...errors import SetupError, nearest
from ..coefficients.arrays import FloatArray
from ..shared.bootstrap import check_resampling, percentile_interval, unit_weights
from ..shared.measure import Measure, choose_measure
from ..shared.multiple_testing import holm_adjusted
from ..shared.notes import join_sentences
from ..shared.ratings_groups import column_names, prepare_ratings_along, ratings_groups, sorted_values, wordings_note
from ..shared.record_table import record_table
from ..shared.replicate_mode import ReplicateMode, check_replicate_mode
from .notes import comparison_note
from .paired_levels import PairedLevels, pair_levels
from .paired_tests import PairedTest, mcnemar_test, sign_flip_test

if TYPE_CHECKING:
    import pandas as pd

_NO_TEST = PairedTest(float("nan"), "", 0)


@check_arguments
def compare_levels(
    ratings: pd.DataFrame,
    *,
    factor: str,
    by: str | Sequence[str] = ("criterion",),
    baseline: Any = None,
    replicate_mode: ReplicateMode = "modal",
    n_boot: int = 1000,
    seed: int = 1,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """Whether a factor changes the answers to the same records: one row per group and pair of its levels.

    Parameters
    ----------
    ratings
        The long frame of `run.ratings()`, or one with `record_id`, `criterion`, `coder`, `category` and `factor`.
    factor
        The column whose values are compared: `model`, `judge`, `coder`, the name of a prompt, or any other. Rows
        without a value in it are dropped.
    by
        Columns that make the groups. Criteria and wordings are never pooled, unless they are the factor.
    baseline
        A value of the factor: only pairs with it, as `a`. Otherwise all pairs, with `a` before `b` in order (numbers
        ascending, else names from A to Z).
    replicate_mode
        `modal`: reduce each record to one answer first, the most frequent of its replicates; a record whose replicates
        tie is left out (ordinal numbers: the mean of those tied; continuous ones: the mean of all). `each`: compute
        within each replicate and average; replicates of the same number are paired, and a single one is paired with
        every replicate of the other level.
    n_boot, seed, confidence
        The number of resamples of whole clusters, the seed of resamples and of random sign flips, and the level of the
        percentile interval (0 to 1). Each row starts from the seed.

    Returns
    -------
    pandas.DataFrame
        `by`..., `factor`, `a`, `b` (the levels), then, over the `n` records answered at both levels:

        - `measure`: `flagged share` if a flag is declared, else `mean` on scales with numbers (ordinal, interval,
          ratio), else the share of the category that is the most frequent in the group, over all levels (if two are as
          frequent, the first in the order of the scale). `at_a`, `at_b`: its value at each level;
        - `difference`: at `b` minus at `a`, with `difference_low` and `difference_high`. `difference_least` and
          `difference_most` are bounds over all records with a planned answer at either level, whatever the missing
          answers are;
        - `only_a`, `only_b`: paired flips, the records with the finding (or the category) at one level only; for
          numbers, the records with a higher number there. `n_changed`: the records whose answers differ;
        - `test`, `p`: McNemar's exact test for shares; for means (and averages over replicates) a permutation test
          that flips the signs of whole clusters' differences, where a record without a cluster is its own cluster.
          `p_adjusted`: Holm's adjustment, over the `n_tests` tests of this call. `p_clustered`,
          `p_clustered_adjusted`: the permutation test over clusters and its own Holm adjustment, if records are in
          clusters;
        - `n`, `n_excluded` (records with a planned answer at either level, without answers at both), `n_clusters`,
          `n_undefined` (resamples without a difference) and `note`.

        A group with one level of the factor has no row. Undefined values are NaN, and `note` says why. With `each`,
        counts are averages over replicates.

    Raises
    ------
    SetupError
        The factor has one value; `baseline` or `replicate_mode` is unknown; criteria or wordings would be pooled; a
        record has two answers of one level and replicate.

    Notes
    -----
    McNemar (1947), Holm (1979). The sign-flip test assumes that the differences have a symmetric distribution if the
    levels are alike, which is true if the levels could be swapped. Records drawn with unequal probabilities are not
    weighted, and `note` says so.

    Examples
    --------
    >>> import pandas as pd
    >>> answers = {"m1": "yyyynnnn", "m2": "ynnnnnnn"}
    >>> rows = [(f"r{i}", "calm", f"judge · {m}", m, c) for m, codes in answers.items() for i, c in enumerate(codes)]
    >>> ratings = pd.DataFrame(rows, columns=["record_id", "criterion", "coder", "model", "category"])
    >>> result = compare_levels(ratings, factor="model")
    >>> result[["measure", "at_a", "at_b", "only_a", "only_b", "p"]].values.tolist()
    [['share of `n`', 0.5, 0.875, 0.0, 3.0, 0.25]]
    """
    import pandas as pd

    check_resampling(n_boot, confidence)
    check_replicate_mode(replicate_mode)
    rows = []
    for key, measure, a, b in pairs_of_levels(ratings, factor, column_names(by), baseline):
        row = _comparison_row(measure, a, b, replicate_mode, n_boot, seed, confidence)
        row["note"] = join_sentences(row["note"], wordings_note(factor), measure.table.codes_note)
        rows.append(key | {"factor": factor, "a": a, "b": b} | row)
    result = pd.DataFrame(rows)
    for name in ("p", "p_clustered"):
        result[f"{name}_adjusted"] = holm_adjusted(result[name].to_numpy(float))
    result["n_tests"] = int(result.p.notna().sum())
    order = [*list(result.columns)[: list(result.columns).index("p") + 1], "p_adjusted", "p_clustered"]
    order += ["p_clustered_adjusted", "n_tests"]
    return result[[*order, *(name for name in result.columns if name not in order)]]


def pairs_of_levels(
    ratings: pd.DataFrame,
    factor: str,
    by: Sequence[str],
    baseline: Any = None,
    only: Mapping[str, Any] | None = None,
) -> Iterator[tuple[dict[str, Any], Measure, Any, Any]]:
    """Each group with its measure, and each pair of its levels.

    Parameters
    ----------
    ratings, factor, by, baseline
        As in `compare_levels`.
    only
        The two levels to compare, each under the name of its parameter; None for all pairs.
    """
    frame = prepare_ratings_along(ratings, by, factor, "factor")
    if factor == "replicate":
        raise SetupError("factor: replicates are not levels of a factor; use bm.stability(ratings) for them.")
    levels = sorted_values(frame[factor])
    if len(levels) < 2:
        values = f"one value, `{levels[0]}`" if levels else "no value"
        raise SetupError(f"factor: `{factor}` has {values} in these ratings; a comparison needs two or more.")
    for parameter, value in (only or {"baseline": baseline}).items():
        if value is not None and value not in levels:
            raise SetupError(f"{parameter}: `{factor}` is never `{value}`; {nearest(str(value), map(str, levels))}")
    if only:
        frame = frame[frame[factor].isin(list(only.values()))]
    parts = ratings_groups(frame, by, factor)
    if all(part[factor].nunique() < 2 for _, part in parts):
        raise SetupError(
            f"`{factor}` has one value in each group; leave out of by={list(by)} the columns that change with it."
        )
    for key, part in parts:
        group_levels = sorted_values(part[factor])
        if len(group_levels) < 2:
            continue
        measure = choose_measure(record_table(part, [factor, "replicate"]))
        for a, b in combinations(group_levels, 2) if baseline is None else product([baseline], group_levels):
            if a != b and a in group_levels:
                yield key, measure, a, b


def _comparison_row(
    measure: Measure, a: Any, b: Any, replicate_mode: ReplicateMode, n_boot: int, seed: int, confidence: float
) -> dict[str, Any]:
    pair = pair_levels(measure, a, b, replicate_mode)
    used = pair.has_pair
    clusters = np.unique(measure.table.clusters[used], return_inverse=True)[1]
    n, n_clusters = int(used.sum()), int(clusters.max(initial=-1)) + 1
    at_a, at_b = (float(mean[0]) for mean in pair.means(np.ones((1, n))))
    low, high, n_undefined = float("nan"), float("nan"), 0
    if n_clusters > 1:
        resampled = [pair.means(weights) for weights in unit_weights(clusters, n_boot, seed)]
        differences = np.concatenate([means_b - means_a for means_a, means_b in resampled])
        low, high, n_undefined = percentile_interval(differences, confidence)
    least, most = pair.bounds(*measure.range())
    sums = np.bincount(clusters, pair.contributions(), n_clusters).astype(np.float64) if n else np.zeros(0)
    test, clustered_test = _paired_tests(measure, pair, sums, seed)
    return {
        "measure": measure.name,
        "at_a": at_a,
        "at_b": at_b,
        "difference": at_b - at_a,
        "difference_low": low,
        "difference_high": high,
        "difference_least": least,
        "difference_most": most,
        "only_a": pair.mean_count(pair.a > pair.b),
        "only_b": pair.mean_count(pair.b > pair.a),
        "n_changed": pair.mean_count(pair.answer_a != pair.answer_b),
        "test": test.test,
        "p": test.p,
        "p_clustered": clustered_test.p,
        "n": n,
        "n_excluded": int((pair.was_planned & ~used).sum()),
        "n_clusters": n_clusters,
        "n_undefined": n_undefined,
        "note": comparison_note(measure, pair, n, n_clusters, test, clustered_test, seed),
    }


def _paired_tests(measure: Measure, pair: PairedLevels, sums: FloatArray, seed: int) -> tuple[PairedTest, PairedTest]:
    """The test of a pair; and the permutation over clusters, if records are in clusters."""
    n, n_clusters = int(pair.has_pair.sum()), len(sums)
    permutation = _NO_TEST
    if n_clusters > 1:
        permutation = sign_flip_test(sums, seed, "records" if n_clusters == n else "clusters")
    clustered_test = permutation if n_clusters < n else _NO_TEST
    if n and measure.is_share and pair.is_complete.shape[1] == 1:
        only_a, only_b = (int(pair.mean_count(is_higher)) for is_higher in (pair.a > pair.b, pair.b > pair.a))
        return mcnemar_test(only_a, only_b), clustered_test
    return permutation, clustered_test
