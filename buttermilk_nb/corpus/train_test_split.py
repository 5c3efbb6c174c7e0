"""Parting: a corpus in two, and a record into pieces.

Families stay whole, so that a part that criteria are tuned on tells nothing about the part that they are tried on.
Pieces keep their parent, their place in it and its mark `local_only`; truth and codes were given to the
whole and do not pass to them. Images belong to the whole too, and cannot be cut: such a record is refused, because
a piece without them would not say what the record says.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence

from .._internal.text import pluralise
from ..errors import SetupError
from .near_duplicates import group_related_records
from .record import Record
from .segments import segment_spans


def part_sizes(dev: float | None, test: float | None, total: int) -> tuple[int, int]:
    """The number of records in each part, from shares or numbers of which one may be left out.

    Examples
    --------
    >>> part_sizes(0.25, None, 40), part_sizes(None, 30, 40), part_sizes(5, 5, 40)
    ((10, 30), (10, 30), (5, 5))
    """
    size_test = _size(test, total) if test is not None else total - _size(dev, total)
    shares = isinstance(dev, float) and isinstance(test, float) and math.isclose(dev + test, 1)
    size_dev = _size(dev, total) if dev is not None and not shares else total - size_test
    if size_dev + size_test > total or min(size_dev, size_test) < 0:
        raise SetupError(f"split(dev={dev}, test={test}): that is more than the corpus's {total} records.")
    return size_dev, size_test


def stratified_group_split(
    records: Sequence[Record], stratum: Callable[[Record], str], want: tuple[int, int], seed: int
) -> tuple[list[Record], list[Record]]:
    """Two parts of about the sizes wanted, families whole, strata in proportion; both in corpus order."""
    rng = random.Random(seed)  # noqa: S311  # a sample, not a secret
    strata: dict[str, list[list[int]]] = {}
    for family in group_related_records([_comparable(record) for record in records]):
        strata.setdefault(stratum(records[family[0]]), []).append(family)
    in_dev: set[int] = set()
    in_test: set[int] = set()
    for _, kin in sorted(strata.items()):
        rng.shuffle(kin)
        kin.sort(key=len, reverse=True)  # the large ones first, so that the small ones even out the rest
        here = sum(len(family) for family in kin)
        want_dev, want_test = (size * here / len(records) for size in want)
        got_dev = got_test = 0
        for family in kin:
            if got_test + len(family) <= want_test + 0.5:
                in_test.update(family)
                got_test += len(family)
            elif got_dev + len(family) <= want_dev + len(family) - 0.5:
                in_dev.update(family)
                got_dev += len(family)
    return [records[i] for i in sorted(in_dev)], [records[i] for i in sorted(in_test)]


def pieces(record: Record, by: str) -> list[Record]:
    """The segments of one record.

    Raises
    ------
    SetupError
        It has images.
    """
    if record.images:
        raise SetupError(
            f"record `{record.record_id}` has {pluralise(len(record.images), 'image')}, which cannot be cut with its "
            "text; leave such records out, corpus.filter(lambda record: not record.images), or judge them whole."
        )
    whole = {**dict(record), "ground_truth": {}, "expert_reasons": {}, "labels": {}}
    whole |= {"parent_id": record.record_id, "cluster": record.cluster or record.record_id}
    found = []
    for number, (start, end) in enumerate(segment_spans(record.content, by), 1):
        place = {"record_id": f"{record.record_id}#{number}", "start_offset": start, "end_offset": end}
        found.append(Record(**{**whole, **place, "content": record.content[start:end]}))
    return found


def _size(size: float | None, total: int) -> int:
    if size is None:
        raise SetupError("split() needs the size of at least one part: dev=0.5, or test=30.")
    return round(size * total) if isinstance(size, float) and size <= 1 else int(size)


def _comparable(record: Record) -> Record:
    """Records without text are near-duplicates of each other only where they show the same images."""
    if record.content.strip() or not record.images:
        return record
    return record.model_copy(update={"content": " ".join(image.sha256 for image in record.images)})
