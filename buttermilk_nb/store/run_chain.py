"""Writes the end of a run: status, digest of its answers, link in the chain.

The digest covers only the answers: if two digests are equal, all numbers are equal, wherever and whenever they were
made. The link covers every row of the run, with ids, times and the hashes of all bodies, and the previous link. So
`verify` detects a changed row or a removed run, unless somebody also makes every later link again. To exclude that too,
write the last link down in another place. What is removed on purpose leaves a tombstone.

Rows are hashed one by one and the hashes are sorted, so that the order in which rows were written does not matter. The
columns are listed here and not taken from the models, because a new column must not change the hashes of older files.
Add a recipe for it instead.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from typing import Any

import duckdb

from .._internal.ids import digest
from ..schema import LinkRow, now
from .append import append
from .write_batch import RunEnd

_FIRST_RECIPE = {
    "cells": "design_id step record_id record_hash criteria_set criteria_hash model replicate details_hash",
    "trace_rows": "trace_id design_id record_id record_hash step agent role model criteria_set criteria_hash "
    "prompt_hash params replicate status flagged error_type attempts started_at duration_s outcome_hash",
    "calls": "call_id trace_id model_requested model_served fingerprint request_id cache_key cached asked_at "
    "answered_at params_sent params_dropped attempt request_hash response_hash finish_reason tokens_in tokens_out "
    "cost_usd saved_usd latency_s status error_message provider remote waited_s error_code redaction",
    "score_rows": "trace_id design_id record_id record_hash judge criteria_set criteria_hash criterion model "
    "replicate value category flagged uncertainty status said_hash",
    "trace_inputs": "trace_id input_trace_id position",
    "assessments": "trace_id assessed_trace_id record_id criterion reason_index reason matched matched_by feedback "
    "status",
}
RECIPES: dict[str, dict[str, str]] = {
    "rows1": _FIRST_RECIPE,
    "rows2": {**_FIRST_RECIPE, "calls": f"{_FIRST_RECIPE['calls']} max_cost_usd"},
    "rows3": {
        **_FIRST_RECIPE,
        "calls": f"{_FIRST_RECIPE['calls']} max_cost_usd",
        "score_rows": f"{_FIRST_RECIPE['score_rows']} answer_note",
    },
}
"""The columns that a link covers, by the tag of its recipe."""
NEWEST_RECIPE = "rows3"
_CHUNK = 10_000
_TIMES = frozenset({"started_at", "asked_at", "answered_at"})
_RUN = "run_id, flow, flow_hash, corpus_hash, status, started_at, finished_at, manifest, digest"


def write_run_end(con: duckdb.DuckDBPyConnection, run_end: RunEnd) -> None:
    """Write the end of a run, in a transaction that can see all its rows."""
    con.execute(
        "update runs set status = ?, finished_at = ?, digest = ?, manifest = coalesce(?, manifest) where run_id = ?",
        [run_end.status, run_end.finished_at, run_digest(con, run_end.run_id), run_end.manifest, run_end.run_id],
    )
    add_link(con, run_end.run_id)


def add_link(con: duckdb.DuckDBPyConnection, run_id: str) -> None:
    """Add a link for a run in its present state; a run that was changed on purpose gets a second one, which counts."""
    run = run_values(con, run_id)
    if run is None:  # its plan was never written
        return
    last_link = con.execute("select position, chain from links order by position desc limit 1").fetchone()
    position, previous = last_link or (0, "")
    rows_digest = rows_hash(con, run_id)
    chain = chain_link(previous, run, rows_digest)
    con.execute("update runs set chain = ? where run_id = ?", [chain, run_id])
    append(con, [LinkRow(position=position + 1, run_id=run_id, rows_hash=rows_digest, chain=chain, linked_at=now())])


def run_digest(con: duckdb.DuckDBPyConnection, run_id: str) -> str | None:
    """The hash of a run's answers; None if it has none."""
    n, answers_digest = _hash_texts(
        con,
        "select concat_ws('|', design_id, criterion, status, coalesce(category, ''), coalesce(value::varchar, '')) "
        "from score_rows where run_id = $run order by design_id, criterion",
        run_id,
        "md5",
        "\n",
    )
    return answers_digest if n else None


def run_values(con: duckdb.DuckDBPyConnection, run_id: str) -> tuple[Any, ...] | None:
    """The row of a run in `runs`, without its link; None if the run does not exist."""
    return con.execute(f"select {_RUN} from runs where run_id = ?", [run_id]).fetchone()  # noqa: S608  # our own names


def chain_link(previous: str, run: tuple[Any, ...], rows_digest: str) -> str:
    """The link of a run: a hash of the previous link, of its row in `runs`, and of its other rows."""
    return digest("l1", previous, *(_value_text(value) for value in run), rows_digest)


def rows_hash(con: duckdb.DuckDBPyConnection, run_id: str, recipe: str = NEWEST_RECIPE) -> str:
    """The hash of all rows of a run."""
    parts = (
        (table, *_hash_texts(con, f"{_row_hash_query(table, columns.split())} order by hash", run_id, "sha256", ""))
        for table, columns in sorted(RECIPES[recipe].items())
    )
    return digest(recipe, *(f"{table} {n} {hashed}" for table, n, hashed in parts if n))


def _hash_texts(
    con: duckdb.DuckDBPyConnection, query: str, run_id: str, algorithm: str, separator: str
) -> tuple[int, str]:
    """The number of texts that a query returns, and the hash of them joined; only one chunk is in memory at a time."""
    hasher, n = hashlib.new(algorithm, usedforsecurity=False), 0
    con.execute(query, {"run": run_id})
    while rows := con.fetchmany(_CHUNK):
        hasher.update((separator * bool(n) + separator.join(text for (text,) in rows)).encode())
        n += len(rows)
    return n, hasher.hexdigest()


def _row_hash_query(table: str, columns: list[str]) -> str:
    """A query for the hash of each row of a run: its values as text, with a control character between them."""
    values = ", ".join(
        f"coalesce({f'epoch_us({name})' if name in _TIMES else name}::varchar, chr(30))" for name in columns
    )
    condition = (
        "trace_id in (select trace_id from trace_rows where run_id = $run)"
        if table == "trace_inputs"
        else "run_id = $run"
    )
    hash_sql = (
        f"substr(sha256(concat_ws(chr(31), {values})), 1, 32)"  # 128 bits, as everywhere; they sort in half the time
    )
    return f"select {hash_sql} as hash from {table} where {condition}"  # noqa: S608  # our own names


def _value_text(value: Any) -> str:
    return value.isoformat() if isinstance(value, dt.datetime) else "" if value is None else str(value)
