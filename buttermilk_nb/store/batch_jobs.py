"""Requests submitted to providers' batch APIs, with their states (table `batches`).

The table has one row for each request and each of its states. Rows are only added; for each request the newest row
counts. `sending` is written before a batch is submitted, with a submission id by which the batch can be found again;
`submitted` is written when its id is known. `collected` has the time and the price of the answer, so that the call that
used the answer can be identified. An answer that no call has paid for yet must still be paid for, even if the program
ended in between.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, ClassVar, Literal

from ..schema import Row, now
from .costs import IS_AMOUNT

if TYPE_CHECKING:
    import duckdb

    from .store import Store

State = Literal["sending", "submitted", "collected", "unused", "unanswered", "failed", "gone"]
OPEN: frozenset[str] = frozenset({"sending", "submitted"})
"""States of a request that a provider may be working on."""
_BILLED: frozenset[str] = frozenset({"unused", "unanswered", "gone"})
"""States of a request that was submitted and whose answer no call has used; its row has a cost if it may be billed."""

_NEWEST = (
    "select batch_id, provider, model, cache_key, state, happened_at, cost_usd, record_id from batches {where} "
    "qualify row_number() over (partition by cache_key order by happened_at desc, rowid desc) = 1"
)


class Submission(Row):
    """One request of a batch, in one state."""

    table: ClassVar[str] = "batches"
    batch_id: str
    """The provider's id of the batch; in state `sending` the submission id by which it can be found again."""
    provider: str
    model: str
    cache_key: str
    state: State
    happened_at: dt.datetime
    cost_usd: float | None = None
    """The cost in US dollars; as long as it is not known, the most that the request can cost."""
    record_id: str | None = None
    """The record that the request is about."""


def write_submissions(store: Store, rows: Sequence[Submission]) -> None:
    """Add rows."""
    with store.writing() as con:
        store.append(con, rows)


def newest_submissions(store: Store, keys: Collection[str]) -> dict[str, Submission]:
    """The newest row of each of these requests, by key; requests that were never submitted are missing."""
    query = _NEWEST.format(where="where cache_key in (select unnest(?))")
    with store.reading() as con:
        rows = con.execute(query, [list(keys)]).fetchall()
    return {row[3]: Submission(**dict(zip(Submission.model_fields, row, strict=True))) for row in rows}


def unpaid_keys(store: Store, keys: Collection[str]) -> set[str]:
    """The keys of collected answers that no call has paid for yet, among `keys`."""
    with store.reading() as con:
        rows = con.execute(
            f"with newest as ({_NEWEST.format(where='where cache_key in (select unnest(?))')}) "  # noqa: S608  # our own
            "select cache_key from newest where state = 'collected' and not exists (select 1 from calls "
            "where calls.cache_key = newest.cache_key and calls.answered_at = newest.happened_at and not calls.cached)",
            [list(keys)],
        ).fetchall()
    return {key for (key,) in rows}


def close_requests(store: Store, keys: Collection[str]) -> None:
    """Mark requests as `unused`, because they were answered in another way and no longer wait for their batch."""
    closed_at = now()
    open_submissions = [row for row in newest_submissions(store, keys).values() if row.state in OPEN] if keys else []
    if open_submissions:
        update = {"state": "unused", "happened_at": closed_at}
        write_submissions(store, [row.model_copy(update=update) for row in open_submissions])


def keys_in_batch(store: Store, batch_id: str) -> set[str]:
    """The keys of the requests in a batch, given its id or its submission id."""
    with store.reading() as con:
        rows = con.execute("select distinct cache_key from batches where batch_id = ?", [batch_id]).fetchall()
    return {key for (key,) in rows}


def batch_ids(store: Store) -> set[str]:
    """The ids of all batches."""
    with store.reading() as con:
        return {name for (name,) in con.execute("select distinct batch_id from batches").fetchall()}


def open_batches(con: duckdb.DuckDBPyConnection, keys_query: str) -> list[str]:
    """The batches that have not ended and contain one of the requests whose keys a query of ours returns.

    Each is named as `batch_id at provider`.
    """
    rows = con.execute(
        f"select distinct batch_id, provider from ({_NEWEST.format(where=f'where cache_key in ({keys_query})')}) "  # noqa: S608
        "where state in (select unnest(?)) order by 1",
        [sorted(OPEN)],
    ).fetchall()
    return [f"`{batch_id}` at {provider}" for batch_id, provider in rows]


def open_usd(con: duckdb.DuckDBPyConnection) -> float:
    """The most that the batches at providers can still cost, in US dollars."""
    row = con.execute(
        f"select coalesce(sum(cost_usd), 0) from ({_NEWEST.format(where='')}) "  # noqa: S608  # our own
        f"where state in (select unnest(?)) and cost_usd {IS_AMOUNT}",
        [sorted(OPEN)],
    ).fetchone()
    return float(row[0]) if row else 0.0


def billed_usd(con: duckdb.DuckDBPyConnection) -> float:
    """The most that those requests have cost that providers have answered and no call has used, in US dollars."""
    row = con.execute(
        "select coalesce(sum(usd), 0) from (select max(cost_usd) as usd from batches "  # noqa: S608  # our own
        f"where state in (select unnest(?)) and cost_usd {IS_AMOUNT} group by batch_id, cache_key)",
        [sorted(_BILLED)],
    ).fetchone()
    return float(row[0]) if row else 0.0
