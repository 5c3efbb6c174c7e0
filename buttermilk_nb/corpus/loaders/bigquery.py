"""Records from BigQuery: a whole table, or the rows of a query.

A table is read row by row through the storage of the table itself, which costs nothing; a query is
paid for by what it scans, so it is refused beyond `max_bytes_billed`. Values keep their kind; what has
no place in JSON (dates, decimals, bytes) becomes text. Needs `pip install buttermilk-nb[bigquery]`.
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
"""What a query may scan unless the caller allows more: ten gibibytes, some cents."""
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
    """Read a table or the result of a query; `Corpus.from_bigquery` makes records of it.

    Parameters
    ----------
    source
        `project.dataset.table`, `dataset.table`, or a query.
    project, location
        Who pays, and where the data lies; by default what Google's own settings say.
    params
        Values for `@name` in the query; never paste values into the text.
    max_rows
        Read no more than this.
    max_bytes_billed
        A query that would scan more is refused by BigQuery before it runs.
    client
        A `google.cloud.bigquery.Client` to use; made from `project` where none is given.

    Raises
    ------
    SetupError
        The package is missing, nobody is signed in, or BigQuery refuses.
    """
    about: dict[str, Any]
    with asking(client, project) as opened:
        if _TABLE.fullmatch(source.strip()):
            name = full_name(source.strip().strip("`"), opened.project)
            rows = opened.list_rows(opened.get_table(name), max_results=max_rows)
            about = {"bigquery": {"table": name}}
        else:
            job = opened.query(source, job_config=_config(params, max_bytes_billed), location=location)
            rows = job.result(max_results=max_rows)
            about = {"bigquery": {"query": source, **({"params": to_jsonable(dict(params))} if params else {})}}
        found = [SourceRow(line, {key: plain(value) for key, value in row.items()}) for line, row in enumerate(rows, 1)]
    return Source(found, {**about, "rows": len(found), "sha256": _content_hash(found)})


def full_name(name: str, project: str) -> str:
    """`project.dataset.table`, the project being the client's where the name has none.

    Examples
    --------
    >>> full_name("press.articles", "our-project")
    'our-project.press.articles'
    """
    return name if name.count(".") == 2 else f"{project}.{name}"


def make_client(project: str | None = None) -> Any:
    """A BigQuery client with Google's default credentials; a sentence where that cannot be had."""
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
        raise SetupError("say which Google Cloud project is meant: project=...") from None


class asking:  # noqa: N801  # used as a context manager, like `suppress`
    """A client for as long as the block runs; what Google refuses becomes a sentence.

    Parameters
    ----------
    client
        The client to use, which stays open; or None.
    project
        Whose client is made, and closed, where there is none.
    """

    def __init__(self, client: Any, project: str | None) -> None:
        self._given = client
        self._client = client if client is not None else make_client(project)

    def __enter__(self) -> Any:
        return self._client

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if self._given is None:
            self._client.close()
        from google.api_core.exceptions import GoogleAPICallError, RetryError
        from google.auth.exceptions import GoogleAuthError

        if isinstance(error, GoogleAPICallError | RetryError | GoogleAuthError):
            message = getattr(error, "message", None) or str(error)
            raise SetupError(f"BigQuery refuses: {str(message).strip().splitlines()[0].rstrip('.')}.") from None


def _config(params: Mapping[str, Any] | None, max_bytes_billed: int) -> Any:
    from google.cloud import bigquery

    return bigquery.QueryJobConfig(
        maximum_bytes_billed=max_bytes_billed,
        query_parameters=[bigquery.ScalarQueryParameter(key, *_typed(value)) for key, value in (params or {}).items()],
    )


def _typed(value: Any) -> tuple[str, Any]:
    for kind, name in ((bool, "BOOL"), (int, "INT64"), (float, "FLOAT64")):
        if isinstance(value, kind):
            return name, value
    return "STRING", str(value)


def plain(value: Any) -> Any:
    """A value as JSON could hold it, lists and records included.

    Examples
    --------
    >>> plain({"when": __import__("datetime").date(2026, 5, 1), "raw": b"ab"})
    {'when': '2026-05-01', 'raw': 'YWI='}
    """
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if hasattr(value, "isoformat"):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return to_jsonable(value)


def _content_hash(rows: Iterable[SourceRow]) -> str:
    """What was read, as a hash: a table may change between two readings."""
    return digest("bq1", *(canonical(row.fields) for row in rows))
