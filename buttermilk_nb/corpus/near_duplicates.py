"""Group the records that a split must keep together: the same cluster, or nearly the same text.

Near-duplicates are found with MinHash over character 5-grams (Broder 1997) in the datasketch
library, so that no script needs spaces. What looks alike is then compared exactly, by the Jaccard
similarity of the grams; two texts are near-duplicates from 0.6 on.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence

from .record import Record

_GRAM = 5
_SIMILAR = 0.6


def group_related_records(records: Sequence[Record]) -> list[list[int]]:
    """Positions of the records in groups that must not be split; a record related to no other is alone.

    Examples
    --------
    >>> texts = ["The harbour was closed on Monday.", "The harbour was closed on Sunday.", "Rain."]
    >>> group_related_records([Record(content=text) for text in texts])
    [[0, 1], [2]]
    """
    from scipy.cluster.hierarchy import DisjointSet  # slow to import, like datasketch

    sets = DisjointSet(range(len(records)))
    first_with: dict[str, int] = {}
    for i, record in enumerate(records):
        for kind, value in (("cluster", record.cluster), ("parent", record.parent_id)):
            if value:
                sets.merge(first_with.setdefault(f"{kind} {value}", i), i)
    for i, j in near_duplicates([record.content for record in records]):
        sets.merge(i, j)
    return sorted(sorted(group) for group in sets.subsets())


def near_duplicates(texts: Sequence[str]) -> list[tuple[int, int]]:
    """Pairs of positions whose texts are nearly the same."""
    from datasketch import MinHash, MinHashLSH  # brings scipy: 0.5 s

    index = MinHashLSH(threshold=0.5, num_perm=64)
    grams = [_grams(text) for text in texts]
    pairs = []
    for i, own in enumerate(grams):
        sketch = MinHash(num_perm=64, seed=1, hashfunc=zlib.crc32)
        sketch.update_batch([gram.encode("utf-8", "surrogatepass") for gram in own])
        alike = [j for j in sorted(index.query(sketch)) if len(own & grams[j]) >= _SIMILAR * len(own | grams[j])]
        pairs += [(j, i) for j in alike]
        index.insert(i, sketch)
    return pairs


def _grams(text: str) -> set[str]:
    flat = " ".join(text.casefold().split())
    return {flat[i : i + _GRAM] for i in range(max(1, len(flat) - _GRAM + 1))}
