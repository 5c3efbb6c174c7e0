"""The headline finding to estimate: a share, a difference of two shares, or a function.

The shares of all specifications are sums over records, so one set of resamples gives the intervals of all.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..._internal.text import pluralise
from ...errors import SetupError, nearest
from ..coefficients.arrays import BoolArray, FloatArray, IntArray
from ..frames.ratings import COLUMNS
from ..shared.bootstrap import percentile_interval, unit_weights

if TYPE_CHECKING:
    import pandas as pd

Verdicts = NDArray[np.int8]
"""Specifications x records: 1 the finding, 0 not, -1 unknown."""
_BLOCK = 256  # specifications whose verdicts are converted to floats at once


@dataclass(frozen=True, eq=False)
class ShareEstimand:
    """The share flagged among some records, or its difference between two sets of records.

    Parameters
    ----------
    name
        The name of the finding.
    masks
        The records to count: one mask, or two for a difference (the first minus the second).
    """

    name: str
    masks: tuple[BoolArray, ...]

    def estimate(self, verdicts: Verdicts, weights: FloatArray) -> FloatArray:
        """Resamples x specifications: the estimate."""
        shares = []
        for mask in self.masks:
            own_weights = weights[:, mask]
            blocks = []
            for start in range(0, len(verdicts), _BLOCK):
                block = verdicts[start : start + _BLOCK, mask]
                n = own_weights @ (block >= 0).T.astype(float)
                n_flagged = own_weights @ (block > 0).T.astype(float)
                blocks.append(np.divide(n_flagged, n, out=np.full(n.shape, np.nan), where=n > 0))
            shares.append(np.concatenate(blocks, axis=1))
        return shares[0] if len(shares) == 1 else shares[0] - shares[1]

    @property
    def is_counted(self) -> BoolArray:
        """The records that count in the finding."""
        return np.asarray(np.any(self.masks, axis=0))


@dataclass(frozen=True, eq=False)
class FunctionEstimand:
    """A function of a frame with one row per record.

    Parameters
    ----------
    name
        The name of the finding.
    function
        The function, from a frame to a number.
    records
        The frame, without the verdicts.
    """

    name: str
    function: Callable[[pd.DataFrame], Any]
    records: pd.DataFrame

    def estimate(self, verdicts: Verdicts, weights: FloatArray) -> FloatArray:
        """Resamples x specifications: the estimate."""
        result = np.full((len(weights), len(verdicts)), np.nan)
        for j, verdict in enumerate(verdicts):
            rows = np.flatnonzero(verdict >= 0)
            frame = self.records.iloc[rows].assign(flagged=verdict[rows] > 0).reset_index(drop=True)
            for i, times in enumerate(weights[:, rows].astype(np.intp)):
                resample = frame if (times == 1).all() else frame.iloc[np.arange(len(rows)).repeat(times)]
                result[i, j] = self._number(resample.reset_index(drop=True)) if len(resample) else math.nan
        return result

    @property
    def is_counted(self) -> BoolArray:
        """The records that count in the finding."""
        return np.ones(len(self.records), np.bool_)

    def _number(self, frame: pd.DataFrame) -> float:
        value = self.function(frame)
        if not isinstance(value, Real):
            raise SetupError(
                f"finding: `{self.name}` returned {type(value).__name__}, and a finding is a number; return NaN if it "
                "is undefined."
            )
        return float(value)


Estimand = ShareEstimand | FunctionEstimand


def share_estimand(records: Sequence[str]) -> ShareEstimand:
    """The share of all records."""
    return ShareEstimand("share flagged", (np.ones(len(records), np.bool_),))


def difference_estimand(
    part: pd.DataFrame, records: Sequence[str], column: str, pair: tuple[Any, Any] | None
) -> ShareEstimand:
    """The share of records with the first value in `column`, minus the share of those with the second.

    Raises
    ------
    SetupError
        There is no such column, a record has two values in it, or there are not two values.
    """
    value_of_record = _record_values(part, column)
    values = sorted(value_of_record[column].unique(), key=str)
    if pair is None:
        if len(values) != 2:
            listed = ", ".join(f"`{value}`" for value in values[:6])
            raise SetupError(
                f"groups: `{column}` has {pluralise(len(values), 'value')} ({listed}); name two, pair=(..., ...)."
            )
        pair = (values[0], values[1])
    if len(pair) != 2 or pair[0] == pair[1]:
        raise SetupError(f"pair: name two values of `{column}`; the finding is the first minus the second.")
    for value in pair:
        if value not in values:
            raise SetupError(f"pair: `{column}` is never `{value}`; {nearest(str(value), map(str, values))}")
    own = value_of_record.set_index("record_id")[column].reindex(list(records))
    masks = tuple((own == value).fillna(value=False).to_numpy(bool) for value in pair)
    return ShareEstimand(f"share flagged, {column} {pair[0]} less {pair[1]}", masks)


def function_estimand(
    part: pd.DataFrame, records: Sequence[str], function: Callable[[pd.DataFrame], Any]
) -> FunctionEstimand:
    """A function of one row per record: its id, cluster, `flagged`, and the columns that were joined to the ratings."""
    joined = [
        name for name in part.columns if name not in COLUMNS and name not in ("usable", "resampling_unit", "code_note")
    ]
    by_record = part[["record_id", "cluster", *joined]].drop_duplicates("record_id").set_index("record_id")
    frame = by_record.reindex(list(records)).rename_axis("record_id").reset_index()
    return FunctionEstimand(getattr(function, "__name__", "function"), function, frame)


def estimates_with_intervals(
    estimand: Estimand, verdicts: Verdicts, clusters: IntArray, n_boot: int, seed: int, confidence: float
) -> Iterator[tuple[float, float, float]]:
    """The estimate of each specification, and the ends of the percentile interval of a cluster bootstrap."""
    values = estimand.estimate(verdicts, np.ones((1, verdicts.shape[1])))[0]
    blocks = []
    if clusters.max():
        blocks = [estimand.estimate(verdicts, weights) for weights in unit_weights(clusters, n_boot, seed)]
    resampled = np.concatenate(blocks) if blocks else np.empty((0, len(values)))
    for value, own in zip(values, resampled.T, strict=True):
        low, high, _ = percentile_interval(own, confidence)
        yield float(value), low, high


def _record_values(part: pd.DataFrame, column: str) -> pd.DataFrame:
    """The value of each record in a column that was joined to the ratings."""
    if column not in part.columns:
        raise SetupError(
            f"groups: there is no column `{column}`; {nearest(column, list(part.columns))} Join a column of the "
            'records with ratings.merge(corpus.to_df()[["record_id", "outlet"]], on="record_id").'
        )
    pairs = part[["record_id", column]].dropna().drop_duplicates()
    twice = pairs[pairs.duplicated("record_id")]
    if len(twice):
        raise SetupError(f"groups: record `{twice.record_id.iloc[0]}` has two values in `{column}`; it needs one.")
    return pairs
