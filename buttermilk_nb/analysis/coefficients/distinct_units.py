"""Units with the same codes, counted together.

A coefficient depends on a unit only through its codes. So units with the same codes are one unit that counts several
times, and a resample is a count of each distinct one: 12,500 units of two coders on a five-point scale are 25.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from .arrays import FloatArray, IntArray
from .reliability_matrix import ReliabilityMatrix

if TYPE_CHECKING:
    from scipy.sparse import csr_array

_MAX_SHARE = 0.5  # if more of the units are distinct, counting them together saves nothing
_MAX_KEY = 2**62


@dataclass(frozen=True, eq=False)
class DistinctUnits:
    """The distinct units of some reliability data.

    Parameters
    ----------
    codes
        The codes of the distinct units, in no particular order.
    index
        For each unit the distinct one; None if the units are left as they are, because most are distinct.

    Examples
    --------
    >>> codes = ReliabilityMatrix.from_rows([["a", "b"], ["a", "a"], ["b", "a"]] * 2, "nominal")
    >>> [len(distinct_units(codes, is_by_coder=which).codes.matrix) for which in (True, False)]
    [3, 2]
    """

    codes: ReliabilityMatrix
    index: IntArray | None

    def weights(self, unit_weights: FloatArray) -> FloatArray:
        """Resamples x distinct units: how often each counts.

        Parameters
        ----------
        unit_weights
            Resamples x units: how often each unit counts.
        """
        if self.index is None:
            return unit_weights
        return np.asarray((self._is_unit @ np.ascontiguousarray(unit_weights.T)).T)

    @cached_property
    def _is_unit(self) -> csr_array:
        """Distinct units x units: 1 where they are the same."""
        from scipy.sparse import csr_array

        assert self.index is not None
        n = len(self.index)
        return csr_array((np.ones(n), (self.index, np.arange(n))), shape=(len(self.codes.matrix), n))


def distinct_units(codes: ReliabilityMatrix, *, is_by_coder: bool) -> DistinctUnits:
    """The distinct units of some reliability data.

    Parameters
    ----------
    codes
        The reliability data.
    is_by_coder
        Whether it matters which coder gave a code; else units with the same codes of other coders are the same too.
    """
    matrix, base = codes.matrix, len(codes.categories) + 1
    if not matrix.size or base ** matrix.shape[1] > _MAX_KEY:
        return DistinctUnits(codes, None)
    ordered = matrix if is_by_coder else np.sort(matrix, axis=1)
    keys = (ordered + 1) @ base ** np.arange(matrix.shape[1])
    _, first, index = np.unique(keys, return_index=True, return_inverse=True)
    if len(first) > _MAX_SHARE * len(matrix):
        return DistinctUnits(codes, None)
    return DistinctUnits(replace(codes, matrix=ordered[first]), index)
