"""Resamples of clusters: how often each unit counts in each of them.

Records of one author, outlet or parent text are not independent, so whole clusters are drawn (the cluster bootstrap:
Davison and Hinkley 1997, ch. 3.8; Field and Welsh 2007). A record without a cluster is one of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

_MOST = 20_000_000  # numbers in one block of weights: 160 MB
_KEPT = 4_000_000  # numbers of a block that is kept for the next statistic: 32 MB


def unit_weights(clusters: NDArray[np.intp], n_boot: int, seed: int) -> Iterator[NDArray[np.float64]]:
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
    >>> (block,) = unit_weights(np.array([0, 0, 1]), n_boot=4, seed=1)
    >>> block.shape, bool((block[:, 0] == block[:, 1]).all())
    ((4, 3), True)
    """
    n = int(clusters.max()) + 1 if len(clusters) else 0
    for block in cluster_weights(n, n_boot, seed, max_rows=max(1, _MOST // max(1, len(clusters)))):
        yield block if n == len(clusters) and (clusters == np.arange(n)).all() else block[:, clusters]


def cluster_weights(n_clusters: int, n_boot: int, seed: int, *, max_rows: int) -> Iterator[NDArray[np.float64]]:
    """How often each cluster is drawn: blocks of so many resamples; the same draws however many are drawn at once.

    Examples
    --------
    >>> [block.sum(axis=1).tolist() for block in cluster_weights(3, n_boot=3, seed=1, max_rows=2)]
    [[3.0, 3.0], [3.0]]
    """
    if n_clusters and n_boot and n_boot <= max_rows and n_clusters * n_boot <= _KEPT:
        yield _drawn_once(n_clusters, n_boot, seed)
        return
    rng = np.random.default_rng(seed)
    for start in range(0, n_boot if n_clusters else 0, max_rows):
        yield _counts(rng, n_clusters, min(max_rows, n_boot - start))


@lru_cache(maxsize=1)
def _drawn_once(clusters: int, n_boot: int, seed: int) -> NDArray[np.float64]:
    """All resamples in one block, which the next statistic of the same records takes as they are."""
    found = _counts(np.random.default_rng(seed), clusters, n_boot)
    found.flags.writeable = False
    return found


def _counts(rng: np.random.Generator, clusters: int, rows: int) -> NDArray[np.float64]:
    drawn = rng.integers(0, clusters, size=(rows, clusters))
    drawn += np.arange(rows)[:, None] * clusters
    return np.bincount(drawn.ravel(), minlength=rows * clusters).reshape(rows, clusters).astype(np.float64)


def percentile_interval(estimates: NDArray[np.float64], confidence: float) -> tuple[float, float, int]:
    """The percentile interval, and how many resamples were undefined; NaN where more than half were.

    Examples
    --------
    >>> percentile_interval(np.arange(101.0), 0.5)
    (25.0, 75.0, 0)
    """
    known = estimates[~np.isnan(estimates)]
    undefined = len(estimates) - len(known)
    if len(known) * 2 < len(estimates) or not len(known):
        return float("nan"), float("nan"), undefined
    low, high = np.quantile(known, [(1 - confidence) / 2, (1 + confidence) / 2])
    return float(low), float(high), undefined
