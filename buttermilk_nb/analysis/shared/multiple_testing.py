"""Adjustment of p-values for several tests."""

from __future__ import annotations

import numpy as np

from ..coefficients.arrays import FloatArray


def holm_adjusted(p: FloatArray) -> FloatArray:
    """Holm's adjusted p-values (Holm 1979), the step-down Bonferroni. NaN is not a test, and stays NaN.

    Examples
    --------
    >>> holm_adjusted(np.array([0.01, 0.04, 0.03, np.nan])).round(4).tolist()
    [0.03, 0.06, 0.06, nan]
    """
    adjusted = np.full(len(p), np.nan)
    order = np.argsort(p, kind="stable")[: int((~np.isnan(p)).sum())]  # NaN is sorted last
    steps = p[order] * np.arange(len(order), 0, -1)
    adjusted[order] = np.minimum(np.maximum.accumulate(steps), 1.0) if len(order) else []
    return adjusted
