"""Fleiss' kappa, and its generalisation to unequal numbers of codes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from .agreement_counts import (
    category_totals,
    chance_corrected,
    codes_per_unit,
    complete_units,
    has_one_category,
    identity_agreement,
    mean_agreement,
    pair_sums,
    prevalence,
)
from .arrays import FloatArray
from .base import CATEGORICAL, Coefficient, register
from .reliability_matrix import ReliabilityMatrix
from .undefined_reasons import sole_category


@dataclass(frozen=True)
class GeneralisedFleissKappa(Coefficient):
    """Fleiss' kappa for units with unequal numbers of codes, as Gwet generalises it.

    Agreement is the mean over units with two codes or more; the shares of the categories are the mean over all units
    with a code, so that a unit with one code counts there too (Gwet 2014, ch. 2). This is what irrCAC and kappaetc
    print as Fleiss' kappa where codes are missing. With equal numbers it is Fleiss' own.

    Examples
    --------
    >>> codes = ReliabilityMatrix.from_rows([["a", "a", "a"], ["a", "a", "b"], ["b", "b", None], ["b", None, None]], "nominal")
    >>> GeneralisedFleissKappa().estimate(codes).round(4).tolist()
    [0.5429]
    """

    name: str = "fleiss_kappa_generalised"
    title: str = "Fleiss' kappa, generalised to missing codes"
    levels: tuple[str, ...] = CATEGORICAL
    coders: Literal["two", "any"] = "any"
    missing: Literal["used", "dropped", "refused"] = "used"
    source: str = "Gwet 2014"

    def _estimate(self, codes: ReliabilityMatrix, rows: FloatArray) -> FloatArray:
        shares = prevalence(codes.matrix, len(codes.categories), rows)
        found = chance_corrected(mean_agreement(codes.matrix, rows), (shares**2).sum(axis=1))
        return np.where(has_one_category(shares), np.nan, found)

    def _undefined_reason(self, codes: ReliabilityMatrix) -> str | None:
        return sole_category(codes.matrix, codes)


@dataclass(frozen=True)
class FleissKappa(GeneralisedFleissKappa):
    """Fleiss' kappa: agreement of equally many codes per unit beyond chance.

    The coders of one unit need not be those of another, but every unit must have as many codes (Fleiss 1971); units
    without any code do not count. Unequal numbers are refused: Krippendorff's alpha and the generalised form
    take them.

    Examples
    --------
    >>> codes = ReliabilityMatrix.from_rows([["a", "a", "a"], ["a", "a", "b"], ["b", "b", "b"]], "nominal")
    >>> FleissKappa().estimate(codes).round(4).tolist()
    [0.55]
    """

    name: str = "fleiss_kappa"
    title: str = "Fleiss' kappa"
    missing: Literal["used", "dropped", "refused"] = "refused"
    source: str = "Fleiss 1971"

    def _estimate(self, codes: ReliabilityMatrix, rows: FloatArray) -> FloatArray:
        given = codes_per_unit(codes.matrix)
        numbers = np.unique(given[given > 0])
        present = (rows > 0).astype(np.float64) @ (given[:, None] == numbers)  # units with each number of codes
        return np.where((present > 0).sum(axis=1) > 1, np.nan, super()._estimate(codes, rows))

    def _undefined_reason(self, codes: ReliabilityMatrix) -> str | None:
        numbers = np.unique(codes_per_unit(codes.matrix))
        numbers = numbers[numbers > 0]
        if len(numbers) > 1:
            return (
                f"Fleiss' kappa needs equally many codes in every unit, and there are {numbers[0]:.0f} to "
                f"{numbers[-1]:.0f}; Krippendorff's alpha takes that."
            )
        return super()._undefined_reason(codes)


register(FleissKappa())
register(GeneralisedFleissKappa())


@dataclass(frozen=True)
class ScottPi(Coefficient):
    """Scott's pi: agreement of two coders beyond chance, where chance is what both together used.

    Units that one of the two did not code are dropped. Fleiss' kappa of two coders is the same.

    Examples
    --------
    Both say yes to 20 units and no to 15, one alone to 5 and the other alone to 10; the share of yes is 0.55:

    >>> rows = [["yes", "yes"]] * 20 + [["yes", "no"]] * 5 + [["no", "yes"]] * 10 + [["no", "no"]] * 15
    >>> ScottPi().estimate(ReliabilityMatrix.from_rows(rows, "nominal")).round(4).tolist()
    [0.3939]
    """

    name: str = "scott_pi"
    title: str = "Scott's pi"
    levels: tuple[str, ...] = CATEGORICAL
    coders: Literal["two", "any"] = "two"
    missing: Literal["used", "dropped", "refused"] = "dropped"
    source: str = "Scott 1955"

    def _estimate(self, codes: ReliabilityMatrix, rows: FloatArray) -> FloatArray:
        matrix, rows = complete_units(codes.matrix, rows)
        units = rows.sum(axis=1)
        totals = category_totals(matrix, len(codes.categories), rows)
        expected = (totals**2).sum(axis=1) / (2 * units) ** 2
        found = chance_corrected(rows @ pair_sums(matrix, identity_agreement) / units, expected)
        return np.where(has_one_category(totals), np.nan, found)

    def _undefined_reason(self, codes: ReliabilityMatrix) -> str | None:
        return sole_category(codes.matrix[(codes.matrix >= 0).all(axis=1)], codes)


register(ScottPi())
