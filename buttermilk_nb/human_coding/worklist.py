"""The list of records that a coder codes, in the coder's own order.

Each coder sees the texts in an order of their own, so that the last texts, coded when people are tired, differ between
coders. The order comes from hashes and not from a shuffled list: if the corpus grows by a record, the other records
keep their order, and a coder who comes back next week continues at the same place.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from typing import Any, Literal, NamedTuple

from .._internal.ids import digest
from ..corpus.corpus import Corpus, require_corpus
from ..corpus.record import Record
from ..errors import SetupError, nearest

Order = Literal["shuffled", "corpus"]


class Item(NamedTuple):
    """One record to code, with its sample and the probability with which it was drawn."""

    record: Record
    sample_id: str | None = None
    inclusion_p: float | None = None


def worklist(
    corpus: Corpus, coder: str, *, order: Order = "shuffled", seed: int | None = None, sample: Any = None
) -> tuple[Item, ...]:
    """The records that a coder codes, in the order of coding.

    Parameters
    ----------
    corpus
        The records.
    coder
        The coder's name.
    order
        `shuffled` is an order of this coder's own; `corpus` is the order of the corpus.
    seed
        Coders with the same seed get the same order. By default, each gets their own.
    sample
        A list of record ids; or a number n, for the first n records in the coder's order; or a frame with the column
        `record_id` and optionally `coder` (only this coder's rows count), `sample_id` and `inclusion_p`.

    Raises
    ------
    SetupError
        The order is not one of these two, a record is not in the corpus or is listed twice, or there is nothing to
        code.

    Examples
    --------
    >>> corpus = Corpus([Record(record_id=name, content=name) for name in "abc"])
    >>> [item.record.record_id for item in worklist(corpus, "kf", order="corpus", sample=2)]
    ['a', 'b']
    """
    require_corpus(corpus, "a coding form")
    if order not in ("shuffled", "corpus"):
        raise SetupError(f"order={order!r}: write `shuffled` (each coder has an order of their own) or `corpus`.")
    order_key = f"coder {coder}" if seed is None else f"seed {seed}"
    records = list(corpus)
    if order == "shuffled":
        records.sort(key=lambda record: digest("wl1", order_key, record.record_id))
    if isinstance(sample, int) and not isinstance(sample, bool):
        if order == "shuffled" and seed is None and sample < len(records):
            warnings.warn(
                f"sample={sample} are texts of `{coder}` alone, because each coder has an order of their own. For the "
                f"same texts for everybody, draw them once (sample=bm.draw_sample(corpus, {sample}, seed=1)), or give "
                "all coders the same seed=...",
                stacklevel=4,
            )
        if not 1 <= sample <= len(records):
            raise SetupError(f"sample={sample}: the corpus has {len(records):,} records; write a number up to that.")
        return tuple(Item(record) for record in records[:sample])
    if sample is None:
        items = tuple(Item(record) for record in records)
    else:
        sampled = _sample_items(sample, coder, corpus)
        items = tuple(sampled[record.record_id] for record in records if record.record_id in sampled)
    if not items:
        raise SetupError("there is nothing to code: the corpus or the sample is empty.")
    return items


def _sample_items(sample: Any, coder: str, corpus: Corpus) -> dict[str, Item]:
    records = {record.record_id: record for record in corpus}
    items: dict[str, Item] = {}
    for row in _sample_rows(sample, coder):
        record_id = str(row["record_id"])
        if record_id not in records:
            raise SetupError(f"sample: the corpus has no record `{record_id}`; {nearest(record_id, records)}")
        if record_id in items:
            raise SetupError(f"sample: record `{record_id}` is listed twice; each record is coded once.")
        sample_id, inclusion_p = row.get("sample_id"), row.get("inclusion_p")
        items[record_id] = Item(
            records[record_id],
            sample_id if isinstance(sample_id, str) else None,
            float(inclusion_p) if inclusion_p is not None and inclusion_p == inclusion_p else None,  # not NaN
        )
    return items


def _sample_rows(sample: Any, coder: str) -> Iterable[Mapping[Any, Any]]:
    if isinstance(sample, str):
        raise SetupError(f'sample={sample!r}: write a list of record ids, such as ["{sample}"], or a number.')
    if isinstance(sample, bool | Mapping) or not (hasattr(sample, "columns") or isinstance(sample, Iterable)):
        raise SetupError(f"sample is a number, a list of record ids or a frame, not {type(sample).__name__}.")
    if not hasattr(sample, "columns"):
        return [{"record_id": name} for name in sample]
    if "record_id" not in sample.columns:
        raise SetupError("sample: the frame has no column `record_id`; `bm.assign_coders` makes such a frame.")
    if "coder" not in sample.columns:
        return list(sample.to_dict("records"))
    coder_rows = sample[sample.coder.isna() | (sample.coder == coder)]
    if not len(coder_rows):
        names = sorted({str(name) for name in sample.coder.dropna()})
        raise SetupError(f"sample: nothing is assigned to `{coder}`; {nearest(coder, names)}")
    return list(coder_rows.to_dict("records"))
