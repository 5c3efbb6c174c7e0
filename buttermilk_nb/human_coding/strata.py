"""Strata, their sizes in a sample, and the draw: every kind of sample here is a stratified one.

A record's place in the draw comes from a hash of the seed and its id (a permanent random number: Ohlsson 1995), so that
neither the order of the corpus nor the version of Python matters, and a larger sample of the same seed holds the
smaller one. Sizes go by whole records, so that each probability is exact: n / N of its stratum.
"""

from __future__ import annotations

import hashlib
import heapq
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from .._internal.text import pluralise
from ..analysis.shared.modes import modal_ratings
from ..analysis.shared.ratings_frame import prepare_ratings
from ..analysis.shared.ratings_groups import ratings_groups
from ..corpus.record import Record
from ..errors import SetupError, nearest

if TYPE_CHECKING:
    import pandas as pd

REST = "others"
NONE = "(none)"
"""The stratum of records that have no value in the field."""


class StratifiedSample(NamedTuple):
    """One record that was drawn."""

    place: int
    """Its place among the records that were drawn from."""
    stratum: str
    inclusion_p: float


def draw(
    ids: Sequence[str], strata: Sequence[str], weights: Mapping[str, float], n: int, seed: int
) -> list[StratifiedSample]:
    """Draw `n` of the records without replacement, in random order.

    Parameters
    ----------
    ids, strata
        The id of each record, and its stratum.
    weights
        How large each stratum should be in the sample, in proportion.
    n, seed
        How many, and which of the possible samples.

    Examples
    --------
    >>> drawn = draw(list("abcdef"), ["x", "x", "y", "y", "y", "y"], {"x": 1, "y": 1}, 4, seed=1)
    >>> sorted((one.stratum, one.inclusion_p) for one in drawn)
    [('x', 1.0), ('x', 1.0), ('y', 0.5), ('y', 0.5)]
    """
    sizes = Counter(strata)
    wanted = allocated(sizes, weights, n)
    inside: dict[str, list[int]] = {stratum: [] for stratum in sizes}
    for place, stratum in enumerate(strata):
        inside[stratum].append(place)
    chosen = [
        StratifiedSample(place, stratum, wanted[stratum] / sizes[stratum])
        for stratum, places in inside.items()
        for place in sorted(places, key=lambda one: _number(seed, ids[one]))[: wanted[stratum]]
    ]
    return sorted(chosen, key=lambda one: _number(seed, "in what order", ids[one.place]))


def allocated(sizes: Mapping[str, int], weights: Mapping[str, float], n: int) -> dict[str, int]:
    """How many records of each stratum: one at least, all at most, else in proportion to the weights.

    Each further record goes to the stratum that is the furthest behind (the method of Webster and Sainte-Laguë), so
    that no stratum shrinks when the sample grows.

    Raises
    ------
    SetupError
        There are more strata than records in the sample, or fewer records than it should have.

    Examples
    --------
    >>> allocated({"a": 70, "b": 29, "c": 1}, {"a": 70, "b": 29, "c": 1}, 10)
    {'a': 6, 'b': 3, 'c': 1}
    >>> allocated({"rare": 4, "common": 96}, {"rare": 1, "common": 1}, 20)
    {'rare': 4, 'common': 16}
    """
    total = sum(sizes.values())
    if not 1 <= n <= total:
        raise SetupError(f"n={n}: the sample can have 1 to {total:,} records, since the corpus has {total:,}.")
    if n < len(sizes):
        raise SetupError(
            f"n={n}: there are {len(sizes):,} strata, and each needs one record at least; draw more, or part the "
            "corpus by a coarser field."
        )
    found = dict.fromkeys(sizes, 1)
    waiting = [(-weights[one] / 3, at, one) for at, one in enumerate(sizes) if sizes[one] > 1]
    heapq.heapify(waiting)
    for _ in range(n - len(sizes)):
        _, at, one = heapq.heappop(waiting)
        found[one] += 1
        if found[one] < sizes[one]:
            heapq.heappush(waiting, (-weights[one] / (2 * found[one] + 1), at, one))
    return found


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
    known = sorted({name for record in records for name in record.metadata})
    for name in fields:
        if name not in known:
            raise SetupError(f"by: no record has the metadata `{name}`; {nearest(name, known)}")
    values = ([record.metadata.get(name) for name in fields] for record in records)
    return [" · ".join(NONE if value is None or value == "" else str(value) for value in row) for row in values]


def by_answers(
    records: Sequence[Record], ratings: pd.DataFrame, criterion: str | None, method: str
) -> tuple[str, list[str]]:
    """The criterion, and the stratum of each record: whether instruments flagged it, or disagree on it, or neither.

    Parameters
    ----------
    records
        What is drawn from.
    ratings
        The long frame; people's codes in it are not read.
    criterion
        Which one, where there are several.
    method
        `boosted`: flagged by an instrument, in a replicate at least. `disagreement`: two instruments differ, each taken
        at what most of its replicates say; in the flag where one is declared, else in the answer.

    Raises
    ------
    SetupError
        No instrument answered; all records, or none, are such; criteria or wordings would be pooled.
    """
    found = prepare_ratings(ratings)
    found = found[found.kind != "human"]
    known = list(found.criterion.unique())
    if criterion is None and len(known) > 1:
        raise SetupError(f"ratings: there are {len(known)} criteria; choose one, criterion={known[0]!r}.")
    if criterion is not None:
        found = found[found.criterion == criterion]
        if not len(found):
            raise SetupError(f"criterion: no instrument answered `{criterion}`; {nearest(criterion, known)}")
    found = found[found.record_id.isin([record.record_id for record in records])]
    if not len(found):
        raise SetupError(f"method `{method}` needs answers of instruments on these records, and `ratings` has none.")
    (_, part), *_ = ratings_groups(found, [])
    name = str(part.criterion.iloc[0])
    flags = part.flagged[part.usable].astype("boolean")
    if method == "boosted":
        if not flags.notna().any():
            raise SetupError(f"criterion `{name}` has no flag, so nothing says which records are rare; declare one.")
        word = "flagged"
        such = set(part.record_id[part.usable][flags.fillna(value=False).astype(bool)])
    else:
        word = "disagreement"
        said = modal_ratings(part)
        said = said[said.usable]
        answer = said.flagged if flags.notna().any() else said.category.where(said.category.notna(), said.value)
        such = {one for one, n in answer.astype(object).groupby(said.record_id).nunique().items() if n > 1}
    if not 0 < len(such) < len(records):
        raise SetupError(
            f"criterion `{name}`: {pluralise(len(such), 'record')} of {len(records):,} would be in the stratum "
            f'`{word}`, so there is nothing to draw more often; write method="random".'
        )
    return name, [word if record.record_id in such else REST for record in records]


def _number(seed: int, *words: str) -> bytes:
    """A random number that is always the same for a seed and an id."""
    return hashlib.sha256("\0".join((str(seed), *words)).encode()).digest()
