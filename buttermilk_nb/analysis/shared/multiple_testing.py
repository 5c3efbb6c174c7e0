"""P-values of several tests at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


def holm_adjusted(p: FloatArray) -> FloatArray:
    """Holm's adjusted p-values (Holm 1979): the step-down Bonferroni. NaN is no test, and stays.

    Examples
    --------
    >>> holm_adjusted(np.array([0.01, 0.04, 0.03, np.nan])).round(4).tolist()
    [0.03, 0.06, 0.06, nan]
    """
    found = np.full(len(p), np.nan)
    order = np.argsort(p, kind="stable")[: int((~np.isnan(p)).sum())]  # NaN is sorted last
    steps = p[order] * np.arange(len(order), 0, -1)
    found[order] = np.minimum(np.maximum.accumulate(steps), 1.0) if len(order) else []
    return found
