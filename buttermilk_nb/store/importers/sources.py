"""Reads rows from a file, an address, a dataframe or a list, with their hash.

The hash shows that the same data are imported a second time. So it covers the content: the bytes of the file, or the
rows if there is no file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..._internal.ids import canonical, digest
from ..._internal.text import to_jsonable
from ...corpus import loaders
from ...corpus.loaders import Source
from ...corpus.loaders.remote_files import display_address, download, is_remote
from ...errors import SetupError

_READERS: dict[str, Callable[[Path], Source]] = {
    ".csv": loaders.csv_files.read,
    ".tsv": loaders.csv_files.read,
    ".tab": loaders.csv_files.read,
    ".json": loaders.json_files.read,
    ".jsonl": loaders.json_files.read_lines,
    ".ndjson": loaders.json_files.read_lines,
    ".parquet": loaders.dataframes.read_parquet,
    ".xlsx": loaders.excel.read,
}


def local_file(source: str | Path) -> AbstractContextManager[Path]:
    """The path of a local copy of the file, which exists until the end of the block."""
    return download(str(source)) if is_remote(source) else nullcontext(loaders.existing_path(source))


def display_source(source: object) -> str | None:
    """An address without its secrets; None if the source is not an address."""
    return display_address(source) if isinstance(source, str) and is_remote(source) else None


def read_rows(source: Any) -> Source:
    """The rows of a source.

    Raises
    ------
    SetupError
        The file does not exist, has a format without rows, or cannot be read.
    """
    if isinstance(source, Source):
        return source if "sha256" in source.description else _with_hash(source)
    if isinstance(source, str | Path):
        with local_file(source) as path:
            ending = path.suffix.lower()
            if path.is_dir() or ending not in _READERS:
                endings = ", ".join(_READERS)
                raise SetupError(f"`{path.name}` cannot be imported; its format must be one of {endings}, .eval.")
            rows = _READERS[ending](path)
            return replace(rows, rows=rows.rows_in_memory())
    if hasattr(source, "itertuples"):
        return _with_hash(loaders.dataframes.read_dataframe(source))
    if isinstance(source, Iterable) and not isinstance(source, Mapping | bytes):
        return _with_hash(loaders.dataframes.read_mappings(source))
    raise SetupError(f"{source!r:.40} cannot be imported: give a path, an address, a dataframe or a list of rows.")


def study_name(description: Mapping[str, Any], fallback: str) -> str:
    """The name of the run: the file's name without its ending, or the fallback."""
    file = description.get("file")
    return Path(str(file)).stem if file else fallback


def _with_hash(source: Source) -> Source:
    content_hash = digest("rows1", *(canonical(to_jsonable(row.fields)) for row in source.rows))
    return Source(source.rows, {**source.description, "sha256": content_hash})
