"""The headline finding of each specification: a share, a difference of two shares, or a function of the researcher's.

Shares of all specifications are sums over records, so one set of resamples gives the intervals of them all.
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
from ..coefficients.base import FloatArray
from ..frames.ratings import COLUMNS
from ..shared.bootstrap import percentile_interval, unit_weights
from .instruments import BoolArray

if TYPE_CHECKING:
    import pandas as pd

Verdicts = NDArray[np.int8]
"""Specifications x records: 1 the finding, 0 not, -1 not known."""
_BLOCK = 256  # specifications whose verdicts are floats at a time


@dataclass(frozen=True, eq=False)
class ShareEstimand:
    """The share flagged among some records, or among some less among others.

    Parameters
    ----------
    name
        What it is called.
    parts
        Which records are counted: one mask, or two.
    """

    name: str
    masks: tuple[BoolArray, ...]

    def estimate(self, verdicts: Verdicts, rows: FloatArray) -> FloatArray:
        """Resamples x specifications."""
        found = []
        for part in self.masks:
            own = rows[:, part]
            each = []
            for start in range(0, len(verdicts), _BLOCK):
                some = verdicts[start : start + _BLOCK, part]
                n = own @ (some >= 0).T.astype(float)
                yes = own @ (some > 0).T.astype(float)
                each.append(np.divide(yes, n, out=np.full(n.shape, np.nan), where=n > 0))
            found.append(np.concatenate(each, axis=1))
        return found[0] if len(found) == 1 else found[0] - found[1]

    @property
    def is_counted(self) -> BoolArray:
        """The records that take part."""
        return np.asarray(np.any(self.masks, axis=0))


@dataclass(frozen=True, eq=False)
class FunctionEstimand:
    """A function of a frame with one row per record."""

    name: str
    function: Callable[[pd.DataFrame], Any]
    records: pd.DataFrame

    def estimate(self, verdicts: Verdicts, rows: FloatArray) -> FloatArray:
        """Resamples x specifications."""
        found = np.full((len(rows), len(verdicts)), np.nan)
        for j, own in enumerate(verdicts):
            known = np.flatnonzero(own >= 0)
            frame = self.records.iloc[known].assign(flagged=own[known] > 0).reset_index(drop=True)
            for i, times in enumerate(rows[:, known].astype(np.intp)):
                drawn = frame if (times == 1).all() else frame.iloc[np.arange(len(known)).repeat(times)]
                found[i, j] = self._number(drawn.reset_index(drop=True)) if len(drawn) else math.nan
        return found

    @property
    def is_counted(self) -> BoolArray:
        """The records that take part."""
        return np.ones(len(self.records), np.bool_)

    def _number(self, frame: pd.DataFrame) -> float:
        given = self.function(frame)
        if not isinstance(given, Real):
            raise SetupError(
                f"finding: `{self.name}` gave {type(given).__name__}, and a finding is a number; give back NaN where "
                "there is none."
            )
        return float(given)


Estimand = ShareEstimand | FunctionEstimand


def share_estimand(records: Sequence[str]) -> ShareEstimand:
    """The share of all records."""
    return ShareEstimand("share flagged", (np.ones(len(records), np.bool_),))


def difference_estimand(
    part: pd.DataFrame, records: Sequence[str], column: str, pair: tuple[Any, Any] | None
) -> ShareEstimand:
    """The share where `column` has the first value, less that where it has the second.

    Raises
    ------
    SetupError
        There is no such column, a record has two values in it, or there are not two values.
    """
    if column not in part.columns:
        raise SetupError(
            f"groups: there is no column `{column}`; {nearest(column, list(part.columns))} What is known of the "
            'records is joined with ratings.merge(corpus.to_df()[["record_id", "outlet"]], on="record_id").'
        )
    known = part[["record_id", column]].dropna().drop_duplicates()
    twice = known[known.duplicated("record_id")]
    if len(twice):
        raise SetupError(f"groups: record `{twice.record_id.iloc[0]}` has two values in `{column}`; it needs one.")
    values = sorted(known[column].unique(), key=str)
    if pair is None:
        if len(values) != 2:
            listed = ", ".join(f"`{value}`" for value in values[:6])
            raise SetupError(
                f"groups: `{column}` has {pluralise(len(values), 'value')} ({listed}); name two, pair=(..., ...)."
            )
        pair = (values[0], values[1])
    if len(pair) != 2 or pair[0] == pair[1]:
        raise SetupError(f"pair: name two values of `{column}`; the first less the second is the finding.")
    for value in pair:
        if value not in values:
            raise SetupError(f"pair: `{column}` is never `{value}`; {nearest(str(value), map(str, values))}")
    own = known.set_index("record_id")[column].reindex(list(records))
    masks = tuple((own == value).fillna(value=False).to_numpy(bool) for value in pair)
    return ShareEstimand(f"share flagged, {column} {pair[0]} less {pair[1]}", masks)


def function_estimand(
    part: pd.DataFrame, records: Sequence[str], function: Callable[[pd.DataFrame], Any]
) -> FunctionEstimand:
    """A function of one row per record: its id, cluster, `flagged`, and the columns that were joined to the ratings."""
    own = [name for name in part.columns if name not in COLUMNS and name not in ("usable", "kin")]
    first = part[["record_id", "cluster", *own]].drop_duplicates("record_id").set_index("record_id")
    frame = first.reindex(list(records)).rename_axis("record_id").reset_index()
    return FunctionEstimand(getattr(function, "__name__", "function"), function, frame)


def estimates_with_intervals(
    finding: Estimand, verdicts: Verdicts, clusters: NDArray[np.intp], n_boot: int, seed: int, confidence: float
) -> Iterator[tuple[float, float, float]]:
    """The estimate of each specification and the percentile interval of a cluster bootstrap."""
    values = finding.estimate(verdicts, np.ones((1, verdicts.shape[1])))[0]
    drawn = (
        [finding.estimate(verdicts, rows) for rows in unit_weights(clusters, n_boot, seed)] if clusters.max() else []
    )
    resampled = np.concatenate(drawn) if drawn else np.empty((0, len(values)))
    for value, own in zip(values, resampled.T, strict=True):
        low, high, _ = percentile_interval(own, confidence)
        yield float(value), low, high
