"""The six intraclass correlations of Shrout and Fleiss."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

from .arrays import FloatArray
from .base import Coefficient, register
from .centred_products import sum_of_squares
from .reliability_matrix import ReliabilityMatrix


class MeanSquares(NamedTuple):
    """Mean squares of a two-way analysis of variance: between units, within units, between coders, residual.

    `n` is the number of units.
    """

    units: FloatArray
    within: FloatArray
    coders: FloatArray
    residual: FloatArray
    n: FloatArray


@dataclass(frozen=True)
class IntraclassCorrelation(Coefficient):
    """Intraclass correlation: the share of the units in the variance of the codes.

    It uses complete units only; the others are dropped and counted. Model 1: each unit has coders of its own (one-way).
    Model 2: the coders are a sample, and their differences in level count as disagreement (McGraw and Wong's A). Model
    3: the coders are the whole population, and their differences in level do not count (C). `k` is the reliability of
    the mean of all coders, 1 that of one. A negative value is reported as it is. It is undefined if the estimate of the
    variance in the denominator is not above 0.

    Parameters
    ----------
    model
        1, 2 or 3.
    mean
        Whether it is the reliability of the mean of all coders.

    Examples
    --------
    >>> codes = ReliabilityMatrix.from_rows([[1, 2], [2, 3], [3, 4], [5, 6]], "interval")
    >>> IntraclassCorrelation("icc_2_1", "ICC(2,1)", model=2).estimate(codes).round(4).tolist()
    [0.8537]
    >>> IntraclassCorrelation("icc_3_1", "ICC(3,1)", model=3).estimate(codes).round(4).tolist()
    [1.0]
    """

    name: str
    title: str
    levels: tuple[str, ...] = ("interval", "ratio")
    coders: Literal["two", "any"] = "any"
    missing: Literal["used", "dropped", "refused"] = "dropped"
    source: str = "Shrout and Fleiss 1979; McGraw and Wong 1996"
    model: int = 1
    mean: bool = False

    def _estimate(self, codes: ReliabilityMatrix, rows: FloatArray) -> FloatArray:
        ms = mean_squares(codes, rows)
        n_coders = codes.matrix.shape[1]
        error = ms.within if self.model == 1 else ms.residual
        divisor = ms.units if self.mean else ms.units + (n_coders - 1) * error
        if self.model == 2:
            divisor = divisor + (1 if self.mean else n_coders) / ms.n * (ms.coders - ms.residual)
        # Codes are scaled to a range of 1, so a smaller divisor is rounding.
        least = 1e-24 + 1e-12 * (ms.units + ms.within + ms.coders + ms.residual)
        return np.where(divisor > least, (ms.units - error) / divisor, np.nan)

    def _undefined_reason(self, codes: ReliabilityMatrix) -> str | None:
        matrix = codes.matrix[(codes.matrix >= 0).all(axis=1)]
        if len(matrix) < 2:
            return f"{self.title} needs two units that every coder coded, and there is one."
        if (matrix == matrix[0, 0]).all():
            return f"Every code is `{codes.categories[matrix[0, 0]]}`: the units do not differ."
        if np.isnan(self.estimate(codes)[0]):
            return (
                "The units differ no more than the coders do on each: the variance in the denominator is not above 0."
            )
        return None


def mean_squares(codes: ReliabilityMatrix, rows: FloatArray) -> MeanSquares:
    """The mean squares of the complete units, for each resample."""
    assert codes.values is not None  # ReliabilityMatrix checks it
    n_coders = codes.matrix.shape[1]
    is_complete = np.asarray((codes.matrix >= 0).all(axis=1))
    numbers = codes.values[codes.matrix[is_complete]]
    low, high = numbers.min(), numbers.max()
    numbers = (numbers - (low + high) / 2) / ((high - low) or 1.0)  # this does not change the correlations
    means, deviations = np.zeros(len(is_complete)), np.zeros(codes.matrix.shape)
    means[is_complete] = numbers.mean(axis=1)
    deviations[is_complete] = numbers - means[is_complete, None]
    counts = is_complete.astype(np.float64)
    sums = rows @ np.column_stack([counts, (deviations**2).sum(axis=1), deviations])
    n, within = sums[:, 0], sums[:, 1]
    coder_levels = sums[:, 2:] / n[:, None]  # of each coder, from the units' means
    between_coders = n * (coder_levels**2).sum(axis=1)
    return MeanSquares(
        units=n_coders * sum_of_squares(means, rows, counts) / (n - 1),
        within=within / (n * (n_coders - 1)),
        coders=between_coders / (n_coders - 1),
        residual=np.maximum(within - between_coders, 0) / ((n - 1) * (n_coders - 1)),
        n=n,
    )


for _model, _kind in ((1, "one-way"), (2, "two-way random, absolute agreement"), (3, "two-way mixed, consistency")):
    for _mean in (False, True):
        _form = f"{_model},{'k' if _mean else 1}"
        register(
            IntraclassCorrelation(f"icc_{_form.replace(',', '_')}", f"ICC({_form}), {_kind}", model=_model, mean=_mean)
        )
