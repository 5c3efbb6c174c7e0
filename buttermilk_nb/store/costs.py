"""What the stored calls count in a budget."""

from __future__ import annotations

from collections.abc import Collection

import duckdb

IS_AMOUNT = "between 0 and 1e9"
"""The condition of an amount: any other number, or none at all (NaN), was written by another program."""

HAS_UNKNOWN_COST = (
    "remote and not cached and cost_usd is null and (response_hash is not null or max_cost_usd is not null)"
)
"""The condition of `Call.has_unknown_cost`."""


def counted_usd(con: duckdb.DuckDBPyConnection, run_ids: Collection[str] | None = None) -> float:
    """The cost of calls, or the most that they can have cost where that is not known, in US dollars.

    Parameters
    ----------
    con
        A connection to the file.
    run_ids
        The runs to count; by default all.
    """
    row = con.execute(
        "select coalesce(sum(usd), 0.0) from (select coalesce(max_cost_usd, cost_usd) as usd from calls "  # noqa: S608  # our own
        f"where $runs::varchar[] is null or list_contains($runs::varchar[], run_id)) where usd {IS_AMOUNT}",
        {"runs": None if run_ids is None else list(run_ids)},
    ).fetchone()
    return float(row[0]) if row else 0.0
