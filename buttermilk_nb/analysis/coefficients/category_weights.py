"""Agreement weights of pairs of categories: 1 for the same, 0 for the furthest apart.

The schemes are those of Gwet (2014, Handbook of Inter-Rater Reliability, 4th ed., ch. 3). They use the numbers of the
*declared* categories (or the ranks, if they have no numbers), so that a category that nobody used still separates its
neighbours. `ordinal` uses only their order; it is not Krippendorff's ordinal metric, which depends on how often each
category was used.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ...errors import SetupError, nearest
from .agreement_counts import PairMeasure, identity_agreement
from .arrays import FloatArray, IntArray
from .reliability_matrix import ReliabilityMatrix


def _ordinal(a: FloatArray, b: FloatArray) -> FloatArray:
    n_steps = np.abs(np.arange(a.size)[:, None] - np.arange(b.size)[None, :]) + 1.0
    return np.asarray(n_steps * (n_steps - 1) / 2, np.float64)


def _circular(a: FloatArray, b: FloatArray) -> FloatArray:
    return np.asarray(np.sin(np.pi * (a - b) / (a.max() - a.min() + 1)) ** 2)


def _bipolar(a: FloatArray, b: FloatArray) -> FloatArray:
    squares = (a - b) ** 2
    divisor = (a + b - 2 * a.min()) * (2 * a.max() - a - b)
    return np.asarray(np.divide(squares, divisor, out=np.zeros_like(squares), where=squares > 0))


def _ratio(a: FloatArray, b: FloatArray) -> FloatArray:
    total = np.broadcast_to(a + b, np.broadcast_shapes(a.shape, b.shape))
    return np.divide(a - b, total, out=np.zeros(total.shape), where=total != 0) ** 2


_DISTANCES: dict[str, Callable[[FloatArray, FloatArray], FloatArray]] = {
    "identity": lambda a, b: (a != b).astype(np.float64),
    "linear": lambda a, b: np.abs(a - b),
    "quadratic": lambda a, b: (a - b) ** 2,
    "ordinal": _ordinal,
    "radical": lambda a, b: np.sqrt(np.abs(a - b)),
    "ratio": _ratio,
    "circular": _circular,
    "bipolar": _bipolar,
}


def agreement_weights(scheme: str, values: FloatArray) -> FloatArray:
    """The weights of a scheme.

    Parameters
    ----------
    scheme
        `identity`, `linear`, `quadratic`, `ordinal`, `radical`, `ratio`, `circular` or `bipolar`.
    values
        The number of each declared category.

    Returns
    -------
    numpy.ndarray
        Categories x categories, 1 on the diagonal.

    Raises
    ------
    SetupError
        There is no such scheme.

    Examples
    --------
    >>> agreement_weights("linear", np.array([1.0, 2.0, 3.0])).tolist()
    [[1.0, 0.5, 0.0], [0.5, 1.0, 0.5], [0.0, 0.5, 1.0]]
    """
    if scheme not in _DISTANCES:
        raise SetupError(f"there is no scheme of weights `{scheme}`; {nearest(scheme, _DISTANCES)}")
    if len(values) < 2:
        return np.ones((len(values), len(values)))
    distances = _DISTANCES[scheme](values[:, None], values[None, :])
    return np.asarray(1 - distances / distances.max())


def declared_weights(codes: ReliabilityMatrix, scheme: str) -> FloatArray:
    """The weights of a scheme over the declared categories of some codes."""
    values = np.arange(len(codes.categories), dtype=np.float64) if codes.values is None else codes.values
    return agreement_weights(scheme, values)


def weights_as_measure(scheme: str, weights: FloatArray) -> PairMeasure:
    """The weights as a function of two arrays of category indices."""
    if scheme == "identity":
        return identity_agreement

    def weight(a: IntArray, b: IntArray) -> FloatArray:
        return np.asarray(weights[a, b])

    return weight
