"""Distances between categories that do not depend on their frequency: ratio, Jaccard, MASI.

Each is a function of two arrays of category indices, so that a full table of all pairs of categories is never needed.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .agreement_counts import PairMeasure
from .arrays import FloatArray, IntArray


def ratio_distance(values: FloatArray) -> PairMeasure:
    """((a - b) / (a + b)) squared, and 0 between two zeros (Krippendorff 2011)."""

    def distance(a: IntArray, b: IntArray) -> FloatArray:
        total = np.asarray(values[a] + values[b])
        return np.divide(values[a] - values[b], total, out=np.zeros(total.shape), where=total != 0) ** 2

    return distance


def jaccard_distance(sets: tuple[frozenset[str], ...]) -> PairMeasure:
    """1 - shared labels / all labels of two sets; 0 between two empty sets.

    Examples
    --------
    >>> jaccard_distance((frozenset("ab"), frozenset("bc")))(np.array([0]), np.array([1])).round(4).tolist()
    [0.6667]
    """
    bits, sizes = _label_bits(sets)

    def distance(a: IntArray, b: IntArray) -> FloatArray:
        return 1 - _jaccard_similarity(_n_shared_labels(bits, a, b), sizes[a], sizes[b])

    return distance


def masi_distance(sets: tuple[frozenset[str], ...]) -> PairMeasure:
    """1 - Jaccard similarity x monotonicity (Passonneau 2006).

    Monotonicity is 1 for the same sets, 2/3 if one contains the other, 1/3 if they overlap, else 0.

    Examples
    --------
    >>> masi_distance((frozenset("a"), frozenset("ab")))(np.array([0]), np.array([1])).round(4).tolist()
    [0.6667]
    """
    bits, sizes = _label_bits(sets)

    def distance(a: IntArray, b: IntArray) -> FloatArray:
        shared = _n_shared_labels(bits, a, b)
        is_subset = shared == np.minimum(sizes[a], sizes[b])
        is_same = is_subset & (sizes[a] == sizes[b])
        monotonicity = np.where(is_same, 1.0, np.where(is_subset, 2 / 3, 1 / 3))
        return 1 - _jaccard_similarity(shared, sizes[a], sizes[b]) * monotonicity

    return distance


def _label_bits(sets: tuple[frozenset[str], ...]) -> tuple[NDArray[np.uint64], FloatArray]:
    """Words x sets: one bit per label, 64 to a word; and the size of each set."""
    index = {label: i for i, label in enumerate(sorted(frozenset().union(*sets)))}
    words: list[list[int]] = [[0] * len(sets) for _ in range(len(index) // 64 + 1)]
    for i, labels in enumerate(sets):
        for label in labels:
            words[index[label] // 64][i] |= 1 << (index[label] % 64)
    return np.array(words, np.uint64), np.array([len(labels) for labels in sets], np.float64)


def _n_shared_labels(bits: NDArray[np.uint64], a: IntArray, b: IntArray) -> FloatArray:
    """The number of labels that two sets share."""
    shared = np.zeros(np.broadcast_shapes(a.shape, b.shape))
    for word in bits:
        shared += np.bitwise_count(word[a] & word[b])
    return shared


def _jaccard_similarity(shared: FloatArray, size_a: FloatArray, size_b: FloatArray) -> FloatArray:
    """Jaccard similarity; 1 for two empty sets."""
    union = size_a + size_b - shared
    return np.divide(shared, union, out=np.ones_like(shared), where=union > 0)
