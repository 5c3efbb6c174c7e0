"""Writes a batch inside a transaction."""

from __future__ import annotations

from collections.abc import Iterable

import duckdb

from ..schema import CellRow, Row, TextRow
from .append import append, append_tuples
from .record_rows import append_records
from .run_chain import write_run_end
from .write_batch import WriteBatch, WriteResult


def write_batch(con: duckdb.DuckDBPyConnection, batch: WriteBatch) -> WriteResult:
    """Write all rows of a batch."""
    forgotten_ids = append_records(con, batch.records)
    units = batch.units
    texts = {
        text.text_hash: text for unit in units for text in unit.texts if text.text_hash not in batch.known_text_hashes
    }
    append(con, list(texts.values()))
    for model_rows in _group_by_model(batch.rows):
        append(con, model_rows)
    append_tuples(con, CellRow, batch.cells)
    append(con, [unit.trace for unit in units])
    append(con, [call for unit in units for call in unit.calls])
    append(con, [score for unit in units for score in unit.scores])
    append(con, [entry for unit in units for entry in unit.inputs])
    append(con, [entry for unit in units for entry in unit.redacted])
    append(con, [entry for unit in units for entry in unit.assessments])
    if batch.finish:
        write_run_end(con, batch.finish)
    return WriteResult(forgotten_ids=tuple(forgotten_ids))


def _group_by_model(rows: Iterable[Row]) -> list[list[Row]]:
    groups: dict[type[Row], list[Row]] = {}
    for row in rows:
        groups.setdefault(type(row), []).append(row)
    return [groups[model] for model in sorted(groups, key=lambda model: model is not TextRow)]
