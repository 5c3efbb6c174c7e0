"""The cluster bootstrap: resamples of whole clusters, as weights.

Records of one author, outlet or parent text are not independent, so the bootstrap resamples whole clusters (Davison and
Hinkley 1997, ch. 3.8; Field and Welsh 2007). A record without a cluster is a cluster of its own.

A resample is a row of weights that says how often each unit counts. The draws depend only on the number of clusters and
on the seed, so all statistics of the same records share them.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from ...errors import SetupError
from ..coefficients.arrays import FloatArray, IntArray

_MAX_BLOCK = 4_000_000  # numbers in one block of weights: 32 MB
_MAX_STORED = 32_000_000  # counts that are kept for the next statistic, one byte each


def check_resampling(n_boot: int, confidence: float, *, least: int = 1) -> None:
    """Check the number of resamples and the confidence level.

    Raises
    ------
    SetupError
        There are fewer than `least` resamples, or the level is not between 0 and 1.
    """
    if n_boot < least:
        raise SetupError(f"n_boot={n_boot}: write a number of resamples, {least} or more; the default is 1000.")
    check_confidence(confidence)


def check_confidence(confidence: float) -> None:
    """Check that the level of an interval is between 0 and 1.

    Raises
    ------
    SetupError
        It is not.
    """
    if not 0 < confidence < 1:
        raise SetupError(f"confidence={confidence}: the level of an interval is between 0 and 1, such as 0.95.")


def unit_weights(clusters: IntArray, n_boot: int, seed: int) -> Iterator[FloatArray]:
    """Blocks of resamples x units: how often each unit counts in each resample.

    Parameters
    ----------
    clusters
        The cluster of each unit, as a number from 0.
    n_boot
        The number of resamples, over all blocks.
    seed
        Seed of the random numbers: the same seed gives the same resamples.

    Examples
    --------
    >>> (block,) = unit_weights(np.array([0, 0, 1]), n_boot=4, seed=1)
    >>> block.shape, bool((block[:, 0] == block[:, 1]).all())
    ((4, 3), True)
    """
    n = int(clusters.max()) + 1 if len(clusters) else 0
    are_own = n == len(clusters) and bool((clusters == np.arange(n)).all())
    for block in cluster_weights(n, n_boot, seed, max_rows=max(1, _MAX_BLOCK // max(1, len(clusters)))):
        yield block if are_own else block.T[clusters].T


def cluster_weights(n_clusters: int, n_boot: int, seed: int, *, max_rows: int) -> Iterator[FloatArray]:
    """Blocks of resamples x clusters: how often each cluster counts.

    The draws do not depend on `max_rows`, the number of resamples in a block. The numbers of a cluster are beside each
    other in memory, so that rows of units are added quickly.

    Examples
    --------
    >>> [block.sum(axis=1).tolist() for block in cluster_weights(3, n_boot=3, seed=1, max_rows=2)]
    [[3.0, 3.0], [3.0]]
    """
    if not n_clusters or not n_boot:
        return
    if n_clusters * n_boot <= _MAX_STORED:
        counts = _stored_counts(n_clusters, n_boot, seed)
        for start in range(0, n_boot, max_rows):
            yield counts[:, start : start + max_rows].astype(np.float64, order="C").T
        return
    rng = np.random.default_rng(seed)
    for start in range(0, n_boot, max_rows):
        yield _draw_counts(rng, n_clusters, min(max_rows, n_boot - start)).astype(np.float64).T


def sample_and_cluster_weights(n_clusters: int, n_boot: int, seed: int) -> Iterator[FloatArray]:
    """The weights of the sample itself, a row of ones; then the blocks of `cluster_weights`.

    Examples
    --------
    >>> [block.shape for block in sample_and_cluster_weights(3, n_boot=5, seed=1)]
    [(1, 3), (5, 3)]
    """
    yield np.ones((1, n_clusters))
    if not n_clusters:
        yield np.ones((n_boot, 0))
    yield from cluster_weights(n_clusters, n_boot, seed, max_rows=max(1, _MAX_BLOCK // max(1, n_clusters)))


def percentile_interval(
    estimates: FloatArray, confidence: float, *, min_defined: float = 0.5
) -> tuple[float, float, int]:
    """The ends of the percentile interval, and the number of undefined resamples.

    Parameters
    ----------
    estimates
        The estimate in each resample; NaN if it is undefined.
    confidence
        The level of the interval.
    min_defined
        The ends are NaN if a smaller share of the resamples is defined.

    Examples
    --------
    >>> percentile_interval(np.arange(101.0), 0.5)
    (25.0, 75.0, 0)
    """
    defined = estimates[~np.isnan(estimates)]
    n_undefined = len(estimates) - len(defined)
    if len(defined) < min_defined * len(estimates) or not len(defined):
        return float("nan"), float("nan"), n_undefined
    low, high = np.quantile(defined, [(1 - confidence) / 2, (1 + confidence) / 2])
    return float(low), float(high), n_undefined


@lru_cache(maxsize=1)
def _stored_counts(n_clusters: int, n_boot: int, seed: int) -> NDArray[np.uint8]:
    """All resamples, clusters x resamples, for every statistic of the same records.

    A byte is enough: that a cluster is drawn more than 255 times has a probability below 1e-500.
    """
    rng = np.random.default_rng(seed)
    counts = np.empty((n_clusters, n_boot), np.uint8)
    max_rows = max(1, _MAX_BLOCK // n_clusters)
    for start in range(0, n_boot, max_rows):
        n_rows = min(max_rows, n_boot - start)
        counts[:, start : start + n_rows] = _draw_counts(rng, n_clusters, n_rows)
    return counts


def _draw_counts(rng: np.random.Generator, n_clusters: int, n_rows: int) -> IntArray:
    """Clusters x resamples: how often each cluster is drawn."""
    draws = rng.integers(0, n_clusters, size=(n_rows, n_clusters))
    draws += np.arange(n_rows)[:, None] * n_clusters
    return np.ascontiguousarray(np.bincount(draws.ravel(), minlength=n_rows * n_clusters).reshape(n_rows, n_clusters).T)
