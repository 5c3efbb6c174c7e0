"""The Store's tables in BigQuery, for projects that keep their results there.

The same rows leave as in any export (see `outgoing`), as Parquet through BigQuery's own load jobs. The schema is
given with each job and never guessed from the data: every column, lists as REPEATED, times as TIMESTAMP in UTC,
with the meaning of each column beside it. BigQuery knows no missing list: one becomes an empty list there, and
`status` still says why. Nothing is sent but by this call. Needs `pip install buttermilk-nb[bigquery]`.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, get_args, get_type_hints

from ...corpus.loaders.bigquery import open_client
from ...errors import SetupError, nearest
from ...schema import ROWS
from ..store import Store
from .data_dictionary import describe_column
from .export import remember_export
from .files import TableFile, write_table
from .selection import Column, outgoing

_BY_PYTHON = {"str": "STRING", "int": "INTEGER", "float": "FLOAT", "bool": "BOOLEAN", "datetime": "TIMESTAMP"}
_BY_DUCKDB = {
    "VARCHAR": "STRING", "BIGINT": "INTEGER", "INTEGER": "INTEGER", "UBIGINT": "INTEGER", "HUGEINT": "INTEGER",
    "DOUBLE": "FLOAT", "BOOLEAN": "BOOLEAN", "TIMESTAMP": "TIMESTAMP", "TIMESTAMP WITH TIME ZONE": "TIMESTAMP",
}  # fmt: skip
_DATASET = re.compile(r"(?:([\w:.-]+)\.)?(\w+)")


def schema_of(table: str) -> list[dict[str, str]]:
    """The BigQuery schema of a table, from its row model.

    Examples
    --------
    >>> schema_of("trace_inputs")[2]["type"], schema_of("scores")[16]["mode"]
    ('INTEGER', 'REPEATED')

    Raises
    ------
    SetupError
        There is no such table.
    """
    models = {model.table: model for model in ROWS}
    if table not in models:
        raise SetupError(f"there is no table `{table}`; {nearest(table, models)}")
    hints = get_type_hints(models[table])
    return [_field(table, name, *_of_python(hints[name])) for name in models[table].model_fields]


def export_to_bigquery(
    store: Store,
    dataset: str,
    *,
    tables: Iterable[str] | None = None,
    run_ids: Iterable[str] | None = None,
    with_local_only: bool = False,
    replace: bool = False,
    location: str | None = None,
    client: Any = None,
) -> dict[str, int]:
    """Load tables and views into a dataset of BigQuery.

    Parameters
    ----------
    store
        The evidence.
    dataset
        `project.dataset`; made where there is none.
    tables, run_ids, with_local_only
        What leaves, as for `export`.
    replace
        Write over the tables of an earlier export.
    location
        Where a new dataset lies, such as `EU`.
    client
        A `google.cloud.bigquery.Client` to use; made with Google's default credentials where none is given.

    Returns
    -------
    dict
        Rows loaded, by table.

    Raises
    ------
    SetupError
        The package is missing, nobody is signed in, a table is there already, or BigQuery refuses.
    """
    found = _DATASET.fullmatch(dataset.strip().strip("`"))
    if not found:
        raise SetupError(f"`{dataset}` is not a dataset: write `project.dataset`.")
    project, name = found[1], found[2]
    with open_client(client, project) as opened, tempfile.TemporaryDirectory(prefix="buttermilk_nb-") as folder:
        place = f"{project or opened.project}.{name}"
        with store.reading() as con:
            con.execute("set TimeZone = 'UTC'")
            leaving = outgoing(con, tables=tables, run_ids=run_ids, with_local_only=with_local_only)
            staged = write_table(con, leaving, Path(folder), "bigquery")
        _prepare(opened, place, [table.name for table in staged], replace=replace, location=location)
        loaded = {table.name: _load(opened, f"{place}.{table.name}", table, replace=replace) for table in staged}
    remember_export(store, f"bigquery://{place}", list(loaded))
    return loaded


def _prepare(client: Any, place: str, tables: Sequence[str], *, replace: bool, location: str | None) -> None:
    """Make the dataset where there is none; refuse as a whole where a table is there already."""
    from google.api_core.exceptions import NotFound
    from google.cloud import bigquery

    try:
        client.get_dataset(place)
    except NotFound:
        made = bigquery.Dataset(place)
        made.location = location
        client.create_dataset(made)
        return
    there = [name for name in tables if _exists(client, f"{place}.{name}")]
    if there and not replace:
        raise SetupError(
            f"`{place}` has {', '.join(f'`{name}`' for name in there)} already: name another dataset, or replace an "
            "earlier export with replace=True."
        )


def _exists(client: Any, table: str) -> bool:
    from google.api_core.exceptions import NotFound

    try:
        client.get_table(table)
    except NotFound:
        return False
    return True


def _load(client: Any, place: str, table: TableFile, *, replace: bool) -> int:
    from google.cloud import bigquery

    write = bigquery.WriteDisposition

    config = bigquery.LoadJobConfig(
        source_format=bigquery.SourceFormat.PARQUET,
        write_disposition=write.WRITE_TRUNCATE if replace else write.WRITE_EMPTY,
        schema=[bigquery.SchemaField.from_api_repr(field) for field in _schema(table)],
        parquet_options=_list_inference(),
    )
    with table.path.open("rb") as handle:
        job = client.load_table_from_file(handle, place, job_config=config)
    job.result()
    return int(job.output_rows or 0)


def _list_inference() -> Any:
    from google.cloud.bigquery.format_options import ParquetOptions

    options = ParquetOptions()
    options.enable_list_inference = True  # else a list becomes a record of records
    return options


def _schema(table: TableFile) -> list[dict[str, str]]:
    """The schema of a staged table: its columns as DuckDB has them, views included."""
    return [_field(table.name, column.name, *_of_duckdb(column)) for column in table.columns]


def _field(table: str, name: str, kind: str, mode: str) -> dict[str, str]:
    return {"name": name, "type": kind, "mode": mode, "description": describe_column(table, name)}


def _of_python(hint: Any) -> tuple[str, str]:
    """The kind and mode of a field: `Clean | None` is a text, `list[str] | None` a list of texts."""
    kinds = [part for part in _flat(hint) if part is not type(None)]
    repeated = kinds[0] is list
    kind = kinds[1] if repeated else kinds[0]
    return _BY_PYTHON[type(kind).__name__ if isinstance(kind, str) else kind.__name__], _mode(repeated)


def _flat(hint: Any) -> list[Any]:
    """A type's parts, outermost first: the list before what it holds; a Literal's own words."""
    inside = [part for arg in get_args(hint) for part in _flat(arg)]
    if getattr(hint, "__origin__", None) is list:
        return [list, *inside]
    return inside or [hint]


def _of_duckdb(column: Column) -> tuple[str, str]:
    kind = column.kind.removesuffix("[]")
    return _BY_DUCKDB.get(kind, "STRING"), _mode(column.is_list)


def _mode(repeated: bool) -> str:
    return "REPEATED" if repeated else "NULLABLE"
