"""A corpus: an ordered, immutable collection of records that knows where it came from.

Nothing changes a corpus; each method returns a new one, with the step added to its provenance. Rows
that could not become records are kept beside it in `rejected`, with their line and the reason.
"""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Self, Unpack, overload

from .._internal.ids import digest
from ..errors import SetupError, nearest
from . import loaders
from .display import describe_counts, to_dataframe, to_html
from .loaders import MappingOptions, Rejected, Source
from .pairs import draw_pairs
from .record import Record
from .train_test_split import part_sizes, pieces, stratified_group_split

if TYPE_CHECKING:
    import pandas as pd


class Split(NamedTuple):
    """The two parts of a split corpus."""

    dev: Corpus
    test: Corpus


class Corpus(Sequence[Record]):
    """Records in order. Make one with `load` or with one of the `from_*` methods.

    Parameters
    ----------
    records
        The records; their ids must differ.
    provenance
        Where they came from, and each step since; stored with every run.
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

    __hash__ = None  # type: ignore[assignment]  # equality is by content; `corpus.hash` is the name for it

    def __init__(
        self,
        records: Iterable[Record],
        *,
        provenance: Mapping[str, Any] | None = None,
        rejected: Sequence[Rejected] = (),
    ) -> None:
        self.records: tuple[Record, ...] = tuple(records)
        self.provenance: dict[str, Any] = dict(provenance or {})
        self._rejected = tuple(rejected)
        ids: set[str] = set()
        for record in self.records:
            if record.record_id in ids:
                raise SetupError(f"two records have the id `{record.record_id}`; ids must differ.")
            ids.add(record.record_id)

    # --- loading ---------------------------------------------------------------------------------

    @classmethod
    def from_csv(
        cls,
        path: str | Path,
        *,
        encoding: str | None = None,
        delimiter: str | None = None,
        on_error: str = "keep",
        **mapping: Unpack[MappingOptions],
    ) -> Self:
        """ParsedAnswer a CSV, TSV or semicolon-separated file; every cell stays text."""
        return cls._from_source(loaders.delimited.read(path, encoding=encoding, delimiter=delimiter), mapping, on_error)

    @classmethod
    def from_xlsx(
        cls, path: str | Path, *, sheet: str | None = None, on_error: str = "keep", **mapping: Unpack[MappingOptions]
    ) -> Self:
        """ParsedAnswer one sheet of an Excel workbook."""
        return cls._from_source(loaders.spreadsheets.read(path, sheet=sheet), mapping, on_error)

    @classmethod
    def from_jsonl(
        cls, path: str | Path, *, encoding: str | None = None, on_error: str = "keep", **mapping: Unpack[MappingOptions]
    ) -> Self:
        """ParsedAnswer JSON Lines. Dotted names reach into nested objects: `content="post.text"`."""
        return cls._from_source(loaders.json_files.read_lines(path, encoding=encoding), mapping, on_error)

    @classmethod
    def from_json(
        cls,
        path: str | Path,
        *,
        encoding: str | None = None,
        at: str | None = None,
        on_error: str = "keep",
        **mapping: Unpack[MappingOptions],
    ) -> Self:
        """ParsedAnswer a JSON list of objects, or the one that stands under the dotted name `at`."""
        return cls._from_source(loaders.json_files.read(path, encoding=encoding, at=at), mapping, on_error)

    @classmethod
    def from_parquet(cls, path: str | Path, *, on_error: str = "keep", **mapping: Unpack[MappingOptions]) -> Self:
        """ParsedAnswer a Parquet file."""
        return cls._from_source(loaders.tables.read_parquet(path), mapping, on_error)

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
        """ParsedAnswer a table (`project.dataset.table`) or a query of BigQuery; needs `buttermilk-nb[bigquery]`."""
        read = loaders.bigquery.read(
            source, project=project, location=location, params=params, max_rows=max_rows, client=client
        )
        return cls._from_source(read, mapping, on_error)

    @classmethod
    def from_dataframe(cls, frame: pd.DataFrame, *, on_error: str = "keep", **mapping: Unpack[MappingOptions]) -> Self:
        """ParsedAnswer a pandas dataframe."""
        return cls._from_source(loaders.tables.read_dataframe(frame), mapping, on_error)

    @classmethod
    def from_folder(
        cls,
        path: str | Path,
        *,
        pattern: str | None = None,
        encoding: str | None = None,
        on_error: str = "keep",
        **mapping: Unpack[MappingOptions],
    ) -> Self:
        """ParsedAnswer a folder of texts (.txt) and images; ids are the file names without their endings.

        Files of one name, such as `post.txt` and `post.png`, are one record. `pattern="*.txt"` takes the
        texts alone, and `pattern="*.md"` other texts.
        """
        return cls._from_source(loaders.texts.read_folder(path, pattern=pattern, encoding=encoding), mapping, on_error)

    @classmethod
    def from_zip(
        cls,
        path: str | Path,
        *,
        pattern: str | None = None,
        encoding: str | None = None,
        on_error: str = "keep",
        **mapping: Unpack[MappingOptions],
    ) -> Self:
        """Read a zip of texts and images as `from_folder` reads a folder; nothing is unpacked to disk."""
        return cls._from_source(loaders.texts.read_zip(path, pattern=pattern, encoding=encoding), mapping, on_error)

    @classmethod
    def from_records(
        cls,
        items: Iterable[Record | Mapping[str, Any]],
        *,
        on_error: str = "keep",
        **mapping: Unpack[MappingOptions],
    ) -> Self:
        """Take Records as they are, or dictionaries through the same mapping as a file."""
        given = list(items)
        records = [item for item in given if isinstance(item, Record)]
        if records and len(records) == len(given):
            local = isinstance(mapping.get("local_only"), bool) and mapping.pop("local_only")
            if any(value is not None for value in mapping.values()):
                raise SetupError("Records know their content and codes already; leave the names of columns out.")
            return cls(map(_mark_local, records) if local else records, provenance={"records": len(records)})
        return cls._from_source(loaders.tables.read_mappings(given), mapping, on_error)

    @classmethod
    def _from_source(cls, source: Source, mapping: MappingOptions, on_error: str) -> Self:
        if on_error not in ("keep", "raise"):
            raise SetupError(f"on_error={on_error!r}: write `keep` (rejected rows are listed) or `raise`.")
        checked = loaders.mapped(mapping, source)
        records, rejected = loaders.to_records(source, checked)
        if rejected and on_error == "raise":
            raise SetupError(*(f"line {row.line}: {row.reason}." for row in rejected[:20]))
        read_at = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
        about = {**source.description, "mapping": checked.model_dump(exclude_defaults=True), "read_at": read_at}
        return cls(records, provenance={**about, "rejected": len(rejected)}, rejected=rejected)

    def with_provenance(self, **about: Any) -> Corpus:
        """The same records, with more said about where they come from."""
        return Corpus(self.records, provenance={**self.provenance, **about}, rejected=self._rejected)

    # --- choosing --------------------------------------------------------------------------------

    def head(self, n: int = 10) -> Corpus:
        """The first `n` records."""
        return self._derived(self.records[: max(0, n)], f"head({n})")

    def filter(self, keep: Callable[[Record], bool] | None = None, /, **metadata: Any) -> Corpus:
        """The records for which `keep(record)` is true, or whose metadata has the values given.

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
        chosen = [
            record
            for record in self.records
            if (keep is None or keep(record)) and all(record.metadata.get(k) == v for k, v in metadata.items())
        ]
        what = ", ".join([*(["function"] if keep else []), *(f"{k}={v!r}" for k, v in metadata.items())])
        return self._derived(chosen, f"filter({what})")

    def sample(self, n: int, *, seed: int) -> Corpus:
        """`n` records at random without replacement, in corpus order; the same seed gives the same ones.

        Raises
        ------
        SetupError
            There are fewer than `n` records.
        """
        if not 0 <= n <= len(self.records):
            raise SetupError(f"sample({n}): the corpus has {len(self.records)} records.")
        chosen = sorted(random.Random(seed).sample(range(len(self.records)), n))  # noqa: S311  # a sample, not a secret
        return self._derived([self.records[i] for i in chosen], f"sample({n}, seed={seed})")

    def split(
        self, dev: float | None = None, test: float | None = None, *, by: str | None = None, seed: int = 1
    ) -> Split:
        """Part the corpus in two. Records of one cluster, segments of one parent and near-duplicates stay together.

        Parameters
        ----------
        dev, test
            The size of each part: a share (`0.5`) or a number of records (`30`). One may be left out.
            Because families stay whole, a part can differ from its size by less than one family.
        by
            A metadata field whose values should be in both parts in proportion (strata).
        seed
            Which of the possible splits.

        Examples
        --------
        >>> corpus = Corpus.from_records([Record(content=f"{'xyz'[i % 3] * 9} {i * 7919}") for i in range(10)])
        >>> [len(part) for part in corpus.split(dev=0.3)]
        [3, 7]
        """
        want = part_sizes(dev, test, len(self.records))
        parts = stratified_group_split(
            self.records, lambda record: str(self._metadata(by, record)) if by else "", want, seed
        )
        what = f"split(dev={dev}, test={test}, by={by!r}, seed={seed})"
        return Split(*(self._derived(part, f"{what}.{name}") for part, name in zip(parts, Split._fields, strict=True)))

    def segment(self, by: str = "paragraph") -> Corpus:
        """Cut each record into pieces that know their parent and their place in it.

        Parameters
        ----------
        by
            `"paragraph"`, `"sentence"`, or a regular expression for what stands between two pieces.

        Raises
        ------
        SetupError
            A record has images: they belong to the whole of it.

        Examples
        --------
        >>> corpus = Corpus.from_records([Record(record_id="a", content="One. Two.", outlet="The Bell")])
        >>> [(s.record_id, s.content, s.start_offset) for s in corpus.segment("sentence")]
        [('a#1', 'One.', 0), ('a#2', 'Two.', 5)]
        """
        return self._derived([piece for record in self.records for piece in pieces(record, by)], f"segment({by!r})")

    def pairs(self, n: int | None = None, *, seed: int = 1, within: str | None = None) -> Corpus:
        """Pairs of the records of this corpus: all of them, or a sample.

        Parameters
        ----------
        n
            How many pairs are drawn, without replacement, each as likely; by default all are taken.
        seed
            Of the sample, and of which text of a pair stands first.
        within
            `cluster`, or a metadata field: only records with the same value of it are paired, such as answers to the
            same question. Records without one are in no pair.

        Returns
        -------
        Corpus
            One record per pair, as `Record.pair` makes it, in the corpus's order. With `within`, a pair has that value
            in its metadata.

        Raises
        ------
        SetupError
            There are fewer pairs than `n`, or none; or no record has the field.

        Notes
        -----
        Each text is in many pairs, so that pairs are not independent of each other: intervals that take them as such
        are too narrow.

        Examples
        --------
        >>> corpus = Corpus([Record(record_id=i, content=f"Text {i}.") for i in "abcd"])
        >>> len(corpus.pairs()), len(corpus.pairs(2, seed=7))
        (6, 2)
        """
        found, total = draw_pairs(self.records, n, seed, within)
        about = {"n": len(found), "of": total, "seed": seed, "within": within}
        return Corpus(found, provenance=self.provenance).with_provenance(pairs=about)

    def mark_local_only(self) -> Corpus:
        """The same records, marked `local_only`: no model outside this machine is asked about them.

        Examples
        --------
        >>> Corpus.from_records([Record(content="Between us."), Record(content="And the wall.")]).mark_local_only()
        Corpus(2 records, which stay local)
        """
        return self._derived(map(_mark_local, self.records), "keep_local()")

    # --- looking ---------------------------------------------------------------------------------

    @property
    def rejected(self) -> pd.DataFrame:
        """The rows that did not become records: line, reason, excerpt."""
        import pandas as pd

        return pd.DataFrame(list(self._rejected), columns=list(Rejected._fields))

    @cached_property
    def hash(self) -> str:
        """One hash for all records, in order, with everything that is known about them."""
        return digest(
            "co1", *(part for record in self.records for part in (record.record_hash, record.annotations_hash))
        )

    def to_df(self) -> pd.DataFrame:
        """One row per record: id, text, number of images, metadata, `truth_*`, `coder_*`, cluster and place."""
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
            return self.records[key]
        for record in self.records:
            if record.record_id == key:
                return record
        raise SetupError(f"no record `{key}`; {nearest(key, [record.record_id for record in self.records])}")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Corpus) and self.hash == other.hash

    def __repr__(self) -> str:
        return f"Corpus({', '.join(describe_counts(self.records, len(self._rejected)))})"

    def _repr_html_(self) -> str:
        return to_html(self.records, len(self._rejected))

    def _metadata(self, name: str, record: Record) -> Any:
        if name not in record.metadata:
            names = sorted({key for item in self.records for key in item.metadata})
            raise SetupError(f"record `{record.record_id}` has no metadata `{name}`; {nearest(name, names)}")
        return record.metadata[name]

    def _derived(self, records: Iterable[Record], what: str) -> Corpus:
        steps = [*self.provenance.get("steps", []), what]
        return Corpus(records, provenance={**self.provenance, "steps": steps}, rejected=self._rejected)


def _mark_local(record: Record) -> Record:
    return record.model_copy(update={"local_only": True})


def require_corpus(value: object, user: str) -> Corpus:
    """Check that a value is a corpus, and return it.

    Parameters
    ----------
    value
        What the caller was given.
    user
        Who needs it, as the subject of the error's sentence.

    Raises
    ------
    SetupError
        The value is something else: a list of records, a dataframe.

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
