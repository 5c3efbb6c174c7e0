"""Tests of paired answers: McNemar's exact test, and a permutation test by sign flips."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..coefficients.agreement_counts import row_blocks
from ..coefficients.arrays import FloatArray

N_RANDOM_FLIPS = 9_999
"""The number of random sign flips, if there are too many to try all."""
_MAX_EXACT = 13  # 2 ** 13 = 8,192 sign flips are tried one by one
_ROUNDING = 1e-9  # sums that should be the same differ by less, as a share of the largest sum possible


class PairedTest(NamedTuple):
    """A two-sided test: its p-value, its name, and the number of records or clusters that changed."""

    p: float
    test: str
    n_changed: int


def mcnemar_test(only_a: int, only_b: int) -> PairedTest:
    """McNemar's exact test: whether changes in one direction are as frequent as in the other.

    A two-sided binomial test of the discordant pairs (McNemar 1947; Agresti 2013, ch. 11). Without a discordant pair p
    is 1.

    Parameters
    ----------
    only_a, only_b
        The number of records with the finding at one level only.

    Examples
    --------
    >>> round(mcnemar_test(1, 8).p, 6)  # 2 x (1 + 9) / 2 ** 9
    0.039062
    """
    from scipy.stats import binomtest

    n = only_a + only_b
    p = float(binomtest(min(only_a, only_b), n, 0.5).pvalue) if n else 1.0
    return PairedTest(p, "McNemar, exact", n)


def sign_flip_test(sums: FloatArray, seed: int, unit: str) -> PairedTest:
    """Permutation test of paired differences: if the levels are alike, each sum could as well have the other sign.

    With up to 13 sums that are not 0, all sign flips are tried; with more, 9,999 are drawn at random, and the data
    count as one more of them (Fisher 1935; Phipson and Smyth 2010). Two-sided.

    Parameters
    ----------
    sums
        The sum of the differences of each record or cluster.
    seed
        Seed of the random signs.
    unit
        `records` or `clusters`, for the name of the test.

    Examples
    --------
    >>> sign_flip_test(np.array([1.0, 1.0, 1.0, 1.0, 2.0]), 1, "records").p  # 2 of 32
    0.0625
    """
    changed = sums[np.abs(sums) > _ROUNDING * np.abs(sums).max(initial=0.0)]
    n = len(changed)
    observed = abs(changed.sum()) - _ROUNDING * np.abs(changed).sum()
    if n <= _MAX_EXACT:
        signs = 1.0 - 2.0 * (np.arange(2**n)[:, None] >> np.arange(n) & 1)
        p = float((np.abs(signs @ changed) >= observed).mean())
        return PairedTest(p, f"sign flips of {unit}, exact", n)
    flipped = _random_flip_sums(changed, np.random.default_rng(seed))
    p = (1 + int((np.abs(flipped) >= observed).sum())) / (1 + N_RANDOM_FLIPS)
    return PairedTest(p, f"sign flips of {unit}, {N_RANDOM_FLIPS:,} draws", n)


def _random_flip_sums(sums: FloatArray, rng: np.random.Generator) -> FloatArray:
    """The total of the sums, each with a random sign, once for each draw.

    A random byte holds the signs of eight sums, whose total is in a table of all 256 cases.
    """
    signs = 1.0 - 2.0 * (np.arange(256)[:, None] >> np.arange(8) & 1)
    totals = np.zeros(N_RANDOM_FLIPS)
    eights = np.pad(sums, (0, -len(sums) % 8)).reshape(-1, 8)
    for block in row_blocks(len(eights), N_RANDOM_FLIPS):
        for eight, draws in zip(
            eights[block], rng.integers(0, 256, (block.stop - block.start, N_RANDOM_FLIPS), np.uint8), strict=True
        ):
            totals += (signs @ eight)[draws]
    return totals
