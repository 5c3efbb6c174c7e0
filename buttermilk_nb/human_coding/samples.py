"""Samples for people to code, drawn with known probabilities and stored with their seed.

The codes of a sample say something about the whole corpus only if the records were drawn at random with known
probabilities. So rare findings are not picked by hand but drawn more often, and the probability of each is stored.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, get_args

from .._internal.arguments import check_arguments
from .._internal.ids import digest
from ..corpus.corpus import Corpus, require_corpus
from ..errors import SetupError, nearest
from ..project.project import Project
from ..project.session import require_project
from ..schema import SampleRow, now
from ..store.write_batch import WriteBatch
from .strata import OTHER_RECORDS, by_answers, by_fields, draw

if TYPE_CHECKING:
    import pandas as pd

    from ..corpus.record import Record
    from ..store import Store

Method = Literal["random", "stratified", "boosted", "disagreement"]
Allocation = Literal["proportional", "equal"]
_RATINGS_METHODS = ("boosted", "disagreement")
COLUMNS = ("record_id", "stratum", "inclusion_p", "position", "sample_id")
_SAMPLES = """
    select sample_id, any_value(name) as name, any_value(method) as method, any_value(seed) as seed,
           count(distinct record_id) as n_records, count(distinct stratum) as n_strata,
           min(inclusion_p) as least_p, max(inclusion_p) as most_p, count(distinct coder) as n_coders
    from samples group by sample_id order by min(drawn_at), sample_id
"""


@check_arguments
def draw_sample(
    corpus: Corpus,
    n: int,
    *,
    seed: int | None = None,
    method: Method = "random",
    by: str | Sequence[str] | None = None,
    allocation: Allocation = "proportional",
    ratings: pd.DataFrame | None = None,
    criterion: str | None = None,
    boost: float = 5.0,
    name: str | None = None,
    project: Project | None = None,
) -> pd.DataFrame:
    """Draw records for people to code, with known probabilities. The sample is stored in the project.

    Parameters
    ----------
    corpus
        The records to draw from. Their order does not matter.
    n
        The number of records to draw.
    seed
        The seed of the draw, any whole number; it is needed, so that anybody can repeat the draw. With the same seed
        and strata, a larger sample contains the smaller one. A sample that should be independent of another needs
        another seed.
    method
        - `random`: every record has the probability n / N;
        - `stratified`: a number of records from each value of the field `by`;
        - `boosted`: records that an instrument flagged in `ratings`, in at least one replicate, are drawn `boost` times
          as often as the others;
        - `disagreement`: records on which two instruments disagree are drawn `boost` times as often. Each instrument
          counts with the answer of most of its replicates; the flags are compared if the criterion declares one.
    by
        For `stratified`: a metadata field, or several. Records without a value are a stratum of their own.
    allocation
        For `stratified`: `proportional` to the sizes of the strata, or `equal`, as far as each has enough records.
    ratings, criterion
        For `boosted` and `disagreement`: the long frame of `run.ratings()`, and the criterion if there are several.
        Records without an answer are drawn as often as the others.
    boost
        How many times as often, 1 or more; by default 5. The draw comes as close as whole records allow; `inclusion_p`
        is exact.
    name
        The name of the sample; by default it is made of the method, n and seed.
    project
        The project; by default the open one. The same call again adds nothing to it.

    Returns
    -------
    pandas.DataFrame
        One row per drawn record, in the order in which to code them, which is random: record_id, stratum, `inclusion_p`
        (the probability of drawing it, above 0 for every record of the corpus), position (from 1) and sample_id.
        Records are drawn one by one, even if the corpus has clusters. Do not show `stratum` to the coders, because it
        reveals the answers of instruments.

    Raises
    ------
    SetupError
        `n` is less than the number of strata or more than the corpus has; a field, criterion or method is unknown; an
        argument belongs to another method; or another sample has this name.

    Notes
    -----
    Särndal, Swensson and Wretman (1992), ch. 3: simple random sampling without replacement within strata.
    `corrected_estimate` accepts the codes of such a sample with its `inclusion_p`.

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
    _check_options(method, fields, allocation, ratings, criterion, boost)
    records = require_corpus(corpus, "`draw_sample`").records
    strata, design = ["all"] * len(records), str(method)
    if method == "stratified":
        strata, design = by_fields(records, fields), f"stratified by {', '.join(fields)}, {allocation}"
    elif ratings is not None:
        criterion_name, strata = by_answers(records, ratings, criterion, method)
        design = f"{method} {boost:g}x on {criterion_name}"
    ids = [record.record_id for record in records]
    if seed is None:
        raise SetupError(
            f"a sample needs a seed, so that anybody can draw it again: bm.draw_sample(corpus, {n}, seed=1)."
        )
    drawn_records = draw(ids, strata, _stratum_weights(strata, allocation, boost, method), n, seed)
    sample_name = name or f"{method} {n}, seed {seed}"
    sample_id = _sample_id(corpus, strata, sample_name, design, n, seed)
    drawn_at = now()
    rows = [
        SampleRow(
            sample_id=sample_id,
            name=sample_name,
            method=design,
            seed=seed,
            position=position,
            record_id=records[drawn_record.place].record_id,
            record_hash=records[drawn_record.place].record_hash,
            stratum=drawn_record.stratum,
            inclusion_p=drawn_record.inclusion_p,
            drawn_at=drawn_at,
        )
        for position, drawn_record in enumerate(drawn_records, 1)
    ]
    sampled_records = [records[drawn_record.place] for drawn_record in drawn_records]
    _store_sample(require_project(project).store, rows, sampled_records, is_own_name=name is not None)
    return pd.DataFrame([[getattr(row, column) for column in COLUMNS] for row in rows], columns=list(COLUMNS))


@check_arguments
def samples(project: Project | None = None) -> pd.DataFrame:
    """The samples of a project, in the order in which they were drawn.

    Parameters
    ----------
    project
        The project; by default the open one.

    Returns
    -------
    pandas.DataFrame
        One row per sample: sample_id, name, method, seed, n_records, n_strata, `least_p` and `most_p` (the smallest and
        greatest inclusion probability; NaN if it is not a probability sample), and n_coders (0 if it is not assigned to
        coders). The records are in the table `samples`: `bm.sql("select * from samples")`.

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
    return require_project(project).store.df(_SAMPLES)


def _store_sample(store: Store, rows: Sequence[SampleRow], records: Sequence[Record], *, is_own_name: bool) -> None:
    """Write a sample unless it is stored already. A name that the researcher gave must mean one sample."""
    name, sample_id = rows[0].name, rows[0].sample_id
    stored_ids = store.df("select distinct sample_id from samples where name = ? and coder is null", [name]).sample_id
    if sample_id in set(stored_ids):
        return
    if is_own_name and len(stored_ids):
        raise SetupError(
            f"name: another sample is called `{name}`, with other settings or from other records; bm.samples() lists "
            "all samples. Give this one another name."
        )
    store.write(WriteBatch(rows=rows, records=records)).warn_of_forgotten()


def _stratum_weights(strata: Sequence[str], allocation: str, boost: float, method: str) -> dict[str, float]:
    sizes = Counter(strata)
    if method in _RATINGS_METHODS:
        return {stratum: size * (1.0 if stratum == OTHER_RECORDS else boost) for stratum, size in sizes.items()}
    return {stratum: 1.0 if allocation == "equal" else float(size) for stratum, size in sizes.items()}


def _check_options(
    method: str,
    fields: Sequence[str],
    allocation: str,
    ratings: pd.DataFrame | None,
    criterion: str | None,
    boost: float,
) -> None:
    if method not in get_args(Method):
        raise SetupError(f"method: there is no method `{method}`; {nearest(method, get_args(Method))}")
    if allocation not in get_args(Allocation):
        raise SetupError(f"allocation: write `proportional` or `equal`, not `{allocation}`.")
    if method == "stratified" and not fields:
        raise SetupError('method="stratified" needs a metadata field, by="outlet".')
    if method in _RATINGS_METHODS and ratings is None:
        raise SetupError(f'method="{method}" needs the answers of instruments: ratings=run.ratings().')
    option_methods = {
        "by": ("stratified",),
        "allocation": ("stratified",),
        "ratings": _RATINGS_METHODS,
        "criterion": _RATINGS_METHODS,
    }
    is_set = {"by": fields, "allocation": allocation == "equal", "ratings": ratings is not None, "criterion": criterion}
    for option, methods in option_methods.items():
        if is_set[option] and method not in methods:
            raise SetupError(f"{option}: method `{method}` does not use it; leave it out, or choose another method.")
    if not boost >= 1:
        raise SetupError(f"boost={boost}: write how many times as often as the other records, 1 or more.")


def _sample_id(corpus: Corpus, strata: Sequence[str], name: str, design: str, n: int, seed: int) -> str:
    """The same id for the same draw: from the same versions of the same records in the same strata."""
    pairs = sorted((record.record_hash, stratum) for record, stratum in zip(corpus.records, strata, strict=True))
    return digest("sa1", name, design, str(n), str(seed), *(part for pair in pairs for part in pair))
