"""Base class of coefficients: the levels they fit, the estimate, and why it may be undefined.

An estimate takes B rows of weights, one per resample, that say how often each unit counts. So a bootstrap is one call:
the caller resamples units, or clusters of them, and passes their multiplicities. A coefficient is written as sums over
units, and equals its value on data in which each unit occurs as often as its weight says.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

from ...errors import SetupError
from .arrays import FloatArray
from .reliability_matrix import ReliabilityMatrix

CATEGORICAL = ("nominal", "ordinal")


class SampleCounts(NamedTuple):
    """The data that a coefficient uses: the units, the codes in them, and the number of units that it excludes."""

    units: int
    codes: int
    n_excluded: int


@dataclass(frozen=True)
class Coefficient(ABC):
    """Base of all coefficients.

    Parameters
    ----------
    name
        The name in the registry.
    title
        The name to show.
    levels
        The levels of measurement that it fits.
    coders
        `two` (exactly) or `any` number from two upwards.
    missing
        How units without a code of some coder are treated: `used` (if they have two codes), `dropped` (and counted), or
        `refused`: the coefficient is undefined if there are any.
    source
        Author and year.
    is_by_coder
        Whether it matters which coder gave a code; else a unit is the numbers of its codes in each category.
    """

    name: str
    title: str
    levels: tuple[str, ...]
    coders: Literal["two", "any"]
    missing: Literal["used", "dropped", "refused"]
    source: str
    is_by_coder: bool = True

    def estimate(self, codes: ReliabilityMatrix, weights: FloatArray | None = None) -> FloatArray:
        """The coefficient, once for each resample.

        Parameters
        ----------
        codes
            The reliability data.
        weights
            Resamples x units: how often each unit counts, 0 or more. None means one row of ones. All of them are in
            memory (1,000 x 100,000 are 800 MB), so with very many units pass them in parts.

        Returns
        -------
        numpy.ndarray
            One number per row of weights, NaN if it is undefined.

        Raises
        ------
        SetupError
            The weights do not fit the units.
        """
        return self.resample(codes, weight_rows(weights, len(codes.matrix)))

    def resample(self, codes: ReliabilityMatrix, rows: FloatArray) -> FloatArray:
        """The same as `estimate` for weights that need no check, because they come from resampling these units."""
        if self._misfit(codes) or self.sample_counts(codes).units == 0:
            return np.full(len(rows), np.nan)
        with np.errstate(divide="ignore", invalid="ignore"):
            return self._estimate(codes, rows)

    def undefined_reason(self, codes: ReliabilityMatrix) -> str | None:
        """Why the coefficient is undefined for these codes, in one sentence; None if it is defined."""
        if problem := self._misfit(codes):
            return problem
        if self.sample_counts(codes).units == 0:
            return "No unit was coded by every coder." if self.missing == "dropped" else "No unit was coded twice."
        return self._undefined_reason(codes)

    def sample_counts(self, codes: ReliabilityMatrix) -> SampleCounts:
        """The units and codes that it uses: units with two codes or more, or with all if others are dropped."""
        n_codes = (codes.matrix >= 0).sum(axis=1)
        needed = max(2, codes.matrix.shape[1]) if self.missing == "dropped" else 2
        is_used = n_codes >= needed
        return SampleCounts(int(is_used.sum()), int(n_codes[is_used].sum()), int((~is_used).sum()))

    def _misfit(self, codes: ReliabilityMatrix) -> str | None:
        coders = codes.matrix.shape[1]
        if codes.level not in self.levels:
            return f"{self.title} is for {_join_words(self.levels)} codes, and these are {codes.level}."
        if coders < 2:
            return "Agreement needs two coders, and there are fewer."
        if self.coders == "two" and coders != 2:
            return f"{self.title} compares exactly two coders, and there are {coders}."
        return None

    @abstractmethod
    def _estimate(self, codes: ReliabilityMatrix, rows: FloatArray) -> FloatArray:
        """The coefficient for each row of weights; NaN if it is undefined."""

    @abstractmethod
    def _undefined_reason(self, codes: ReliabilityMatrix) -> str | None:
        """Why it is undefined although the level and the number of coders fit and there are units to compare."""


COEFFICIENTS: dict[str, Coefficient] = {}


def register(coefficient: Coefficient) -> None:
    """Add a coefficient to the registry, under its name."""
    COEFFICIENTS[coefficient.name] = coefficient


def weight_rows(weights: FloatArray | None, units: int) -> FloatArray:
    """The weights as resamples x units; one row of ones if there are none."""
    if weights is None:
        return np.ones((1, units))
    rows = np.asarray(weights, dtype=np.float64)
    if rows.ndim != 2 or rows.shape[1] != units:
        raise SetupError(f"weights must be resamples x {units} units, and are {' x '.join(map(str, rows.shape))}.")
    if rows.size and not rows.min() >= 0:
        raise SetupError("a weight says how often a unit counts: it cannot be negative or missing.")
    return rows


def _join_words(words: tuple[str, ...]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"
