"""Fleiss' kappa, its generalisation to unequal numbers of codes, and Scott's pi."""

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
    with a code, so that a unit with one code counts too (Gwet 2014, ch. 2). The programs irrCAC and kappaetc print it
    as Fleiss' kappa if codes are missing. With equal numbers it is Fleiss' own.

    Examples
    --------
    >>> rows = [["a", "a", "a"], ["a", "a", "b"], ["b", "b", None], ["b", None, None]]
    >>> codes = ReliabilityMatrix.from_rows(rows, "nominal")
    >>> GeneralisedFleissKappa().estimate(codes).round(4).tolist()
    [0.5429]
    """

    name: str = "fleiss_kappa_generalised"
    title: str = "Fleiss' kappa, generalised to missing codes"
    levels: tuple[str, ...] = CATEGORICAL
    coders: Literal["two", "any"] = "any"
    missing: Literal["used", "dropped", "refused"] = "used"
    source: str = "Gwet 2014"
    is_by_coder: bool = False

    def _estimate(self, codes: ReliabilityMatrix, rows: FloatArray) -> FloatArray:
        shares = prevalence(codes.matrix, len(codes.categories), rows)
        kappas = chance_corrected(mean_agreement(codes.matrix, rows), (shares**2).sum(axis=1))
        return np.where(has_one_category(shares), np.nan, kappas)

    def _undefined_reason(self, codes: ReliabilityMatrix) -> str | None:
        return sole_category(codes.matrix, codes)


@dataclass(frozen=True)
class FleissKappa(GeneralisedFleissKappa):
    """Fleiss' kappa: agreement of equally many codes per unit beyond chance.

    The coders may differ between units, but every unit must have the same number of codes (Fleiss 1971); units without
    any code do not count. With unequal numbers it is undefined: use Krippendorff's alpha or the generalised form.

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
        n_codes = codes_per_unit(codes.matrix)
        numbers = np.unique(n_codes[n_codes > 0])
        n_units = (rows > 0).astype(np.float64) @ (n_codes[:, None] == numbers)  # with each number of codes
        return np.where((n_units > 0).sum(axis=1) > 1, np.nan, super()._estimate(codes, rows))

    def _undefined_reason(self, codes: ReliabilityMatrix) -> str | None:
        numbers = np.unique(codes_per_unit(codes.matrix))
        numbers = numbers[numbers > 0]
        if len(numbers) > 1:
            return (
                f"Fleiss' kappa needs equally many codes in every unit, and there are {numbers[0]:.0f} to "
                f"{numbers[-1]:.0f}; use Krippendorff's alpha."
            )
        return super()._undefined_reason(codes)


register(FleissKappa())
register(GeneralisedFleissKappa())


@dataclass(frozen=True)
class ScottPi(Coefficient):
    """Scott's pi: agreement of two coders beyond chance, if both share one use of the categories.

    Units that one of the two did not code are dropped. Fleiss' kappa of two coders is the same.

    Examples
    --------
    Both say yes to 20 units and no to 15, only the first to 5 and only the second to 10; the share of yes is 0.55:

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
    is_by_coder: bool = False

    def _estimate(self, codes: ReliabilityMatrix, rows: FloatArray) -> FloatArray:
        matrix, rows = complete_units(codes.matrix, rows)
        units = rows.sum(axis=1)
        totals = category_totals(matrix, len(codes.categories), rows)
        expected = (totals**2).sum(axis=1) / (2 * units) ** 2
        pi = chance_corrected(rows @ pair_sums(matrix, identity_agreement) / units, expected)
        return np.where(has_one_category(totals), np.nan, pi)

    def _undefined_reason(self, codes: ReliabilityMatrix) -> str | None:
        return sole_category(codes.matrix[(codes.matrix >= 0).all(axis=1)], codes)


register(ScottPi())
