"""Everything that a reader needs, as files: CSV, an Excel workbook, Parquet or JSON Lines, here or elsewhere.

Written beside each other: one file a table (or one workbook), and `data-dictionary.csv`, which says what each
column means. See `outgoing` for what never leaves, `staging` for how formulas are kept from running. The Store
remembers where an export went (an event), so that `forget` can name the copies that it cannot reach.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath

import duckdb

from ...corpus.loaders.remote_files import display_address
from ...errors import SetupError, nearest
from ...events.event import StatusEvent
from ..store import Store
from .data_dictionary import DictionaryEntry, entries
from .destinations import Target, place
from .excel import write_workbook
from .files import FORMATS, Format, TableFile, write_table
from .selection import MORE, TABLES, outgoing

DICTIONARY = "data-dictionary.csv"
WORKBOOK = "results.xlsx"
_OURS = frozenset(
    {DICTIONARY, WORKBOOK, *(f"{name}.{kind}" for name in (*TABLES, *MORE) for kind in FORMATS if kind != "xlsx")}
)


def export(
    store: Store,
    path: str | Path,
    *,
    format: Format | None = None,  # noqa: A002  # the word that pandas and DuckDB use
    tables: Iterable[str] | None = None,
    run_ids: Iterable[str] | None = None,
    with_local_only: bool = False,
    replace: bool = False,
) -> list[str]:
    """Write tables and views to files.

    Parameters
    ----------
    store
        The evidence.
    path
        A folder, or one file whose ending names the format: `results.xlsx` holds every table, one a sheet;
        `scores.csv`, `.parquet` and `.jsonl` hold the one table named. An address such as `gs://bucket/study` or
        `s3://...` needs `pip install buttermilk-nb[gs]` or `[s3]`.
    format
        `csv` (which a folder gets by default), `jsonl`, `parquet` or `xlsx`.
    tables
        Which tables and views; by default all that a reader needs.
    run_ids
        Only what belongs to these runs; by default everything.
    with_local_only
        Also the words of records that are `local_only`: their texts, requests, answers, reasons.
    replace
        Write over an earlier export. Files that no export writes are left alone.

    Returns
    -------
    list of str
        The files.

    Raises
    ------
    SetupError
        There is no such table, run or format; the place is taken; a table is too long for Excel.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> files = export(Store(folder / "traces.duckdb"), folder / "out", tables=["runs"])
    >>> [Path(file).name for file in files]
    ['runs.csv', 'data-dictionary.csv']
    """
    folder, file, kind = _where(str(path), format)
    chosen = None if tables is None else [tables] if isinstance(tables, str) else list(tables)
    if file and kind != "xlsx" and (chosen is None or len(chosen) != 1):
        raise SetupError(
            f"`{file}` holds one table: name it with tables=[...], or give a folder and format={kind!r} for all."
        )
    names = [file, f"{PurePosixPath(file).stem}-{DICTIONARY}"] if file else None
    target = place(folder, _OURS if file is None else frozenset())
    target.check(names, replace=replace)
    with target.staging() as staging:
        with store.reading() as con:
            leaving = outgoing(con, tables=chosen, run_ids=run_ids, with_local_only=with_local_only)
            staged = write_table(con, leaving, staging, "parquet" if kind == "xlsx" else kind)
        files = _made(staged, entries(leaving), kind, staging, names)
        written = target.publish(files)
    _remember(store, target, file, [table.name for table in staged])
    return written


def _where(path: str, kind: str | None) -> tuple[str, str | None, Format]:
    """The folder, the one file in it where a file is meant, and the format."""
    ending = PurePosixPath(path).suffix.lower().lstrip(".")
    ending = "jsonl" if ending == "ndjson" else ending
    wanted = kind or (ending if ending in FORMATS else "csv")
    if wanted not in FORMATS:
        raise SetupError(f"format={kind!r} is none of {', '.join(FORMATS)}; {nearest(str(kind), FORMATS)}")
    if ending not in FORMATS:
        return path, None, wanted
    if wanted != ending:
        raise SetupError(f"`{PurePosixPath(path).name}` ends in .{ending}, and format={kind!r}: write one of the two.")
    head, slash, name = path.replace("\\", "/").rpartition("/")
    return (head if slash else ".") or "/", name, wanted


def _made(
    staged: Sequence[TableFile],
    meanings: Sequence[DictionaryEntry],
    kind: str,
    folder: Path,
    names: Sequence[str] | None,
) -> list[Path]:
    """The files to publish, under their final names."""
    file, dictionary = (folder / name for name in names or (WORKBOOK, DICTIONARY))
    _write_dictionary(dictionary, meanings)
    if kind == "xlsx":
        write_workbook(staged, meanings, file)
        return [file, dictionary]
    if names is None:
        return [*(table.path for table in staged), dictionary]
    return [staged[0].path.rename(file), dictionary]


def _write_dictionary(path: Path, meanings: Sequence[DictionaryEntry]) -> None:
    with path.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.writer(handle)
        writer.writerow(DictionaryEntry._fields)
        writer.writerows(meanings)


def _remember(store: Store, target: Target, file: str | None, tables: Sequence[str]) -> None:
    to = f"{target.display.rstrip('/')}/{file}" if file else target.display
    remember_export(store, to, tables)


def remember_export(store: Store, to: str, tables: Sequence[str]) -> None:
    """Note where a copy went; `forget` lists these places."""
    payload = {"state": "exported", "to": display_address(to), "tables": list(tables)}
    with store.writing() as con:
        store.append(con, [StatusEvent(source="export", payload=payload).as_row()])


def earlier_exports(store: Store) -> list[str]:
    """Where copies went, in order, each place once.

    Examples
    --------
    >>> import tempfile
    >>> earlier_exports(Store(Path(tempfile.mkdtemp()) / "traces.duckdb"))
    []
    """
    with store.reading() as con:
        return exports_in(con)


def exports_in(con: duckdb.DuckDBPyConnection) -> list[str]:
    """The same, of a connection that is open."""
    found = con.execute(
        "select json_extract_string(payload, '$.to') from events where source = 'export' "
        "and json_valid(payload) group by 1 order by min(happened_at)"
    ).fetchall()
    return [to for (to,) in found if to]
