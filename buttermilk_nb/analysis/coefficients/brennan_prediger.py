"""Brennan and Prediger's coefficient, plain and weighted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from .agreement_counts import chance_corrected, mean_agreement
from .arrays import FloatArray
from .base import CATEGORICAL, Coefficient, register
from .category_weights import declared_weights, weights_as_measure
from .reliability_matrix import ReliabilityMatrix
from .undefined_reasons import too_few_categories


@dataclass(frozen=True)
class BrennanPrediger(Coefficient):
    """Brennan and Prediger's coefficient: chance is an even draw from the *declared* categories.

    With q categories and plain weights, chance agreement is 1 / q; with weights, their mean. For two coders it is also
    known as Bennett's S, for more as Randolph's free-marginal kappa. If only one category was used it is 1 by its
    definition: nobody disagreed, and nothing shows that the coders can distinguish the categories.

    Parameters
    ----------
    scheme
        `identity` (plain), `linear`, `quadratic` or `ordinal`.

    Examples
    --------
    >>> rows = [["a", "a"], ["a", "b"], ["b", "b"], ["b", "b"]]
    >>> codes = ReliabilityMatrix.from_rows(rows, "nominal", categories=["a", "b", "c"])
    >>> BrennanPrediger().estimate(codes).round(4).tolist()
    [0.625]
    """

    name: str = "brennan_prediger"
    title: str = "Brennan-Prediger"
    levels: tuple[str, ...] = CATEGORICAL
    coders: Literal["two", "any"] = "any"
    missing: Literal["used", "dropped", "refused"] = "used"
    source: str = "Brennan and Prediger 1981"
    is_by_coder: bool = False
    scheme: str = "identity"

    def _estimate(self, codes: ReliabilityMatrix, rows: FloatArray) -> FloatArray:
        weights = declared_weights(codes, self.scheme)
        return chance_corrected(
            mean_agreement(codes.matrix, rows, weights_as_measure(self.scheme, weights)), weights.mean()
        )

    def _undefined_reason(self, codes: ReliabilityMatrix) -> str | None:
        return too_few_categories(codes, self.title)


register(BrennanPrediger())
for _scheme in ("linear", "quadratic", "ordinal"):
    register(
        BrennanPrediger(
            f"brennan_prediger_{_scheme}",
            f"Brennan-Prediger, {_scheme} weights",
            ("ordinal",),
            source="Gwet 2014",
            scheme=_scheme,
        )
    )
