"""Pairs of the records of a corpus, for pairwise comparison.

Which of the two stands first is drawn for each pair, so that a study that asks in one order only does not always show
the earlier text first.
"""

from __future__ import annotations

import random
from bisect import bisect
from collections.abc import Sequence
from itertools import accumulate
from typing import Any

from .._internal.ids import digest
from .._internal.text import pluralise
from ..errors import SetupError, nearest
from .record import Record

_MOST = 100_000


def draw_pairs(records: Sequence[Record], n: int | None, seed: int, within: str | None) -> tuple[list[Record], int]:
    """The pairs that `Corpus.pairs` gives, and how many pairs there are in all."""
    groups = _groups(records, within)
    rows = [(group, place) for group in groups.values() for place in range(len(group) - 1)]
    ends = list(accumulate(len(group) - place - 1 for group, place in rows))
    total = ends[-1] if ends else 0
    if not total:
        raise SetupError("there are no two records to be paired" + (f" with the same `{within}`." if within else "."))
    if n is not None and not 0 < n <= total:
        raise SetupError(f"pairs(n={n}): there are {pluralise(total, 'pair')}.")
    if n is None and total > _MOST:
        raise SetupError(f"there are {total:,} pairs; say how many to draw, as in corpus.pairs(500).")
    rng = random.Random(seed)  # noqa: S311  # a sample, not a secret
    chosen: Sequence[int] = range(total) if n is None else sorted(rng.sample(range(total), n))
    found = []
    for number in chosen:
        row = bisect(ends, number)
        group, place = rows[row]
        other = len(group) - (ends[row] - number)
        found.append(_drawn(group[place], group[other], seed, within))
    return found, total


def _groups(records: Sequence[Record], within: str | None) -> dict[str, list[Record]]:
    if within is None:
        return {"": list(records)}
    found: dict[str, list[Record]] = {}
    for record in records:
        value = _value(record, within)
        if value is not None:
            found.setdefault(str(value), []).append(record)
    if not found:
        known = ["cluster", *dict.fromkeys(name for record in records for name in record.metadata)]
        raise SetupError(f"within: no record has a `{within}`; {nearest(within, known)}")
    return found


def _value(record: Record, within: str) -> Any:
    return record.cluster if within == "cluster" else record.metadata.get(within)


def _drawn(a: Record, b: Record, seed: int, within: str | None) -> Record:
    """A pair in an order of its own, which does not depend on the other pairs."""
    swapped = int(digest("pa1", str(seed), a.record_id, b.record_id)[-1], 16) % 2
    first, second = (b, a) if swapped else (a, b)
    shared = {within: _value(a, within)} if within and within != "cluster" else {}
    return Record.pair(first, second, metadata=shared)
