"""Single documents: a file that is one text becomes one record, whose id is the file's name."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ...errors import SetupError
from .documents import Document, DocumentReader
from .source import Source, SourceRow, existing_path, file_facts


def make_file_reader(reader: DocumentReader) -> Any:
    """A reader of files, of a reader of documents; it has the same options."""

    def read(path: str | Path, **options: Any) -> Source:
        file = existing_path(path)
        try:
            data = file.read_bytes()
        except OSError as error:
            raise SetupError(f"`{file.name}` cannot be read: {error.strerror}.") from error
        document = reader(data, file.name, **options)
        facts = {**file_facts(file), **({"parser": document.parser} if document.parser else {})}
        rows = document_rows(document, 1, file.stem, file.name)
        return Source(rows, facts, "text", "name", folder=file.parent, remarks=tuple(document.remarks), unit="part")

    own = [
        parameter for name, parameter in inspect.signature(reader).parameters.items() if name not in ("data", "name")
    ]
    path = inspect.Parameter("path", inspect.Parameter.POSITIONAL_OR_KEYWORD)
    read.__signature__ = inspect.Signature([path, *own])  # type: ignore[attr-defined]  # what `load` checks options by
    return read


def own_options(reader: DocumentReader, options: Mapping[str, Any]) -> dict[str, Any]:
    """Those of the options that a reader has."""
    return {name: value for name, value in options.items() if name in inspect.signature(reader).parameters}


def document_rows(document: Document, line: int, record_id: str, file_name: str) -> list[SourceRow]:
    """The row of a document, and one for each part of it without a text, which will be rejected."""
    fields = {"name": record_id, "text": document.text, "file": file_name, **document.metadata}
    parts = [SourceRow(place, {"file": file_name}, problem) for place, problem in document.problems]
    return [SourceRow(line, fields), *parts]
