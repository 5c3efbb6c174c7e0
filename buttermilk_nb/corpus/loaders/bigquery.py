"""Rows from BigQuery: a whole table, or the result of a query.

Reading a table row by row is free of charge. A query costs money for the bytes that it scans, so BigQuery refuses it
above `max_bytes_billed`. Values keep their type; values that JSON does not have (dates, decimals, bytes) become text.
This needs `pip install buttermilk-nb[bigquery]`.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Mapping
from typing import Any

from ..._internal.ids import canonical, digest
from ..._internal.text import to_jsonable
from ...errors import SetupError
from .source import Source, SourceRow

MAX_BYTES_BILLED = 10 * 1024**3
"""The default limit of bytes that a query may scan: 10 GiB, which cost a few cents."""
_TABLE = re.compile(r"`?[\w-]+(\.[\w-]+){1,2}`?")


def read(
    source: str,
    *,
    project: str | None = None,
    location: str | None = None,
    params: Mapping[str, Any] | None = None,
    max_rows: int | None = None,
    max_bytes_billed: int = MAX_BYTES_BILLED,
    client: Any = None,
) -> Source:
    """Read a table or the result of a query. `Corpus.from_bigquery` makes records of it.

    Parameters
    ----------
    source
        `project.dataset.table`, `dataset.table`, or a query.
    project, location
        The Google Cloud project that pays, and the location of the data; by default those of Google's own settings.
    params
        Values for `@name` in the query. Never paste values into the text of the query.
    max_rows
        The maximum number of rows to read; by default all.
    max_bytes_billed
        A query that would scan more bytes is refused by BigQuery before it runs.
    client
        A `google.cloud.bigquery.Client` to use; by default one is made for `project`.

    Raises
    ------
    SetupError
        The package is missing, nobody is signed in, or BigQuery refuses.
    """
    description: dict[str, Any]
    with open_client(client, project) as bigquery_client:
        if _TABLE.fullmatch(source.strip()):
            name = full_table_name(source.strip().strip("`"), bigquery_client.project)
            table_rows = bigquery_client.list_rows(bigquery_client.get_table(name), max_results=max_rows)
            description = {"bigquery": {"table": name}}
        else:
            config = _query_config(params, max_bytes_billed)
            table_rows = bigquery_client.query(source, job_config=config, location=location).result(
                max_results=max_rows
            )
            description = {"bigquery": {"query": source, **({"params": to_jsonable(dict(params))} if params else {})}}
        rows = [
            SourceRow(line, {key: to_json_value(value) for key, value in row.items()})
            for line, row in enumerate(table_rows, 1)
        ]
    return Source(rows, {**description, "rows": len(rows), "sha256": _content_hash(rows)})


def full_table_name(name: str, project: str) -> str:
    """The name with a project: `project.dataset.table`. If the name has none, it is the client's project.

    Examples
    --------
    >>> full_table_name("press.articles", "our-project")
    'our-project.press.articles'
    """
    return name if name.count(".") == 2 else f"{project}.{name}"


def make_client(project: str | None = None) -> Any:
    """A BigQuery client with Google's default credentials.

    Raises
    ------
    SetupError
        The package is missing, nobody is signed in, or the project is not known.
    """
    try:
        from google.auth.exceptions import DefaultCredentialsError
        from google.cloud import bigquery
    except ImportError:
        raise SetupError(
            "BigQuery needs a package that is not installed: `pip install buttermilk-nb[bigquery]`."
        ) from None
    try:
        return bigquery.Client(project=project)
    except DefaultCredentialsError:
        raise SetupError(
            "nobody is signed in to Google Cloud: run `gcloud auth application-default login`, or set "
            "GOOGLE_APPLICATION_CREDENTIALS to the file of a service account."
        ) from None
    except OSError:
        raise SetupError("name the Google Cloud project: project=...") from None


class open_client:  # noqa: N801  # used as a context manager, like `suppress`
    """A BigQuery client for a `with` block. Errors from Google become a `SetupError` with one sentence.

    Parameters
    ----------
    client
        The client to use, which stays open; or None.
    project
        If `client` is None, a client is made for this project and closed at the end.
    """

    def __init__(self, client: Any, project: str | None) -> None:
        self._is_own_client = client is None
        self._client = client if client is not None else make_client(project)

    def __enter__(self) -> Any:
        return self._client

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if self._is_own_client:
            self._client.close()
        from google.api_core.exceptions import GoogleAPICallError, RetryError
        from google.auth.exceptions import GoogleAuthError

        if isinstance(error, GoogleAPICallError | RetryError | GoogleAuthError):
            message = getattr(error, "message", None) or str(error)
            raise SetupError(f"BigQuery refuses: {str(message).strip().splitlines()[0].rstrip('.')}.") from None


def _query_config(params: Mapping[str, Any] | None, max_bytes_billed: int) -> Any:
    from google.cloud import bigquery

    return bigquery.QueryJobConfig(
        maximum_bytes_billed=max_bytes_billed,
        query_parameters=[
            bigquery.ScalarQueryParameter(key, *_typed_param(value)) for key, value in (params or {}).items()
        ],
    )


def _typed_param(value: Any) -> tuple[str, Any]:
    for python_type, name in ((bool, "BOOL"), (int, "INT64"), (float, "FLOAT64")):
        if isinstance(value, python_type):
            return name, value
    return "STRING", str(value)


def to_json_value(value: Any) -> Any:
    """A value of BigQuery as a JSON value, including lists and records.

    Examples
    --------
    >>> to_json_value({"when": __import__("datetime").date(2026, 5, 1), "raw": b"ab"})
    {'when': '2026-05-01', 'raw': 'YWI='}
    """
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if hasattr(value, "isoformat"):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(key): to_json_value(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [to_json_value(item) for item in value]
    return to_jsonable(value)


def _content_hash(rows: Iterable[SourceRow]) -> str:
    """A hash of the rows, because a table may change between two readings."""
    return digest("bq1", *(canonical(row.fields) for row in rows))
