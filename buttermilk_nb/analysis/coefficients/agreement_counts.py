"""Sums over units that the coefficients share.

Everything is either a number per unit, multiplied by the rows of weights as one matrix product, or a total per
category. Computations that would need more than a few dozen megabytes at once are done in blocks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from .arrays import FloatArray, IntArray

PairMeasure = Callable[[IntArray, IntArray], FloatArray]
"""From two arrays of category indices to a number for each pair of categories."""

_BLOCK = 4_000_000  # numbers in memory at once: 32 MB
FAST_BLOCK = 250_000  # numbers that stay in the processor's fast memory: 2 MB
_FEW = 64  # with so few categories a table of counts per unit is faster than sorting the codes


def row_blocks(count: int, width: int, most: int = _BLOCK) -> Iterator[slice]:
    """Slices of `count` rows of `width` numbers, each of at most so many numbers: by default a few dozen megabytes."""
    step = max(1, most // max(1, width))
    for start in range(0, count, step):
        yield slice(start, min(start + step, count))


def codes_per_unit(matrix: IntArray) -> FloatArray:
    """The number of codes of each unit."""
    return np.asarray((matrix >= 0).sum(axis=1), np.float64)


def pack_codes(matrix: IntArray) -> IntArray:
    """The codes of each unit in as few columns as possible, in any order of coders."""
    most = int(codes_per_unit(matrix).max(initial=0))
    return matrix if most == matrix.shape[1] else np.sort(matrix, axis=1)[:, matrix.shape[1] - most :]


def units_with_two_codes(matrix: IntArray, rows: FloatArray) -> tuple[IntArray, FloatArray, FloatArray]:
    """The units with two codes or more: their packed codes, the weights, and the number of codes of each."""
    n_codes = codes_per_unit(matrix)
    is_pairable = n_codes >= 2
    if not is_pairable.all():
        matrix, rows, n_codes = matrix[is_pairable], rows[:, is_pairable], n_codes[is_pairable]
    return pack_codes(matrix), rows, n_codes


def complete_units(matrix: IntArray, rows: FloatArray) -> tuple[IntArray, FloatArray]:
    """The units that every coder coded, and the weights."""
    is_complete = (matrix >= 0).all(axis=1)
    return (matrix, rows) if is_complete.all() else (matrix[is_complete], rows[:, is_complete])


def pair_sums(matrix: IntArray, measure: PairMeasure) -> FloatArray:
    """For each unit, the sum of `measure` over its pairs of codes, each pair once."""
    columns = np.ascontiguousarray(matrix.T)
    is_complete = bool((matrix >= 0).all())
    total = np.zeros(len(matrix))
    for a, b in combinations(columns, 2):
        if is_complete:
            total += measure(a, b)
        else:
            both = (a >= 0) & (b >= 0)
            total[both] += measure(a[both], b[both])
    return total


def nominal_distance(a: IntArray, b: IntArray) -> FloatArray:
    """1 where two categories differ, else 0: the nominal distance."""
    return np.asarray(a != b, np.float64)


def identity_agreement(a: IntArray, b: IntArray) -> FloatArray:
    """1 where two categories are the same, else 0."""
    return np.asarray(a == b, np.float64)


def category_totals(matrix: IntArray, categories: int, rows: FloatArray) -> FloatArray:
    """How often each category was given in each resample: resamples x categories."""
    units = len(matrix)
    if categories <= _FEW:
        index = matrix + 1 + np.arange(units)[:, None] * (categories + 1)
        counts = np.bincount(index.ravel(), minlength=units * (categories + 1)).reshape(units, categories + 1)
        return np.asarray(rows @ counts[:, 1:].astype(np.float64))
    unit, coder = np.nonzero(matrix >= 0)
    order = np.argsort(matrix[unit, coder], kind="stable")
    unit = unit[order]
    used, starts = np.unique(matrix[unit, coder[order]], return_index=True)
    totals = np.zeros((len(rows), categories))
    for block in row_blocks(len(rows) if len(used) else 0, len(unit)):
        totals[block, used] = np.add.reduceat(rows[block][:, unit], starts, axis=1)
    return totals


def has_one_category(totals: FloatArray) -> NDArray[np.bool_]:
    """Which resamples use no more than one category."""
    return np.asarray((totals > 0).sum(axis=1) <= 1)


def mean_agreement(matrix: IntArray, rows: FloatArray, measure: PairMeasure = identity_agreement) -> FloatArray:
    """Observed agreement as Gwet defines it: the mean over units with two codes or more.

    Of a unit it is the mean of `measure` over its pairs of codes.
    """
    n_codes = codes_per_unit(matrix)
    n_pairs = n_codes * (n_codes - 1) / 2
    agreement = pair_sums(pack_codes(matrix), measure) / np.maximum(n_pairs, 1)
    total, n_units = (rows @ np.stack([agreement, np.minimum(n_pairs, 1)], axis=1)).T
    return np.asarray(total / n_units)


def prevalence(matrix: IntArray, categories: int, rows: FloatArray) -> FloatArray:
    """Share of each category as Gwet defines it: the mean of its share within the unit, over units with a code."""
    n_codes = codes_per_unit(matrix)
    is_coded = n_codes >= 1
    rows = rows[:, is_coded]
    totals = category_totals(matrix[is_coded], categories, rows / n_codes[is_coded])
    return np.asarray(totals / rows.sum(axis=1, keepdims=True))


def chance_corrected(observed: FloatArray, expected: FloatArray) -> FloatArray:
    """(observed - expected) / (1 - expected) agreement."""
    return np.asarray((observed - expected) / (1 - expected))
