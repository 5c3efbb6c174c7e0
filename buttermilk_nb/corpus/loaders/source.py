"""`Source`: what every loader returns, namely numbered rows and a description of their origin."""

from __future__ import annotations

import difflib
import hashlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from ..._internal.progress_line import ProgressLine
from ..._internal.text import shorten
from ...errors import SetupError
from ..image import Image

_MAX_PROBLEMS = 20


class SourceRow(NamedTuple):
    """One row of a source. If it cannot be used, `problem` says why."""

    line: int
    fields: dict[str, Any]
    problem: str | None = None
    images: tuple[Image, ...] = ()


class StreamedRows:
    """Rows that are read anew each time, so that no more than a few of them are in memory.

    Parameters
    ----------
    read
        What reads the rows from the first one.

    Examples
    --------
    >>> rows = StreamedRows(lambda: iter([SourceRow(1, {"text": "One."})]))
    >>> len(list(rows)), len(list(rows))
    (1, 1)
    """

    def __init__(self, read: Callable[[], Iterator[SourceRow]]) -> None:
        self._read = read

    def __iter__(self) -> Iterator[SourceRow]:
        return self._read()


@dataclass(frozen=True)
class Source:
    """The rows of one source, and its description (file name, sha256, encoding, delimiter).

    The rows of a large file are read anew by each loop over them, so a loop takes what it needs from a row and goes on.
    Paths of images in the rows are relative to `folder`, or to the current folder if it is None.
    """

    rows: list[SourceRow] | StreamedRows
    description: dict[str, Any] = field(default_factory=dict)
    default_content: str | None = None
    default_id: str | None = None
    folder: Path | None = None
    remarks: tuple[str, ...] = ()
    """What was guessed about the source, and what would be read otherwise."""
    unit: str = "line"
    """What messages call a row: a line of a file, a row of a dataframe, a text or a record of a list."""

    @property
    def columns(self) -> list[str]:
        """Every column, in order of first appearance."""
        return self._columns_and_size[0]

    @property
    def n_rows(self) -> int:
        """The number of rows, bad ones included."""
        return self._columns_and_size[1]

    def rows_in_memory(self) -> list[SourceRow]:
        """All rows at once."""
        return self.rows if isinstance(self.rows, list) else list(self.rows)

    def map_rows(self, change: Callable[[SourceRow], SourceRow]) -> Source:
        """The same source, each row changed."""
        rows = self.rows
        if isinstance(rows, list):
            return replace(self, rows=list(map(change, rows)))
        return replace(self, rows=StreamedRows(lambda: map(change, rows)))

    @cached_property
    def _columns_and_size(self) -> tuple[list[str], int]:
        names: dict[str, None] = {}
        n = 0
        progress = ProgressLine("looked at", "rows")
        for n, row in enumerate(self.rows, 1):  # the number is what is wanted
            if not row.fields.keys() <= names.keys():
                names.update(dict.fromkeys(row.fields))
            progress.update(n)
        return list(names), n


def existing_path(path: str | Path) -> Path:
    """The path, if it exists.

    Raises
    ------
    SetupError
        It does not exist, or is neither a file nor a folder. If it does not exist, the message names the most similar
        file of its kind in the folder, or the same name in the folder above. It lists no other files, because a
        notebook is shared.
    """
    file = Path(path).expanduser()
    try:
        if file.is_file() or file.is_dir():
            return file
        is_special = file.exists()
    except OSError as error:  # such as a name that is too long
        raise SetupError(f"`{shorten(str(path), 60)}` cannot be opened: {error.strerror}.") from error
    if is_special:  # reading a pipe or a device may never end
        raise SetupError(f"`{path}` is neither a file nor a folder, but a pipe, a socket or a device.")
    if not file.parent.is_dir():
        raise SetupError(f"there is no folder `{file.parent}` (looked from {Path.cwd()}).")
    raise SetupError(f"there is no file `{path}` (looked from {Path.cwd()}){_similar_file(file) or '.'}")


def _similar_file(file: Path) -> str:
    """A hint at the file that was meant; empty if there is none."""
    kind = file.suffix.lower()
    for folder in (file.parent, file.parent.parent):
        try:
            entries = list(folder.iterdir())
        except OSError:  # this user may not list it
            continue
        names = [
            entry.name
            for entry in entries
            if not entry.name.startswith(".") and (entry.is_dir() if not kind else entry.suffix.lower() == kind)
        ]
        matches = difflib.get_close_matches(file.name, names, n=1)
        if folder != file.parent:
            matches = [name for name in matches if name == file.name]
        if matches:
            return f"; did you mean `{folder / matches[0] if folder != file.parent else matches[0]}`?"
    return ""


def file_facts(path: Path) -> dict[str, Any]:
    """The name, size in bytes and SHA-256 of a file, for the provenance. Its folder is never included."""
    with path.open("rb") as handle:
        sha = hashlib.file_digest(handle, "sha256").hexdigest()
    return {"file": path.name, "sha256": sha, "bytes": path.stat().st_size}


def check_unique(names: list[str], source_name: str) -> list[str]:
    """The column names as they are.

    Raises
    ------
    SetupError
        A name occurs twice, so that the second column would replace the first.
    """
    counts = Counter(names)
    duplicate = next((name for name in names if name and counts[name] > 1), None)
    if duplicate is not None:
        raise SetupError(f"{source_name} has two columns called `{duplicate}`; rename one of them.")
    return names


def number_rows(fields: Iterator[dict[str, Any]], start: int = 1) -> list[SourceRow]:
    """Rows counted from `start`."""
    return [SourceRow(line, item) for line, item in enumerate(fields, start)]


def raise_problems(problems: list[str]) -> None:
    """Raise one error with all problems of a source, if there are any. Of many problems, it lists the first ones."""
    n_left_out = len(problems) - _MAX_PROBLEMS
    if problems:
        ending = [f"... and {n_left_out:,} more like these."] if n_left_out > 0 else []
        raise SetupError(*problems[:_MAX_PROBLEMS], *ending)
