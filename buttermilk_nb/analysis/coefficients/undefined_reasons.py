"""Why a coefficient is undefined: the sentences that several share."""

from __future__ import annotations

import numpy as np

from .arrays import IntArray
from .reliability_matrix import ReliabilityMatrix


def sole_category(matrix: IntArray, codes: ReliabilityMatrix) -> str | None:
    """One category alone is used in the matrix, so that expected disagreement is 0; None where there are more."""
    used = np.unique(matrix[matrix >= 0])
    if len(used) > 1:
        return None
    return (
        f"Every code is `{codes.categories[used[0]]}`; with one category in use, no agreement beyond chance can show."
    )


def too_few_categories(codes: ReliabilityMatrix, title: str) -> str | None:
    """Fewer than two categories are declared; None where there are more."""
    if len(codes.categories) > 1:
        return None
    return f"{title} goes by the number of declared categories, and there is only `{codes.categories[0]}`."
