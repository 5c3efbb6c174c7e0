"""Export of the Store's tables to BigQuery.

The rows are the same as in any export (see `selection`). They are sent as Parquet through BigQuery's load jobs. Each
job has an explicit schema, which is never guessed from the data: every column with its meaning, lists as REPEATED,
times as TIMESTAMP in UTC. BigQuery has no missing lists: they become empty lists there, and `status` still says why.
Only this call sends anything. It needs `pip install buttermilk-nb[bigquery]`.
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
from .files import TableFile, write_tables
from .selection import Column, select_tables

_BY_PYTHON = {"str": "STRING", "int": "INTEGER", "float": "FLOAT", "bool": "BOOLEAN", "datetime": "TIMESTAMP"}
_BY_DUCKDB = {
    "VARCHAR": "STRING", "BIGINT": "INTEGER", "INTEGER": "INTEGER", "UBIGINT": "INTEGER", "HUGEINT": "INTEGER",
    "DOUBLE": "FLOAT", "BOOLEAN": "BOOLEAN", "TIMESTAMP": "TIMESTAMP", "TIMESTAMP WITH TIME ZONE": "TIMESTAMP",
}  # fmt: skip
_DATASET = re.compile(r"(?:([\w:.-]+)\.)?(\w+)")


def table_schema(table: str) -> list[dict[str, str]]:
    """The BigQuery schema of a table, from its row model.

    Raises
    ------
    SetupError
        The table does not exist.

    Examples
    --------
    >>> table_schema("trace_inputs")[2]["type"], table_schema("scores")[17]["mode"]
    ('INTEGER', 'REPEATED')
    """
    models = {model.table: model for model in ROWS}
    if table not in models:
        raise SetupError(f"there is no table `{table}`; {nearest(table, models)}")
    hints = get_type_hints(models[table])
    return [_schema_field(table, name, *_python_type(hints[name])) for name in models[table].model_fields]


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
        `project.dataset`; it is created if it does not exist.
    tables, run_ids, with_local_only
        The same as for `export`.
    replace
        Replace the tables of an earlier export.
    location
        The location of a new dataset, such as `EU`.
    client
        A `google.cloud.bigquery.Client`; by default one with Google's default credentials.

    Returns
    -------
    dict
        The number of rows by table.

    Raises
    ------
    SetupError
        The package is missing, nobody is signed in, a table exists already, or BigQuery refuses.
    """
    match = _DATASET.fullmatch(dataset.strip().strip("`"))
    if not match:
        raise SetupError(f"`{dataset}` is not a dataset: write `project.dataset`.")
    project, name = match[1], match[2]
    with (
        open_client(client, project) as bigquery_client,
        tempfile.TemporaryDirectory(prefix="buttermilk_nb-") as folder,
    ):
        address = f"{project or bigquery_client.project}.{name}"
        with store.reading() as con:
            con.execute("set TimeZone = 'UTC'")
            export_tables = select_tables(con, tables=tables, run_ids=run_ids, with_local_only=with_local_only)
            table_files = write_tables(con, export_tables, Path(folder), "bigquery")
        _prepare_dataset(
            bigquery_client, address, [table.name for table in table_files], replace=replace, location=location
        )
        n_rows = {
            table.name: _load_table(bigquery_client, f"{address}.{table.name}", table, replace=replace)
            for table in table_files
        }
    remember_export(store, f"bigquery://{address}", list(n_rows))
    return n_rows


def _prepare_dataset(client: Any, address: str, tables: Sequence[str], *, replace: bool, location: str | None) -> None:
    """Create the dataset if it does not exist; raise an error if one of the tables exists already."""
    from google.api_core.exceptions import NotFound
    from google.cloud import bigquery

    try:
        client.get_dataset(address)
    except NotFound:
        new_dataset = bigquery.Dataset(address)
        new_dataset.location = location
        client.create_dataset(new_dataset)
        return
    existing = [name for name in tables if _table_exists(client, f"{address}.{name}")]
    if existing and not replace:
        raise SetupError(
            f"`{address}` already has {', '.join(f'`{name}`' for name in existing)}: name another dataset, or replace "
            "the earlier export with replace=True."
        )


def _table_exists(client: Any, table: str) -> bool:
    from google.api_core.exceptions import NotFound

    try:
        client.get_table(table)
    except NotFound:
        return False
    return True


def _load_table(client: Any, address: str, table: TableFile, *, replace: bool) -> int:
    from google.cloud import bigquery

    disposition = bigquery.WriteDisposition

    config = bigquery.LoadJobConfig(
        source_format=bigquery.SourceFormat.PARQUET,
        write_disposition=disposition.WRITE_TRUNCATE if replace else disposition.WRITE_EMPTY,
        schema=[bigquery.SchemaField.from_api_repr(field) for field in _file_schema(table)],
        parquet_options=_list_inference(),
    )
    with table.path.open("rb") as handle:
        job = client.load_table_from_file(handle, address, job_config=config)
    job.result()
    return int(job.output_rows or 0)


def _list_inference() -> Any:
    from google.cloud.bigquery.format_options import ParquetOptions

    options = ParquetOptions()
    options.enable_list_inference = True  # else a list becomes a record of records
    return options


def _file_schema(table: TableFile) -> list[dict[str, str]]:
    """The schema of a table or view in a file, from its columns in DuckDB."""
    return [_schema_field(table.name, column.name, *_duckdb_type(column)) for column in table.columns]


def _schema_field(table: str, name: str, kind: str, mode: str) -> dict[str, str]:
    return {"name": name, "type": kind, "mode": mode, "description": describe_column(table, name)}


def _python_type(hint: Any) -> tuple[str, str]:
    """The kind and mode of a field: `Clean | None` is a text, `list[str] | None` a list of texts."""
    kinds = [part for part in _flatten_hint(hint) if part is not type(None)]
    repeated = kinds[0] is list
    kind = kinds[1] if repeated else kinds[0]
    return _BY_PYTHON[type(kind).__name__ if isinstance(kind, str) else kind.__name__], _field_mode(repeated)


def _flatten_hint(hint: Any) -> list[Any]:
    """The parts of a type, outermost first: a list before its items; of a Literal its words."""
    parts = [part for arg in get_args(hint) for part in _flatten_hint(arg)]
    if getattr(hint, "__origin__", None) is list:
        return [list, *parts]
    return parts or [hint]


def _duckdb_type(column: Column) -> tuple[str, str]:
    kind = column.kind.removesuffix("[]")
    return _BY_DUCKDB.get(kind, "STRING"), _field_mode(column.is_list)


def _field_mode(repeated: bool) -> str:
    return "REPEATED" if repeated else "NULLABLE"
