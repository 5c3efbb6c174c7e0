"""`Corpus`: an ordered, immutable collection of records with its provenance.

No method changes a corpus. Each returns a new one, with the step added to its provenance. Rows that could not become
records are listed in `rejected`, with their line and the reason.
"""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Self, Unpack, overload

from .._internal.arguments import check_argument_names, check_arguments
from .._internal.ids import digest
from .._internal.text import pluralise
from ..errors import SetupError, nearest
from . import loaders
from .display import describe_counts, to_dataframe, to_html
from .loaders import MappingOptions, Rejected, Source
from .pairs import draw_pairs
from .record import Record, visible_id
from .segments import segment_record, speaker_remarks
from .train_test_split import part_sizes, stratified_group_split

if TYPE_CHECKING:
    import pandas as pd


class Split(NamedTuple):
    """The two parts of a split corpus."""

    dev: Corpus
    test: Corpus


class Corpus(Sequence[Record]):
    """Records in order. Make a corpus with `bm.load`.

    Parameters
    ----------
    records
        The records. Their ids must differ.
    provenance
        The source of the records and each step since. It is stored with every run.
    rejected
        The rows that did not become records.

    Examples
    --------
    >>> rows = [{"id": "a", "text": "One."}, {"id": "b", "text": ""}]
    >>> corpus = Corpus.from_records(rows, content="text", record_id="id")
    >>> corpus
    Corpus(1 record, 1 row rejected)
    >>> corpus.rejected.reason.tolist()
    ['no text in `text`']
    """

    __hash__ = None  # type: ignore[assignment]  # corpora are compared by content; use `corpus.hash`

    @check_argument_names
    def __init__(
        self,
        records: Iterable[Record],
        *,
        provenance: Mapping[str, Any] | None = None,
        rejected: Sequence[Rejected] = (),
    ) -> None:
        self.records: tuple[Record, ...] = _as_records(records)
        self.provenance: dict[str, Any] = dict(provenance or {})
        self._rejected = tuple(rejected)
        ids: set[str] = set()
        for record in self.records:
            shown = visible_id(record.record_id)
            if shown in ids:
                raise SetupError(
                    f"two records have the id `{record.record_id}`; ids must differ, also to the eye: letters with "
                    "accents that are only stored in two ways look the same."
                    if not shown.isascii()
                    else f"two records have the id `{record.record_id}`; ids must differ."
                )
            ids.add(shown)

    # --- loading ---------------------------------------------------------------------------------

    @classmethod
    def from_bigquery(
        cls,
        source: str,
        *,
        project: str | None = None,
        location: str | None = None,
        params: Mapping[str, Any] | None = None,
        max_rows: int | None = None,
        client: Any = None,
        on_error: str = "keep",
        **mapping: Unpack[MappingOptions],
    ) -> Self:
        """Read a table (`project.dataset.table`) or a query of BigQuery. This needs `buttermilk-nb[bigquery]`."""
        rows = loaders.bigquery.read(
            source, project=project, location=location, params=params, max_rows=max_rows, client=client
        )
        return cls.from_source(rows, mapping, on_error)

    @classmethod
    def from_records(
        cls,
        items: Iterable[Record | Mapping[str, Any] | str],
        *,
        on_error: str = "keep",
        **mapping: Unpack[MappingOptions],
    ) -> Self:
        """Make a corpus of Records as they are, or of texts, or of dictionaries with the same mapping as a file."""
        items = list(items)
        if items and all(isinstance(item, Path | str) and loaders.is_file_name(str(item)) for item in items):
            raise SetupError(
                f"`{Path(str(items[0])).name}` is the name of a file, and a list is read as texts; load its folder, "
                "bm.load(folder, pattern=...), or each file."
            )
        records = [item for item in items if isinstance(item, Record)]
        if records and len(records) == len(items):
            local_only = isinstance(mapping.get("local_only"), bool) and mapping.pop("local_only")
            if any(value is not None for value in mapping.values()):
                raise SetupError("Records already have their content and codes; leave out the names of columns.")
            return cls(map(_mark_local, records) if local_only else records, provenance={"records": len(records)})
        read = (
            loaders.dataframes.read_texts if items and isinstance(items[0], str) else loaders.dataframes.read_mappings
        )
        return cls.from_source(read(items), mapping, on_error)

    @classmethod
    def from_source(cls, source: Source, mapping: MappingOptions, on_error: str = "keep") -> Self:
        """Make a corpus of what a loader returns.

        Parameters
        ----------
        source
            The rows of a file, a folder or a table.
        mapping
            Which column has which role.
        on_error
            `keep` lists bad rows in `rejected`; `raise` raises an error for them.
        """
        if on_error not in ("keep", "raise"):
            raise SetupError(f"on_error={on_error!r}: write `keep` (rejected rows are listed) or `raise`.")
        column_mapping = loaders.check_mapping(mapping, source)
        records, rejected, own_remarks = loaders.make_records(source, column_mapping)
        assert len(records) + len(rejected) == source.n_rows, "each row is a record, or is rejected"
        remarks = (*source.remarks, *own_remarks)
        if rejected and on_error == "raise":
            raise SetupError(*(f"{source.unit} {row.line}: {row.reason}." for row in rejected[:20]))
        provenance = {
            **source.description,
            "mapping": column_mapping.model_dump(exclude_defaults=True),
            "read_at": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
            "rejected": len(rejected),
            **({"remarks": list(remarks)} if remarks else {}),
        }
        return cls(records, provenance=provenance, rejected=rejected)

    def with_provenance(self, **facts: Any) -> Corpus:
        """The same records, with more facts in their provenance."""
        return Corpus(self.records, provenance={**self.provenance, **facts}, rejected=self._rejected)

    # --- selection -------------------------------------------------------------------------------

    @check_arguments
    def head(self, n: int = 10) -> Corpus:
        """The first `n` records."""
        return self._derived(self.records[: max(0, n)], f"head({n})")

    def filter(self, keep: Callable[[Record], bool] | None = None, /, **metadata: Any) -> Corpus:
        """The records for which `keep(record)` is true and whose metadata have the given values.

        Examples
        --------
        >>> corpus = Corpus.from_records([Record(content="One.", lang="en"), Record(content="Zwei.", lang="de")])
        >>> len(corpus.filter(lang="de"))
        1
        """
        names = {name for record in self.records for name in record.metadata}
        for name in metadata:
            if name not in names:
                raise SetupError(f"no record has the metadata `{name}`; {nearest(name, sorted(names))}")
        records = [
            record
            for record in self.records
            if (keep is None or keep(record)) and all(record.metadata.get(k) == v for k, v in metadata.items())
        ]
        arguments = ", ".join([*(["function"] if keep else []), *(f"{k}={v!r}" for k, v in metadata.items())])
        return self._derived(records, f"filter({arguments})")

    def sample(self, n: int, *, seed: int) -> Corpus:
        """Draw `n` records at random without replacement, in corpus order. The same seed gives the same records.

        Raises
        ------
        SetupError
            There are fewer than `n` records.
        """
        if not 0 <= n <= len(self.records):
            raise SetupError(f"sample({n}): the corpus has {len(self.records)} records.")
        places = sorted(random.Random(seed).sample(range(len(self.records)), n))  # noqa: S311  # a sample, not a secret
        return self._derived([self.records[i] for i in places], f"sample({n}, seed={seed})")

    def split(
        self, dev: float | None = None, test: float | None = None, *, by: str | None = None, seed: int = 1
    ) -> Split:
        """Split the corpus into a development part and a test part.

        Related records stay together: those of one cluster, segments of one parent, and near-duplicates.

        Parameters
        ----------
        dev, test
            The size of each part: a share (`0.5`) or a number of records (`30`). You may leave one out. Because groups
            of related records stay together, a part can differ from its size by less than one group.
        by
            A metadata field. Its values are distributed over both parts in proportion (strata).
        seed
            The seed of the random numbers.

        Examples
        --------
        >>> corpus = Corpus.from_records([Record(content=f"{'xyz'[i % 3] * 9} {i * 7919}") for i in range(10)])
        >>> [len(part) for part in corpus.split(dev=0.3)]
        [3, 7]
        """
        sizes = part_sizes(dev, test, len(self.records))
        parts = stratified_group_split(
            self.records, lambda record: str(self._metadata(by, record)) if by else "", sizes, seed
        )
        step = f"split(dev={dev}, test={test}, by={by!r}, seed={seed})"
        return Split(*(self._derived(part, f"{step}.{name}") for part, name in zip(parts, Split._fields, strict=True)))

    @check_arguments
    def segment(self, by: str = "paragraph", *, speakers: Mapping[str, str] | None = None) -> Corpus:
        """Cut each record into segments, with their parent and their position in it.

        Parameters
        ----------
        by
            `"paragraph"` or `"sentence"`; `"page"`, `"heading"` or `"turn"` (of a speaker), for documents that have
            these; or a regular expression for the text between two segments. The page, the heading, the speaker and
            the time of a segment are in its metadata. A name is a speaker if it begins two lines, or is in capital
            letters.
        speakers
            Other names for the speakers, `{"Ana Roth": "P1"}`, with `by="turn"`; a name in it is a speaker in any case.
            Names inside the texts stay.

        Raises
        ------
        SetupError
            A record has images, which belong to the whole record, or no text has what `by` asks for.

        Examples
        --------
        >>> corpus = Corpus.from_records([Record(record_id="a", content="One. Two.", outlet="The Bell")])
        >>> [(s.record_id, s.content, s.start_offset) for s in corpus.segment("sentence")]
        [('a#1', 'One.', 0), ('a#2', 'Two.', 5)]
        """
        if speakers and by != "turn":
            raise SetupError(f'speakers are those of turns; write by="turn" instead of by={by!r}.')
        segments = [segment for record in self.records for segment in segment_record(record, by, speakers)]
        remarks = speaker_remarks(self.records, segments, speakers or {}) if by == "turn" else []
        renamed = f", speakers renamed: {len(speakers)}" if speakers else ""
        derived = self._derived(segments, f"segment({by!r}{renamed})")
        return derived.with_provenance(remarks=[*self.remarks, *remarks]) if remarks else derived

    @check_arguments
    def pairs(self, n: int | None = None, *, seed: int = 1, within: str | None = None) -> Corpus:
        """All pairs of the records of this corpus, or a sample of pairs.

        Parameters
        ----------
        n
            The number of pairs to draw at random without replacement. By default, all pairs.
        seed
            The seed of the sample, and of the order of the two texts in each pair.
        within
            `cluster`, or a metadata field. Only records with the same value are paired, such as answers to the same
            question. Records without a value are in no pair.

        Returns
        -------
        Corpus
            One record per pair, as `Record.pair` makes it, in corpus order. With `within`, a pair has that value in its
            metadata.

        Raises
        ------
        SetupError
            There are fewer pairs than `n`, or none, or no record has the field.

        Notes
        -----
        Each text is in many pairs, so the pairs are not independent. Intervals that assume independent pairs are too
        narrow.

        Examples
        --------
        >>> corpus = Corpus([Record(record_id=i, content=f"Text {i}.") for i in "abcd"])
        >>> len(corpus.pairs()), len(corpus.pairs(2, seed=7))
        (6, 2)
        """
        pairs, n_possible = draw_pairs(self.records, n, seed, within)
        facts = {"n": len(pairs), "of": n_possible, "seed": seed, "within": within}
        return Corpus(pairs, provenance=self.provenance).with_provenance(pairs=facts)

    def mark_local_only(self) -> Corpus:
        """The same records, marked `local_only`. They are never sent to a model outside this machine.

        Examples
        --------
        >>> Corpus.from_records([Record(content="Between us."), Record(content="And the wall.")]).mark_local_only()
        Corpus(2 records, 2 stay local)
        """
        return self._derived(map(_mark_local, self.records), "keep_local()")

    # --- display and access ----------------------------------------------------------------------

    @property
    def remarks(self) -> tuple[str, ...]:
        """What was guessed when the corpus was loaded, and what in it looks like a mistake."""
        return tuple(self.provenance.get("remarks", ()))

    @property
    def rejected(self) -> pd.DataFrame:
        """The rows that did not become records: line, reason, excerpt."""
        import pandas as pd

        return pd.DataFrame(list(self._rejected), columns=list(Rejected._fields))

    @cached_property
    def hash(self) -> str:
        """One hash of all records, in order, with their annotations."""
        return digest(
            "co1", *(part for record in self.records for part in (record.record_hash, record.annotations_hash))
        )

    def to_df(self) -> pd.DataFrame:
        """One row per record: id, text, number of images, metadata, `truth_*`, `coder_*`, cluster and offsets."""
        return to_dataframe(self.records)

    def __len__(self) -> int:
        return len(self.records)

    def __iter__(self) -> Iterator[Record]:
        return iter(self.records)

    @overload
    def __getitem__(self, key: int | str) -> Record: ...
    @overload
    def __getitem__(self, key: slice) -> Corpus: ...
    def __getitem__(self, key: int | str | slice) -> Record | Corpus:
        if isinstance(key, slice):
            return self._derived(self.records[key], f"[{key.start}:{key.stop}:{key.step}]")
        if isinstance(key, int):
            if not -len(self.records) <= key < len(self.records):
                ids = f' For the record with this id, write corpus["{key}"].' if key >= 0 else ""
                raise IndexError(f"the corpus has {pluralise(len(self.records), 'record')}, counted from 0.{ids}")
            return self.records[key]
        for record in self.records:
            if record.record_id == key:
                return record
        suggestion = nearest(key, [record.record_id for record in self.records])
        raise SetupError(f"the corpus has no record `{key}`; {suggestion}")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Corpus) and self.hash == other.hash

    def __repr__(self) -> str:
        counts = f"Corpus({', '.join(describe_counts(self.records, len(self._rejected)))})"
        return "\n".join([counts, *(f"  Note: {remark}" for remark in self.remarks)])

    def _repr_html_(self) -> str:
        return to_html(self.records, len(self._rejected), self.remarks)

    def _metadata(self, name: str, record: Record) -> Any:
        if name not in record.metadata:
            names = sorted({key for item in self.records for key in item.metadata})
            raise SetupError(f"record `{record.record_id}` has no metadata `{name}`; {nearest(name, names)}")
        return record.metadata[name]

    def _derived(self, records: Iterable[Record], step: str) -> Corpus:
        """A corpus of other records, with one more step in the provenance."""
        steps = [*self.provenance.get("steps", []), step]
        return Corpus(records, provenance={**self.provenance, "steps": steps}, rejected=self._rejected)


def _mark_local(record: Record) -> Record:
    return record.model_copy(update={"local_only": True})


def _as_records(records: object) -> tuple[Record, ...]:
    items = tuple(records) if isinstance(records, Iterable) and not isinstance(records, str) else (records,)
    wrong = next((item for item in items if not isinstance(item, Record)), None)
    if (items and wrong is not None) or records is None:
        raise SetupError(
            f"a corpus is made of records, bm.Corpus([bm.Record(...), ...]), not of {type(wrong).__name__}; "
            "bm.load(...) makes one from a file, a dataframe or a list of dictionaries."
        )
    return items


def require_corpus(value: object, user: str) -> Corpus:
    """Check that a value is a corpus, and return it.

    Parameters
    ----------
    value
        The value to check.
    user
        The function or object that needs a corpus, as the subject of the error message.

    Raises
    ------
    SetupError
        The value is not a corpus but, for example, a list of records or a dataframe.

    Examples
    --------
    >>> try:
    ...     require_corpus(["a text"], "a flow")
    ... except SetupError as error:
    ...     print(error)
    a flow needs a Corpus, not list; make one with bm.load(...).
    """
    if not isinstance(value, Corpus):
        raise SetupError(f"{user} needs a Corpus, not {type(value).__name__}; make one with bm.load(...).")
    return value
