"""The tables that labels are imported from: CSV files, workbooks, zips of these, dataframes."""

from __future__ import annotations

import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from ...corpus.loaders import csv_files, dataframes, excel
from ...corpus.loaders.source import SourceRow, existing
from ...corpus.loaders.zip_files import members_of
from ...errors import SetupError
from ..spreadsheets import workbook

_DELIMITED = (".csv", ".tsv", ".tab", ".txt")
_ENDINGS = (*_DELIMITED, ".xlsx", ".zip")


class LabelTable(NamedTuple):
    """One table, with what a coding sheet of ours says about itself."""

    name: str
    columns: list[str]
    rows: list[SourceRow]
    facts: workbook.Facts | None = None


def tables_of(source: Any) -> list[LabelTable]:
    """All tables of a path, a dataframe, or a list of these.

    Raises
    ------
    SetupError
        There is no such file, or it cannot be read.
    """
    if isinstance(source, list | tuple):
        if not source:
            raise SetupError("there is nothing to import: the list is empty.")
        return [table for one in source for table in tables_of(one)]
    if isinstance(source, str | Path):
        return list(_of_file(existing(source)))
    if not hasattr(source, "itertuples"):
        raise SetupError(f"{source!r:.60} is no source of labels: give a path, a dataframe, or a list of these.")
    read = dataframes.read_dataframe(source)
    return [LabelTable("dataframe", [str(name) for name in source.columns], read.rows)]


def _of_file(file: Path) -> Iterator[LabelTable]:
    ending = file.suffix.lower()
    if file.is_dir() or ending not in _ENDINGS:
        raise SetupError(f"`{file.name}`: labels are read from {', '.join(_ENDINGS)} and dataframes.")
    if ending == ".zip":
        yield from _of_zip(file)
        return
    if ending in _DELIMITED:
        read = csv_files.read(file)
        yield LabelTable(file.name, read.columns, read.rows)
        return
    facts = workbook.read_facts(file)
    read = excel.read(file, sheet=workbook.CODES if facts else None)
    yield LabelTable(file.name, read.columns, read.rows, facts)


def _of_zip(file: Path) -> Iterator[LabelTable]:
    """The tables in a zip, each unpacked under a name of ours, so that no path in it leads anywhere."""
    with (
        members_of(file, _wanted, "unpack it, and give the files") as (archive, members),
        tempfile.TemporaryDirectory() as folder,
    ):
        if not members:
            raise SetupError(f"`{file.name}` holds no table; there should be CSV files or Excel workbooks in it.")
        for place, member in enumerate(members):
            inside = Path(folder) / f"{place}{_suffix(member)}"
            inside.write_bytes(archive.read(member))
            for table in _of_file(inside):
                yield table._replace(name=PurePosixPath(member.filename.replace("\\", "/")).name)


def _wanted(member: zipfile.ZipInfo) -> bool:
    parts = PurePosixPath(member.filename.replace("\\", "/")).parts
    hidden = any(part.startswith((".", "~$")) or part == "__MACOSX" for part in parts if part != "..")
    return not hidden and _suffix(member) in (*_DELIMITED, ".xlsx")


def _suffix(member: zipfile.ZipInfo) -> str:
    return PurePosixPath(member.filename).suffix.lower()
