"""What does not follow from a comparison, and how its numbers came about."""

from __future__ import annotations

from ..shared.notes import join_sentences, sample_note, unequal_note
from .outcome import Measure
from .paired_levels import PairedLevels
from .paired_tests import N_RANDOM_FLIPS, PairedTest

_FEWEST = 6  # changes; with fewer no two-sided p is below 0.05


def paired_note(
    found: Measure, two: PairedLevels, n: int, n_clusters: int, first: PairedTest, clustered: PairedTest, seed: int
) -> str:
    """The sentences beside one row."""
    if n == 0:
        return join_sentences("No record was answered at both levels.", _unpaired_note(two))
    return join_sentences(
        sample_note(n, n_clusters),
        _no_difference_note(two, n_clusters),
        _least_p_note("p", first),
        _one_category_note(found),
        f"Records left out because their replicates tie: {two.n_ties}." if two.n_ties else "",
        _averaged_note(two),
        _unpaired_note(two),
        _cluster_test_note(first, clustered, n, n_clusters),
        _least_p_note("p_clustered", clustered) if clustered is not first else "",
        unequal_note(found.table),
        f"The random sign flips are drawn from seed {seed}." if _is_random(first) or _is_random(clustered) else "",
    )


def _is_random(tested: PairedTest) -> bool:
    return tested.test.endswith(f"{N_RANDOM_FLIPS:,} draws")


def _no_difference_note(two: PairedLevels, n_clusters: int) -> str:
    if two.mean_count(two.a != two.b):
        return ""
    width = ", so the interval has no width" if n_clusters > 1 else ""
    return f"No record differs{width}; that does not show that the levels are alike."


def _least_p_note(word: str, tested: PairedTest) -> str:
    turns_on = tested.n_changed
    if not 0 < turns_on < _FEWEST:
        return ""
    what = "cluster" if "clusters" in tested.test else "record"
    counted = f"{turns_on} {what}s differ" if turns_on > 1 else f"One {what} differs"
    return f"{counted}, so {word} cannot be below {0.5 ** (turns_on - 1):g}."


def _one_category_note(found: Measure) -> str:
    if found.category is None or len(found.table.codes.categories) < 3:
        return ""
    category = found.table.codes.categories[found.category]
    return f"What is tested is `{category}` against all other answers; n_changed counts every change."


def _averaged_note(two: PairedLevels) -> str:
    repeats = two.is_complete.shape[1]
    return f"Computed within each of {repeats} replicates and averaged." if repeats > 1 else ""


def _unpaired_note(two: PairedLevels) -> str:
    return f"Replicates without one of the same number at the other level: {two.n_unpaired}." if two.n_unpaired else ""


def _cluster_test_note(first: PairedTest, clustered: PairedTest, n: int, n_clusters: int) -> str:
    if n_clusters == n:
        return ""
    if not first.test.startswith("McNemar"):
        return "" if clustered.test else "With one cluster there is no test."
    beside = f"p_clustered is by {clustered.test}" if clustered.test else "one cluster allows no other test"
    return f"McNemar's test takes the {n:,} records as independent, and they are in {n_clusters:,} clusters; {beside}."
