"""Tables with labels to import: CSV files, workbooks, JSON, SPSS, Stata, zips of these, dataframes."""

from __future__ import annotations

import re
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from ..._internal.text import pluralise
from ...corpus.corpus import Corpus
from ...corpus.loaders import csv_files, dataframes, excel, json_files, survey_files
from ...corpus.loaders.source import Source, SourceRow, existing_path
from ...corpus.loaders.zip_files import open_zip
from ...errors import SetupError
from ..coded_texts.coded_file import CodedFile
from ..coded_texts.file_set import is_archive
from ..coded_texts.programs import ENDINGS, read_coded_files, read_coded_rows
from ..spreadsheets import workbook
from .package_rows import read_result_rows

ROW = "row"
"""The column with the ids of a table whose rows are in the order of the corpus."""

_DELIMITED = (".csv", ".tsv", ".tab", ".txt")
_JSON = {".json": json_files.read, ".jsonl": json_files.read_lines, ".ndjson": json_files.read_lines}
_STATISTICS = (".sav", ".dta")
_TABLES = (*_DELIMITED, *_JSON, ".xlsx", *_STATISTICS)
_ENDINGS = tuple(dict.fromkeys((*_TABLES, *ENDINGS, ".zip", ".tar.gz")))


class LabelTable(NamedTuple):
    """One table with labels. A coding sheet also has its facts, a file of another program its coded texts."""

    name: str
    columns: list[str]
    rows: list[SourceRow]
    facts: workbook.Facts | None = None
    sheet: str = ""
    """The name of the sheet, in a workbook with several."""
    file_stem: str = ""
    """The name of the file without its ending, if there are several files."""
    remarks: tuple[str, ...] = ()
    """What was guessed about the file."""
    coded: CodedFile | None = None
    """The texts and passages, if the file is another program's."""
    unit: str = "line"
    """What messages call a row."""

    @property
    def names_coder(self) -> str:
        """The name of the sheet or file. Where nothing else names the coder, it does."""
        return self.sheet or self.file_stem


def tables_of(source: Any) -> list[LabelTable]:
    """All tables of a path, a dataframe, or a list of these.

    Raises
    ------
    SetupError
        The file does not exist or cannot be read.
    """
    if isinstance(source, list | tuple):
        if not source:
            raise SetupError("there is nothing to import: the list is empty.")
        return [_named_by_file(table, item, len(source)) for item in source for table in tables_of(item)]
    if isinstance(source, str | Path):
        return list(_file_tables(existing_path(source)))
    if not hasattr(source, "itertuples"):
        raise SetupError(f"{source!r:.60} is not a source of labels: give a path, a dataframe, or a list of these.")
    frame = dataframes.read_dataframe(source)
    frame_rows = frame.rows_in_memory()
    rows = read_result_rows(frame_rows)
    columns = [str(name) for name in source.columns] if rows == frame_rows else replace(frame, rows=rows).columns
    return [LabelTable("dataframe", columns, rows, unit="row")]


def _named_by_file(table: LabelTable, file: Any, n_files: int) -> LabelTable:
    """A table that may be named by its file, if there are several files and no sheets."""
    if n_files == 1 or table.sheet or table.facts or not isinstance(file, str | Path):
        return table
    stem = PurePosixPath(str(file).replace("\\", "/")).stem
    if table.coded and table.rows:  # such as doccano's export, with a file for each person
        texts = tuple(text if text.coder else replace(text, coder=stem) for text in table.coded.texts)
        return table._replace(coded=table.coded._replace(texts=texts))
    return table._replace(file_stem=stem)


def _file_tables(file: Path) -> Iterator[LabelTable]:
    ending = file.suffix.lower()
    if coded_files := read_coded_files(file):
        for name, coded in coded_files:
            yield LabelTable(name, [], [], remarks=coded.remarks, coded=coded)
        return
    if file.is_dir():
        yield from _folder_tables(file)
        return
    if ending not in (*_TABLES, ".zip"):
        known = "is no file of a program that is known" if ending in ENDINGS or is_archive(file) else "cannot be read"
        raise SetupError(f"`{file.name}` {known}: codes are in {', '.join(_ENDINGS)}, folders and frames.")
    if ending == ".zip":
        yield from _zip_tables(file)
        return
    if ending in _DELIMITED or ending in _JSON:
        yield _plain_table(file.name, csv_files.read(file) if ending in _DELIMITED else _JSON[ending](file))
        return
    if ending in _STATISTICS:
        yield _plain_table(file.name, survey_files.read(file, missing=True))
        return
    facts = workbook.read_facts(file)
    names = [workbook.CODES] if facts else excel.sheet_names(file)
    for name in names:
        source = excel.read(file, sheet=name)
        sheet = name if len(names) > 1 else ""
        yield LabelTable(
            f"{file.name}, sheet `{name}`" if sheet else file.name,
            source.columns,
            source.rows_in_memory(),
            facts,
            sheet,
            remarks=() if facts else source.remarks,
        )


def _folder_tables(folder: Path) -> Iterator[LabelTable]:
    """The tables in a folder and its subfolders."""
    files = [file for file in sorted(folder.rglob("*")) if file.is_file() and file.suffix.lower() in _TABLES]
    if not files:
        raise SetupError(f"the folder `{folder.name}` has no file with codes.")
    for file in files:
        for table in _file_tables(file):
            yield _named_by_file(table, file, len(files))


def _plain_table(name: str, source: Source) -> LabelTable:
    rows = source.rows_in_memory()
    coded = read_coded_rows(rows, name)
    if coded:
        return LabelTable(name, [], rows, remarks=(*source.remarks, *coded.remarks), coded=coded)
    rows = read_result_rows([_without_rejected(row) for row in rows])
    return LabelTable(name, replace(source, rows=rows).columns, rows, remarks=source.remarks)


def _without_rejected(row: SourceRow) -> SourceRow:
    """A row of Prodigy that its coder rejected or ignored says nothing about the text."""
    answer = row.fields.get("answer")
    if "_input_hash" in row.fields and answer in ("reject", "ignore"):
        return row._replace(problem=f"its `answer` in Prodigy is `{answer}`, so it has no code")
    return row


def in_order_of_corpus(table: LabelTable, corpus: Corpus) -> LabelTable:
    """A table without ids, as other statistics programs take it: one row for each record, in the order of the corpus.

    Raises
    ------
    SetupError
        It has more or fewer rows than the corpus has records.
    """
    rows = [row for row in table.rows if row.problem != "empty row"]
    if len(rows) != len(corpus):
        raise SetupError(
            f"`{table.name}` has {pluralise(len(rows), 'row')}, the corpus {len(corpus):,} records: without a "
            "column of ids, each record needs its row."
        )
    named = [
        row._replace(fields={**row.fields, ROW: record.record_id}) for row, record in zip(rows, corpus, strict=True)
    ]
    return table._replace(rows=named, columns=[*table.columns, ROW])


def table_remarks(tables: Sequence[LabelTable], id_column: str) -> list[str]:
    """Remarks on what was guessed about the files, and on which sheets of workbooks were read."""
    remarks = [remark for table in tables for remark in table.remarks]
    read = [table.sheet for table in tables if table.sheet and id_column in table.columns]
    others = [table.sheet for table in tables if table.sheet and id_column not in table.columns]
    if not read:
        return remarks
    without = f"; not {_listed(others)}, without a column `{id_column}`" if others else ""
    return [*remarks, f"sheets read: {_listed(read)}{without}."]


def _listed(names: Sequence[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _zip_tables(file: Path) -> Iterator[LabelTable]:
    """The tables in a zip. Each is unpacked under a new name, so that paths in the zip have no effect."""
    with (
        open_zip(file, _is_table, "unpack it, and give the files") as (archive, members),
        tempfile.TemporaryDirectory() as folder,
    ):
        if not members:
            raise SetupError(
                f"`{file.name}` contains no table; it should contain CSV files, Excel workbooks or JSON files."
            )
        for i, member in enumerate(members):
            unpacked = Path(folder) / str(i) / _safe_name(member)
            unpacked.parent.mkdir()
            unpacked.write_bytes(archive.read(member))
            for table in _file_tables(unpacked):
                named = table._replace(name=PurePosixPath(member.filename.replace("\\", "/")).name)
                yield _named_by_file(named, member.filename, len(members))


def _is_table(member: zipfile.ZipInfo) -> bool:
    parts = PurePosixPath(member.filename.replace("\\", "/")).parts
    is_hidden = any(part.startswith((".", "~$")) or part == "__MACOSX" for part in parts if part != "..")
    return not is_hidden and _suffix(member) in _TABLES


def _safe_name(member: zipfile.ZipInfo) -> str:
    """The name of a file in a zip, for messages, without what systems use for themselves."""
    name = re.sub(r"[^\w .()+-]", "_", PurePosixPath(member.filename.replace("\\", "/")).name)
    return f"{name.removesuffix(_suffix(member))[-80:]}{_suffix(member)}"


def _suffix(member: zipfile.ZipInfo) -> str:
    return PurePosixPath(member.filename).suffix.lower()
