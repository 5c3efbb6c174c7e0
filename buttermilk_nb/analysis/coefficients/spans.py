"""Spans that coders marked in records: reliability data for unitising.

Every record is a continuum of its own length. A coder who read a record and marked nothing says that all of it is a
gap; that is an answer, and not the same as not having read it.
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
    """Who marked what where.

    Parameters
    ----------
    lengths
        The length of each record, in whatever unit the spans are in (characters, words, seconds).
    read
        Records x coders: whether the coder coded the record at all.
    record, coder, category
        Of each span: the index of its record, its coder, and its category.
    start, end
        Of each span: from `start` up to, but not including, `end`, as Python slices count.
    categories
        The declared categories.

    Raises
    ------
    SetupError
        A span lies outside its record, is empty, or overlaps another of the same coder; a coder has spans in a record
        that they did not read.

    Examples
    --------
    >>> spans = Spans.from_records([(100, [[(0, 20, "claim")], [(0, 18, "claim"), (50, 60, "premise")], None])])
    >>> spans.read.tolist(), spans.end.tolist()
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
            Of each record its length and, coder by coder, the spans as (start, end, category); None for a coder who
            did not read it.
        categories
            The declared categories; without them, those that were used, sorted.
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
        read = [[marked is not None for marked in coders] for _, coders in records]
        return cls(
            np.array([length for length, _ in records], np.float64),
            np.array(read, bool).reshape(len(records), len(records[0][1]) if records else 0),
            np.array([span[0] for span in flat], np.intp),
            np.array([span[1] for span in flat], np.intp),
            np.array([span[2] for span in flat], np.float64),
            np.array([span[3] for span in flat], np.float64),
            np.array([names.index(span[4]) for span in flat], np.intp),
            tuple(names),
        )

    def of_category(self, category: str) -> Spans:
        """The spans of one category, all else being a gap."""
        if category not in self.categories:
            raise SetupError(f"there is no category `{category}`; {nearest(category, self.categories)}")
        kept = self.category == self.categories.index(category)
        return replace(
            self,
            record=self.record[kept],
            coder=self.coder[kept],
            start=self.start[kept],
            end=self.end[kept],
            category=np.zeros(int(kept.sum()), np.intp),
            categories=(category,),
        )

    def _problem(self) -> str | None:
        beyond = (self.start < 0) | (self.end > self.lengths[self.record])
        for wrong, what in ((beyond, "lies outside the record"), (self.start >= self.end, "is empty")):
            if wrong.any():
                return f"{self._span_name(int(np.argmax(wrong)))} {what}."
        unread = ~self.was_read[self.record, self.coder]
        if unread.any():
            return f"{self._span_name(int(np.argmax(unread)))} is by a coder who is said not to have read the record."
        order = np.lexsort((self.start, self.coder, self.record))
        record, coder, start, end = (of[order] for of in (self.record, self.coder, self.start, self.end))
        overlap = (record[1:] == record[:-1]) & (coder[1:] == coder[:-1]) & (start[1:] < end[:-1])
        if overlap.any():
            at = int(np.argmax(overlap))
            return (
                f"{self._span_name(int(order[at]))} overlaps the next of the same coder; one place has one category, so "
                "make the Spans of each category by itself."
            )
        return None

    def _span_name(self, i: int) -> str:
        return f"the span {self.start[i]:g}-{self.end[i]:g} of coder {self.coder[i] + 1} in record {self.record[i] + 1}"
