"""Distinct pairs of truth and answer, and their weights in resamples.

A metric depends on an answer only through its pair of truth and answer. So answers are counted by pair, and the weights
of the pairs in all resamples are one matrix product. If nearly every pair is distinct (numbers), each answer is its own
pair and takes the weight of its cluster.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..coefficients.arrays import FloatArray, IntArray

_MAX_COUNTS = 4_000_000  # numbers in a table of counts: 32 MB
_FEW = 64  # with so few distinct pairs counting them is faster, however many answers there are


@dataclass(frozen=True, eq=False)
class AnswerPairs:
    """Pairs of truth and answer, and how often each occurs in each cluster.

    Parameters
    ----------
    truth, answer
        The pairs; -1 is no usable answer.
    cluster
        The cluster of each pair, if each pair is one answer.
    counts
        Clusters x pairs: how often each pair occurs. None if each pair is one answer.
    """

    truth: IntArray
    answer: IntArray
    cluster: IntArray
    counts: FloatArray | None

    @classmethod
    def from_answers(cls, truth: IntArray, answer: IntArray, cluster: IntArray, n_clusters: int) -> AnswerPairs:
        """Count answers by pair.

        Parameters
        ----------
        truth, answer, cluster
            One entry per planned answer; -1 is no usable answer.
        n_clusters
            The number of clusters.

        Examples
        --------
        >>> codes = np.array([0, 0, 1])
        >>> pairs = AnswerPairs.from_answers(codes, codes, np.array([0, 1, 1]), 2)
        >>> pairs.pair_weights(np.array([[1.0, 3.0]])).tolist()
        [[4.0, 3.0]]
        """
        width = int(answer.max(initial=0)) + 2
        keys, index = np.unique(truth * width + answer + 1, return_inverse=True)
        if len(keys) > _FEW and (4 * len(keys) > len(truth) or len(keys) * n_clusters > _MAX_COUNTS):
            order = np.lexsort((answer, truth))
            return cls(truth[order], answer[order], cluster[order], None)
        counts = np.bincount(cluster * len(keys) + index, minlength=n_clusters * len(keys))
        return cls(keys // width, keys % width - 1, cluster, counts.reshape(n_clusters, len(keys)).astype(np.float64))

    def pair_weights(self, cluster_weights: FloatArray) -> FloatArray:
        """Resamples x pairs: how often each pair counts."""
        if self.counts is not None:
            return np.asarray(cluster_weights @ self.counts)
        return np.take(np.ascontiguousarray(cluster_weights), self.cluster, axis=1)

    def to_flag_pairs(self, flags: IntArray) -> tuple[IntArray, IntArray, FloatArray]:
        """The pairs of flags (1 or 0; -1 no answer), and which pairs of answers belong to each: pairs x flag pairs."""
        truth_flag, answer_flag = flags[self.truth], np.where(self.answer < 0, -1, flags[self.answer])
        keys, index = np.unique(truth_flag * 3 + answer_flag + 1, return_inverse=True)
        return keys // 3, keys % 3 - 1, np.eye(len(keys))[index]
