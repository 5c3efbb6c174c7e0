"""Who is nearer to the other people, the judge or the person left out: record by record.

Both are measured against the same people on the same record, so sums compare as the means and root means do, and
nothing is divided. What should be a tie and differs by rounding is a tie.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..coefficients import ReliabilityMatrix
from ..coefficients.agreement_counts import IntArray, PairMeasure, identity_agreement
from ..coefficients.base import FloatArray
from ..coefficients.distances import jaccard_distance
from ..coefficients.reliability_matrix import NUMERIC

_ROUNDING = 1e-9


@dataclass(frozen=True, eq=False)
class Advantages:
    """Advantage indicators, records x people; NaN where the two cannot be compared.

    `judge` is 1 where the judge is at least as near to the other people as the person left out, else 0; `coder` the
    same of the person. Over replicates they are means.
    """

    judge: FloatArray
    coder: FloatArray

    @property
    def difference(self) -> FloatArray:
        """The person's less the judge's: -1, 0 or 1 with one replicate."""
        return self.coder - self.judge


def advantages(people: Sequence[ReliabilityMatrix], judge: Sequence[IntArray]) -> Advantages:
    """Within each replicate, then averaged over those in which the judge answered.

    Parameters
    ----------
    people
        The people's codes, records x people, once per replicate.
    judge
        The judge's code of each record, -1 for none, once per replicate.

    Examples
    --------
    >>> people = ReliabilityMatrix.from_rows([["a", "a", "b"], ["b", "b", "b"]], "nominal")
    >>> found = advantages([people], [np.array([0, 0])])  # the judge says a, a
    >>> found.judge.tolist(), found.coder.tolist()
    ([[1.0, 1.0, 1.0], [0.0, 0.0, 0.0]], [[1.0, 1.0, 0.0], [1.0, 1.0, 1.0]])
    """
    each = [_replicate_advantages(codes, said) for codes, said in zip(people, judge, strict=True)]
    return Advantages(_mean([one.judge for one in each]), _mean([one.coder for one in each]))


def _replicate_advantages(people: ReliabilityMatrix, judge: IntArray) -> Advantages:
    matrix = people.matrix
    of_judge, of_coder = np.full(matrix.shape, np.nan), np.full(matrix.shape, np.nan)
    if not people.categories:
        return Advantages(of_judge, of_coder)
    near = _nearness(people)
    for place in range(matrix.shape[1]):
        others = np.delete(matrix, place, axis=1)
        known = others >= 0
        own = matrix[:, place]
        judges = np.where(known, near(judge[:, None], others), 0.0).sum(axis=1)
        persons = np.where(known, near(own[:, None], others), 0.0).sum(axis=1)
        lead = judges - persons
        slack = _ROUNDING * (np.abs(judges) + np.abs(persons))
        compared = (judge >= 0) & (own >= 0) & known.any(axis=1)
        of_judge[compared, place] = (lead >= -slack)[compared]
        of_coder[compared, place] = (lead <= slack)[compared]
    return Advantages(of_judge, of_coder)


def _nearness(codes: ReliabilityMatrix) -> PairMeasure:
    values = codes.values
    if codes.level in NUMERIC and values is not None:
        numbers: NDArray[np.float64] = values
        return lambda a, b: np.asarray(-((numbers[a] - numbers[b]) ** 2))
    if codes.sets is not None:
        apart = jaccard_distance(codes.sets)
        return lambda a, b: 1 - apart(*np.broadcast_arrays(a, b))
    return identity_agreement


def _mean(each: Sequence[FloatArray]) -> FloatArray:
    stacked = np.stack(each)
    known = ~np.isnan(stacked)
    n = known.sum(axis=0)
    return np.asarray(
        np.divide(np.where(known, stacked, 0.0).sum(axis=0), n, out=np.full(n.shape, np.nan), where=n > 0)
    )
