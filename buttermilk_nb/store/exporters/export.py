"""Export of the Store's tables to CSV, Excel, Parquet or JSON Lines files.

An export has one file per table (or one workbook), and `data-dictionary.csv` with the meaning of each column. The
module `selection` decides which rows are exported, and `files` keeps spreadsheets from running texts as formulas. The
Store records where an export went (as an event), so that `forget` can list the copies that it cannot reach.
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
from .data_dictionary import DictionaryEntry, dictionary_entries
from .destinations import Target, open_target
from .excel import write_workbook
from .files import FORMATS, Format, TableFile, write_tables
from .selection import MORE_TABLES, TABLES, select_tables

DICTIONARY = "data-dictionary.csv"
WORKBOOK = "results.xlsx"
_OWN_NAMES = frozenset(
    {
        DICTIONARY,
        WORKBOOK,
        *(f"{name}.{kind}" for name in (*TABLES, *MORE_TABLES) for kind in FORMATS if kind != "xlsx"),
    }
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
        A folder, or one file whose ending is the format: `results.xlsx` contains every table, one per sheet;
        `scores.csv`, `.parquet` and `.jsonl` contain one table. An address such as `gs://bucket/study` or
        `s3://...` needs `pip install buttermilk-nb[gs]` or `[s3]`.
    format
        `csv` (the default for a folder), `jsonl`, `parquet` or `xlsx`.
    tables
        Names of tables and views; by default all that are useful to readers.
    run_ids
        Export only rows of these runs; by default of all runs.
    with_local_only
        Also export the texts, requests, answers and reasons of records that are `local_only`.
    replace
        Replace an earlier export. Files that no export writes stay unchanged.

    Returns
    -------
    list of str
        The paths or addresses of the files.

    Raises
    ------
    SetupError
        The table, run or format does not exist, files would be overwritten, or a table is too long for Excel.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> files = export(Store(folder / "traces.duckdb"), folder / "out", tables=["runs"])
    >>> [Path(file).name for file in files]
    ['runs.csv', 'data-dictionary.csv']
    """
    folder, file, kind = _parse_path(str(path), format)
    table_names = None if tables is None else [tables] if isinstance(tables, str) else list(tables)
    if file and kind != "xlsx" and (table_names is None or len(table_names) != 1):
        raise SetupError(
            f"`{file}` can contain one table: name it with tables=[...], or give a folder and format={kind!r} for all."
        )
    names = [file, f"{PurePosixPath(file).stem}-{DICTIONARY}"] if file else None
    target = open_target(folder, _OWN_NAMES if file is None else frozenset())
    target.check(names, replace=replace)
    with target.staging() as staging:
        with store.reading() as con:
            export_tables = select_tables(con, tables=table_names, run_ids=run_ids, with_local_only=with_local_only)
            table_files = write_tables(con, export_tables, staging, "parquet" if kind == "xlsx" else kind)
        files = _make_files(table_files, dictionary_entries(export_tables), kind, staging, names)
        addresses = target.publish(files)
    _remember_target(store, target, file, [table.name for table in table_files])
    return addresses


def _parse_path(path: str, kind: str | None) -> tuple[str, str | None, Format]:
    """The folder, the name of the file (None if the path is a folder), and the format."""
    ending = PurePosixPath(path).suffix.lower().lstrip(".")
    ending = "jsonl" if ending == "ndjson" else ending
    chosen_format = kind or (ending if ending in FORMATS else "csv")
    if chosen_format not in FORMATS:
        raise SetupError(f"format={kind!r} must be one of {', '.join(FORMATS)}; {nearest(str(kind), FORMATS)}")
    if ending not in FORMATS:
        return path, None, chosen_format
    if chosen_format != ending:
        raise SetupError(
            f"`{PurePosixPath(path).name}` ends in .{ending}, but format={kind!r}: write only one of the two."
        )
    head, slash, name = path.replace("\\", "/").rpartition("/")
    return (head if slash else ".") or "/", name, chosen_format


def _make_files(
    table_files: Sequence[TableFile],
    dictionary_rows: Sequence[DictionaryEntry],
    kind: str,
    folder: Path,
    names: Sequence[str] | None,
) -> list[Path]:
    """The files to publish, under their final names."""
    file, dictionary = (folder / name for name in names or (WORKBOOK, DICTIONARY))
    _write_dictionary(dictionary, dictionary_rows)
    if kind == "xlsx":
        write_workbook(table_files, dictionary_rows, file)
        return [file, dictionary]
    if names is None:
        return [*(table.path for table in table_files), dictionary]
    return [table_files[0].path.rename(file), dictionary]


def _write_dictionary(path: Path, dictionary_rows: Sequence[DictionaryEntry]) -> None:
    with path.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.writer(handle)
        writer.writerow(DictionaryEntry._fields)
        writer.writerows(dictionary_rows)


def _remember_target(store: Store, target: Target, file: str | None, tables: Sequence[str]) -> None:
    address = f"{target.display.rstrip('/')}/{file}" if file else target.display
    remember_export(store, address, tables)


def remember_export(store: Store, address: str, tables: Sequence[str]) -> None:
    """Record the address of an export, so that `forget` can list it."""
    payload = {"state": "exported", "to": display_address(address), "tables": list(tables)}
    with store.writing() as con:
        store.append(con, [StatusEvent(source="export", payload=payload).as_row()])


def earlier_exports(store: Store) -> list[str]:
    """The addresses of earlier exports, oldest first, each once.

    Examples
    --------
    >>> import tempfile
    >>> earlier_exports(Store(Path(tempfile.mkdtemp()) / "traces.duckdb"))
    []
    """
    with store.reading() as con:
        return exported_places(con)


def exported_places(con: duckdb.DuckDBPyConnection) -> list[str]:
    """The addresses of earlier exports, through an open connection."""
    rows = con.execute(
        "select json_extract_string(payload, '$.to') from events where source = 'export' "
        "and json_valid(payload) group by 1 order by min(happened_at)"
    ).fetchall()
    return [to for (to,) in rows if to]
