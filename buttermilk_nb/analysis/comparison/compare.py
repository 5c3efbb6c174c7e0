"""Every pair of levels of a factor, tested, and corrected for the number of tests."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations, product
from typing import TYPE_CHECKING, Any, get_args

import numpy as np

from ...errors import SetupError, nearest
from ..shared.bootstrap import percentile_interval, unit_weights
from ..shared.groups import column_names, groups, prepare_ratings_along, sorted_values, wordings_note
from ..shared.multiple_testing import holm_adjusted
from ..shared.notes import join_sentences
from ..shared.record_table import record_table
from ..stability.stability import check_resampling
from .notes import paired_note
from .outcome import Measure, choose_measure
from .paired_levels import PairedLevels, Replicates, pair_levels
from .paired_tests import PairedTest, mcnemar_test, sign_flip_test

if TYPE_CHECKING:
    import pandas as pd

_NO_TEST = PairedTest(float("nan"), "", 0)


def compare_levels(
    ratings: pd.DataFrame,
    *,
    factor: str,
    by: str | Sequence[str] = ("criterion",),
    baseline: Any = None,
    replicate_mode: Replicates = "modal",
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
        The column whose values are compared: `model`, `judge`, `coder`, a prompt's name, any other. Rows in which it
        is missing are set aside.
    by
        Columns to part the frame by. Criteria are never pooled, nor wordings, unless they are the factor.
    baseline
        A value of the factor: only pairs with it, as `a`. Otherwise all pairs, `a` and `b` in order (numbers
        ascending, else names from A to Z).
    replicate_mode
        `modal`: one answer per record first, the most frequent of its replicates; a record whose replicates tie is
        left out (ordinal numbers: the mean of those tied; continuous ones: the mean of all). `each`: everything within
        each replicate and averaged, replicates of the same number paired, a single one with each of the other's.
    n_boot, seed, confidence
        Resamples of whole clusters, the seed of resamples and of random sign flips, and the level of the percentile
        interval. Each row starts from the seed.

    Returns
    -------
    pandas.DataFrame
        `by`..., `factor`, `a`, `b` (the levels), then, over the `n` records answered at both:

        - `measure`: `flagged share` where a flag is declared, else `mean` on scales with numbers (ordinal, interval,
          ratio), else the share of the category that is the most frequent in the group, all levels together (of two
          as frequent the first in the scale's order). `at_a`, `at_b`: its value at each level;
        - `difference`: at `b` minus at `a`, with `difference_low` and `difference_high`. `difference_least` and
          `difference_most` are bounds over all records asked at either level, whatever the missing answers were;
        - `only_a`, `only_b`: paired flips, records with the finding (or the category) at one level only; of numbers,
          records whose number is higher there. `n_changed`: records with another answer;
        - `test`, `p`: McNemar's exact test for shares, and for means (and averages over replicates) a permutation
          test that flips the signs of whole clusters' differences, a record without a cluster being one. `p_adjusted`:
          Holm's, over the `n_tests` tests of this call. `p_clustered`, `p_clustered_adjusted`: the permutation over
          clusters and its own Holm adjustment, where records are in clusters;
        - `n`, `n_excluded` (records asked at either level without an answer at both), `n_clusters`, `n_undefined`
          (resamples without a difference) and `note`.

        A group with one level of the factor has no row. What is undefined is NaN, and `note` says why. With `each`,
        counts are averages over replicates.

    Raises
    ------
    SetupError
        The factor has one value; `baseline` or `replicates` is unknown; criteria or wordings would be pooled; a record
        has two answers in one cell.

    Notes
    -----
    McNemar (1947), Holm (1979). The sign-flip test takes the distribution of the differences as symmetric when the
    levels are alike, which holds where the levels could be swapped. Records drawn with unequal probability are not
    weighted, and `note` says so.

    Examples
    --------
    >>> import pandas as pd
    >>> said = {"m1": "yyyynnnn", "m2": "ynnnnnnn"}
    >>> rows = [(f"r{i}", "calm", f"judge · {m}", m, c) for m, codes in said.items() for i, c in enumerate(codes)]
    >>> ratings = pd.DataFrame(rows, columns=["record_id", "criterion", "coder", "model", "category"])
    >>> found = compare_levels(ratings, factor="model")
    >>> found[["measure", "at_a", "at_b", "only_a", "only_b", "p"]].values.tolist()
    [['share of `n`', 0.5, 0.875, 0.0, 3.0, 0.25]]
    """
    import pandas as pd

    check_resampling(n_boot, confidence)
    if replicate_mode not in get_args(Replicates):
        raise SetupError(f"replicates: write `modal` or `each`, and not `{replicate_mode}`.")
    rows = []
    for key, found, a, b in pairs_of_levels(ratings, factor, column_names(by), baseline):
        rows.append(
            key
            | {"factor": factor, "a": a, "b": b}
            | _comparison_row(found, a, b, replicate_mode, n_boot, seed, confidence)
        )
        rows[-1]["note"] = join_sentences(rows[-1]["note"], wordings_note(factor))
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
    """Each group, what is measured in it, and each pair of levels that it has, or `only` those named."""
    frame = prepare_ratings_along(ratings, by, factor, "factor")
    if factor == "replicate":
        raise SetupError("factor: replicates are no levels of a factor; bm.stability(ratings) looks at them.")
    levels = sorted_values(frame[factor])
    if len(levels) < 2:
        shown = f"one value, `{levels[0]}`" if levels else "no value"
        raise SetupError(f"factor: `{factor}` has {shown} in these ratings; a comparison needs two or more.")
    for word, value in (only or {"baseline": baseline}).items():
        if value is not None and value not in levels:
            raise SetupError(f"{word}: `{factor}` is never `{value}`; {nearest(str(value), map(str, levels))}")
    if only:
        frame = frame[frame[factor].isin(list(only.values()))]
    parts = list(groups(frame, by, factor))
    if all(part[factor].nunique() < 2 for _, part in parts):
        raise SetupError(f"`{factor}` has one value in each group; leave out of by={list(by)} what changes with it.")
    for key, part in parts:
        own = sorted_values(part[factor])
        if len(own) < 2:
            continue
        found = choose_measure(record_table(part, [factor, "replicate"]))
        for a, b in combinations(own, 2) if baseline is None else product([baseline], own):
            if a != b and a in own:
                yield key, found, a, b


def _comparison_row(
    found: Measure, a: Any, b: Any, replicate_mode: Replicates, n_boot: int, seed: int, confidence: float
) -> dict[str, Any]:
    two = pair_levels(found, a, b, replicate_mode)
    used = two.has_pair
    clusters = np.unique(found.table.clusters[used], return_inverse=True)[1]
    n, n_clusters = int(used.sum()), int(clusters.max(initial=-1)) + 1
    at_a, at_b = (float(mean[0]) for mean in two.means(np.ones((1, n))))
    low, high, undefined = float("nan"), float("nan"), 0
    if n_clusters > 1:
        drawn = [two.means(rows) for rows in unit_weights(clusters, n_boot, seed)]
        low, high, undefined = percentile_interval(np.concatenate([there - here for here, there in drawn]), confidence)
    least, most = two.bounds(*found.range())
    sums = np.bincount(clusters, two.contributions(), n_clusters) if n else np.zeros(0)
    first, clustered = _paired_tests(found, two, sums, seed)
    return {
        "measure": found.name,
        "at_a": at_a,
        "at_b": at_b,
        "difference": at_b - at_a,
        "difference_low": low,
        "difference_high": high,
        "difference_least": least,
        "difference_most": most,
        "only_a": two.mean_count(two.a > two.b),
        "only_b": two.mean_count(two.b > two.a),
        "n_changed": two.mean_count(two.answer_a != two.answer_b),
        "test": first.test,
        "p": first.p,
        "p_clustered": clustered.p,
        "n": n,
        "n_excluded": int((two.was_planned & ~used).sum()),
        "n_clusters": n_clusters,
        "n_undefined": undefined,
        "note": paired_note(found, two, n, n_clusters, first, clustered, seed),
    }


def _paired_tests(found: Measure, two: PairedLevels, sums: Any, seed: int) -> tuple[PairedTest, PairedTest]:
    """The test of a pair, and the permutation over clusters where records are in clusters."""
    n, n_clusters = int(two.has_pair.sum()), len(sums)
    flipped = _NO_TEST
    if n_clusters > 1:
        flipped = sign_flip_test(sums, seed, "records" if n_clusters == n else "clusters")
    if n and found.is_share and two.is_complete.shape[1] == 1:
        only_a, only_b = (int(two.mean_count(higher)) for higher in (two.a > two.b, two.b > two.a))
        return mcnemar_test(only_a, only_b), flipped if n_clusters < n else _NO_TEST
    return flipped, flipped if n_clusters < n else _NO_TEST
