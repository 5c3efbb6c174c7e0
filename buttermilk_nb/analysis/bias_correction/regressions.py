"""Linear and logistic regression by weighted estimating equations, for any numeric outcome.

Design-based supervised learning (Egami, Hinck, Stewart and Wei 2023, 2024) puts the design-adjusted outcome in the
place of the label and solves the usual equations; they are linear in the outcome, so its errors average out. The
adjusted outcome can be outside 0 and 1; the logistic equations, sum of x (y - p) = 0, allow that.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from ..coefficients.arrays import BoolArray, FloatArray
from .coded_samples import CodedSample
from .influence import InfluenceEstimate, undefined_estimate

Kind = Literal["linear", "logistic"]
_MAX_STEPS = 100
_MAX_LOG_ODDS = 30.0  # log odds that no data of this size can show
SEPARATION = (
    "No finite log odds ratio solves the equations: a covariate, or several together, predict the findings without "
    "error (separation); code more records, merge rare categories, or leave that covariate out."
)
COLLINEAR = "The covariates of these records are collinear or constant, so their coefficients cannot be estimated."


def naive(sample: CodedSample, x: FloatArray, kind: Kind) -> InfluenceEstimate:
    """The regression of the judge's answers, taken as right."""
    return regression(x, sample.judged, sample.has_answer.astype(float), kind, sample.has_answer)


def human_sample(sample: CodedSample, x: FloatArray, kind: Kind) -> InfluenceEstimate:
    """The regression of the human codes, weighted by 1 / inclusion probability."""
    return regression(x, np.where(sample.has_code, sample.coded, 0.0), sample.weights, kind, sample.has_code)


def dsl(sample: CodedSample, x: FloatArray, kind: Kind) -> InfluenceEstimate:
    """The regression of the design-adjusted outcome over all records."""
    return regression(x, sample.adjusted_outcome, np.ones(len(x)), kind, sample.has_code)


def regression(
    x: FloatArray, y: FloatArray, weights: FloatArray, kind: Kind, depends_on: BoolArray
) -> InfluenceEstimate:
    """Solve sum of weight x (y - mean) = 0.

    Parameters
    ----------
    x
        Records x terms, the intercept among them.
    y, weights
        One per record; records of weight 0 are ignored.
    kind
        `linear`: least squares. `logistic`: by Newton's method with step halving.
    depends_on
        The records on which the variance depends.

    Examples
    --------
    With one covariate of 0 and 1 the logistic coefficients are the log odds at 0, and the log odds ratio.

    >>> x = np.array([[1.0, 0.0]] * 4 + [[1.0, 1.0]] * 4)
    >>> y = np.array([1.0, 0, 0, 0, 1, 1, 1, 0])
    >>> result = regression(x, y, np.ones(8), "logistic", np.ones(8, bool))
    >>> np.exp(result.values).round(6).tolist()
    [0.333333, 9.0]
    """
    used = weights > 0
    n_terms = x.shape[1]
    if dependent_column(x[used]) is not None:
        return undefined_estimate(n_terms, depends_on, COLLINEAR)
    q, r = np.linalg.qr(x[used])  # orthogonal columns, so that the scale of a covariate does not matter
    q, r = q * np.sqrt(len(q)), r / np.sqrt(len(q))
    w, outcome = weights[used], y[used]
    coefficients = _least_squares(q, outcome, w) if kind == "linear" else _newton(q, outcome, w)
    if coefficients is None:
        return undefined_estimate(n_terms, depends_on, SEPARATION)
    eta = q @ coefficients
    mean, slope = (eta, np.ones(len(eta))) if kind == "linear" else _logistic(eta)
    bread = np.linalg.inv(q.T @ (q * (w * slope)[:, None]))
    inverse_r = np.linalg.inv(r)
    influence = np.zeros(x.shape)
    influence[used] = (q * (w * (outcome - mean))[:, None]) @ bread @ inverse_r.T
    return InfluenceEstimate(inverse_r @ coefficients, influence, depends_on)


def dependent_column(x: FloatArray) -> int | None:
    """The index of the first column that is a sum of those before it; None if there is none.

    With fewer rows than columns it is the number of rows.

    Examples
    --------
    >>> dependent_column(np.array([[1.0, 2.0, 0.0], [1.0, 2.0, 1.0], [1.0, 2.0, 0.0]]))
    1
    """
    if len(x) < x.shape[1]:
        return len(x)
    norm = np.linalg.norm(x, axis=0)
    residual_norm = np.abs(np.diag(np.linalg.qr(x / np.where(norm > 0, norm, 1.0), mode="r")))
    columns = np.flatnonzero((residual_norm < 1e-9) | (norm == 0))
    return int(columns[0]) if len(columns) else None


def _least_squares(q: FloatArray, y: FloatArray, w: FloatArray) -> FloatArray:
    return np.asarray(np.linalg.solve(q.T @ (q * w[:, None]), q.T @ (w * y)))


def _logistic(eta: FloatArray) -> tuple[FloatArray, FloatArray]:
    """The probability and its slope at a linear predictor."""
    p = np.exp(-np.logaddexp(0, -eta))
    return p, p * (1 - p)


def _newton(q: FloatArray, y: FloatArray, w: FloatArray) -> FloatArray | None:
    """The logistic coefficients; None if they diverge to infinity."""

    def log_likelihood(b: FloatArray) -> float:
        eta = q @ b
        return float((w * (y * eta - np.logaddexp(0, eta))).sum())

    b = np.zeros(q.shape[1])
    for _ in range(_MAX_STEPS):
        eta = q @ b
        if np.abs(eta).max() > _MAX_LOG_ODDS:
            return None
        p, slope = _logistic(eta)
        try:
            step = np.linalg.solve(q.T @ (q * (w * slope)[:, None]), q.T @ (w * (y - p)))
        except np.linalg.LinAlgError:
            return None
        if np.abs(step).max() <= 1e-10 * (1 + np.abs(b).max()):
            return np.asarray(b + step)
        present = log_likelihood(b)
        while log_likelihood(b + step) < present - 1e-9 * abs(present):
            step = step / 2
        b = b + step
    return None
