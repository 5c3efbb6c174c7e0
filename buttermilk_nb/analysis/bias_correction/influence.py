"""An estimate as its value and each record's part in its error; the interval that follows.

Every estimator here is a smooth function of sums over records, so that its error is nearly a sum of one term per
record (its influence). Summed within clusters and squared, the terms give the variance: linearisation (Binder 1983;
Särndal, Swensson and Wretman 1992, ch. 5), which for regressions is the cluster-robust sandwich (Liang and Zeger
1986).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.intp]
BoolArray = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class InfluenceEstimate:
    """The values of an estimator, and where their uncertainty comes from.

    Parameters
    ----------
    values
        One per term.
    influence
        Records x terms: what each record adds to the error. Zero for records that the estimate does not rest on.
    depends_on
        Records: on which of them the variance rests (the coded ones, except where the judge is alone).
    power
        How much of the judge's answers is used; NaN where that is not a question.
    undefined
        Why there are no values, in a sentence.
    """

    values: FloatArray
    influence: FloatArray
    depends_on: BoolArray
    power: float = float("nan")
    undefined_reason: str = ""


def undefined_estimate(terms: int, rests_on: BoolArray, why: str) -> InfluenceEstimate:
    """An estimate without values."""
    return InfluenceEstimate(
        np.full(terms, np.nan), np.full((len(rests_on), terms), np.nan), rests_on, undefined_reason=why
    )


def cluster_sums(influence: FloatArray, clusters: IntArray) -> FloatArray:
    """What each cluster adds: clusters x terms.

    Examples
    --------
    >>> cluster_sums(np.array([[1.0], [2.0], [4.0]]), np.array([0, 1, 0])).ravel().tolist()
    [5.0, 2.0]
    """
    sums = np.zeros((int(clusters.max(initial=-1)) + 1, influence.shape[1]))
    np.add.at(sums, clusters, influence)
    return sums


def n_clusters(estimate: InfluenceEstimate, clusters: IntArray) -> int:
    """How many clusters the variance rests on."""
    return len(np.unique(clusters[estimate.depends_on]))


def standard_errors(estimate: InfluenceEstimate, clusters: IntArray) -> FloatArray:
    """The standard error of each term; NaN where there are no more clusters than terms.

    With m clusters and p terms the variance is multiplied by m / (m - p), which without clusters is HC1.

    Examples
    --------
    The mean of 1, 2, 3 and 6 has the standard error that textbooks give, s / sqrt(n).

    >>> y = np.array([1.0, 2.0, 3.0, 6.0])
    >>> one = InfluenceEstimate(np.array([3.0]), (y - 3)[:, None] / 4, np.ones(4, bool))
    >>> standard_errors(one, np.arange(4)).round(4).tolist() == [round(float(y.std(ddof=1)) / 2, 4)]
    True
    """
    free = degrees_of_freedom(estimate, clusters)
    if free < 1:
        return np.full(len(estimate.values), np.nan)
    m = free + len(estimate.values)
    squares = (cluster_sums(estimate.influence, clusters) ** 2).sum(axis=0)
    return np.asarray(np.sqrt(squares * m / free))


def degrees_of_freedom(estimate: InfluenceEstimate, clusters: IntArray) -> int:
    """Clusters less terms."""
    return n_clusters(estimate, clusters) - len(estimate.values)


def t_quantile(confidence: float, free: float) -> float:
    """Of Student's t: how many standard errors an interval reaches to either side.

    Examples
    --------
    >>> round(t_quantile(0.95, 10), 3)
    2.228
    """
    from scipy.special import stdtrit  # scipy.stats takes a second to import

    return float(stdtrit(free, (1 + confidence) / 2)) if free >= 1 else float("nan")
