"""JSON and JSON Lines files."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ...errors import SetupError, nearest
from .encodings import read_text
from .source import Source, SourceRow, StreamedRows, existing_path, file_facts
from .text_file import TextFile


def read_lines(path: str | Path, *, encoding: str | None = None) -> Source:
    """Read JSON Lines: one object per line."""
    file = existing_path(path)
    text = TextFile(file, encoding)
    facts = {**text.facts, "encoding": text.encoding}
    return Source(StreamedRows(lambda: _json_rows(text)), facts, folder=file.parent, remarks=text.remarks)


def _json_rows(text: TextFile) -> Iterator[SourceRow]:
    for line, raw in enumerate(text.lines("\n"), 1):
        if not raw.strip():
            continue
        try:
            item = json.loads(raw)
        except (ValueError, RecursionError) as error:
            yield SourceRow(line, {}, f"this is not valid JSON: {error}")
            continue
        yield _json_row(line, item)


def read(path: str | Path, *, encoding: str | None = None, at: str | None = None) -> Source:
    """Read a JSON list of objects. If the list is nested in an object, `at` is its dotted name."""
    file = existing_path(path)
    text, encoding, remarks = read_text(file, encoding)
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise SetupError(
            f"`{file.name}` is not valid JSON: {error}. If it has one object per line, give it the ending .jsonl."
        ) from error
    for name in at.split(".") if at else ():
        if not isinstance(value, dict) or name not in value:
            names = list(value) if isinstance(value, dict) else []
            raise SetupError(f"`{file.name}` has no `{name}` (at={at!r}); {nearest(name, names)}")
        value = value[name]
    if isinstance(value, dict):
        lists = [key for key, item in value.items() if isinstance(item, list)]
        hint = f" Write at={lists[0]!r}." if lists else ""
        raise SetupError(f"`{file.name}` contains one object, not a list of objects.{hint}")
    if not isinstance(value, list):
        raise SetupError(f"`{file.name}` does not contain a list of objects.")
    rows = [_json_row(line, item) for line, item in enumerate(value, 1)]
    return Source(rows, {**file_facts(file), "encoding": encoding}, folder=file.parent, remarks=remarks)


def _json_row(line: int, item: Any) -> SourceRow:
    return (
        SourceRow(line, item)
        if isinstance(item, dict)
        else SourceRow(line, {}, f"this is not an object but {type(item).__name__}")
    )
