"""Resamples of clusters, as weights, and what they make of the pairs of truth and answer.

A metric depends on a cell only through its pair of truth and answer, so that the cells are counted by pair, and the
weights of the pairs in all resamples are one matrix product. Where nearly every pair is another (numbers), each cell
is its own pair and takes the weight of its cluster.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ..shared.bootstrap import cluster_weights
from .question import FloatArray, IntArray

_BLOCK = 4_000_000  # numbers held at once: 32 MB
_FEW = 64  # up to so many distinct pairs, counting them is quicker whatever the number of cells


def sample_and_cluster_weights(n_clusters: int, n_boot: int, seed: int) -> Iterator[FloatArray]:
    """How often each cluster counts: first one row of ones, then the resamples, some rows at a time.

    The draws go by the number of clusters and the seed alone, so that coders of the same records share them.

    Examples
    --------
    >>> [block.shape for block in sample_and_cluster_weights(3, n_boot=5, seed=1)]
    [(1, 3), (5, 3)]
    """
    yield np.ones((1, n_clusters))
    if not n_clusters:
        yield np.ones((n_boot, 0))
    yield from cluster_weights(n_clusters, n_boot, seed, max_rows=max(1, _BLOCK // max(1, n_clusters)))


@dataclass(frozen=True, eq=False)
class AnswerPairs:
    """Pairs of truth and answer (-1: no usable answer), and how often each stands in each cluster.

    `counts` is clusters x pairs; or None, and then each pair is one cell, in the cluster that `cluster` names.
    """

    truth: IntArray
    answer: IntArray
    cluster: IntArray
    counts: FloatArray | None

    @classmethod
    def from_answers(cls, truth: IntArray, answer: IntArray, cluster: IntArray, n_clusters: int) -> AnswerPairs:
        """Count cells by pair.

        Parameters
        ----------
        truth, answer, cluster
            One entry per cell; no truth is -1.
        clusters
            How many clusters there are.

        Examples
        --------
        >>> one = np.array([0, 0, 1])
        >>> AnswerPairs.from_answers(one, one, np.array([0, 1, 1]), 2).pair_weights(np.array([[1.0, 3.0]])).tolist()
        [[4.0, 3.0]]
        """
        width = int(answer.max(initial=0)) + 2
        keys, place = np.unique(truth * width + answer + 1, return_inverse=True)
        if len(keys) > _FEW and (4 * len(keys) > len(truth) or len(keys) * n_clusters > _BLOCK):
            order = np.lexsort((answer, truth))
            return cls(truth[order], answer[order], cluster[order], None)
        counts = np.bincount(cluster * len(keys) + place, minlength=n_clusters * len(keys))
        return cls(keys // width, keys % width - 1, cluster, counts.reshape(n_clusters, len(keys)).astype(np.float64))

    def pair_weights(self, weights: FloatArray) -> FloatArray:
        """How often each pair counts in each resample: resamples x pairs."""
        return weights[:, self.cluster] if self.counts is None else np.asarray(weights @ self.counts)

    def to_flag_pairs(self, flags: IntArray) -> tuple[IntArray, IntArray, FloatArray]:
        """The pairs of flagged (1) or not (0), and which of these pairs of answers are each: pairs x flag pairs."""
        true, said = flags[self.truth], np.where(self.answer < 0, -1, flags[self.answer])
        keys, place = np.unique(true * 3 + said + 1, return_inverse=True)
        return keys // 3, keys % 3 - 1, np.eye(len(keys))[place]
