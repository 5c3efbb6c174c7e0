"""Sums of squares and of products about the mean, in each resample.

They follow from plain sums, which are one matrix product for all resamples. The sums are taken about the median, so
that an outlier that is in the data but not in a resample does no harm. Where rounding could still matter, because the
numbers of a resample are far from the median and near each other, the mean is taken first.
"""

from __future__ import annotations

import numpy as np

from .arrays import FloatArray

_ROUNDING = 1e-6  # if the sum of squares is a smaller share of that about the median, fewer than ten digits are right


class CentredProducts:
    """Sums of squares and products of some numbers of each unit.

    Parameters
    ----------
    numbers
        Kinds of number x units.
    counts
        How often a unit's numbers count each time the unit does, 0 or more; by default once.

    Examples
    --------
    >>> n, products = CentredProducts(np.array([[1.0, 3.0, 9.0]])).of(np.array([[1.0, 1.0, 0.0]]))
    >>> n.tolist(), products.tolist()
    ([2.0], [[[2.0]]])
    """

    def __init__(self, numbers: FloatArray, counts: FloatArray | None = None) -> None:
        self._numbers = numbers
        self._counts = np.ones(numbers.shape[1]) if counts is None else counts
        used = numbers[:, self._counts > 0]
        centred = numbers - (np.median(used, axis=1, keepdims=True) if used.size else 0)
        self._first, self._second = np.triu_indices(len(numbers))
        terms = np.concatenate([np.ones((1, numbers.shape[1])), centred, centred[self._first] * centred[self._second]])
        self._terms = (terms * self._counts).T

    def of(self, rows: FloatArray) -> tuple[FloatArray, FloatArray]:
        """The number of units, and resamples x kinds x kinds: the sums of squares, and of products, about the means.

        Parameters
        ----------
        rows
            Resamples x units: how often each unit counts. In a resample without units the sums are NaN.
        """
        size = len(self._numbers)
        sums = rows @ self._terms
        n, totals = sums[:, 0], sums[:, 1 : size + 1]
        about_median = np.empty((len(rows), size, size))
        about_median[:, self._first, self._second] = about_median[:, self._second, self._first] = sums[:, size + 1 :]
        with np.errstate(divide="ignore", invalid="ignore"):
            products = about_median - totals[:, :, None] * totals[:, None, :] / n[:, None, None]
        squares, squares_about_median = (np.diagonal(each, axis1=1, axis2=2) for each in (products, about_median))
        for resample in np.flatnonzero((squares < _ROUNDING * squares_about_median).any(axis=1)):
            weights = rows[resample] * self._counts
            centred = self._numbers - (self._numbers @ weights / n[resample])[:, None]
            products[resample] = (centred * weights) @ centred.T
        return n, products


def sum_of_squares(numbers: FloatArray, rows: FloatArray, counts: FloatArray | None = None) -> FloatArray:
    """For each resample the sum of squared distances of the units' numbers from their weighted mean.

    Parameters
    ----------
    numbers
        The number of each unit.
    rows
        Resamples x units: how often each unit counts.
    counts
        As in `CentredProducts`.
    """
    return CentredProducts(numbers[None], counts).of(rows)[1][:, 0, 0]
