"""Erases the codes of a person from records and from `labels`.

The annotations of a record are hashed (`details_hash`, and with it the corpus). A code has so few possible values that
it could be guessed from the old hash. So each record gets the hash that it has without the codes, as if they had never
existed. A corpus cannot be hashed again from the Store, so it gets a random hash.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable
from typing import Any

import duckdb

from ..._internal.ids import canonical
from ..._internal.text import replace_surrogates
from ...corpus.record import Record
from ...errors import SetupError, nearest
from .anonymise import ERASED, event_names_coder, remove_coder
from .delete_rows import run_statement, tables_with

_KEY = "record_id, record_hash, details_hash"
_FIELDS = (
    "record_id", "record_hash", "content", "metadata", "ground_truth", "expert_reasons", "labels", "cluster",
    "parent_id", "start_offset", "end_offset", "uri", "mime", "local_only",
)  # fmt: skip
_JSON = ("metadata", "ground_truth", "expert_reasons", "labels")


def erase_coder(con: duckdb.DuckDBPyConnection, coder: str) -> tuple[int, list[str]]:
    """Remove a coder's codes; returns the number of changed rows and the ids of the changed runs.

    Raises
    ------
    SetupError
        The Store has no coder with that name.
    """
    tables = tables_with(con, "coder")
    _require_coder(con, coder, tables)
    n_rows = sum(run_statement(con, f"delete from {table} where coder = ?", [coder]) for table in tables)  # noqa: S608
    n_rows += _erase_from_records(con, coder)
    _replace_corpus_hashes(con)
    _erase_from_manifests(con, coder)
    _erase_from_events(con, coder)
    return n_rows, [run_id for (run_id,) in con.execute("select run_id from changed_runs order by 1").fetchall()]


def _require_coder(con: duckdb.DuckDBPyConnection, coder: str, tables: Iterable[str]) -> None:
    parts = ["select unnest(json_keys(labels)) as coder from records where json_valid(labels)"]
    parts += [f"select coder from {table}" for table in tables]  # noqa: S608  # our own names
    coders = [name for (name,) in con.execute(" union ".join(parts)).fetchall()]
    if coder not in coders:
        raise SetupError(f"the Store has no coder `{coder}`; {nearest(coder, sorted(coders))}")


def _erase_from_records(con: duckdb.DuckDBPyConnection, coder: str) -> int:
    """Write the records without the coder's codes, and list the runs that had them in the table `changed_runs`."""
    rows = con.execute(
        f"select details_hash, media, {', '.join(_FIELDS)} from records "  # noqa: S608  # our own names
        "where json_valid(labels) and list_contains(json_keys(labels), ?)",
        [coder],
    ).fetchall()
    con.execute(
        "create or replace temp table other "
        "(record_id varchar, record_hash varchar, details_hash varchar, new varchar, labels varchar)"
    )
    appender = con.appender("other")
    appender.append_rows(_record_without_coder(row, coder) for row in rows)
    appender.flush()
    con.execute(
        f"create or replace temp table changed_runs as select distinct run_id from cells semi join other using ({_KEY})"  # noqa: S608  # our own names
    )
    con.execute(
        "update cells c set details_hash = o.new from other o where c.record_id = o.record_id "
        "and c.record_hash = o.record_hash and c.details_hash = o.details_hash"
    )
    con.execute(
        "create or replace temp table renewed as "  # noqa: S608
        "select r.* replace (o.new as details_hash, o.labels as labels) "
        f"from records r join other o using ({_KEY})"
    )
    con.execute(
        f"delete from records where ({_KEY}) in (select ({_KEY}) from other)"  # noqa: S608
    )
    con.execute(
        f"insert into records select * from renewed anti join records using ({_KEY}) "  # noqa: S608
        f"qualify row_number() over (partition by {_KEY} order by first_seen_at) = 1"
    )
    return len(rows)


def _record_without_coder(row: tuple[Any, ...], coder: str) -> tuple[Any, ...]:
    """The key of a version of a record, its new hash, and its labels without the coder's."""
    old_details_hash, media, *values = row
    fields = dict(zip(_FIELDS, values, strict=True))
    fields |= {name: json.loads(fields[name]) for name in _JSON}
    fields["expert_reasons"] = {key: tuple(reasons) for key, reasons in fields["expert_reasons"].items()}
    fields["labels"] = {name: codes for name, codes in fields["labels"].items() if name != coder}
    fields["local_only"] = bool(fields["local_only"])
    record_hash = fields.pop("record_hash")
    record = Record.model_construct(**fields)
    # a hash of annotations contains the names of images, which the Store does not keep for each record
    new_details_hash = record.annotations_hash if not media else f"forgotten-{secrets.token_hex(16)}"
    labels = replace_surrogates(canonical(record.labels))
    return record.record_id, record_hash, old_details_hash, new_details_hash, labels


def _replace_corpus_hashes(con: duckdb.DuckDBPyConnection) -> None:
    rows = con.execute("select distinct corpus_hash from runs semi join changed_runs using (run_id)").fetchall()
    for (corpus_hash,) in rows:
        con.execute(
            "update runs set corpus_hash = ? where corpus_hash = ?", [f"forgotten-{secrets.token_hex(16)}", corpus_hash]
        )


def _erase_from_manifests(con: duckdb.DuckDBPyConnection, coder: str) -> None:
    rows = con.execute("select run_id, manifest from runs where contains(manifest, ?)", [coder]).fetchall()
    for run_id, manifest in rows:
        content = json.loads(manifest)
        if (remaining := remove_coder(content, coder)) != content:
            con.execute(
                "update runs set manifest = ? where run_id = ?", [replace_surrogates(canonical(remaining)), run_id]
            )
            con.execute("insert into changed_runs select ? where ? not in (from changed_runs)", [run_id, run_id])


def _erase_from_events(con: duckdb.DuckDBPyConnection, coder: str) -> None:
    rows = con.execute("select event_id, payload from events where contains(payload, ?)", [coder]).fetchall()
    for event_id, payload in rows:
        if event_names_coder(payload, coder):
            con.execute("update events set payload = ? where event_id = ?", [ERASED, event_id])
