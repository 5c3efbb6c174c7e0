"""Linear and logistic regression by weighted estimating equations, for outcomes that need not be 0 or 1.

Design-based supervised learning (Egami, Hinck, Stewart and Wei 2023, 2024) puts the design-adjusted outcome in the
place of the label and solves the usual equations; they are linear in the outcome, so its errors average out. The
adjusted outcome can lie outside 0 and 1: the logistic equations, sum of x (y - p) = 0, take it as it is.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from .coded_samples import CodedSample
from .influence import BoolArray, FloatArray, InfluenceEstimate, undefined_estimate

Kind = Literal["linear", "logistic"]
_MOST_STEPS = 100
_FAR = 30.0  # log odds that no data of this size can show
SEPARATION = (
    "No finite log odds ratio solves the equations: a covariate, or several together, tell the findings from the rest "
    "without error (separation); code more records, merge rare categories, or leave that covariate out."
)
COLLINEAR = "The covariates of these records are collinear or constant, so that their coefficients cannot be told."


def naive(sample: CodedSample, x: FloatArray, kind: Kind) -> InfluenceEstimate:
    """The regression of the judge's answers, taken as right."""
    return regression(x, sample.judged, sample.has_answer.astype(float), kind, sample.has_answer)


def human_sample(sample: CodedSample, x: FloatArray, kind: Kind) -> InfluenceEstimate:
    """The regression of the human codes alone, weighted by 1 / inclusion probability."""
    return regression(x, np.where(sample.has_code, sample.coded, 0.0), sample.weights, kind, sample.has_code)


def dsl(sample: CodedSample, x: FloatArray, kind: Kind) -> InfluenceEstimate:
    """The regression of the design-adjusted outcome over all records."""
    return regression(x, sample.adjusted_outcome, np.ones(len(x)), kind, sample.has_code)


def regression(x: FloatArray, y: FloatArray, weights: FloatArray, kind: Kind, rests_on: BoolArray) -> InfluenceEstimate:
    """Solve sum of weight x (y - mean) = 0.

    Parameters
    ----------
    x
        Records x terms, the intercept among them.
    y, weights
        One per record; records of weight 0 take no part.
    kind
        `linear`: least squares. `logistic`: by Newton's method with step halving.
    rests_on
        Records on which the variance rests.

    Examples
    --------
    With one covariate of 0 and 1 the logistic coefficients are the log odds at 0, and the log odds ratio.

    >>> x = np.array([[1.0, 0.0]] * 4 + [[1.0, 1.0]] * 4)
    >>> y = np.array([1.0, 0, 0, 0, 1, 1, 1, 0])
    >>> found = regression(x, y, np.ones(8), "logistic", np.ones(8, bool))
    >>> np.exp(found.values).round(6).tolist()
    [0.333333, 9.0]
    """
    used = weights > 0
    terms = x.shape[1]
    if dependent_column(x[used]) is not None:
        return undefined_estimate(terms, rests_on, COLLINEAR)
    q, r = np.linalg.qr(x[used])  # orthogonal columns: a year in thousands is as good as a share
    q, r = q * np.sqrt(len(q)), r / np.sqrt(len(q))
    w, outcome = weights[used], y[used]
    values = _least_squares(q, outcome, w) if kind == "linear" else _newton(q, outcome, w)
    if values is None:
        return undefined_estimate(terms, rests_on, SEPARATION)
    eta = q @ values
    mean, slope = (eta, np.ones(len(eta))) if kind == "linear" else _logistic(eta)
    bread = np.linalg.inv(q.T @ (q * (w * slope)[:, None]))
    back = np.linalg.inv(r)
    influence = np.zeros(x.shape)
    influence[used] = (q * (w * (outcome - mean))[:, None]) @ bread @ back.T
    return InfluenceEstimate(back @ values, influence, rests_on)


def dependent_column(x: FloatArray) -> int | None:
    """The first column that is a sum of those before it; None where there is none.

    Examples
    --------
    >>> dependent_column(np.array([[1.0, 2.0, 0.0], [1.0, 2.0, 1.0], [1.0, 2.0, 0.0]]))
    1
    """
    if len(x) < x.shape[1]:
        return len(x)
    size = np.linalg.norm(x, axis=0)
    apart = np.abs(np.diag(np.linalg.qr(x / np.where(size > 0, size, 1.0), mode="r")))
    found = np.flatnonzero((apart < 1e-9) | (size == 0))
    return int(found[0]) if len(found) else None


def _least_squares(q: FloatArray, y: FloatArray, w: FloatArray) -> FloatArray:
    return np.asarray(np.linalg.solve(q.T @ (q * w[:, None]), q.T @ (w * y)))


def _logistic(eta: FloatArray) -> tuple[FloatArray, FloatArray]:
    p = np.exp(-np.logaddexp(0, -eta))
    return p, p * (1 - p)


def _newton(q: FloatArray, y: FloatArray, w: FloatArray) -> FloatArray | None:
    """None where the solution runs off to infinity."""

    def gain(at: FloatArray) -> float:
        eta = q @ at
        return float((w * (y * eta - np.logaddexp(0, eta))).sum())

    b = np.zeros(q.shape[1])
    for _ in range(_MOST_STEPS):
        eta = q @ b
        if np.abs(eta).max() > _FAR:
            return None
        p, slope = _logistic(eta)
        try:
            step = np.linalg.solve(q.T @ (q * (w * slope)[:, None]), q.T @ (w * (y - p)))
        except np.linalg.LinAlgError:
            return None
        if np.abs(step).max() <= 1e-10 * (1 + np.abs(b).max()):
            return np.asarray(b + step)
        now = gain(b)
        while gain(b + step) < now - 1e-9 * abs(now):
            step = step / 2
        b = b + step
    return None
