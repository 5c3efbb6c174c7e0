"""The most frequent answer of each record, and how frequent it is."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..coefficients.agreement_counts import IntArray
from ..coefficients.base import FloatArray


class Modes(NamedTuple):
    """One entry for each row of a matrix of codes.

    `mode` is a category, -1 where two are as frequent or none is given; `most` how many codes the most frequent
    category has, `given` how many there are, `tie` whether several are the most frequent.
    """

    mode: IntArray
    n_mode: FloatArray
    n_codes: FloatArray
    is_tie: NDArray[np.bool_]


def row_modes(matrix: IntArray) -> Modes:
    """The mode of each row; -1 is a missing code.

    Examples
    --------
    >>> row_modes(np.array([[0, 1, 1], [0, 1, -1], [-1, -1, -1]])).mode.tolist()
    [1, -1, -1]
    """
    counts = mode_share(matrix)
    most = counts.max(axis=1, initial=0)
    best = (counts == most[:, None]) & (matrix >= 0)
    highest = np.where(best, matrix, -1).max(axis=1, initial=-1)
    lowest = np.where(best, matrix, np.iinfo(np.intp).max).min(axis=1, initial=np.iinfo(np.intp).max)
    tie = (most > 0) & (lowest < highest)
    return Modes(np.where(tie, -1, highest), most.astype(np.float64), (matrix >= 0).sum(axis=1).astype(np.float64), tie)


def mode_share(matrix: IntArray) -> IntArray:
    """How often each code stands in its row; 0 for a missing one."""
    counts = np.zeros(matrix.shape, np.intp)
    for column in matrix.T:
        counts += matrix == column[:, None]
    counts[matrix < 0] = 0
    return counts
