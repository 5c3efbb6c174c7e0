"""Sentences that say why a coefficient is undefined, shared by several."""

from __future__ import annotations

import numpy as np

from .arrays import IntArray
from .reliability_matrix import ReliabilityMatrix


def sole_category(matrix: IntArray, codes: ReliabilityMatrix) -> str | None:
    """The sentence if only one category is used, so that expected disagreement is 0; None if there are more."""
    used = np.unique(matrix[matrix >= 0])
    if len(used) > 1:
        return None
    return (
        f"Every code is `{codes.categories[used[0]]}`; with one category in use, no agreement beyond chance can show."
    )


def too_few_categories(codes: ReliabilityMatrix, title: str) -> str | None:
    """The sentence if fewer than two categories are declared; None if there are more."""
    if len(codes.categories) > 1:
        return None
    return f"{title} depends on the number of declared categories, and there is only `{codes.categories[0]}`."
