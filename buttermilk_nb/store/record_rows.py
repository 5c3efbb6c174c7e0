"""Appends the records of a run, each version once, with its images and annotations."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import duckdb

from .._internal.ids import canonical
from .._internal.text import replace_surrogates
from ..corpus.record import Record
from ..schema import RecordRow, TextRow, now
from .append import append_new, new_rows
from .tombstones import forgotten_records


def append_records(con: duckdb.DuckDBPyConnection, records: Sequence[Record]) -> list[str]:
    """Write the versions of records that are not stored yet, inside a transaction.

    Returns
    -------
    list of str
        The names of the records that had been forgotten here before.
    """
    if not records:
        return []
    keys = ((record.record_id, record.record_hash, record.annotations_hash) for record in records)
    new_records = [records[position] for position in new_rows(con, RecordRow, keys)]
    seen_at = now()
    append_new(con, RecordRow, (record_tuple(record, seen_at) for record in new_records))
    images = [image for record in new_records for image in record.images]
    for position in new_rows(con, TextRow, ((image.text_hash,) for image in images)) if images else ():
        row = images[position].as_row()  # one at a time, because each may have some megabytes
        append_new(con, TextRow, [tuple(getattr(row, name) for name in TextRow.model_fields)])
    return forgotten_records(con, (record.record_id for record in records))


def record_tuple(record: Record, seen_at: dt.datetime) -> tuple[Any, ...]:
    """A record as a tuple in the order of the fields of `RecordRow`."""
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
