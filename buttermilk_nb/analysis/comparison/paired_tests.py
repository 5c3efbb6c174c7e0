"""Tests of paired answers, and the correction for having made many."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..coefficients.agreement_counts import row_blocks
from ..coefficients.base import FloatArray

N_RANDOM_FLIPS = 9_999
"""Random sign flips where there are too many to try all."""
_ALL_OF = 13  # 2 ** 13 = 8,192 sign flips are tried one by one
_ROUNDING = 1e-9  # sums that should be the same differ by less, as a share of the largest sum possible


class PairedTest(NamedTuple):
    """A p-value, its two-sided test by name, and how many records or clusters it turns on."""

    p: float
    test: str
    n_changed: int


def mcnemar_test(only_a: int, only_b: int) -> PairedTest:
    """McNemar's test, exact: whether changes one way are as frequent as the other way.

    Two-sided binomial test of the discordant pairs (McNemar 1947; Agresti 2013, ch. 11). Without a
    discordant pair p is 1.

    Parameters
    ----------
    only_a, only_b
        Records with the finding at one level only.

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
    """Permutation test of paired differences: if the levels were the same, each sum's sign could as well be the other.

    Up to 13 sums that are not 0, all sign flips are tried; beyond, 9,999 are drawn from the seed, and the data count
    as one more of them (Fisher 1935; Phipson and Smyth 2010). Two-sided.

    Parameters
    ----------
    sums
        The sum of the differences of each record or cluster.
    seed
        Of the random signs.
    what
        `records` or `clusters`, for the name.

    Examples
    --------
    >>> sign_flip_test(np.array([1.0, 1.0, 1.0, 1.0, 2.0]), 1, "records").p  # 2 of 32
    0.0625
    """
    changed = sums[np.abs(sums) > _ROUNDING * np.abs(sums).max(initial=0.0)]
    size = len(changed)
    reached = abs(changed.sum()) - _ROUNDING * np.abs(changed).sum()
    if size <= _ALL_OF:
        signs = 1.0 - 2.0 * (np.arange(2**size)[:, None] >> np.arange(size) & 1)
        p = float((np.abs(signs @ changed) >= reached).mean())
        return PairedTest(p, f"sign flips of {unit}, exact", size)
    rng = np.random.default_rng(seed)
    as_far = 0
    for some in row_blocks(N_RANDOM_FLIPS, size):
        flipped = 2 * rng.integers(0, 2, (some.stop - some.start, size), dtype=np.int8) - 1
        as_far += int((np.abs(flipped @ changed) >= reached).sum())
    return PairedTest((1 + as_far) / (1 + N_RANDOM_FLIPS), f"sign flips of {unit}, {N_RANDOM_FLIPS:,} draws", size)
