"""Pairs of the records of a corpus, for pairwise comparison.

The order of the two texts is drawn for each pair. So the earlier text of the corpus is not always the first one, even
in a study that shows each pair in one order only.
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

_MAX_PAIRS = 100_000


def draw_pairs(records: Sequence[Record], n: int | None, seed: int, within: str | None) -> tuple[list[Record], int]:
    """The pairs for `Corpus.pairs`, and the number of all possible pairs."""
    groups = _pairing_groups(records, within)
    rows = [(group, place) for group in groups.values() for place in range(len(group) - 1)]
    ends = list(accumulate(len(group) - place - 1 for group, place in rows))
    total = ends[-1] if ends else 0
    if not total:
        raise SetupError("there are no two records to pair" + (f" with the same `{within}`." if within else "."))
    if n is not None and not 0 < n <= total:
        raise SetupError(f"pairs(n={n}): there are {pluralise(total, 'pair')}.")
    if n is None and total > _MAX_PAIRS:
        raise SetupError(f"there are {total:,} pairs; say how many to draw, as in corpus.pairs(500).")
    rng = random.Random(seed)  # noqa: S311  # a sample, not a secret
    pair_numbers: Sequence[int] = range(total) if n is None else sorted(rng.sample(range(total), n))
    pairs = []
    for number in pair_numbers:
        row = bisect(ends, number)
        group, place = rows[row]
        second_place = len(group) - (ends[row] - number)
        pairs.append(_make_pair(group[place], group[second_place], seed, within))
    return pairs, total


def _pairing_groups(records: Sequence[Record], within: str | None) -> dict[str, list[Record]]:
    if within is None:
        return {"": list(records)}
    groups: dict[str, list[Record]] = {}
    for record in records:
        value = _group_value(record, within)
        if value is not None:
            groups.setdefault(str(value), []).append(record)
    if not groups:
        fields = ["cluster", *dict.fromkeys(name for record in records for name in record.metadata)]
        raise SetupError(f"within: no record has a `{within}`; {nearest(within, fields)}")
    return groups


def _group_value(record: Record, within: str) -> Any:
    return record.cluster if within == "cluster" else record.metadata.get(within)


def _make_pair(a: Record, b: Record, seed: int, within: str | None) -> Record:
    """A pair of two records. Its order does not depend on the other pairs."""
    is_swapped = int(digest("pa1", str(seed), a.record_id, b.record_id)[-1], 16) % 2
    first, second = (b, a) if is_swapped else (a, b)
    metadata = {within: _group_value(a, within)} if within and within != "cluster" else {}
    return Record.pair(first, second, metadata=metadata)
