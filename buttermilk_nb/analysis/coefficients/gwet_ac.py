"""Gwet's AC1, and AC2 for ordered categories."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from .agreement_counts import chance_corrected, mean_agreement, prevalence
from .arrays import FloatArray
from .base import CATEGORICAL, Coefficient, register
from .category_weights import declared_weights, weights_as_measure
from .reliability_matrix import ReliabilityMatrix
from .undefined_reasons import too_few_categories


@dataclass(frozen=True)
class GwetAC(Coefficient):
    """Gwet's AC1 and AC2: agreement beyond chance that does not fall when one category prevails.

    Chance agreement is T / (q (q - 1)) x the sum of p (1 - p), with q declared categories of shares p and T the sum of
    the weights (for AC1, q). So it depends on how many categories are *declared*. Agreement is the mean over units with
    two codes or more, the shares are the mean over all units with a code (Gwet 2008; 2014, ch. 2 and 3). If only one
    category was used, AC is 1 by its definition: nobody disagreed, and nothing shows that the coders can distinguish
    the categories.

    Parameters
    ----------
    scheme
        `identity` (AC1), `linear`, `quadratic` or `ordinal` (AC2).

    Examples
    --------
    >>> rows = [["a", "a", "a"], ["a", "a", "b"], ["b", "b", "b"], ["b", "b", "b"]]
    >>> codes = ReliabilityMatrix.from_rows(rows, "nominal")
    >>> GwetAC().estimate(codes).round(4).tolist()
    [0.6757]
    """

    name: str = "gwet_ac1"
    title: str = "Gwet's AC1"
    levels: tuple[str, ...] = CATEGORICAL
    coders: Literal["two", "any"] = "any"
    missing: Literal["used", "dropped", "refused"] = "used"
    source: str = "Gwet 2008"
    is_by_coder: bool = False
    scheme: str = "identity"

    def _estimate(self, codes: ReliabilityMatrix, rows: FloatArray) -> FloatArray:
        size = len(codes.categories)
        weights = declared_weights(codes, self.scheme)
        shares = prevalence(codes.matrix, size, rows)
        expected = weights.sum() / (size * (size - 1.0)) * (shares * (1 - shares)).sum(axis=1)
        return chance_corrected(mean_agreement(codes.matrix, rows, weights_as_measure(self.scheme, weights)), expected)

    def _undefined_reason(self, codes: ReliabilityMatrix) -> str | None:
        return too_few_categories(codes, self.title)


register(GwetAC())
for _scheme in ("linear", "quadratic", "ordinal"):
    register(
        GwetAC(
            f"gwet_ac2_{_scheme}", f"Gwet's AC2, {_scheme} weights", ("ordinal",), source="Gwet 2014", scheme=_scheme
        )
    )
