"""Spans that coders marked in records: the reliability data for unitising.

Every record is a continuum of its own length. If a coder read a record and marked nothing, all of it is a gap: this is
an answer, and not the same as not having read it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ...errors import SetupError, nearest

CoderSpans = Sequence[tuple[float, float, str]]


@dataclass(frozen=True, eq=False)
class Spans:
    """The spans of all coders in all records.

    Parameters
    ----------
    lengths
        The length of each record, in the unit of the spans (characters, words, seconds).
    was_read
        Records x coders: whether the coder coded the record at all.
    record, coder, category
        For each span the index of its record, its coder, and its category.
    start, end
        For each span its start, and its exclusive end, as in Python slices.
    categories
        The declared categories.

    Raises
    ------
    SetupError
        A span is outside its record, is empty, or overlaps another of the same coder; a coder has spans in a record
        that they did not read.

    Examples
    --------
    >>> spans = Spans.from_records([(100, [[(0, 20, "claim")], [(0, 18, "claim"), (50, 60, "premise")], None])])
    >>> spans.was_read.tolist(), spans.end.tolist()
    ([[True, True, False]], [20.0, 18.0, 60.0])
    """

    lengths: NDArray[np.float64]
    was_read: NDArray[np.bool_]
    record: NDArray[np.intp]
    coder: NDArray[np.intp]
    start: NDArray[np.float64]
    end: NDArray[np.float64]
    category: NDArray[np.intp]
    categories: tuple[str, ...]

    def __post_init__(self) -> None:
        if problem := self._problem():
            raise SetupError(problem)

    @classmethod
    def from_records(
        cls, records: Sequence[tuple[float, Sequence[CoderSpans | None]]], categories: Sequence[str] | None = None
    ) -> Spans:
        """Spans from a list of records.

        Parameters
        ----------
        records
            For each record its length and, coder by coder, the spans as (start, end, category); None for a coder who
            did not read it.
        categories
            The declared categories; by default the used ones, sorted.
        """
        if len({len(coders) for _, coders in records}) > 1:
            raise SetupError("every record needs an entry for each coder; write None for one who did not read it.")
        flat = [
            (record, coder, float(start), float(end), category)
            for record, (_, coders) in enumerate(records)
            for coder, marked in enumerate(coders)
            for start, end, category in marked or ()
        ]
        names = sorted({span[4] for span in flat}) if categories is None else list(categories)
        for span in flat:
            if span[4] not in names:
                raise SetupError(f"there is no category `{span[4]}`; {nearest(span[4], names)}")
        was_read = [[marked is not None for marked in coders] for _, coders in records]
        return cls(
            np.array([length for length, _ in records], np.float64),
            np.array(was_read, bool).reshape(len(records), len(records[0][1]) if records else 0),
            np.array([span[0] for span in flat], np.intp),
            np.array([span[1] for span in flat], np.intp),
            np.array([span[2] for span in flat], np.float64),
            np.array([span[3] for span in flat], np.float64),
            np.array([names.index(span[4]) for span in flat], np.intp),
            tuple(names),
        )

    def of_category(self, category: str) -> Spans:
        """The spans of one category; the others become gaps."""
        if category not in self.categories:
            raise SetupError(f"there is no category `{category}`; {nearest(category, self.categories)}")
        is_selected = self.category == self.categories.index(category)
        return replace(
            self,
            record=self.record[is_selected],
            coder=self.coder[is_selected],
            start=self.start[is_selected],
            end=self.end[is_selected],
            category=np.zeros(int(is_selected.sum()), np.intp),
            categories=(category,),
        )

    def _problem(self) -> str | None:
        is_outside = (self.start < 0) | (self.end > self.lengths[self.record])
        is_unread = ~self.was_read[self.record, self.coder]
        for is_wrong, problem in (
            (is_outside, "is outside the record"),
            (self.start >= self.end, "is empty"),
            (is_unread, "is by a coder who did not read the record, according to `was_read`"),
        ):
            if is_wrong.any():
                return f"{self._span_name(int(np.argmax(is_wrong)))} {problem}."
        order = np.lexsort((self.start, self.coder, self.record))
        record, coder, start, end = (values[order] for values in (self.record, self.coder, self.start, self.end))
        overlap = (record[1:] == record[:-1]) & (coder[1:] == coder[:-1]) & (start[1:] < end[:-1])
        if overlap.any():
            first = int(order[int(np.argmax(overlap))])
            return (
                f"{self._span_name(first)} overlaps the next of the same coder; a position has one category, so make "
                "the Spans of each category by itself."
            )
        return None

    def _span_name(self, i: int) -> str:
        return f"the span {self.start[i]:g}-{self.end[i]:g} of coder {self.coder[i] + 1} in record {self.record[i] + 1}"
