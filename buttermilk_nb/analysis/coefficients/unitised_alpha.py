"""Krippendorff's alpha for unitising: agreement on the boundaries and categories of spans.

The records are split at every boundary that any coder set. Between two boundaries each coder has one category, or a
gap, so observed coincidences are lengths on which two coders agree: sums over records, as in every other coefficient.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from .agreement_counts import has_one_category, identity_agreement, pair_sums
from .arrays import FloatArray, IntArray
from .base import SampleCounts, weight_rows
from .spans import Spans


@dataclass(frozen=True)
class UnitisedAlpha:
    """Krippendorff's alpha for unitising, over all categories or for spans against gaps.

    As revised by Krippendorff, Mathet, Bouvry and Widlöcher (2016) and in Krippendorff (2019, 12.6); the alpha-U of
    1995 and 2004, squared differences of boundaries, is another coefficient. Each record is a continuum; coincidences
    and lengths are summed over records, so weights are records' multiplicities. In the expected disagreement a span is
    not paired with itself, and gaps count point by point. A record that fewer than two coders read is dropped. For
    agreement on one category against all others use `spans.of_category(category)`; it is not the book's (k)u-alpha,
    which considers only positions that both coders marked.

    Parameters
    ----------
    binary
        False: distinguish each category and the gaps. True: distinguish only spans and gaps.

    Examples
    --------
    >>> spans = Spans.from_records([(100, [[(0, 20, "claim")], [(10, 30, "claim")]])])
    >>> UnitisedAlpha().estimate(spans).round(4).tolist()
    [0.39]
    """

    name: str = "unitised_alpha"
    title: str = "Krippendorff's unitised alpha"
    source: str = "Krippendorff, Mathet, Bouvry and Widlöcher 2016"
    coders: Literal["two", "any"] = "any"
    missing: Literal["used", "dropped", "refused"] = "used"
    binary: bool = False

    def estimate(self, spans: Spans, weights: FloatArray | None = None) -> FloatArray:
        """The coefficient, once for each resample.

        Parameters
        ----------
        spans
            The spans of all coders.
        weights
            Resamples x records: how often each record counts. None means one row of ones.

        Returns
        -------
        numpy.ndarray
            One number per row of weights, NaN if it is undefined.
        """
        return self.from_sums(weight_rows(weights, len(spans.lengths)) @ self.record_sums(spans))

    def record_sums(self, spans: Spans) -> FloatArray:
        """What each record adds to the sums from which the coefficient follows: records x sums."""
        agreed, lengths, self_pairs = self._per_record(spans)
        return np.column_stack([agreed, self_pairs, lengths])

    def from_sums(self, sums: FloatArray) -> FloatArray:
        """The coefficient from `record_sums`, added up over the records of each resample."""
        totals = sums[:, 2:]
        pairable = totals.sum(axis=1)
        with np.errstate(divide="ignore", invalid="ignore"):
            expected = pairable * (pairable**2 - (totals**2).sum(axis=1)) / (pairable**2 - sums[:, 1])
            alpha = 1 - (pairable - sums[:, 0]) / expected
        return np.where(has_one_category(totals), np.nan, alpha)

    def undefined_reason(self, spans: Spans) -> str | None:
        """Why the coefficient is undefined for these spans, in one sentence; None if it is defined."""
        if spans.was_read.shape[1] < 2:
            return "Agreement needs two coders, and there are fewer."
        if self.sample_counts(spans).units == 0:
            return "No record was read by two coders."
        totals = self._per_record(spans)[1].sum(axis=0)
        if (totals > 0).sum() > 1:
            return None
        if totals[0] > 0 or not totals.any():
            return "Nobody marked anything."
        return (
            "Every coder marked the whole of every record with the same category; no agreement beyond chance can show."
        )

    def sample_counts(self, spans: Spans) -> SampleCounts:
        """The records that two coders or more read, the spans in them, and the other records."""
        is_used = spans.was_read.sum(axis=1) >= 2
        return SampleCounts(int(is_used.sum()), int(is_used[spans.record].sum()), int((~is_used).sum()))

    def _per_record(self, spans: Spans) -> tuple[FloatArray, FloatArray, FloatArray]:
        """For each record: length on which coders agree, length per category (gap first), and length of self-pairs."""
        n_records = len(spans.lengths)
        n_coders = spans.was_read.sum(axis=1)
        is_used = n_coders >= 2
        category = np.zeros_like(spans.category) if self.binary else spans.category
        size = 1 + (1 if self.binary else len(spans.categories))
        record, length, codes = _split_at_boundaries(spans, category)
        agreed = np.bincount(record, length * pair_sums(codes, identity_agreement), minlength=n_records)
        lengths = np.zeros((n_records, size))
        for column in codes.T:
            of_column = np.bincount(
                record * size + np.maximum(column, 0), np.where(column >= 0, length, 0), lengths.size
            )
            lengths += of_column.reshape(lengths.shape)
        self_pairs = np.bincount(spans.record, (spans.end - spans.start) ** 2, minlength=n_records) + lengths[:, 0]
        agreed = np.divide(2 * agreed, n_coders - 1, out=np.zeros(n_records), where=is_used)
        return agreed, lengths * is_used[:, None], self_pairs * is_used


def _split_at_boundaries(spans: Spans, category: IntArray) -> tuple[IntArray, FloatArray, IntArray]:
    """The pieces between boundaries: their record, their length, and each coder's category (gap 0, unread -1)."""
    n_records, n_coders = spans.was_read.shape
    index = np.arange(n_records)
    record = np.concatenate([index, index, spans.record, spans.record])
    position = np.concatenate([np.zeros(n_records), spans.lengths, spans.start, spans.end])
    order = np.lexsort((position, record))
    record, position = record[order], position[order]
    is_new = np.ones(len(order), np.bool_)
    is_new[1:] = (record[1:] != record[:-1]) | (position[1:] != position[:-1])
    boundary = np.empty(len(order), np.intp)
    boundary[order] = np.cumsum(is_new) - 1
    record, position = record[is_new], position[is_new]
    first = 2 * n_records
    starts, ends = np.split(boundary[first:] * n_coders + np.tile(spans.coder, 2), 2)
    steps = np.zeros(len(record) * n_coders, np.intp)
    np.add.at(steps, starts, category + 1)
    np.add.at(steps, ends, -(category + 1))
    is_piece = record[:-1] == record[1:]
    codes = np.cumsum(steps.reshape(-1, n_coders), axis=0)[:-1][is_piece]
    owner, length = record[:-1][is_piece], np.diff(position)[is_piece]
    return owner, length, np.where(spans.was_read[owner], codes, -1)
