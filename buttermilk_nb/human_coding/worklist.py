"""What a coder has to do, and in which order.

Each coder sees the texts in an order of their own, so that what comes late, when one is tired, is not the same text
for all. The order comes from hashes and not from a shuffled list: a corpus that grows by a record keeps the order
of the others, and a coder who comes back next week goes on where they were.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal, NamedTuple

from .._internal.ids import digest
from ..corpus.corpus import Corpus, require_corpus
from ..corpus.record import Record
from ..errors import SetupError, nearest

Order = Literal["shuffled", "corpus"]


class Item(NamedTuple):
    """One record to be coded, and how it came into the sample."""

    record: Record
    sample_id: str | None = None
    inclusion_p: float | None = None


def worklist(
    corpus: Corpus, coder: str, *, order: Order = "shuffled", seed: int | None = None, sample: Any = None
) -> tuple[Item, ...]:
    """The records that a coder codes, in their order.

    Parameters
    ----------
    corpus
        The records.
    coder
        Whose list it is.
    order
        `shuffled`, in an order that belongs to this coder, or as in the `corpus`.
    seed
        Gives coders with the same seed the same order; None gives each their own.
    sample
        A list of record ids; a number, for the first so many of the order; or a frame with the column `record_id`
        and, where there are, `coder` (only this coder's rows are taken), `sample_id` and `inclusion_p`.

    Raises
    ------
    SetupError
        The order is none of the two, a record is not in the corpus or stands twice, or nothing is left to code.

    Examples
    --------
    >>> corpus = Corpus([Record(record_id=name, content=name) for name in "abc"])
    >>> [item.record.record_id for item in worklist(corpus, "kf", order="corpus", sample=2)]
    ['a', 'b']
    """
    require_corpus(corpus, "a coding form")
    if order not in ("shuffled", "corpus"):
        raise SetupError(f"order={order!r}: write `shuffled` (each coder in an order of their own) or `corpus`.")
    mark = f"coder {coder}" if seed is None else f"seed {seed}"
    records = list(corpus)
    if order == "shuffled":
        records.sort(key=lambda record: digest("wl1", mark, record.record_id))
    if isinstance(sample, int) and not isinstance(sample, bool):
        if not 1 <= sample <= len(records):
            raise SetupError(f"sample={sample}: the corpus has {len(records):,} records; write a number up to that.")
        return tuple(Item(record) for record in records[:sample])
    if sample is None:
        found = tuple(Item(record) for record in records)
    else:
        drawn = _drawn(sample, coder, corpus)
        found = tuple(drawn[record.record_id] for record in records if record.record_id in drawn)
    if not found:
        raise SetupError("there is nothing to code: the corpus or the sample is empty.")
    return found


def _drawn(sample: Any, coder: str, corpus: Corpus) -> dict[str, Item]:
    records = {record.record_id: record for record in corpus}
    found: dict[str, Item] = {}
    for row in _rows(sample, coder):
        name = str(row["record_id"])
        if name not in records:
            raise SetupError(f"sample: the corpus has no record `{name}`; {nearest(name, records)}")
        if name in found:
            raise SetupError(f"sample: record `{name}` stands there twice; each record is coded once.")
        sample_id, inclusion_p = row.get("sample_id"), row.get("inclusion_p")
        found[name] = Item(
            records[name],
            sample_id if isinstance(sample_id, str) else None,
            float(inclusion_p) if inclusion_p is not None and inclusion_p == inclusion_p else None,  # not NaN
        )
    return found


def _rows(sample: Any, coder: str) -> Iterable[Mapping[Any, Any]]:
    if isinstance(sample, str):
        raise SetupError(f'sample={sample!r}: write a list of record ids, such as ["{sample}"], or a number.')
    if not hasattr(sample, "columns"):
        return [{"record_id": name} for name in sample]
    if "record_id" not in sample.columns:
        raise SetupError("sample: the frame has no column `record_id`; `assign` makes such a frame.")
    if "coder" not in sample.columns:
        return list(sample.to_dict("records"))
    own = sample[sample.coder.isna() | (sample.coder == coder)]
    if not len(own):
        names = sorted({str(name) for name in sample.coder.dropna()})
        raise SetupError(f"sample: nothing is assigned to `{coder}`; {nearest(coder, names)}")
    return list(own.to_dict("records"))
