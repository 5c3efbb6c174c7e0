"""The spool: files for batches that wait while another process has the DuckDB file.

Each batch is one file of JSON lines in the folder `spool/` next to the DuckDB file. It is written under a temporary
name, flushed to disk and renamed. So a file with its final name is complete and never changes, and an acknowledged
batch is on disk. Names sort by time and contain the number of rows. The next process that opens the DuckDB file for
writing merges the spool files: it writes the rows and the name of the spool file in one transaction, then deletes the
spool file. A file whose name is in `merged` was already merged, and is only deleted. A file that cannot be read is
renamed to `.damaged` with a warning, and does not block the others.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
import re
import time
import warnings
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from .._internal.ids import uuid7
from .._internal.private_files import make_private_folder, private_files
from ..errors import StoreError
from ..schema import ROWS, CellRow, RecordRow, Row, Unit, now
from .connection import first_line
from .record_rows import record_tuple
from .snapshot import sync_to_disk
from .write_batch import RunEnd, WriteBatch

_FORMAT = 1
_LEFTOVER_AGE_S = 60.0  # writing a batch takes less; an older incomplete file was cut off
_MODELS: dict[str, type[Row]] = {model.table: model for model in ROWS}
_UNIT_TABLES = {
    "calls": "calls",
    "scores": "scores",
    "texts": "texts",
    "inputs": "trace_inputs",
    "redacted": "redactions",
}
_TIMES = {name for model in ROWS for name, field in model.model_fields.items() if "datetime" in str(field.annotation)}
_warned_paths: set[Path] = set()


class DamagedSpool(Exception):
    """A spool file cannot be read."""


def add(store: Path, batch: WriteBatch) -> Path:
    """Write a batch to the spool; when this returns, it is on disk.

    Raises
    ------
    StoreError
        The folder cannot be written.
    """
    folder = store.parent / "spool"
    part = folder / f"{store.stem}-{uuid7()}-{os.getpid()}.part"
    try:
        make_private_folder(folder)
        with private_files(folder):
            count = _write_lines(part, batch)
        path = part.with_name(f"{part.stem}-{count}.jsonl")
        part.replace(path)
        sync_to_disk(folder)
    except OSError as error:
        raise StoreError(
            f"another process has `{store}` open, and the rows could not be saved in `{folder}` meanwhile: "
            f"{first_line(error)}"
        ) from error
    return path


def pending(store: Path) -> list[Path]:
    """The files to merge, oldest first; warns about files that were cut off while they were written."""
    folder = store.parent / "spool"
    try:
        names = sorted(entry.name for entry in os.scandir(folder))
    except FileNotFoundError:
        return []
    pattern = re.compile(rf"{re.escape(store.stem)}-[0-9a-f-]{{36}}-\d+(-\d+\.jsonl|\.part)")
    paths = [folder / name for name in names if pattern.fullmatch(name)]
    _warn_of_leftovers([path for path in paths if path.suffix == ".part"])
    return [path for path in paths if path.suffix == ".jsonl"]


def rows_waiting(store: Path) -> int:
    """The number of rows in the spool."""
    return sum(int(path.stem.rpartition("-")[2]) for path in pending(store))


def read(path: Path) -> WriteBatch:
    """The batch in a spool file.

    Raises
    ------
    DamagedSpool
        It is incomplete, or this package did not write it.
    """
    try:
        lines = path.read_bytes().split(b"\n")
        body, end = b"\n".join(lines[:-2]) + b"\n", json.loads(lines[-2])
        if end != {"sha256": hashlib.sha256(body).hexdigest()}:
            raise DamagedSpool("its end is missing, or it was changed")
        head, *entries = (json.loads(line) for line in lines[:-2])
        if head["format"] != _FORMAT:
            raise DamagedSpool(f"it has format {head['format']}, which this version does not know")
        return _batch_from_entries(entries)
    except (ValueError, IndexError, KeyError, TypeError, AttributeError) as error:
        raise DamagedSpool(first_line(error)) from error


def quarantine(path: Path, reason: str) -> None:
    """Rename a file that cannot be merged, and warn about it."""
    damaged_path = path.with_name(f"{path.name}.damaged")
    path.rename(damaged_path)
    warnings.warn(
        f"`{damaged_path}` contains rows that could not be merged ({reason}), so the file was renamed.", stacklevel=2
    )


def _warn_of_leftovers(parts: Iterable[Path]) -> None:
    for path in parts:
        try:
            is_old = time.time() - path.stat().st_mtime > _LEFTOVER_AGE_S
        except FileNotFoundError:  # its writer has finished just now
            continue
        if is_old and path not in _warned_paths:
            _warned_paths.add(path)
            warnings.warn(
                f"`{path}` was cut off while it was written, and its rows were never reported as saved; delete it.",
                stacklevel=2,
            )


def _write_lines(path: Path, batch: WriteBatch) -> int:
    """Write the lines, flush them to disk, and count the rows."""
    hasher, count = hashlib.sha256(), 0
    with path.open("wb") as handle:
        for rows, entry in _entries(batch):
            line = json.dumps(entry, default=_json_default).encode() + b"\n"
            hasher.update(line)
            handle.write(line)
            count += rows
        handle.write(json.dumps({"sha256": hasher.hexdigest()}).encode() + b"\n")
        handle.flush()
        os.fsync(handle.fileno())
    return count


def _entries(batch: WriteBatch) -> Iterator[tuple[int, dict[str, Any]]]:
    """Each line, with its number of rows."""
    yield 0, {"format": _FORMAT, "made_at": now()}
    seen_at = now()
    for record in batch.records:
        yield 1, {"records": dict(zip(RecordRow.model_fields, record_tuple(record, seen_at), strict=True))}
        for image in record.images:
            yield 1, {"texts": image.as_row().model_dump()}
    for row in batch.rows:
        yield 1, {row.table: row.model_dump()}
    for cell in batch.cells:
        yield 1, {"cell": list(cell)}
    for unit in batch.units:
        parts = {name: [row.model_dump() for row in getattr(unit, name)] for name in _UNIT_TABLES}
        yield 1 + sum(map(len, parts.values())), {"unit": {"trace": unit.trace.model_dump(), **parts}}
    if batch.finish:
        yield 0, {"finish": list(batch.finish)}


def _batch_from_entries(entries: Iterable[dict[str, Any]]) -> WriteBatch:
    rows: list[Row] = []
    cells: list[tuple[Any, ...]] = []
    units: list[Unit] = []
    finish = None
    for entry in entries:
        ((kind, value),) = entry.items()
        if kind == "cell":
            if len(value) != len(CellRow.model_fields):
                raise DamagedSpool("a planned cell has the wrong number of values")
            cells.append(tuple(value))
        elif kind == "unit":
            parts = {
                name: tuple(_row_from_values(table, row) for row in value[name]) for name, table in _UNIT_TABLES.items()
            }
            units.append(Unit(trace=_row_from_values("traces", value["trace"]), **parts))  # type: ignore[arg-type]
        elif kind == "finish":
            finish = RunEnd(value[0], value[1], dt.datetime.fromisoformat(value[2]), *value[3:])
        else:
            rows.append(_row_from_values(kind, value))
    return WriteBatch(rows=rows, cells=cells, units=units, finish=finish)


def _row_from_values(table: str, values: dict[str, Any]) -> Row:
    """The row that was written. It was validated then and is not now, because DuckDB rejects bad values later."""
    model = _MODELS[table]
    if unknown := values.keys() - model.model_fields.keys():
        raise DamagedSpool(f"`{table}` has no column {', '.join(sorted(unknown))}")
    times = {name: dt.datetime.fromisoformat(values[name]) for name in _TIMES & values.keys() if values[name]}
    return model.model_construct(**{**values, **times})


def _json_default(value: object) -> str:
    if isinstance(value, dt.datetime):
        return value.isoformat()
    raise TypeError(f"a value of type {type(value).__name__} cannot be written to the spool")
