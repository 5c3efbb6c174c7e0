"""`Evidence`: verify, back up, export, import and erase a project's stored results."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .._internal.arguments import check_arguments
from .._internal.temporary_folder import temporary_folder
from ..config.settings import FILE
from ..errors import SetupError
from ..llm.cache import AnswerCache
from ..store import Store
from ..store.erasure.forget import Forgotten, forget
from ..store.erasure.purge import Purged, purge
from ..store.exporters.bigquery import export_to_bigquery
from ..store.exporters.export import export
from ..store.importers import ImportedTraces, import_traces
from ..store.verify import verify
from .pages import Pages
from .rebuild_cache import stored_answers

if TYPE_CHECKING:
    import pandas as pd

    from ..codebook.criteria import Criteria


class Evidence:
    """The stored results of a project; get them with `project.evidence`.

    Parameters
    ----------
    folder
        The project's folder.
    store
        Its DuckDB file.
    cache
        Its cached answers.
    pages
        The web pages that it has fetched.
    keep_days
        How many days `purge` keeps runs if it gets no date; None for no default.
    """

    def __init__(
        self, folder: Path, store: Store, cache: AnswerCache, pages: Pages, *, keep_days: int | None = None
    ) -> None:
        self._folder = folder
        self._store = store
        self._cache = cache
        self._pages = pages
        self._keep_days = keep_days

    def verify(self) -> pd.DataFrame:
        """Check the evidence: row counts against plans, hashes, parents, tables, and the chain of runs.

        Returns
        -------
        pandas.DataFrame
            One row per check and run: `check`, `run_id` (None for the whole file), `ok`, `expected`, `found`,
            `meaning`. Changes by `forget` are named as such.
        """
        return verify(self._store)

    def rebuild_cache(self) -> int:
        """Restore lost cache entries from the stored calls.

        Returns
        -------
        int
            The number of restored answers.
        """
        return self._cache.rebuild(stored_answers(self._store))

    @check_arguments
    def snapshot(self, path: str | Path | None = None) -> Path:
        """Copy traces, cache and settings to a folder that you can pass on; nothing else can write meanwhile.

        Parameters
        ----------
        path
            A new folder; by default a folder named after the time, in `snapshots/` of the project's folder.

        Returns
        -------
        pathlib.Path
            The folder, with `traces.duckdb`, `cache.jsonl` and `buttermilk.yaml`.

        Raises
        ------
        SetupError
            The folder exists already.
        """
        stamp = dt.datetime.now(dt.UTC).strftime("%Y-%m-%d-%H%M%S")
        folder = Path(path).expanduser() if path else self._folder / "snapshots" / stamp
        if folder.exists():
            raise SetupError(f"`{folder}` exists already; choose another path, or delete it first.")
        with temporary_folder(folder) as temporary:
            new_folder = temporary / folder.name
            new_folder.mkdir()
            self._store.snapshot(new_folder / "traces.duckdb")
            self._cache.export(new_folder / "cache.jsonl")
            (new_folder / FILE).write_bytes((self._folder / FILE).read_bytes())
            return new_folder.rename(folder)

    @check_arguments
    def export(
        self,
        path: str | Path | None = None,
        *,
        format: str | None = None,  # noqa: A002  # the word that pandas and DuckDB use
        tables: Iterable[str] | None = None,
        run_ids: Iterable[str] | None = None,
        with_local_only: bool = False,
        replace: bool = False,
    ) -> list[str]:
        """Write tables and views to files: CSV, XLSX, Parquet or JSONL, in a folder or at an address.

        Parameters
        ----------
        path
            A folder or file, or an address such as `gs://bucket/study`; by default `exports/` in the project's folder.
        format, tables, run_ids, with_local_only, replace
            See `buttermilk_nb.store.exporters.export.export`.

        Returns
        -------
        list of str
            The files.

        Raises
        ------
        SetupError
            The table or format does not exist, or files would be overwritten.
        """
        return export(
            self._store,
            path or self._folder / "exports",
            format=format,  # type: ignore[arg-type]  # checked there, with the nearest valid word
            tables=tables,
            run_ids=run_ids,
            with_local_only=with_local_only,
            replace=replace,
        )

    @check_arguments
    def export_to_bigquery(self, dataset: str, **options: Any) -> dict[str, int]:
        """Load tables and views into a dataset of BigQuery; needs `pip install buttermilk-nb[bigquery]`.

        Parameters
        ----------
        dataset
            `project.dataset`.
        **options
            See `buttermilk_nb.store.exporters.bigquery.export_to_bigquery`.

        Returns
        -------
        dict
            The number of rows by table.

        Raises
        ------
        SetupError
            The package is missing, nobody is signed in, a table exists already, or BigQuery refuses.
        """
        return export_to_bigquery(self._store, dataset, **options)

    @check_arguments
    def import_traces(
        self,
        source: Any,
        *,
        kind: str | None = None,
        name: str | None = None,
        criteria: Criteria | None = None,
        columns: Mapping[str, str] | None = None,
        replicate: str | None = None,
        replace: bool = False,
    ) -> ImportedTraces:
        """Import judgements from another program: Buttermilk's flow rows, Inspect's logs, any table of scores.

        Parameters
        ----------
        source
            A path, an address or a dataframe.
        kind, name, criteria, columns, replicate, replace
            See `buttermilk_nb.store.importers.import_traces`.

        Returns
        -------
        ImportedTraces
            The id of the new run, with counts and remarks.

        Raises
        ------
        SetupError
            The source cannot be used (every problem is listed). Nothing was written.
        """
        return import_traces(
            self._store,
            source,
            kind=kind,
            name=name,
            criteria=criteria,
            columns=columns,
            replicate=replicate,
            replace=replace,
        )

    @check_arguments
    def forget(self, *, record_id: str | None = None, coder: str | None = None, reason: str = "") -> Forgotten:
        """Erase a record with everything about it, or a coder's codes. This cannot be undone.

        Parameters
        ----------
        record_id
            The record to erase, with its segments. Give either this or `coder`.
        coder
            The coder whose codes to erase.
        reason
            The reason, for the table `tombstones`. Do not name the person in it.

        Returns
        -------
        Forgotten
            How much was removed, and the copies that only you can remove.

        Raises
        ------
        SetupError
            The record or coder does not exist, or not exactly one of the two is given.
        """
        n_cached = 0 if record_id is None else self._delete_cached_answers(record_id)
        if record_id is not None:
            self._pages.remove(record_id)
        result = forget(self._store, self._cache, record_id=record_id, coder=coder, reason=reason, folder=self._folder)
        self._store.refresh_copy()
        return result.model_copy(update={"n_cached": n_cached + result.n_cached})

    def _delete_cached_answers(self, record_id: str) -> int:
        """Delete cached answers and vectors of the record and its segments, including those without a stored call.

        Returns their number.
        """
        n = 0
        rows = self._store.df(
            "select distinct record_hash from records where record_id = $1 or parent_id = $1", [record_id]
        )
        for record_hash in rows.record_hash:
            entries = self._cache.find(record_hash=record_hash)
            if len(entries):
                n += self._cache.delete(entries)
        return n

    @check_arguments
    def purge(self, *, before: dt.date | int | None = None, yes: bool = False, reason: str = "") -> Purged:
        """Remove the runs that ended before a day, with everything that belongs to them alone.

        Parameters
        ----------
        before
            A date, or a number of days ago; by default the setting `keep_days`.
        yes
            Remove the runs; without it, the result only says what would be removed.
        reason
            The reason, for the table `tombstones`.

        Returns
        -------
        Purged
            The runs and rows that were removed, or would be.

        Raises
        ------
        SetupError
            Neither `before` nor `keep_days` is given.
        """
        limit = self._keep_days if before is None else before
        if limit is None:
            raise SetupError(
                f"purge needs `before` (a date, or a number of days), or the setting `keep_days` in {FILE}."
            )
        result = purge(self._store, before=limit, yes=yes, reason=reason)
        self._store.refresh_copy()
        return result
