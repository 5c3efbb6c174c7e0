"""`connect`: a DuckDB connection to the project's tables, for one's own queries."""

from __future__ import annotations

import duckdb

from .._internal.arguments import check_arguments
from .project import Project
from .session import require_project


@check_arguments
def connect(project: Project | None = None) -> duckdb.DuckDBPyConnection:
    """Connect to the project's tables with DuckDB, pandas, ibis or any other program that takes a DuckDB connection.

    The connection is to a copy in memory, so it never stops a run, and nothing that you do with it changes the project.
    The copy follows each run, import and code while the file has less than 100 MB; call `connect` again to follow a
    larger one.

    Parameters
    ----------
    project
        By default the open project.

    Returns
    -------
    duckdb.DuckDBPyConnection
        It is closed with the project. The copy takes memory: as much as the file has on disk, or several times as much.

    Raises
    ------
    SetupError
        The file has more than 1 GB.

    Examples
    --------
    >>> import tempfile
    >>> from buttermilk_nb import init
    >>> _ = init("connect-example", path=tempfile.mkdtemp())
    >>> connect().sql("select count(*) as n from latest_scores").df().n.item()
    0
    """
    return require_project(project, to_read=True).store.connect()
