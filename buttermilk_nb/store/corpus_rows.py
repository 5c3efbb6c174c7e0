"""Writing the records of a run: each version once, of its text and of what is known of it.

Correcting an expert's code adds a version and changes none: `cells` says which version a run had, so that
the numbers of an earlier run stay what they were. `latest_records` shows the newest of each text.
"""

from __future__ import annotations

from collections.abc import Sequence

from .._ids import canonical
from .._text import clean
from ..records import Record
from ..traces import RecordRow, now
from .database import Store


def write_records(store: Store, records: Sequence[Record]) -> None:
    """Write the versions that are not stored yet; only hashes are compared, so that a re-run writes nothing."""
    with store.writing() as con:
        con.execute(
            "create temp table incoming (place bigint, record_id varchar, record_hash varchar, details_hash varchar)"
        )
        appender = con.appender("incoming")
        appender.append_rows(
            (place, record.record_id, record.record_hash, record.details_hash) for place, record in enumerate(records)
        )
        appender.flush()
        fresh = con.execute(
            "select place from incoming anti join records using (record_id, record_hash, details_hash) order by place"
        ).fetchall()
        seen_at = now()
        store.append_tuples(con, RecordRow, ((*_tuple(records[place]), seen_at) for (place,) in fresh))
        con.execute("drop table incoming")


def _tuple(record: Record) -> tuple[object, ...]:
    return (
        record.record_id,
        record.record_hash,
        record.details_hash,
        record.content,
        clean(canonical(record.metadata)),
        clean(canonical(record.ground_truth)),
        clean(canonical(record.expert_reasons)),
        clean(canonical(record.labels)),
        record.cluster,
        record.parent_id,
        record.start_offset,
        record.end_offset,
        record.uri,
        record.mime,
    )
