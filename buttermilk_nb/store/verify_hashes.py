"""Hashes stored bodies again, to find changed ones.

Each recipe has its tag, and is computed where it is defined: requests and answers in SQL, prompts, criteria and records
by their own classes. Texts with an unknown tag are not checked.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import duckdb

from .._internal.ids import digest
from ..codebook.criteria import Criteria
from ..corpus.image import Image, detect_mime
from ..corpus.record import Record
from ..errors import SetupError
from .append import SPLIT_TABLES

_CHUNK = 5_000
_FIELDS = (
    "record_id", "record_hash", "details_hash", "content", "metadata", "ground_truth", "expert_reasons", "labels",
    "cluster", "parent_id", "start_offset", "end_offset", "uri", "mime", "local_only", "media",
)  # fmt: skip
_JSON = ("metadata", "ground_truth", "expert_reasons", "labels")


def damaged_bodies(con: duckdb.DuckDBPyConnection, table: str) -> list[str]:
    """The keys (for records the ids) of the bodies in a table that do not match their hash."""
    if table == "texts":
        return sorted({*_damaged_texts(con), *_damaged_wordings(con)})
    if table == "records":
        return sorted({str(row["record_id"]) for row in _record_rows(con) if not _record_matches(con, row)})
    split_table = next(split_table for split_table in SPLIT_TABLES.values() if split_table.bodies == table)
    hash_sql = f"{split_table.recipe}({', '.join(split_table.columns)})"
    rows = con.execute(
        f"select {split_table.key}::varchar from {table} where {hash_sql} is distinct from {split_table.key}"  # noqa: S608  # our own
    ).fetchall()
    return sorted(name for (name,) in rows)


def _damaged_texts(con: duckdb.DuckDBPyConnection) -> list[str]:
    """The hashes of changed requests and answers, with `digest("t1", kind, body)` in DuckDB."""
    rows = con.execute(
        """
        select text_hash from texts where text_hash like 't1-%' and text_hash <> 't1-' || substr(
            sha256('t1' || strlen(kind) || ':' || kind || strlen(body) || ':' || body), 1, 32)"""
    ).fetchall()
    return [name for (name,) in rows]


def _damaged_wordings(con: duckdb.DuckDBPyConnection) -> list[str]:
    """The hashes of changed prompts and criteria, of which a study has few."""
    rows = con.execute(
        "select text_hash, body from texts where substr(text_hash, 1, 3) in ('p1-', 'c1-', 'q1-')"
    ).fetchall()
    return [name for name, body in rows if not _RECIPES[name[:2]](name, body)]


def _prompt_matches(name: str, body: str) -> bool:
    """A prompt is stored with `## system` and `## user` headings; each heading that may divide it is tried."""
    text = body.removesuffix("\n")
    if text.startswith("## user\n"):
        return digest("p1", "", text.removeprefix("## user\n")) == name
    system = text.removeprefix("## system\n")
    parts = system.split("\n## user\n")
    candidates = [("\n## user\n".join(parts[:n]), "\n## user\n".join(parts[n:])) for n in range(1, len(parts) + 1)]
    return any(digest("p1", *pair) == name for pair in candidates)


def _criteria_match(hash_of: Callable[[Criteria], str], name: str, body: str) -> bool:
    try:
        return hash_of(Criteria.from_markdown(body)) == name
    except SetupError:
        return False


_RECIPES: dict[str, Callable[[str, str], bool]] = {
    "p1": _prompt_matches,
    "c1": partial(_criteria_match, lambda criteria: criteria.criteria_hash),
    "q1": partial(_criteria_match, lambda criteria: criteria.cues_hash),
}


def _record_rows(con: duckdb.DuckDBPyConnection) -> Iterator[dict[str, Any]]:
    cursor = con.cursor()  # the connection itself reads images meanwhile
    cursor.execute("use study")
    cursor.execute(f"select {', '.join(_FIELDS)} from records")  # noqa: S608  # our own names
    while rows := cursor.fetchmany(_CHUNK):
        yield from (dict(zip(_FIELDS, row, strict=True)) for row in rows)


def _record_matches(con: duckdb.DuckDBPyConnection, row: dict[str, Any]) -> bool:
    stored_hash, stored_details = row.pop("record_hash"), row.pop("details_hash")
    try:
        annotations = {name: json.loads(row[name]) for name in _JSON}
        annotations["expert_reasons"] = {key: tuple(value) for key, value in annotations["expert_reasons"].items()}
        media = json.loads(row.pop("media") or "[]")
        images = tuple(_images(con, media)) if media else ()
    except (ValueError, AttributeError, TypeError, binascii.Error):
        return False
    row["local_only"] = bool(row["local_only"])
    record = Record.model_construct(**{**row, **annotations, "images": images})
    # annotations contain the record's own name of an image, but an image shared by records is stored under one name
    return record.record_hash == stored_hash and (bool(media) or record.annotations_hash == stored_details)


def _images(con: duckdb.DuckDBPyConnection, hashes: list[str]) -> Iterator[Image]:
    """The images of a record, in order, with their bytes only: they are not decoded again."""
    rows = con.execute("select text_hash, body from texts where text_hash in (select unnest($1))", [hashes]).fetchall()
    bodies = dict(rows)
    for name in hashes:
        data = base64.b64decode(bodies.get(name, "").partition(",")[2], validate=True)
        if detect_mime(data) is None:
            raise ValueError(f"`{name}` is not an image")
        yield Image.model_construct(data=data)
