"""Train/test split of a corpus that keeps related records together.

Related records (one cluster, one parent, or near-duplicates) are always in the same part. So the part on which criteria
are developed reveals nothing about the part on which they are tested.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence

from ..errors import SetupError
from .near_duplicates import group_related_records
from .record import Record


def part_sizes(dev: float | None, test: float | None, total: int) -> tuple[int, int]:
    """The number of records in each part, from shares or numbers. One of the two may be None.

    Examples
    --------
    >>> part_sizes(0.25, None, 40), part_sizes(None, 30, 40), part_sizes(5, 5, 40)
    ((10, 30), (10, 30), (5, 5))
    """
    size_test = _part_size(test, total) if test is not None else total - _part_size(dev, total)
    sums_to_one = isinstance(dev, float) and isinstance(test, float) and math.isclose(dev + test, 1)
    size_dev = _part_size(dev, total) if dev is not None and not sums_to_one else total - size_test
    if size_dev + size_test > total or min(size_dev, size_test) < 0:
        raise SetupError(f"split(dev={dev}, test={test}): the corpus has only {total} records.")
    return size_dev, size_test


def stratified_group_split(
    records: Sequence[Record], stratum: Callable[[Record], str], sizes: tuple[int, int], seed: int
) -> tuple[list[Record], list[Record]]:
    """Two parts of about these sizes, in corpus order, with related records together and strata in proportion."""
    rng = random.Random(seed)  # noqa: S311  # a sample, not a secret
    strata: dict[str, list[list[int]]] = {}
    for group in group_related_records([_with_image_text(record) for record in records]):
        strata.setdefault(stratum(records[group[0]]), []).append(group)
    in_dev: set[int] = set()
    in_test: set[int] = set()
    for _, groups in sorted(strata.items()):
        rng.shuffle(groups)
        groups.sort(key=len, reverse=True)  # large groups first, so that small ones fill the remaining places
        n_records = sum(len(group) for group in groups)
        target_dev, target_test = (size * n_records / len(records) for size in sizes)
        n_dev = n_test = 0
        for group in groups:
            if n_test + len(group) <= target_test + 0.5:
                in_test.update(group)
                n_test += len(group)
            elif n_dev + len(group) <= target_dev + len(group) - 0.5:
                in_dev.update(group)
                n_dev += len(group)
    return [records[i] for i in sorted(in_dev)], [records[i] for i in sorted(in_test)]


def _part_size(size: float | None, total: int) -> int:
    if size is None:
        raise SetupError("split() needs the size of at least one part: dev=0.5 or test=30.")
    return round(size * total) if isinstance(size, float) and size <= 1 else int(size)


def _with_image_text(record: Record) -> Record:
    """The record, with the hashes of its images as content if it has no text. So the same images are duplicates."""
    if record.content.strip() or not record.images:
        return record
    return record.model_copy(update={"content": " ".join(image.sha256 for image in record.images)})
