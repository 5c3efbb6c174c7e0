"""Whether the judge or the left-out person is nearer to the other people, record by record.

Both are compared with the same people on the same record, so comparing sums gives the same order as comparing means or
root means, and no division is needed. Sums that differ only by rounding are a tie.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..coefficients import ReliabilityMatrix
from ..coefficients.agreement_counts import PairMeasure, identity_agreement
from ..coefficients.arrays import FloatArray, IntArray, mean_of_defined
from ..coefficients.distances import jaccard_distance
from ..coefficients.reliability_matrix import NUMERIC

_ROUNDING = 1e-9


@dataclass(frozen=True, eq=False)
class Advantages:
    """Advantage indicators, records x people; NaN if the two cannot be compared.

    Parameters
    ----------
    judge
        1 if the judge is at least as near to the other people as the left-out person, else 0. Over replicates, means.
    coder
        The same of the person.
    """

    judge: FloatArray
    coder: FloatArray

    @property
    def difference(self) -> FloatArray:
        """The person's indicator minus the judge's: -1, 0 or 1 with one replicate."""
        return self.coder - self.judge


def advantages(people: Sequence[ReliabilityMatrix], judge: Sequence[IntArray]) -> Advantages:
    """The indicators within each replicate, averaged over those in which the judge answered.

    Parameters
    ----------
    people
        The people's codes, records x people, one matrix per replicate.
    judge
        The judge's code of each record, -1 without one, one array per replicate.

    Examples
    --------
    >>> people = ReliabilityMatrix.from_rows([["a", "a", "b"], ["b", "b", "b"]], "nominal")
    >>> result = advantages([people], [np.array([0, 0])])  # the judge says a, a
    >>> result.judge.tolist(), result.coder.tolist()
    ([[1.0, 1.0, 1.0], [0.0, 0.0, 0.0]], [[1.0, 1.0, 0.0], [1.0, 1.0, 1.0]])
    """
    replicates = [_replicate_advantages(matrix, codes) for matrix, codes in zip(people, judge, strict=True)]
    return Advantages(
        mean_of_defined([replicate.judge for replicate in replicates]),
        mean_of_defined([replicate.coder for replicate in replicates]),
    )


def _replicate_advantages(people: ReliabilityMatrix, judge: IntArray) -> Advantages:
    matrix = people.matrix
    judge_advantage, coder_advantage = np.full(matrix.shape, np.nan), np.full(matrix.shape, np.nan)
    if not people.categories:
        return Advantages(judge_advantage, coder_advantage)
    nearness = _nearness(people)
    for person in range(matrix.shape[1]):
        other_people = np.delete(matrix, person, axis=1)
        has_code = other_people >= 0
        own = matrix[:, person]
        judge_nearness = np.where(has_code, nearness(judge[:, None], other_people), 0.0).sum(axis=1)
        coder_nearness = np.where(has_code, nearness(own[:, None], other_people), 0.0).sum(axis=1)
        lead = judge_nearness - coder_nearness
        slack = _ROUNDING * (np.abs(judge_nearness) + np.abs(coder_nearness))
        compared = (judge >= 0) & (own >= 0) & has_code.any(axis=1)
        judge_advantage[compared, person] = (lead >= -slack)[compared]
        coder_advantage[compared, person] = (lead <= slack)[compared]
    return Advantages(judge_advantage, coder_advantage)


def _nearness(codes: ReliabilityMatrix) -> PairMeasure:
    values = codes.values
    if codes.level in NUMERIC and values is not None:
        numbers: FloatArray = values
        return lambda a, b: np.asarray(-((numbers[a] - numbers[b]) ** 2))
    if codes.sets is not None:
        distance = jaccard_distance(codes.sets)
        return lambda a, b: 1 - distance(*np.broadcast_arrays(a, b))
    return identity_agreement
