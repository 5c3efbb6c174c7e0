"""What does not follow from a comparison, and how its numbers came about."""

from __future__ import annotations

from ..shared.notes import few, note, unequal_note
from .outcome import Measure
from .paired_levels import Pair
from .paired_tests import DRAWS, PairedTest

_FEWEST = 6  # changes; with fewer no two-sided p is below 0.05


def paired_note(
    found: Measure, two: Pair, n: int, n_clusters: int, first: PairedTest, clustered: PairedTest, seed: int
) -> str:
    """The sentences beside one row."""
    if n == 0:
        return note("No record was answered at both levels.", _unpaired(two))
    return note(
        few(n, n_clusters),
        _equal(two, n_clusters),
        _no_less("p", first),
        _one_category(found),
        f"Records left out because their replicates tie: {two.ties}." if two.ties else "",
        _averaged(two),
        _unpaired(two),
        _clustered(first, clustered, n, n_clusters),
        _no_less("p_clustered", clustered) if clustered is not first else "",
        unequal_note(found.table),
        f"The random sign flips are drawn from seed {seed}." if _drawn(first) or _drawn(clustered) else "",
    )


def _drawn(tested: PairedTest) -> bool:
    return tested.test.endswith(f"{DRAWS:,} draws")


def _equal(two: Pair, n_clusters: int) -> str:
    if two.count(two.a != two.b):
        return ""
    width = ", so the interval has no width" if n_clusters > 1 else ""
    return f"No record differs{width}; that does not show that the levels are alike."


def _no_less(word: str, tested: PairedTest) -> str:
    turns_on = tested.turns_on
    if not 0 < turns_on < _FEWEST:
        return ""
    what = "cluster" if "clusters" in tested.test else "record"
    counted = f"{turns_on} {what}s differ" if turns_on > 1 else f"One {what} differs"
    return f"{counted}, so {word} cannot be below {0.5 ** (turns_on - 1):g}."


def _one_category(found: Measure) -> str:
    if found.category is None or len(found.table.codes.categories) < 3:
        return ""
    category = found.table.codes.categories[found.category]
    return f"What is tested is `{category}` against all other answers; n_changed counts every change."


def _averaged(two: Pair) -> str:
    repeats = two.both.shape[1]
    return f"Computed within each of {repeats} replicates and averaged." if repeats > 1 else ""


def _unpaired(two: Pair) -> str:
    return f"Replicates without one of the same number at the other level: {two.unpaired}." if two.unpaired else ""


def _clustered(first: PairedTest, clustered: PairedTest, n: int, n_clusters: int) -> str:
    if n_clusters == n:
        return ""
    if not first.test.startswith("McNemar"):
        return "" if clustered.test else "With one cluster there is no test."
    beside = f"p_clustered is by {clustered.test}" if clustered.test else "one cluster allows no other test"
    return f"McNemar's test takes the {n:,} records as independent, and they are in {n_clusters:,} clusters; {beside}."
