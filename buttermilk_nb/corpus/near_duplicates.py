"""Groups of related records: the same cluster, the same parent, or nearly the same text.

Near-duplicates are found with MinHash over character 5-grams (Broder 1997) from the datasketch library, which also
works for scripts without spaces. Candidates are then compared exactly, by the Jaccard similarity of their 5-grams. Two
texts with a similarity of 0.6 or more are near-duplicates.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence

from .record import Record

_GRAM_LENGTH = 5
_MIN_SIMILARITY = 0.6


def group_related_records(records: Sequence[Record]) -> list[list[int]]:
    """The positions of the records, in groups of related ones. A record without related records is a group of its own.

    Examples
    --------
    >>> texts = ["The harbour was closed on Monday.", "The harbour was closed on Sunday.", "Rain."]
    >>> group_related_records([Record(content=text) for text in texts])
    [[0, 1], [2]]
    """
    from scipy.cluster.hierarchy import DisjointSet  # slow to import, like datasketch

    sets = DisjointSet(range(len(records)))
    first_places: dict[str, int] = {}
    for i, record in enumerate(records):
        for kind, value in (("cluster", record.cluster), ("parent", record.parent_id)):
            if value:
                sets.merge(first_places.setdefault(f"{kind} {value}", i), i)
    for i, j in near_duplicates([record.content for record in records]):
        sets.merge(i, j)
    return sorted(sorted(group) for group in sets.subsets())


def near_duplicates(texts: Sequence[str]) -> list[tuple[int, int]]:
    """The positions of each two texts that are nearly the same."""
    from datasketch import MinHash, MinHashLSH  # brings scipy: 0.5 s

    index = MinHashLSH(threshold=0.5, num_perm=64)
    grams = [_character_grams(text) for text in texts]
    pairs = []
    for i, own in enumerate(grams):
        sketch = MinHash(num_perm=64, seed=1, hashfunc=zlib.crc32)
        sketch.update_batch([gram.encode("utf-8", "surrogatepass") for gram in own])
        candidates = sorted(index.query(sketch))
        pairs += [(j, i) for j in candidates if len(own & grams[j]) >= _MIN_SIMILARITY * len(own | grams[j])]
        index.insert(i, sketch)
    return pairs


def _character_grams(text: str) -> set[str]:
    flat = " ".join(text.casefold().split())
    return {flat[i : i + _GRAM_LENGTH] for i in range(max(1, len(flat) - _GRAM_LENGTH + 1))}
