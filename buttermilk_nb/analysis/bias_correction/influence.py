"""An estimate as its value and the influence of each record; standard errors and intervals.

Every estimator here is a smooth function of sums over records, so its error is nearly a sum of one term per record (its
influence). Summed within clusters and squared, the terms give the variance: linearisation (Binder 1983; Särndal,
Swensson and Wretman 1992, ch. 5), which for regressions is the cluster-robust sandwich (Liang and Zeger 1986).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..coefficients.arrays import BoolArray, FloatArray, IntArray


@dataclass(frozen=True, eq=False)
class InfluenceEstimate:
    """The values of an estimator, and the influence of each record on them.

    Parameters
    ----------
    values
        One per term.
    influence
        Records x terms: how much each record adds to the error. Zero for records that the estimate does not use.
    depends_on
        The records on which the variance depends (the coded ones, or all if only the judge is used).
    power
        How much weight the judge's answers have; NaN if the estimator has no such parameter.
    undefined_reason
        Why there are no values, in a sentence.
    """

    values: FloatArray
    influence: FloatArray
    depends_on: BoolArray
    power: float = float("nan")
    undefined_reason: str = ""


def undefined_estimate(n_terms: int, depends_on: BoolArray, reason: str) -> InfluenceEstimate:
    """An estimate without values."""
    influence = np.full((len(depends_on), n_terms), np.nan)
    return InfluenceEstimate(np.full(n_terms, np.nan), influence, depends_on, undefined_reason=reason)


def cluster_sums(influence: FloatArray, clusters: IntArray) -> FloatArray:
    """Clusters x terms: how much each cluster adds to the error.

    Examples
    --------
    >>> cluster_sums(np.array([[1.0], [2.0], [4.0]]), np.array([0, 1, 0])).ravel().tolist()
    [5.0, 2.0]
    """
    sums = np.zeros((int(clusters.max(initial=-1)) + 1, influence.shape[1]))
    np.add.at(sums, clusters, influence)
    return sums


def n_clusters(estimate: InfluenceEstimate, clusters: IntArray) -> int:
    """The number of clusters on which the variance depends."""
    return len(np.unique(clusters[estimate.depends_on]))


def standard_errors(estimate: InfluenceEstimate, clusters: IntArray) -> FloatArray:
    """The standard error of each term; NaN if there are no more clusters than terms.

    With m clusters and p terms the variance is multiplied by m / (m - p), which without clusters is HC1.

    Examples
    --------
    The mean of 1, 2, 3 and 6 has the standard error that textbooks give, s / sqrt(n).

    >>> y = np.array([1.0, 2.0, 3.0, 6.0])
    >>> mean = InfluenceEstimate(np.array([3.0]), (y - 3)[:, None] / 4, np.ones(4, bool))
    >>> standard_errors(mean, np.arange(4)).round(4).tolist() == [round(float(y.std(ddof=1)) / 2, 4)]
    True
    """
    df = degrees_of_freedom(estimate, clusters)
    if df < 1:
        return np.full(len(estimate.values), np.nan)
    m = df + len(estimate.values)
    squares = (cluster_sums(estimate.influence, clusters) ** 2).sum(axis=0)
    return np.asarray(np.sqrt(squares * m / df))


def degrees_of_freedom(estimate: InfluenceEstimate, clusters: IntArray) -> int:
    """Clusters minus terms."""
    return n_clusters(estimate, clusters) - len(estimate.values)


def t_quantile(confidence: float, df: float) -> float:
    """The quantile of Student's t: the half-width of an interval in standard errors.

    Examples
    --------
    >>> round(t_quantile(0.95, 10), 3)
    2.228
    """
    from scipy.special import stdtrit  # scipy.stats takes a second to import

    return float(stdtrit(df, (1 + confidence) / 2)) if df >= 1 else float("nan")
