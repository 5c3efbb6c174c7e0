"""Specific agreement: agreement on each category by itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from ...errors import SetupError, nearest
from .agreement_counts import codes_per_unit
from .arrays import FloatArray
from .base import CATEGORICAL, Coefficient, SampleCounts
from .reliability_matrix import ReliabilityMatrix


@dataclass(frozen=True)
class SpecificAgreement(Coefficient):
    """Specific agreement on one category: given that one coder used it, how often another did too.

    With two coders and two categories these are positive and negative agreement, 2a / (2a + b + c) (Cicchetti and
    Feinstein 1990). With more, it is the number of pairs of codes that share the category, over the pairs in which one
    code is that category (Uebersax). It shows low agreement on a rare category, whatever the overall agreement. It is
    not in the registry, because it belongs to one category: `specific_agreement` returns one for each.

    Parameters
    ----------
    category
        One of the declared categories.

    Examples
    --------
    >>> codes = ReliabilityMatrix.from_rows([["yes", "yes"], ["yes", "no"], ["no", "no"], ["no", "no"]], "nominal")
    >>> for agreement in specific_agreement(codes):
    ...     print(agreement.category, agreement.estimate(codes).round(4).tolist(), agreement.sample_counts(codes))
    no [0.8] SampleCounts(units=3, codes=5, n_excluded=1)
    yes [0.6667] SampleCounts(units=2, codes=3, n_excluded=2)
    """

    name: str = "specific_agreement"
    title: str = "Specific agreement"
    levels: tuple[str, ...] = CATEGORICAL
    coders: Literal["two", "any"] = "any"
    missing: Literal["used", "dropped", "refused"] = "used"
    source: str = "Cicchetti and Feinstein 1990; Uebersax 1982"
    is_by_coder: bool = False
    category: str = ""

    def sample_counts(self, codes: ReliabilityMatrix) -> SampleCounts:
        """The units with two codes or more in which the category was used, and how many codes are that category."""
        used, _ = self._category_counts(codes)
        units = int((used > 0).sum())
        return SampleCounts(units, int(used.sum()), len(codes.matrix) - units)

    def undefined_reason(self, codes: ReliabilityMatrix) -> str | None:
        """Why it is undefined for these codes, in one sentence; None if it is defined."""
        if problem := self._misfit(codes):
            return problem
        if self.sample_counts(codes).units == 0:
            return f"Nobody used `{self.category}` in a unit that was coded twice."
        return None

    def _estimate(self, codes: ReliabilityMatrix, rows: FloatArray) -> FloatArray:
        used, n_codes = self._category_counts(codes)
        shared, possible = (rows @ np.stack([used * (used - 1), used * (n_codes - 1)], axis=1)).T
        return np.asarray(shared / possible)

    def _undefined_reason(self, codes: ReliabilityMatrix) -> str | None:  # noqa: ARG002  # `undefined_reason` says it
        return None

    def _category_counts(self, codes: ReliabilityMatrix) -> tuple[FloatArray, FloatArray]:
        """How often each unit with two codes or more has the category, and the number of codes of each unit."""
        if self.category not in codes.categories:
            raise SetupError(f"there is no category `{self.category}`; {nearest(self.category, codes.categories)}")
        n_codes = codes_per_unit(codes.matrix)
        used = (codes.matrix == codes.categories.index(self.category)).sum(axis=1).astype(np.float64)
        return np.where(n_codes >= 2, used, 0), n_codes


def specific_agreement(codes: ReliabilityMatrix) -> tuple[SpecificAgreement, ...]:
    """Specific agreement on each of the declared categories, in their order."""
    return tuple(
        SpecificAgreement(title=f"Specific agreement on `{category}`", category=category)
        for category in codes.categories
    )
