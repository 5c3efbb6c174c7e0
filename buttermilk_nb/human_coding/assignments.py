"""Assignment of records to coders, with records that several people code.

Each record goes to the coders who have the fewest so far, and chance decides among equals. So the shares differ by at
most one record, and in a large corpus any two coders have some records in common.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import TYPE_CHECKING

from .._internal.arguments import check_arguments
from .._internal.ids import canonical, digest
from ..corpus.corpus import Corpus, require_corpus
from ..errors import SetupError
from ..project.project import Project
from ..project.session import require_project
from ..schema import SampleRow, now
from ..store.write_batch import WriteBatch
from .coders import new_coders

if TYPE_CHECKING:
    import pandas as pd


@check_arguments
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
    """Divide a corpus among coders, and store the assignment.

    The same call gives the same shares, and stores them once. An assignment is not a probability sample, so it has no
    `inclusion_p`.

    Parameters
    ----------
    corpus
        The records.
    coders
        The coders' names.
    overlap
        The share of the records, from 0 to 1, that several people code, so that their agreement can be measured.
    per_record
        The number of people who code each of these records, from 2; by default all coders.
    seed
        The seed of the random numbers.
    name
        The name of the assignment in `samples`; by default `assigned`.
    project
        The project; by default the open one.

    Returns
    -------
    pandas.DataFrame
        One row per record and coder: record_id, coder, position (in this coder's share, from 1), overlap (whether
        several people code the record), sample_id. `coding_sheet` and `coding_form` accept it as `sample=`.

    Raises
    ------
    SetupError
        Coders are missing or named twice, `overlap` or `per_record` is out of range, or another assignment has that
        name.

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

    names = _coder_names(corpus, coders, overlap, per_record)
    sample_name = name or "assigned"
    design = {"coders": names, "overlap": overlap, "per_record": per_record, "seed": seed, "name": sample_name}
    sample_id = digest("sa1", canonical(design), *(record.record_hash for record in corpus))
    shares = _shares(corpus, names, overlap, per_record or len(names), sample_id)
    rows = [
        (record_id, coder, position, is_shared, sample_id)
        for coder in names
        for position, (record_id, is_shared) in enumerate(shares[coder], 1)
    ]
    assignment = pd.DataFrame(rows, columns=["record_id", "coder", "position", "overlap", "sample_id"])
    _store_assignment(
        require_project(project), corpus, assignment, name=sample_name, seed=seed, is_own_name=name is not None
    )
    return assignment


def _coder_names(corpus: Corpus, coders: Sequence[str], overlap: float, per_record: int | None) -> list[str]:
    """The names of the coders, after a check of all arguments."""
    require_corpus(corpus, "`assign_coders`")
    if isinstance(coders, str):
        raise SetupError(f"coders={coders!r}: write a list of names, coders=[{coders!r}, ...].")
    names = [name.strip() for name in coders]
    if not names or not all(names):
        raise SetupError('name the coders, coders=["kf", "ab"].')
    if len(set(names)) < len(names):
        duplicate = next(name for name in names if names.count(name) > 1)
        raise SetupError(f"coder `{duplicate}` is named twice; name each coder once.")
    if not 0 <= overlap <= 1:
        raise SetupError(f"overlap={overlap}: write the share of the records that several people code, from 0 to 1.")
    if per_record is not None and not 1 < per_record <= len(names):
        raise SetupError(
            f"per_record={per_record}: with {len(names)} coders, it must be a number from 2 to {len(names)}."
        )
    if not len(corpus):
        raise SetupError("the corpus has no records to assign.")
    return names


def _shares(
    corpus: Corpus, names: Sequence[str], overlap: float, per_record: int, sample_id: str
) -> dict[str, list[tuple[str, bool]]]:
    """The share of each coder: record ids, and whether other coders have the record too."""
    rng = random.Random(sample_id)  # noqa: S311  # shares, not a secret
    ids = [record.record_id for record in corpus]
    rng.shuffle(ids)
    n_shared = round(overlap * len(ids))
    shares: dict[str, list[tuple[str, bool]]] = {name: [] for name in names}
    for place, record_id in enumerate(ids):
        is_shared = place < n_shared and per_record > 1
        order = sorted(names, key=lambda name: (len(shares[name]), rng.random()))
        for name in order[: per_record if is_shared else 1]:
            shares[name].append((record_id, is_shared))
    for name in names:
        rng.shuffle(shares[name])  # shared records are mixed with the others, so that they are coded as carefully
    return shares


def _store_assignment(
    project: Project, corpus: Corpus, shares: pd.DataFrame, *, name: str, seed: int, is_own_name: bool
) -> None:
    """Write the assignment unless it is stored already. A name that the researcher gave must mean one assignment."""
    sample_id = str(shares.sample_id.iloc[0])
    stored_ids = project.store.df("select distinct sample_id from samples where name = ?", [name]).sample_id.tolist()
    if sample_id in stored_ids:
        return
    if stored_ids and is_own_name:
        raise SetupError(f"another assignment is called `{name}`; choose another name, or repeat that call unchanged.")
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
    project.store.write(WriteBatch(rows=[*coders, *rows], records=corpus.records)).warn_of_forgotten()
