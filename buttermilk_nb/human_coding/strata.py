"""Strata, their sizes in a sample, and the draw. Every sample here is a stratified one.

A record's position in the draw comes from a hash of the seed and its id (a permanent random number: Ohlsson 1995). So
neither the order of the corpus nor the version of Python matters, and a larger sample with the same seed contains the
smaller one. Sizes are whole numbers of records, so that each probability is exact: n / N of its stratum.
"""

from __future__ import annotations

import hashlib
import heapq
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from .._internal.text import pluralise
from ..analysis.shared.modes import modal_ratings
from ..analysis.shared.ratings_frame import prepare_ratings
from ..analysis.shared.ratings_groups import ratings_groups
from ..corpus.record import Record
from ..errors import SetupError, nearest

if TYPE_CHECKING:
    import pandas as pd

OTHER_RECORDS = "others"
"""The stratum of records that are not drawn more often."""
NO_VALUE = "(none)"
"""The stratum of records that have no value in the field."""


class DrawnRecord(NamedTuple):
    """One drawn record."""

    place: int
    """The record's position among all records, counted from 0."""
    stratum: str
    inclusion_p: float


def draw(
    ids: Sequence[str], strata: Sequence[str], weights: Mapping[str, float], n: int, seed: int
) -> list[DrawnRecord]:
    """Draw `n` of the records without replacement, in random order.

    Parameters
    ----------
    ids, strata
        The id of each record, and its stratum.
    weights
        The size of each stratum in the sample, in proportion to the others.
    n, seed
        The number of records to draw, and the seed.

    Examples
    --------
    >>> drawn = draw(list("abcdef"), ["x", "x", "y", "y", "y", "y"], {"x": 1, "y": 1}, 4, seed=1)
    >>> sorted((record.stratum, record.inclusion_p) for record in drawn)
    [('x', 1.0), ('x', 1.0), ('y', 0.5), ('y', 0.5)]
    """
    sizes = Counter(strata)
    sample_sizes = allocate(sizes, weights, n)
    places_in: dict[str, list[int]] = {stratum: [] for stratum in sizes}
    for place, stratum in enumerate(strata):
        places_in[stratum].append(place)
    drawn_records = [
        DrawnRecord(place, stratum, sample_sizes[stratum] / sizes[stratum])
        for stratum, places in places_in.items()
        for place in sorted(places, key=lambda place: _random_number(seed, ids[place]))[: sample_sizes[stratum]]
    ]
    return sorted(drawn_records, key=lambda record: _random_number(seed, "in what order", ids[record.place]))


def allocate(sizes: Mapping[str, int], weights: Mapping[str, float], n: int) -> dict[str, int]:
    """The number of records of each stratum: at least one, at most all, otherwise in proportion to the weights.

    Each further record goes to the stratum that is furthest behind (the method of Webster and Sainte-Laguë), so that no
    stratum shrinks when the sample grows.

    Raises
    ------
    SetupError
        There are more strata than records in the sample, or fewer records than it should have.

    Examples
    --------
    >>> allocate({"a": 70, "b": 29, "c": 1}, {"a": 70, "b": 29, "c": 1}, 10)
    {'a': 6, 'b': 3, 'c': 1}
    >>> allocate({"rare": 4, "common": 96}, {"rare": 1, "common": 1}, 20)
    {'rare': 4, 'common': 16}
    """
    total = sum(sizes.values())
    if not 1 <= n <= total:
        raise SetupError(f"n={n}: the sample can have 1 to {total:,} records, since the corpus has {total:,}.")
    if n < len(sizes):
        raise SetupError(
            f"n={n}: there are {len(sizes):,} strata, and each needs at least one record; draw more records, or divide "
            "the corpus by a field with fewer values."
        )
    sample_sizes = dict.fromkeys(sizes, 1)
    queue = [(-weights[stratum] / 3, i, stratum) for i, stratum in enumerate(sizes) if sizes[stratum] > 1]
    heapq.heapify(queue)
    for _ in range(n - len(sizes)):
        _, i, stratum = heapq.heappop(queue)
        sample_sizes[stratum] += 1
        if sample_sizes[stratum] < sizes[stratum]:
            heapq.heappush(queue, (-weights[stratum] / (2 * sample_sizes[stratum] + 1), i, stratum))
    return sample_sizes


def by_fields(records: Sequence[Record], fields: Sequence[str]) -> list[str]:
    """The stratum of each record: its values in the fields.

    Raises
    ------
    SetupError
        No record has such a field.

    Examples
    --------
    >>> by_fields([Record(content="One.", outlet="Bell"), Record(content="Two.", outlet=None)], ["outlet"])
    ['Bell', '(none)']
    """
    metadata_names = sorted({name for record in records for name in record.metadata})
    for name in fields:
        if name not in metadata_names:
            raise SetupError(f"by: no record has the metadata `{name}`; {nearest(name, metadata_names)}")
    rows = ([record.metadata.get(name) for name in fields] for record in records)
    return [" · ".join(NO_VALUE if value is None or value == "" else str(value) for value in row) for row in rows]


def by_answers(
    records: Sequence[Record], ratings: pd.DataFrame, criterion: str | None, method: str
) -> tuple[str, list[str]]:
    """The criterion, and the stratum of each record by the answers of instruments.

    Parameters
    ----------
    records
        The records to draw from.
    ratings
        The long frame of ratings. People's codes in it are ignored.
    criterion
        The criterion, needed if there are several.
    method
        `boosted`: an instrument flagged the record in at least one replicate. `disagreement`: two instruments disagree,
        each with the answer of most of its replicates. The flags are compared if the criterion declares one, otherwise
        the answers.

    Raises
    ------
    SetupError
        No instrument answered; all records or no records are in the stratum; or criteria or wordings would be pooled.
    """
    frame = prepare_ratings(ratings)
    frame = frame[frame.kind != "human"]
    criteria = list(frame.criterion.unique())
    if criterion is None and len(criteria) > 1:
        raise SetupError(f"ratings: there are {len(criteria)} criteria; choose one, criterion={criteria[0]!r}.")
    if criterion is not None:
        frame = frame[frame.criterion == criterion]
        if not len(frame):
            raise SetupError(f"criterion: no instrument answered `{criterion}`; {nearest(criterion, criteria)}")
    frame = frame[frame.record_id.isin([record.record_id for record in records])]
    if not len(frame):
        raise SetupError(
            f"method `{method}` needs answers of instruments on these records, but `ratings` contains no such answers."
        )
    (_, frame), *_ = ratings_groups(frame, [])
    name = str(frame.criterion.iloc[0])
    stratum, record_ids = (
        ("flagged", _flagged_ids(frame)) if method == "boosted" else ("disagreement", _split_ids(frame))
    )
    if not 0 < len(record_ids) < len(records):
        raise SetupError(
            f"criterion `{name}`: {pluralise(len(record_ids), 'record')} of {len(records):,} would be in the stratum "
            f'`{stratum}`, so there is nothing to draw more often; write method="random".'
        )
    return name, [stratum if record.record_id in record_ids else OTHER_RECORDS for record in records]


def _flagged_ids(frame: pd.DataFrame) -> set[Any]:
    """The records that an instrument flagged in at least one replicate."""
    flags = frame.flagged[frame.usable].astype("boolean")
    if not flags.notna().any():
        name = frame.criterion.iloc[0]
        raise SetupError(f"criterion `{name}` has no flag, so the rare records are not known; declare a flag.")
    return set(frame.record_id[frame.usable][flags.fillna(value=False).astype(bool)])


def _split_ids(frame: pd.DataFrame) -> set[Any]:
    """The records on which two instruments disagree."""
    has_flags = frame.flagged[frame.usable].notna().any()
    votes = modal_ratings(frame)
    votes = votes[votes.usable]
    answers = votes.flagged if has_flags else votes.category.where(votes.category.notna(), votes.value)
    n_answers = answers.astype(object).groupby(votes.record_id).nunique()
    return set(n_answers[n_answers > 1].index)


def _random_number(seed: int, *words: str) -> bytes:
    """A random number that is always the same for a seed and an id."""
    return hashlib.sha256("\0".join((str(seed), *words)).encode()).digest()
