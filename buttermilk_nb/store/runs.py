"""The rows of a run as a whole: its plan before the first call, its state and digest at the end."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from typing import Any

from ..traces import CellRow, EventRow, RunRow, TextRow, now
from .database import Store

_CHUNK = 50_000  # planned cells buffered at once


def write_plan(
    store: Store, run: RunRow, texts: Sequence[TextRow], cells: Iterable[tuple[Any, ...]], event: EventRow
) -> None:
    """Write a run, its prompts, criteria and schemas, and every cell that it plans."""
    by_hash = {text.text_hash: text for text in texts}
    with store.writing() as con:
        store.append(con, [run])
        store.append(con, [event])
        here = con.execute("select text_hash from texts where text_hash in (select unnest(?))", [list(by_hash)])
        stored = {name for (name,) in here.fetchall()}
        store.append(con, [text for name, text in by_hash.items() if name not in stored])
        rows = iter(cells)
        while chunk := list(itertools.islice(rows, _CHUNK)):
            store.append_tuples(con, CellRow, chunk)


def finish_run(store: Store, run_id: str, status: str, event: EventRow) -> None:
    """Write how a run ended, and the digest of its results: equal digests are equal numbers."""
    with store.writing() as con:
        found = con.execute(
            "select md5(string_agg(concat_ws('|', design_id, criterion, status, coalesce(category, ''), "
            "coalesce(value::varchar, '')), chr(10) order by design_id, criterion)) from scores where run_id = ?",
            [run_id],
        ).fetchone()
        con.execute(
            "update runs set status = ?, finished_at = ?, digest = ? where run_id = ?",
            [status, now(), found[0] if found else None, run_id],
        )
        store.append(con, [event])
