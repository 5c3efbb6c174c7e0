"""Sharing the work: who codes which records, and which of them several people code.

Each record goes to those who have the fewest so far, and chance decides among equals, so that no share is larger than
another by more than one record and any two coders have records in common sooner or later.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import TYPE_CHECKING

from .._internal.ids import canonical, digest
from ..corpus.corpus import Corpus, require_corpus
from ..errors import SetupError
from ..project.project import Project
from ..project.session import current
from ..schema import SampleRow, now
from ..store.write_batch import WriteBatch
from .coders import new_coders

if TYPE_CHECKING:
    import pandas as pd


def assign_coders(
    corpus: Corpus,
    coders: Sequence[str],
    *,
    overlap: float = 0.2,
    per_record: int | None = None,
    seed: int = 1,
    name: str | None = None,
    project: Project | None = None,
) -> pd.DataFrame:
    """Share a corpus among coders, and keep who got what.

    The same call gives the same shares, and keeps them once. It is no probability sample: `inclusion_p` stays empty.

    Parameters
    ----------
    corpus
        The records.
    coders
        The coders' names.
    overlap
        The share of the records, from 0 to 1, that several people code, so that their agreement can be measured.
    per_record
        How many people code each of those; by default all.
    seed
        Which of the possible shares.
    name
        What the assignment is called in `samples`.
    project
        The project; by default the open one.

    Returns
    -------
    pandas.DataFrame
        One row per record and coder: record_id, coder, position (in this coder's pile, from 1), overlap, sample_id.
        `coding_sheet` and `code` take it as `sample=`.

    Raises
    ------
    SetupError
        Coders are missing or named twice, a share is not possible, or another assignment has that name.

    Examples
    --------
    >>> import tempfile
    >>> from buttermilk_nb.project.session import init
    >>> from buttermilk_nb.corpus.record import Record
    >>> _ = init("assign-example", path=tempfile.mkdtemp())
    >>> corpus = Corpus([Record(record_id=f"r{i}", content=f"Text {i}.") for i in range(10)])
    >>> shares = assign_coders(corpus, coders=["kf", "ab"], overlap=0.2)
    >>> shares.coder.value_counts().to_dict(), int(shares.overlap.sum())
    ({'kf': 6, 'ab': 6}, 4)
    """
    import pandas as pd

    names = _checked(corpus, coders, overlap, per_record)
    named = name or "assigned"
    about = {"coders": names, "overlap": overlap, "per_record": per_record, "seed": seed, "name": named}
    sample_id = digest("sa1", canonical(about), *(record.record_hash for record in corpus))
    shares = _shares(corpus, names, overlap, per_record or len(names), sample_id)
    rows = [
        (record_id, coder, position, several, sample_id)
        for coder in names
        for position, (record_id, several) in enumerate(shares[coder], 1)
    ]
    found = pd.DataFrame(rows, columns=["record_id", "coder", "position", "overlap", "sample_id"])
    _keep(project or current(), corpus, found, name=named, seed=seed, own_name=name is not None)
    return found


def _checked(corpus: Corpus, coders: Sequence[str], overlap: float, per_record: int | None) -> list[str]:
    require_corpus(corpus, "`assign`")
    if isinstance(coders, str):
        raise SetupError(f"coders={coders!r}: write a list of names, coders=[{coders!r}, ...].")
    names = [name.strip() for name in coders]
    if not names or not all(names):
        raise SetupError('name the coders, coders=["kf", "ab"].')
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise SetupError(f"coder `{twice}` is named twice; each shares in the work once.")
    if not 0 <= overlap <= 1:
        raise SetupError(f"overlap={overlap}: write the share of the records that several people code, from 0 to 1.")
    if per_record is not None and not 1 < per_record <= len(names):
        raise SetupError(f"per_record={per_record}: with {len(names)} coders it is a number from 2 to {len(names)}.")
    if not len(corpus):
        raise SetupError("the corpus has no records to assign.")
    return names


def _shares(
    corpus: Corpus, names: Sequence[str], overlap: float, per_record: int, sample_id: str
) -> dict[str, list[tuple[str, bool]]]:
    """Each coder's pile: record ids, and whether others have the record too."""
    chance = random.Random(sample_id)  # noqa: S311  # shares, not a secret
    ids = [record.record_id for record in corpus]
    chance.shuffle(ids)
    shared = round(overlap * len(ids))
    piles: dict[str, list[tuple[str, bool]]] = {name: [] for name in names}
    for place, record_id in enumerate(ids):
        several = place < shared and per_record > 1
        order = sorted(names, key=lambda name: (len(piles[name]), chance.random()))
        for name in order[: per_record if several else 1]:
            piles[name].append((record_id, several))
    for name in names:
        chance.shuffle(piles[name])  # what several people code stands among the rest, and is coded as carefully
    return piles


def _keep(project: Project, corpus: Corpus, shares: pd.DataFrame, *, name: str, seed: int, own_name: bool) -> None:
    sample_id = str(shares.sample_id.iloc[0])
    stored = project.store.df("select distinct sample_id from samples where name = ?", [name]).sample_id.tolist()
    if sample_id in stored:
        return
    if stored and own_name:
        raise SetupError(f"there is another assignment called `{name}`; choose another name, or repeat that call.")
    hashes = {record.record_id: record.record_hash for record in corpus}
    drawn_at = now()
    rows = [
        SampleRow(
            sample_id=sample_id,
            name=name,
            method="assigned",
            seed=seed,
            coder=coder,
            position=position,
            record_id=record_id,
            record_hash=hashes[record_id],
            drawn_at=drawn_at,
        )
        for record_id, coder, position in zip(shares.record_id, shares.coder, shares.position, strict=True)
    ]
    coders = new_coders(project, set(shares.coder))
    project.store.write(WriteBatch(rows=[*coders, *rows], records=corpus.records))
