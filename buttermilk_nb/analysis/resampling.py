"""Resamples of clusters: how often each unit counts in each of them.

Records of one author, outlet or parent text are not independent, so whole clusters are drawn (the cluster bootstrap:
Davison and Hinkley 1997, ch. 3.8; Field and Welsh 2007). A record without a cluster is one of its own.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

_MOST = 20_000_000  # numbers in one block of weights: 160 MB


def weights(clusters: NDArray[np.intp], n_boot: int, seed: int) -> Iterator[NDArray[np.float64]]:
    """Blocks of rows, one per resample, that say how often each unit counts.

    Parameters
    ----------
    clusters
        The cluster of each unit, as a number from 0.
    n_boot
        How many resamples in all.
    seed
        Of the random numbers: the same seed gives the same resamples.

    Examples
    --------
    >>> (block,) = weights(np.array([0, 0, 1]), n_boot=4, seed=1)
    >>> block.shape, bool((block[:, 0] == block[:, 1]).all())
    ((4, 3), True)
    """
    rng = np.random.default_rng(seed)
    n = int(clusters.max()) + 1 if len(clusters) else 0
    rows = max(1, _MOST // max(1, len(clusters)))
    for start in range(0, n_boot if n else 0, rows):
        drawn = rng.multinomial(n, np.full(n, 1 / n), size=min(rows, n_boot - start))
        yield drawn[:, clusters].astype(np.float64)


def interval(estimates: NDArray[np.float64], level: float) -> tuple[float, float, int]:
    """The percentile interval, and how many resamples were undefined; NaN where more than half were.

    Examples
    --------
    >>> interval(np.linspace(0, 1, 101), 0.9)
    (0.05, 0.95, 0)
    """
    known = estimates[~np.isnan(estimates)]
    undefined = len(estimates) - len(known)
    if len(known) * 2 < len(estimates) or not len(known):
        return float("nan"), float("nan"), undefined
    low, high = np.quantile(known, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high), undefined
