"""Writing the records of a run: each version of a text once, and what is known of it kept up to date.

Where a record's text is known but its metadata or codes have changed, the row is brought up to date
and the old values are kept in an event, so that nothing is lost and nobody's join counts twice.
"""

from __future__ import annotations

from collections.abc import Iterable

from .._ids import canonical
from .._text import clean
from ..events import StatusEvent
from ..records import Record
from ..traces import RecordRow
from .database import Store


def write_records(store: Store, records: Iterable[Record], run_id: str) -> None:
    """Write the records that are not stored yet."""
    columns = ", ".join(RecordRow.model_fields)
    with store.writing() as con:
        con.execute("create temp table incoming as select * from records limit 0")
        appender = con.appender("incoming", columns=list(RecordRow.model_fields))
        appender.append_rows(_tuple(record) for record in records)
        appender.flush()
        names = [name for name in RecordRow.model_fields if name != "content"]  # the text is the same
        changed = con.execute(
            f"select {', '.join(f'r.{name}' for name in names)} from records r "  # noqa: S608  # our own column names
            "join incoming i using (record_id, record_hash) where r.details_hash <> i.details_hash"
        ).fetchall()
        events = [
            StatusEvent(
                transaction_id=f"{run_id}/{row[0]}",
                source="corpus",
                payload={"change": "record details", "before": dict(zip(names, row, strict=True))},
            ).as_row()
            for row in changed
        ]
        if changed:
            con.execute(
                "delete from records r using incoming i where r.record_id = i.record_id "
                "and r.record_hash = i.record_hash and r.details_hash <> i.details_hash"
            )
        con.execute(
            f"insert into records ({columns}) select {columns} from incoming i "  # noqa: S608  # our own column names
            "where not exists (select 1 from records r"
            " where r.record_id = i.record_id and r.record_hash = i.record_hash)"
        )
        store.append(con, events)
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
