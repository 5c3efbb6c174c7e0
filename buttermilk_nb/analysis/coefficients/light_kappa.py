"""Light's kappa: the mean of Cohen's kappas of all pairs of coders."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import Literal

import numpy as np

from .agreement_counts import complete
from .base import CATEGORICAL, Coefficient, FloatArray, register
from .category_weights import declared_weights
from .cohen_kappa import kappa
from .reliability_matrix import ReliabilityMatrix
from .undefined_reasons import sole_category


@dataclass(frozen=True)
class LightKappa(Coefficient):
    """Light's kappa: the mean of Cohen's kappas of all pairs of coders (Light 1971).

    Each pair is compared on the units that both coded. It is undefined as soon as the kappa of one pair is: leaving
    that pair out would change the question. A coder without any code is no coder.

    Examples
    --------
    >>> codes = ReliabilityMatrix.of([["a", "a", "a"], ["a", "a", "b"], ["b", "b", "b"], ["b", "b", "b"]], "nominal")
    >>> LightKappa().estimate(codes).round(4).tolist()
    [0.6667]
    """

    name: str = "light_kappa"
    title: str = "Light's kappa"
    levels: tuple[str, ...] = CATEGORICAL
    coders: Literal["two", "any"] = "any"
    missing: Literal["used", "dropped", "refused"] = "used"
    source: str = "Light 1971"

    def _estimate(self, codes: ReliabilityMatrix, rows: FloatArray) -> FloatArray:
        weights = declared_weights(codes, "identity")
        coded = (rows > 0).astype(np.float64) @ (codes.matrix >= 0) > 0  # resamples x coders: who gave a code
        total, pairs = np.zeros(len(rows)), np.zeros(len(rows))
        for a, b in combinations(range(codes.matrix.shape[1]), 2):
            both = coded[:, a] & coded[:, b]
            total += np.where(both, kappa(*complete(codes.matrix[:, [a, b]], rows), weights), 0)
            pairs += both
        return total / pairs

    def _why(self, codes: ReliabilityMatrix) -> str | None:
        coders = np.flatnonzero((codes.matrix >= 0).any(axis=0))
        for a, b in combinations(coders, 2):
            both = codes.matrix[:, [a, b]]
            both = both[(both >= 0).all(axis=1)]
            if not len(both):
                return f"Coders {a + 1} and {b + 1} have no unit in common."
            if problem := sole_category(both, codes):
                return f"Between coders {a + 1} and {b + 1}: {problem[0].lower()}{problem[1:]}"
        return None


register(LightKappa())
