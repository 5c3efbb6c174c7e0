"""Runs a query that a user or a model has written: one SELECT, with a time limit.

Nobody else can write to the file while a query reads it. So a query that takes longer than a third of the time that
others wait goes on in a copy of the file.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import duckdb

from .._internal.arguments import require_text
from ..errors import SetupError, nearest

if TYPE_CHECKING:
    import pandas as pd

Params = Sequence[Any] | dict[str, Any] | None

_MACHINE_FUNCTIONS = frozenset(
    {
        "disable_logging", "duckdb_databases", "duckdb_extensions", "duckdb_log_contexts", "duckdb_logs",
        "duckdb_secrets", "duckdb_settings", "enable_logging", "getenv", "pragma_database_list", "which_secret",
        "write_log",
    }
)  # fmt: skip
"""Functions that write logs, or that show paths and settings of this machine."""


class QueryTooLong(Exception):
    """A query took longer than it may."""


def run_query(con: duckdb.DuckDBPyConnection, query: str, params: Params, limit_s: float) -> pd.DataFrame:
    """The rows of one SELECT.

    Raises
    ------
    SetupError
        The query is not a single SELECT, or DuckDB does not understand it.
    QueryTooLong
        It did not end within `limit_s` seconds.
    """
    timer = threading.Timer(limit_s, con.interrupt)
    timer.daemon = True
    started = time.monotonic()
    try:
        require_text(query, "a query").encode()
        statements = con.extract_statements(query)
        kinds = [statement.type for statement in statements]
        if kinds != [duckdb.StatementType.SELECT]:
            description = "an empty text" if not kinds else f"{len(kinds)} statements" if kinds[1:] else kinds[0].name
            raise SetupError(f"`bm.sql` takes one SELECT, not {description}; only runs write to the tables.")
        timer.start()
        return con.execute(statements[0], params).df()
    except duckdb.InterruptException:
        if time.monotonic() - started < limit_s:  # the user's own Ctrl-C
            raise KeyboardInterrupt from None
        raise QueryTooLong from None
    except duckdb.Error as error:
        raise SetupError(_query_message(error, con)) from None
    except UnicodeEncodeError:
        raise SetupError("the query contains half a letter, which no file of texts can contain; remove it.") from None
    finally:
        timer.cancel()


def without_files(con: duckdb.DuckDBPyConnection, query: str) -> None:
    """Let a connection read no file of this machine but those it has attached; its instance cannot be used otherwise.

    Raises
    ------
    SetupError
        The query calls a function that reads settings of this machine or writes logs.
    """
    con.execute("set enable_external_access = false")
    con.execute("set lock_configuration = true")
    called = _MACHINE_FUNCTIONS.intersection(re.findall(r"\w+", query.lower()))  # also quoted, or in a text to execute
    if called:
        raise SetupError(f"`{sorted(called)[0]}` must not be used in this query.")


def too_long_message(timeout_s: float) -> str:
    """The sentence for a query that was stopped."""
    return (
        f"the query did not end within {timeout_s:g} s, so it was stopped. Check that each join names the columns that "
        "must be equal (`using (trace_id)`), add a condition, or allow more time: bm.sql(..., "
        f"timeout_s={max(timeout_s * 10, 60):g})."
    )


def _query_message(error: duckdb.Error, con: duckdb.DuckDBPyConnection) -> str:
    """DuckDB's message as a sentence, with the nearest name if a table does not exist."""
    message = str(error).strip()
    missing = re.search(r"Table with name (\S+) does not exist", message)
    if missing:
        names = con.execute("select table_name from information_schema.tables order by 1").fetchall()
        return f"there is no table `{missing[1]}`; {nearest(missing[1], [name for (name,) in names])}"
    first, *others = [line.strip() for line in message.splitlines() if line.strip()]
    place = next((f" ({line})" for line in others if line.startswith("LINE")), "")
    hint = next((f" {line}" for line in others if line.startswith(("Did you mean", "Candidate"))), "")
    return f"DuckDB does not understand this query: {first.rstrip('.')}{place}.{hint}"
