"""The formats of files: which reader belongs to the ending of a name.

A new format is one module with a reader, one line here (or in `documents/`, for a file that is one text), and one test.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ...errors import SetupError
from . import (
    csv_files,
    dataframes,
    document_files,
    excel,
    json_files,
    mailboxes,
    reference_files,
    reference_xml,
    refi_project,
    subtitles,
    survey_files,
    text_folders,
)
from .documents import DOCUMENT_READERS
from .source import Source, existing_path
from .unreadable_files import ADVICE

Reader = Callable[..., Source]
"""A reader takes a path, and its own options by name."""

TABLE_READERS: dict[str, Reader] = {
    ".csv": csv_files.read,
    ".tsv": csv_files.read,
    ".tab": csv_files.read,
    ".xlsx": excel.read,
    ".jsonl": json_files.read_lines,
    ".ndjson": json_files.read_lines,
    ".json": json_files.read,
    ".parquet": dataframes.read_parquet,
    ".sav": survey_files.read,
    ".zsav": survey_files.read,
    ".por": survey_files.read,
    ".dta": survey_files.read,
    ".sas7bdat": survey_files.read,
    ".xpt": survey_files.read,
    ".rds": survey_files.read_r,
    ".rdata": survey_files.read_r,
    ".rda": survey_files.read_r,
    ".ris": reference_files.read_ris,
    ".bib": reference_files.read_bibtex,
}
"""Files with many rows, of which one column is the text."""

READERS: dict[str, Reader] = {
    **TABLE_READERS,
    ".vtt": subtitles.read,
    ".srt": subtitles.read,
    ".zip": text_folders.read_zip,
    ".mbox": mailboxes.read,
    ".qdpx": refi_project.read,
    **{ending: document_files.make_file_reader(reader) for ending, reader in DOCUMENT_READERS.items()},
}


def is_file_name(text: str) -> bool:
    """Whether a text is the name of a file: one short line that ends like the files of a reader.

    Examples
    --------
    >>> is_file_name("texts/talk.docx"), is_file_name("I read talk.docx. It was long.")
    (True, False)
    """
    return "\n" not in text and len(text) < 260 and Path(text).suffix.lower() in READERS


def _head(file: Path) -> bytes:
    with file.open("rb") as handle:
        return handle.read(4096)


def reader_for(path: str | Path) -> Reader:
    """The reader of a file or folder.

    Raises
    ------
    SetupError
        It does not exist, or there is no reader for its ending.

    Examples
    --------
    >>> import tempfile
    >>> reader_for(tempfile.mkdtemp()).__name__
    'read_folder'
    """
    file = existing_path(path)
    if file.is_dir():
        return text_folders.read_folder
    ending = file.suffix.lower()
    if ending == ".xml" and reference_xml.is_reference_xml(_head(file)):
        return reference_xml.read
    if ending not in READERS:
        hint = f"; {ADVICE[ending]}" if ending in ADVICE else f"; you can load {', '.join(READERS)} and folders"
        raise SetupError(f"`{file.name}`: there is no loader for {f'`{ending}`' if ending else 'its kind'}{hint}.")
    return READERS[ending]
