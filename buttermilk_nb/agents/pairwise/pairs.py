"""Pairs of texts to be compared: records that hold two texts, and know whose they are.

Which of the two stands first is drawn for each pair, so that a study that asks in one order only does not always show
the earlier text first.
"""

from __future__ import annotations

import random
from bisect import bisect
from collections.abc import Sequence
from itertools import accumulate
from typing import Any

from ..._internal.ids import digest
from ..._internal.text import counted
from ...corpus.corpus import Corpus, require_corpus
from ...corpus.record import Record
from ...errors import SetupError, nearest

_MOST = 100_000


def pair(a: Record | str, b: Record | str, *, record_id: str | None = None, content: str = "", **known: Any) -> Record:
    """Two texts as one record, for `Pairwise`.

    Parameters
    ----------
    a, b
        The two, as records or as texts.
    record_id
        By default the ids of both.
    content
        What both answer to, such as a question or an instruction; shown with them.
    known
        Anything else that a `Record` may have; `ground_truth={"kinder": "first"}` is the expert's choice.

    Returns
    -------
    Record
        The texts stand in its metadata as `first` and `second`, their ids as `first_id` and `second_id`. It has the
        cluster of both where that is the same, and stays on this machine where one of them must.

    Raises
    ------
    SetupError
        A record has no text, or both are the same.

    Examples
    --------
    >>> made = pair("Thank you, come in.", "Get in.", content="Greet a guest.")
    >>> made.metadata["first"], made.content
    ('Thank you, come in.', 'Greet a guest.')
    """
    first, second = (Record(content=one) if isinstance(one, str) else one for one in (a, b))
    for one in (first, second):
        if not one.content.strip():
            raise SetupError(f"record `{one.record_id}` has no text that could be compared.")
    if first.record_id == second.record_id:
        raise SetupError(f"record `{first.record_id}` cannot be compared with itself.")
    texts = {"first": first.content, "second": second.content}
    ids = {"first_id": first.record_id, "second_id": second.record_id}
    shared = {"cluster": first.cluster} if first.cluster == second.cluster else {}
    own = {"local_only": first.local_only or second.local_only, **shared, **known}
    own["metadata"] = {**(own.get("metadata") or {}), **texts, **ids}
    return Record(record_id=record_id or f"{first.record_id} | {second.record_id}", content=content, **own)


def pairs(corpus: Corpus, n: int | None = None, *, seed: int = 1, within: str | None = None) -> Corpus:
    """Pairs of the records of a corpus: all of them, or a sample.

    Parameters
    ----------
    corpus
        The records, each with a text.
    n
        How many pairs are drawn, without replacement, each as likely; by default all are taken.
    seed
        Of the sample, and of which text of a pair stands first.
    within
        `cluster`, or a metadata field: only records with the same value of it are paired, such as answers to the same
        question. Records without one are in no pair.

    Returns
    -------
    Corpus
        One record per pair, as `pair` makes it, in the corpus's order. With `within`, a pair has that value in its
        metadata.

    Raises
    ------
    SetupError
        There are fewer pairs than `n`, or none; or no record has the field.

    Notes
    -----
    Each text is in many pairs, so that pairs are not independent of each other: intervals that take them as such are
    too narrow.

    Examples
    --------
    >>> corpus = Corpus([Record(record_id=i, content=f"Text {i}.") for i in "abcd"])
    >>> len(pairs(corpus)), len(pairs(corpus, 2, seed=7))
    (6, 2)
    """
    groups = _groups(require_corpus(corpus, "`pairs`"), within)
    rows = [(group, place) for group in groups.values() for place in range(len(group) - 1)]
    ends = list(accumulate(len(group) - place - 1 for group, place in rows))
    total = ends[-1] if ends else 0
    if not total:
        raise SetupError("there are no two records to be paired" + (f" with the same `{within}`." if within else "."))
    if n is not None and not 0 < n <= total:
        raise SetupError(f"pairs(n={n}): there are {counted(total, 'pair')}.")
    if n is None and total > _MOST:
        raise SetupError(f"there are {total:,} pairs; say how many to draw, as in pairs(corpus, 500).")
    rng = random.Random(seed)  # noqa: S311  # a sample, not a secret
    chosen: Sequence[int] = range(total) if n is None else sorted(rng.sample(range(total), n))
    found = []
    for number in chosen:
        row = bisect(ends, number)
        group, place = rows[row]
        other = len(group) - (ends[row] - number)
        found.append(_drawn(group[place], group[other], seed, within))
    made = Corpus(found, provenance=corpus.provenance)
    return made.with_provenance(pairs={"n": len(found), "of": total, "seed": seed, "within": within})


def _groups(corpus: Corpus, within: str | None) -> dict[str, list[Record]]:
    if within is None:
        return {"": list(corpus)}
    found: dict[str, list[Record]] = {}
    for record in corpus:
        value = _value(record, within)
        if value is not None:
            found.setdefault(str(value), []).append(record)
    if not found:
        known = ["cluster", *dict.fromkeys(name for record in corpus for name in record.metadata)]
        raise SetupError(f"within: no record has a `{within}`; {nearest(within, known)}")
    return found


def _value(record: Record, within: str) -> Any:
    return record.cluster if within == "cluster" else record.metadata.get(within)


def _drawn(a: Record, b: Record, seed: int, within: str | None) -> Record:
    """A pair in an order of its own, which does not depend on the other pairs."""
    swapped = int(digest("pa1", str(seed), a.record_id, b.record_id)[-1], 16) % 2
    first, second = (b, a) if swapped else (a, b)
    shared = {within: _value(a, within)} if within and within != "cluster" else {}
    return pair(first, second, metadata=shared)
