"""Folders and zips of text files: one record a file."""

from __future__ import annotations

import fnmatch
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from ..errors import SetupError
from .base import Row, Source, existing, file_facts
from .encodings import decode

_MAX_BYTES = 2 * 1024**3  # a zip may claim to hold more than any memory


def read_folder(path: str | Path, *, pattern: str = "*.txt", encoding: str | None = None) -> Source:
    """Read every file below a folder whose name matches; ids are the paths without their ending."""
    folder = existing(path)
    if not folder.is_dir():
        raise SetupError(f"`{path}` is a file, not a folder.")
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    rows = []
    for line, file in enumerate(files, 1):
        name = PurePosixPath(file.relative_to(folder).as_posix())
        if _wanted(name, pattern):
            rows.append(_row(line, name, file.read_bytes(), encoding))
    return Source(_some(rows, path, pattern), {"folder": folder.name, "files": len(rows)}, "text", "name")


def read_zip(path: str | Path, *, pattern: str = "*.txt", encoding: str | None = None) -> Source:
    """Read every file in a zip whose name matches, except the forks that macOS adds."""
    file = existing(path)
    rows = []
    try:
        with zipfile.ZipFile(file) as archive:
            members = [m for m in archive.infolist() if not m.is_dir() and _wanted(PurePosixPath(m.filename), pattern)]
            if sum(m.file_size for m in members) > _MAX_BYTES:
                raise SetupError(f"`{file.name}` would unpack to more than 2 GiB; unpack it and use `from_folder`.")
            for line, member in enumerate(members, 1):
                rows.append(_row(line, PurePosixPath(member.filename), archive.read(member), encoding))
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise SetupError(f"`{file.name}` cannot be read as a zip: {error}.") from error
    return Source(_some(rows, path, pattern), {**file_facts(file), "files": len(rows)}, "text", "name")


def _wanted(name: PurePosixPath, pattern: str) -> bool:
    hidden = any(part.startswith(".") or part == "__MACOSX" for part in name.parts)
    return not hidden and (fnmatch.fnmatch(name.name, pattern) or fnmatch.fnmatch(str(name), pattern))


def _row(line: int, name: PurePosixPath, data: bytes, encoding: str | None) -> Row:
    text, found = decode(data, encoding, str(name))
    fields = {"name": str(name.with_suffix("")), "text": text, "file": str(name)}
    return Row(line, fields | ({} if found == "utf-8" else {"encoding": found}))


def _some(rows: list[Row], path: str | Path, pattern: str) -> list[Row]:
    if not rows:
        raise SetupError(f"`{path}` holds no file that matches {pattern!r}; give another `pattern`.")
    return rows
