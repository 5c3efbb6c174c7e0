"""Folders and zips of texts and images: files of one name are one record.

So `post.txt` and `post.png` are read as the post that they are, and a folder of images alone is a
corpus too.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Callable
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from ...errors import SetupError
from ..image import ENDINGS, MOST_BYTES, Image, kind_of, too_large
from .encodings import decode
from .source import Source, SourceRow, existing_path, file_facts, raise_problems
from .zip_files import open_zip

_TEXTS = "*.txt"


class _File(NamedTuple):
    """One file of a folder or a zip."""

    line: int
    name: PurePosixPath
    size: int
    read: Callable[[], bytes]

    @property
    def stem(self) -> str:
        """The name without its ending, which is the id of the record."""
        return str(self.name.with_suffix(""))


def read_folder(path: str | Path, *, pattern: str | None = None, encoding: str | None = None) -> Source:
    """Read the files below a folder; ids are the paths without their ending."""
    folder = existing_path(path)
    if not folder.is_dir():
        raise SetupError(f"`{path}` is a file, not a folder.")
    files = []
    for line, file in enumerate(sorted(file for file in folder.rglob("*") if file.is_file()), 1):
        name = PurePosixPath(file.relative_to(folder).as_posix())
        if _wanted(name, pattern):
            files.append(_File(line, name, file.stat().st_size, file.read_bytes))
    return _source(files, {"folder": folder.name}, path, pattern, encoding)


def read_zip(path: str | Path, *, pattern: str | None = None, encoding: str | None = None) -> Source:
    """Read the files in a zip as those of a folder, except the forks that macOS adds."""
    file = existing_path(path)
    with open_zip(
        file, lambda member: _wanted(PurePosixPath(member.filename), pattern), "unpack it and use `from_folder`"
    ) as (archive, members):
        files = [
            _File(line, PurePosixPath(member.filename), member.file_size, partial(archive.read, member))
            for line, member in enumerate(members, 1)
        ]
        return _source(files, file_facts(file), path, pattern, encoding)


def _source(
    files: list[_File], about: dict[str, Any], path: str | Path, pattern: str | None, encoding: str | None
) -> Source:
    if not files:
        none = f"no file that matches {pattern or _TEXTS!r}{'' if pattern else ' and no image'}"
        raise SetupError(f"`{path}` holds {none}; give another `pattern`.")
    rows = group_by_stem(files, encoding)
    images = sum(len(row.images) for row in rows)
    counts = {"files": len(files), **({"images": images} if images else {})}
    return Source(rows, {**about, **counts}, "text", "name")


def group_by_stem(files: list[_File], encoding: str | None) -> list[SourceRow]:
    """One row for the text and the images of one name, where the first of them stands."""
    rows: list[SourceRow] = []
    places: dict[str, int] = {}
    with_text: set[str] = set()
    problems: list[str] = []
    for file in files:
        try:
            row = _row(file, encoding)
        except SetupError as error:
            problems += error.problems
            continue
        place = places.setdefault(file.stem, len(rows))
        if place == len(rows) or (not row.images and file.stem in with_text):
            rows.append(row)  # a second text of that name is a row of its own, which will be rejected for its id
        else:
            first, images = rows[place], rows[place].images + row.images
            rows[place] = (first if row.images else row)._replace(images=images)
        if not row.images:
            with_text.add(file.stem)
    raise_problems(problems)
    return rows


def _row(file: _File, encoding: str | None) -> SourceRow:
    ending = file.name.suffix.lower()
    if ending in ENDINGS and file.size > MOST_BYTES:
        raise SetupError(too_large(str(file.name)))
    data = file.read()
    fields = {"name": file.stem, "text": "", "file": str(file.name)}
    if ending in ENDINGS or kind_of(data):
        return SourceRow(file.line, fields, images=(Image.from_bytes(data, str(file.name)),))
    text, found = decode(data, encoding, str(file.name))
    return SourceRow(file.line, {**fields, "text": text, **({} if found == "utf-8" else {"encoding": found})})


def _wanted(name: PurePosixPath, pattern: str | None) -> bool:
    if any(part.startswith(".") or part == "__MACOSX" for part in name.parts):
        return False
    if pattern is None:
        return name.suffix.lower() in ENDINGS or fnmatch.fnmatch(name.name, _TEXTS)
    return fnmatch.fnmatch(name.name, pattern) or fnmatch.fnmatch(str(name), pattern)
