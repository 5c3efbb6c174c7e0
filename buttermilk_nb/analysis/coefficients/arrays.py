"""Types of the arrays that the statistics work on, and means that skip undefined values."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.intp]
BoolArray = NDArray[np.bool_]


def mean_of_defined(estimates: Iterable[FloatArray]) -> FloatArray:
    """The mean over the first axis of the values that are not NaN; NaN if there are none.

    Examples
    --------
    >>> mean_of_defined(np.array([[1.0, np.nan], [2.0, np.nan]])).tolist()
    [1.5, nan]
    """
    stacked = np.stack(list(estimates))
    defined = ~np.isnan(stacked)
    n = defined.sum(axis=0)
    total = np.where(defined, stacked, 0.0).sum(axis=0)
    return np.asarray(np.divide(total, n, out=np.full(n.shape, np.nan), where=n > 0))
