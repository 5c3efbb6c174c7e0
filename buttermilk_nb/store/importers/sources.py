"""Rows from whatever holds them: a file, an address, a dataframe, a list; with a hash of what was read.

The hash is what tells that the same data come a second time, so it is of the content: of the file's bytes, or of
the rows where there is no file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
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


def local(source: str | Path) -> AbstractContextManager[Path]:
    """A file as a local one, for as long as the block runs."""
    return download(str(source)) if is_remote(source) else nullcontext(loaders.existing_path(source))


def shown_source(source: object) -> str | None:
    """An address without its secrets; None for what has none."""
    return display_address(source) if isinstance(source, str) and is_remote(source) else None


def rows_of(source: Any) -> Source:
    """The rows of a source.

    Raises
    ------
    SetupError
        There is no such file, it is of a kind that holds no rows, or it cannot be read.
    """
    if isinstance(source, Source):
        return source if "sha256" in source.description else _hashed(source)
    if isinstance(source, str | Path):
        with local(source) as path:
            ending = path.suffix.lower()
            if path.is_dir() or ending not in _READERS:
                known = ", ".join(_READERS)
                raise SetupError(f"`{path.name}` holds no rows that can be imported; there are {known} and .eval.")
            return _READERS[ending](path)
    if hasattr(source, "itertuples"):
        return _hashed(loaders.dataframes.read_dataframe(source))
    if isinstance(source, Iterable) and not isinstance(source, Mapping | bytes):
        return _hashed(loaders.dataframes.read_mappings(source))
    raise SetupError(f"{source!r:.40} cannot be imported: give a path, an address, a dataframe or a list of rows.")


def name_of(about: Mapping[str, Any], fallback: str) -> str:
    """What a run made of it is called: the file's name without its ending, or the kind of data."""
    file = about.get("file")
    return Path(str(file)).stem if file else fallback


def _hashed(source: Source) -> Source:
    content = digest("rows1", *(canonical(to_jsonable(row.fields)) for row in source.rows))
    return Source(source.rows, {**source.description, "sha256": content})
