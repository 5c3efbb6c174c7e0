"""Writing the records of a run: each version once, of its text, its images and what is known of it.

Correcting an expert's code adds a version and changes none: `cells` says which version a run had, so that
the numbers of an earlier run stay what they were. `latest_records` shows the newest of each text.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import duckdb

from .._internal.ids import canonical
from .._internal.text import replace_surrogates
from ..corpus.record import Record
from ..schema import RecordRow, TextRow, now
from .append import append_new, new_rows
from .write_batch import WriteBatch

if TYPE_CHECKING:
    from .store import Store


def write_records(store: Store, records: Sequence[Record]) -> None:
    """Write the versions that are not stored yet; only hashes are compared, so that a re-run writes nothing."""
    store.write(WriteBatch(records=records))


def append_records(con: duckdb.DuckDBPyConnection, records: Sequence[Record]) -> None:
    """Write the new versions inside a transaction."""
    if not records:
        return
    keys = ((record.record_id, record.record_hash, record.annotations_hash) for record in records)
    new = [records[place] for place in new_rows(con, RecordRow, keys)]
    seen_at = now()
    append_new(con, RecordRow, (as_tuple(record, seen_at) for record in new))
    pictured = [image for record in new for image in record.images]
    for place in new_rows(con, TextRow, ((image.text_hash,) for image in pictured)) if pictured else ():
        row = pictured[place].as_row()  # one at a time: each may have some megabytes
        append_new(con, TextRow, [tuple(getattr(row, name) for name in TextRow.model_fields)])


def as_tuple(record: Record, seen_at: dt.datetime) -> tuple[Any, ...]:
    """A record in the order of the fields of `RecordRow`."""
    return (
        record.record_id,
        record.record_hash,
        record.annotations_hash,
        record.content,
        replace_surrogates(canonical(record.metadata)),
        replace_surrogates(canonical(record.ground_truth)),
        replace_surrogates(canonical(record.expert_reasons)),
        replace_surrogates(canonical(record.labels)),
        record.cluster,
        record.parent_id,
        record.start_offset,
        record.end_offset,
        record.uri,
        record.mime,
        seen_at,
        record.local_only,
        record.media_json,
    )
