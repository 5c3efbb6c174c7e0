"""The sums over units that the coefficients share.

Everything is either a number per unit, multiplied with the rows of weights as one matrix product, or a total per
category. What would need more than a few dozen megabytes at once is done in blocks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from .arrays import FloatArray, IntArray

PairMeasure = Callable[[IntArray, IntArray], FloatArray]
"""A number for each pair of categories, of two arrays of indices."""

_BLOCK = 4_000_000  # numbers held at once: 32 MB
_FEW = 64  # up to so many categories, a table of counts per unit is quicker than sorting the codes


def row_blocks(count: int, width: int) -> Iterator[slice]:
    """Slices of `count` rows, each of at most some megabytes where a row is `width` numbers."""
    step = max(1, _BLOCK // max(1, width))
    for start in range(0, count, step):
        yield slice(start, min(start + step, count))


def codes_per_unit(matrix: IntArray) -> FloatArray:
    """How many codes each unit has."""
    return np.asarray((matrix >= 0).sum(axis=1), np.float64)


def pack_codes(matrix: IntArray) -> IntArray:
    """The codes of each unit without regard to who gave them, in as few columns as hold them."""
    most = int(codes_per_unit(matrix).max(initial=0))
    return matrix if most == matrix.shape[1] else np.sort(matrix, axis=1)[:, matrix.shape[1] - most :]


def units_with_two_codes(matrix: IntArray, rows: FloatArray) -> tuple[IntArray, FloatArray, FloatArray]:
    """The units with two codes or more: their codes, packed, the weights, and how many codes each has."""
    given = codes_per_unit(matrix)
    kept = given >= 2
    if not kept.all():
        matrix, rows, given = matrix[kept], rows[:, kept], given[kept]
    return pack_codes(matrix), rows, given


def complete_units(matrix: IntArray, rows: FloatArray) -> tuple[IntArray, FloatArray]:
    """The units that every coder coded, and the weights."""
    kept = (matrix >= 0).all(axis=1)
    return (matrix, rows) if kept.all() else (matrix[kept], rows[:, kept])


def pair_sums(matrix: IntArray, measure: PairMeasure) -> FloatArray:
    """For each unit, the sum of `measure` over its pairs of codes, each pair once."""
    columns = np.ascontiguousarray(matrix.T)
    whole = bool((matrix >= 0).all())
    total = np.zeros(len(matrix))
    for a, b in combinations(columns, 2):
        if whole:
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
        cell = matrix + 1 + np.arange(units)[:, None] * (categories + 1)
        counts = np.bincount(cell.ravel(), minlength=units * (categories + 1)).reshape(units, categories + 1)
        return np.asarray(rows @ counts[:, 1:].astype(np.float64))
    unit, coder = np.nonzero(matrix >= 0)
    order = np.argsort(matrix[unit, coder], kind="stable")
    unit = unit[order]
    used, starts = np.unique(matrix[unit, coder[order]], return_index=True)
    totals = np.zeros((len(rows), categories))
    for some in row_blocks(len(rows) if len(used) else 0, len(unit)):
        totals[some, used] = np.add.reduceat(rows[some][:, unit], starts, axis=1)
    return totals


def has_one_category(totals: FloatArray) -> NDArray[np.bool_]:
    """In which resamples no more than one category was used."""
    return np.asarray((totals > 0).sum(axis=1) <= 1)


def sum_of_squares(numbers: FloatArray, rows: FloatArray) -> FloatArray:
    """For each resample the sum of squared distances of the units' numbers from their weighted mean.

    In two passes, mean first: a difference of sums of squares would be lost to rounding where an outlier is in the
    data but not in the resample.
    """
    means = rows @ numbers / rows.sum(axis=1)
    found = np.empty(len(rows))
    for some in row_blocks(len(rows), len(numbers)):
        found[some] = (rows[some] * (numbers - means[some, None]) ** 2).sum(axis=1)
    return found


def agreement_per_unit(matrix: IntArray, given: FloatArray, measure: PairMeasure = identity_agreement) -> FloatArray:
    """For units with two codes or more, the mean of `measure` over their pairs of codes."""
    return 2 * pair_sums(matrix, measure) / (given * (given - 1))


def mean_agreement(matrix: IntArray, rows: FloatArray, measure: PairMeasure = identity_agreement) -> FloatArray:
    """Observed agreement as Gwet defines it: the mean over units with two codes or more."""
    matrix, rows, given = units_with_two_codes(matrix, rows)
    return np.asarray(rows @ agreement_per_unit(matrix, given, measure) / rows.sum(axis=1))


def prevalence(matrix: IntArray, categories: int, rows: FloatArray) -> FloatArray:
    """Share of each category as Gwet defines it: the mean over units with a code of its share within the unit."""
    given = codes_per_unit(matrix)
    kept = given >= 1
    rows = rows[:, kept]
    return np.asarray(category_totals(matrix[kept], categories, rows / given[kept]) / rows.sum(axis=1, keepdims=True))


def chance_corrected(observed: FloatArray, expected: FloatArray) -> FloatArray:
    """(observed - expected) / (1 - expected) agreement."""
    return np.asarray((observed - expected) / (1 - expected))
