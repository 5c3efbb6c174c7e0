"""Writing the records of a run: each version of a text once, and what is known of it kept up to date.

Where a record's text is known but its metadata or codes have changed, the row is brought up to date
and the old values are kept in an event, so that nothing is lost and nobody's join counts twice.
"""

from __future__ import annotations

from collections.abc import Sequence

from .._ids import canonical
from .._text import clean
from ..events import StatusEvent
from ..records import Record
from ..traces import EventRow, RecordRow
from .database import Store


def write_records(store: Store, records: Sequence[Record], run_id: str) -> None:
    """Write the records that are not stored yet; only their hashes are compared, so that a re-run writes nothing."""
    with store.writing() as con:
        con.execute(
            "create temp table incoming (place bigint, record_id varchar, record_hash varchar, details_hash varchar)"
        )
        appender = con.appender("incoming")
        appender.append_rows(
            (place, record.record_id, record.record_hash, record.details_hash) for place, record in enumerate(records)
        )
        appender.flush()
        names = [name for name in RecordRow.model_fields if name != "content"]  # the text is the same
        changed = con.execute(
            f"select {', '.join(f'r.{name}' for name in names)} from records r "  # noqa: S608  # our own column names
            "join incoming i using (record_id, record_hash) where r.details_hash <> i.details_hash"
        ).fetchall()
        if changed:
            con.execute(
                "delete from records r using incoming i where r.record_id = i.record_id "
                "and r.record_hash = i.record_hash and r.details_hash <> i.details_hash"
            )
        fresh = con.execute(
            "select place from incoming anti join records using (record_id, record_hash) order by place"
        ).fetchall()
        store.append_tuples(con, RecordRow, (_tuple(records[place]) for (place,) in fresh))
        store.append(con, [_change(run_id, dict(zip(names, row, strict=True))) for row in changed])
        con.execute("drop table incoming")


def _change(run_id: str, before: dict[str, object]) -> EventRow:
    payload = {"change": "record details", "before": before}
    return StatusEvent(transaction_id=f"{run_id}/{before['record_id']}", source="corpus", payload=payload).as_row()


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
