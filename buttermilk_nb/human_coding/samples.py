"""Samples to be coded by people, each drawn with known probabilities and kept with its seed.

Only where chance decided, and with which probability is known, can codes of a part be read as codes of the whole. So
rare findings are not picked by hand but drawn more often, and the probability of each record is written down.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, get_args

from .._internal.ids import digest
from ..corpus.corpus import Corpus, require_corpus
from ..errors import SetupError, nearest
from ..project.project import Project
from ..project.session import current
from ..schema import SampleRow, now
from ..store.write_batch import WriteBatch
from .strata import REST, by_answers, by_fields, draw

if TYPE_CHECKING:
    import pandas as pd

    from ..corpus.record import Record
    from ..store import Store

Method = Literal["random", "stratified", "boosted", "disagreement"]
Allocation = Literal["proportional", "equal"]
_BY_RATINGS = ("boosted", "disagreement")
COLUMNS = ("record_id", "stratum", "inclusion_p", "position", "sample_id")
_SAMPLES = """
    select sample_id, any_value(name) as name, any_value(method) as method, any_value(seed) as seed,
           count(distinct record_id) as n_records, count(distinct stratum) as n_strata,
           min(inclusion_p) as least_p, max(inclusion_p) as most_p, count(distinct coder) as n_coders
    from samples group by sample_id order by min(drawn_at), sample_id
"""


def draw_sample(
    corpus: Corpus,
    n: int,
    *,
    seed: int,
    method: Method = "random",
    by: str | Sequence[str] | None = None,
    allocation: Allocation = "proportional",
    ratings: pd.DataFrame | None = None,
    criterion: str | None = None,
    boost: float = 5.0,
    name: str | None = None,
    project: Project | None = None,
) -> pd.DataFrame:
    """Draw records for people to code, with known probabilities; the sample is kept in the project.

    Parameters
    ----------
    corpus
        What is drawn from; its order does not matter.
    n
        How many records.
    seed
        Which of the possible samples. With the same seed and strata a larger sample holds the smaller one; a sample
        that should be independent of another needs another seed.
    method
        - `random`: every record with probability n / N;
        - `stratified`: so many from each value of the field `by`;
        - `boosted`: records that an instrument flagged in `ratings`, in one replicate at least, are drawn `boost` times
          as often as the others;
        - `disagreement`: so are those on which two instruments differ, in the flag where one is declared, each taken
          at what most of its replicates say.
    by
        For `stratified`: a metadata field, or several; records without a value are a stratum of their own.
    allocation
        For `stratified`: strata in proportion to their sizes, or all `equal` as far as they have records.
    ratings, criterion
        For the last two: the long frame of `run.ratings()`, and which criterion, where it has several. Records without
        an answer are among the others.
    boost
        How many times as often, 1 or more. It is met as closely as whole records allow; `inclusion_p` is exact.
    name
        What the sample is called; by default after the method, n and seed.
    project
        By default the open one. The same call again adds nothing to it.

    Returns
    -------
    pandas.DataFrame
        One row per drawn record, in the order to code them, which is random: record_id, stratum, `inclusion_p` (the
        probability with which it was drawn: above 0 for every record of the corpus), position (from 1) and sample_id.
        Records are drawn one by one, also where the corpus has clusters. Keep `stratum` from the coders: it tells
        what instruments have said.

    Raises
    ------
    SetupError
        `n` is less than the number of strata or more than the corpus has; a field, criterion or method is unknown; an
        argument belongs to another method; another sample has this name.

    Notes
    -----
    Särndal, Swensson and Wretman (1992), ch. 3: simple random sampling without replacement within strata. Codes of
    such a sample, with its `inclusion_p`, are what `corrected_estimate` takes.

    Examples
    --------
    >>> import tempfile
    >>> from buttermilk_nb.project.session import init
    >>> project = init("sample-example", path=tempfile.mkdtemp())
    >>> rows = [{"id": i, "text": f"Text {i}.", "outlet": "Bell" if i < 80 else "Echo"} for i in range(100)]
    >>> corpus = Corpus.from_records(rows, content="text", record_id="id")
    >>> drawn = draw_sample(corpus, 20, method="stratified", by="outlet", allocation="equal", seed=1)
    >>> drawn.groupby("stratum").inclusion_p.agg(["size", "first"]).to_dict("index")
    {'Bell': {'size': 10, 'first': 0.125}, 'Echo': {'size': 10, 'first': 0.5}}
    """
    import pandas as pd

    fields = [by] if isinstance(by, str) else list(by or ())
    _check(method, fields, allocation, ratings, criterion, boost)
    records = require_corpus(corpus, "`sample`").records
    strata, design = ["all"] * len(records), str(method)
    if method == "stratified":
        strata, design = by_fields(records, fields), f"stratified by {', '.join(fields)}, {allocation}"
    elif ratings is not None:
        asked, strata = by_answers(records, ratings, criterion, method)
        design = f"{method} {boost:g}x on {asked}"
    drawn = draw([record.record_id for record in records], strata, _weights(strata, allocation, boost, method), n, seed)
    called = name or f"{method} {n}, seed {seed}"
    sample_id = _id(corpus, strata, called, design, n, seed)
    drawn_at = now()
    rows = [
        SampleRow(
            sample_id=sample_id,
            name=called,
            method=design,
            seed=seed,
            position=position,
            record_id=records[one.place].record_id,
            record_hash=records[one.place].record_hash,
            stratum=one.stratum,
            inclusion_p=one.inclusion_p,
            drawn_at=drawn_at,
        )
        for position, one in enumerate(drawn, 1)
    ]
    _keep((project or current()).store, rows, [records[one.place] for one in drawn], named=name is not None)
    return pd.DataFrame([[getattr(row, column) for column in COLUMNS] for row in rows], columns=list(COLUMNS))


def samples(project: Project | None = None) -> pd.DataFrame:
    """The samples of a project, in the order in which they were drawn.

    Parameters
    ----------
    project
        By default the open one.

    Returns
    -------
    pandas.DataFrame
        One row per sample: sample_id, name, method, seed, n_records, n_strata, `least_p` and `most_p` (the least and
        greatest inclusion probability; NaN where it is no probability sample), and n_coders (0: it is everybody's).
        The records are in the table `samples`: `bm.sql("select * from samples")`.

    Examples
    --------
    >>> import tempfile
    >>> from buttermilk_nb.project.session import init
    >>> project = init("samples-example", path=tempfile.mkdtemp())
    >>> corpus = Corpus.from_records([{"id": i, "text": f"Text {i}."} for i in range(50)], content="text")
    >>> _ = draw_sample(corpus, 10, seed=1)
    >>> samples()[["name", "method", "n_records", "least_p"]].values.tolist()
    [['random 10, seed 1', 'random', 10, 0.2]]
    """
    return (project or current()).store.df(_SAMPLES)


def _keep(store: Store, rows: Sequence[SampleRow], records: Sequence[Record], *, named: bool) -> None:
    """Write a sample unless it is there; a name that the researcher gave must mean one sample."""
    one = rows[0]
    known = store.df("select distinct sample_id from samples where name = ? and coder is null", [one.name]).sample_id
    if one.sample_id in set(known):
        return
    if named and len(known):
        raise SetupError(
            f"name: another sample is called `{one.name}`, drawn otherwise or from other records; bm.samples() lists "
            "them. Give this one another name."
        )
    store.write(WriteBatch(rows=rows, records=records))


def _weights(strata: Sequence[str], allocation: str, boost: float, method: str) -> dict[str, float]:
    sizes = Counter(strata)
    if method in _BY_RATINGS:
        return {one: size * (1.0 if one == REST else boost) for one, size in sizes.items()}
    return {one: 1.0 if allocation == "equal" else float(size) for one, size in sizes.items()}


def _check(
    method: str,
    fields: Sequence[str],
    allocation: str,
    ratings: pd.DataFrame | None,
    criterion: str | None,
    boost: float,
) -> None:
    if method not in get_args(Method):
        raise SetupError(f"method: there is no `{method}`; {nearest(method, get_args(Method))}")
    if allocation not in get_args(Allocation):
        raise SetupError(f"allocation: write `proportional` or `equal`, and not `{allocation}`.")
    if method == "stratified" and not fields:
        raise SetupError('method="stratified" needs a metadata field, by="outlet".')
    if method in _BY_RATINGS and ratings is None:
        raise SetupError(f'method="{method}" reads what instruments have said: ratings=run.ratings().')
    theirs = {"by": ("stratified",), "allocation": ("stratified",), "ratings": _BY_RATINGS, "criterion": _BY_RATINGS}
    given = {"by": fields, "allocation": allocation == "equal", "ratings": ratings is not None, "criterion": criterion}
    for word, methods in theirs.items():
        if given[word] and method not in methods:
            raise SetupError(f"{word}: method `{method}` does not read it; leave it out, or choose another method.")
    if not boost >= 1:
        raise SetupError(f"boost={boost}: how many times as often as the others, 1 or more.")


def _id(corpus: Corpus, strata: Sequence[str], name: str, design: str, n: int, seed: int) -> str:
    """The same for the same draw: from the same versions of the same records in the same strata."""
    known = sorted((record.record_hash, stratum) for record, stratum in zip(corpus.records, strata, strict=True))
    return digest("sa1", name, design, str(n), str(seed), *(part for pair in known for part in pair))
