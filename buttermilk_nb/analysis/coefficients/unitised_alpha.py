"""Krippendorff's alpha for unitising: agreement on where spans begin and end, and on their categories.

The records are cut at every boundary that any coder set. Between two cuts each coder has one category, or a gap, so
that observed coincidences are lengths on which two coders say the same: sums over records, like every other
coefficient here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from .agreement_counts import has_one_category, identity_agreement as same, pair_sums
from .arrays import FloatArray, IntArray
from .base import SampleCounts, weight_rows
from .spans import Spans


@dataclass(frozen=True)
class UnitisedAlpha:
    """Krippendorff's alpha for unitising, over all categories or for spans against gaps.

    As revised by Krippendorff, Mathet, Bouvry and Widlöcher (2016) and in Krippendorff (2019, 12.6); the alpha-U of
    1995 and 2004, squared differences of boundaries, is another coefficient. Each record is a continuum; coincidences
    and lengths are summed over records, so weights are records' multiplicities. In the expected disagreement a span
    is not paired with itself, and gaps are taken point by point. A record that fewer than two coders read is dropped.
    Agreement on one category against all else is that of `spans.of_category(category)`; it is not the book's (k)u-alpha,
    which considers only places that both coders marked.

    Parameters
    ----------
    binary
        False: each category and the gaps are told apart. True: only spans from gaps.

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
            What was marked.
        weights
            Resamples x records: how often each record counts. None is one row of ones.

        Returns
        -------
        numpy.ndarray
            One number per row of weights, NaN where it is undefined.
        """
        rows = weight_rows(weights, len(spans.lengths))
        agreed, lengths, selves = self._per_record(spans)
        sums = rows @ np.column_stack([agreed, selves, lengths])
        totals = sums[:, 2:]
        pairable = totals.sum(axis=1)
        with np.errstate(divide="ignore", invalid="ignore"):
            expected = pairable * (pairable**2 - (totals**2).sum(axis=1)) / (pairable**2 - sums[:, 1])
            found = 1 - (pairable - sums[:, 0]) / expected
        return np.where(has_one_category(totals), np.nan, found)

    def undefined_reason(self, spans: Spans) -> str | None:
        """Why the coefficient is undefined for these spans, in one sentence; None where it is defined."""
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
        """The records that two coders read or more, the spans in them, and the records left out."""
        kept = spans.was_read.sum(axis=1) >= 2
        return SampleCounts(int(kept.sum()), int(kept[spans.record].sum()), int((~kept).sum()))

    def _per_record(self, spans: Spans) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Of each record: length on which coders agree, length per category (gap first), and what pairs with itself."""
        records = len(spans.lengths)
        coders = spans.was_read.sum(axis=1)
        kept = coders >= 2
        category = np.zeros_like(spans.category) if self.binary else spans.category
        size = 1 + (1 if self.binary else len(spans.categories))
        record, length, said = _split_at_boundaries(spans, category)
        agreed = np.bincount(record, length * pair_sums(said, same), minlength=records)
        lengths = np.zeros((records, size))
        for column in said.T:
            np.add.at(lengths, (record, column), np.where(column >= 0, length, 0))
        selves = np.bincount(spans.record, (spans.end - spans.start) ** 2, minlength=records) + lengths[:, 0]
        agreed = np.divide(2 * agreed, coders - 1, out=np.zeros(records), where=kept)
        return agreed, lengths * kept[:, None], selves * kept


def _split_at_boundaries(spans: Spans, category: IntArray) -> tuple[IntArray, FloatArray, IntArray]:
    """The pieces between boundaries: their record, their length, and what each coder says there (gap 0, unread -1)."""
    records, coders = spans.was_read.shape
    index = np.arange(records)
    record = np.concatenate([index, index, spans.record, spans.record])
    place = np.concatenate([np.zeros(records), spans.lengths, spans.start, spans.end])
    order = np.lexsort((place, record))
    cuts, inverse = np.unique(np.stack([record[order], place[order]]), axis=1, return_inverse=True)
    at = np.empty(len(order), np.intp)
    at[order] = inverse.ravel()
    steps = np.zeros((cuts.shape[1] + 1, coders), np.intp)
    first = 2 * records
    np.add.at(steps, (at[first : first + len(category)], spans.coder), category + 1)
    np.add.at(steps, (at[first + len(category) :], spans.coder), -(category + 1))
    owner = cuts[0].astype(np.intp)
    inside = owner[:-1] == owner[1:]
    said = np.cumsum(steps[:-1], axis=0)[:-1][inside]
    owner, length = owner[:-1][inside], np.diff(cuts[1])[inside]
    return owner, length, np.where(spans.was_read[owner], said, -1)
