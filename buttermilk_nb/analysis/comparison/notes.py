"""The note on a comparison of two levels: warnings, and how the numbers were computed."""

from __future__ import annotations

from ..shared.measure import Measure
from ..shared.notes import join_sentences, replicates_note, sample_note, unequal_note
from .paired_levels import PairedLevels
from .paired_tests import N_RANDOM_FLIPS, PairedTest

_MIN_CHANGES = 6  # with fewer changes no two-sided p is below 0.05


def comparison_note(
    measure: Measure,
    pair: PairedLevels,
    n: int,
    n_clusters: int,
    test: PairedTest,
    clustered_test: PairedTest,
    seed: int,
) -> str:
    """The sentences for one row."""
    if n == 0:
        return join_sentences("No record was answered at both levels.", _unpaired_note(pair))
    return join_sentences(
        sample_note(n, n_clusters),
        _no_difference_note(pair, n_clusters),
        _least_p_note("p", test),
        _one_category_note(measure),
        f"Records left out because their replicates tie: {pair.n_ties}." if pair.n_ties else "",
        replicates_note(pair.is_complete.shape[1]),
        _unpaired_note(pair),
        _cluster_test_note(test, clustered_test, n, n_clusters),
        _least_p_note("p_clustered", clustered_test) if clustered_test is not test else "",
        unequal_note(measure.table.unequal_probabilities),
        f"The random sign flips are drawn from seed {seed}." if _is_random(test) or _is_random(clustered_test) else "",
    )


def _is_random(test: PairedTest) -> bool:
    return test.test.endswith(f"{N_RANDOM_FLIPS:,} draws")


def _no_difference_note(pair: PairedLevels, n_clusters: int) -> str:
    if pair.mean_count(pair.a != pair.b):
        return ""
    width = ", so the interval has no width" if n_clusters > 1 else ""
    return f"No record differs{width}; that does not show that the levels are alike."


def _least_p_note(column: str, test: PairedTest) -> str:
    n = test.n_changed
    if not 0 < n < _MIN_CHANGES:
        return ""
    noun = "cluster" if "clusters" in test.test else "record"
    changed = f"{n} {noun}s differ" if n > 1 else f"One {noun} differs"
    return f"{changed}, so {column} cannot be below {0.5 ** (n - 1):g}."


def _one_category_note(measure: Measure) -> str:
    if measure.category is None or len(measure.table.codes.categories) < 3:
        return ""
    category = measure.table.codes.categories[measure.category]
    return f"The test compares `{category}` with all other answers; n_changed counts every change."


def _unpaired_note(pair: PairedLevels) -> str:
    n = pair.n_unpaired
    return f"Replicates without one of the same number at the other level: {n}." if n else ""


def _cluster_test_note(test: PairedTest, clustered_test: PairedTest, n: int, n_clusters: int) -> str:
    if n_clusters == n:
        return ""
    if not test.test.startswith("McNemar"):
        return "" if clustered_test.test else "With one cluster there is no test."
    alternative = (
        f"p_clustered is from {clustered_test.test}" if clustered_test.test else "one cluster allows no other test"
    )
    return (
        f"McNemar's test treats the {n:,} records as independent, but they are in {n_clusters:,} clusters; "
        f"{alternative}."
    )
