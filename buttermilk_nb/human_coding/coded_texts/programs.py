"""The files of other programs: which module reads a file or the rows of a JSON file.

A new program is one module with `recognises` and `read`, one line here, and one test.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path, PurePosixPath

from ..._internal.text import pluralise
from ...corpus.loaders.source import SourceRow
from ...errors import SetupError
from . import (
    argilla,
    brat,
    catma,
    doccano,
    label_studio,
    label_studio_rows,
    potato,
    potato_state,
    prodigy,
    refi_qda,
    uima_cas,
    webanno_tsv,
)
from .coded_file import CodedFile
from .coded_text import CodedText
from .file_set import FileSet, is_archive, open_files

FILE_FORMATS = (brat, webanno_tsv, refi_qda, catma, potato_state, uima_cas)
"""Modules that read a file by itself."""
ROW_FORMATS = (label_studio, label_studio_rows, argilla, potato, prodigy, doccano)
"""Modules that read the objects of a JSON file."""
ENDINGS = (".ann", ".tsv", ".qdpx", ".xml", ".xmi", ".json")
"""The endings of the files that the first ones read."""
_HEAD_BYTES = 4096
_MARKED_ONLY = (doccano, prodigy)
"""Programs whose objects without a mark do not show where they come from."""
_WRONG_FORM = (TypeError, ValueError, AttributeError, KeyError)
"""What a reader meets where a file has another value than its program writes."""
_CURATED = "CURATION_USER"
_NOT_BY_ONE_PERSON = ("INITIAL_CAS", _CURATED)


def read_coded_files(place: Path) -> list[tuple[str, CodedFile]]:
    """The files of other programs in a folder or archive, or one file; empty if there are none.

    Raises
    ------
    SetupError
        A file is damaged, or the package that reads it is not installed.
    """
    if place.is_file() and not is_archive(place) and place.suffix.lower() not in ENDINGS:
        return []
    with open_files(place) as files:
        names = list(files) if place.is_dir() or is_archive(place) else [place.name]
        found: list[tuple[str, CodedFile]] = []
        for name in names:
            if PurePosixPath(name).stem in _NOT_BY_ONE_PERSON:
                continue
            coded = _read_file(files, name)
            if coded is not None:
                found.append((name, coded))
    n_curated = sum(PurePosixPath(name).stem == _CURATED for name in names)
    if found and n_curated:
        name, coded = found[0]
        remark = f"{pluralise(n_curated, 'text')} with a curation left out: it is a decision, not one person's codes."
        found[0] = name, coded._replace(remarks=(*coded.remarks, remark))
    return found


def _read_file(files: FileSet, name: str) -> CodedFile | None:
    if PurePosixPath(name).suffix.lower() not in ENDINGS:
        return None
    head = files.read(name, _HEAD_BYTES) or b""
    module = next((module for module in FILE_FORMATS if module.recognises(name, head)), None)
    if module is None:
        return None
    try:
        return _checked(module.read(files, name))
    except _WRONG_FORM as error:
        raise SetupError(f"`{PurePosixPath(name).name}` has not the form that its program writes: {error}.") from error


def read_coded_rows(rows: Sequence[SourceRow], file: str) -> CodedFile | None:
    """The coded texts in the objects of a JSON file; None if they are of no program that is known."""
    usable = [row.fields for row in rows if not row.problem]
    for module in ROW_FORMATS:
        n = sum(module.recognises(fields) for fields in usable)
        if n and (n == len(usable) or module in _MARKED_ONLY):
            break
    else:
        return None
    try:
        return _checked(module.read(rows, file))
    except _WRONG_FORM:
        parts = [_read_row(module.read, row, file) for row in rows]  # one by one, to name those that are damaged
    remarks = dict.fromkeys(remark for part in parts for remark in part.remarks)
    return CodedFile(tuple(text for part in parts for text in part.texts), tuple(remarks))


def _read_row(read: Callable[[Sequence[SourceRow], str], CodedFile], row: SourceRow, file: str) -> CodedFile:
    try:
        return _checked(read([row], file))
    except _WRONG_FORM as error:
        problem = f"it has not the form that its program writes: {error}"
        return CodedFile((CodedText(f"{file}, row {row.line}", (), problem=problem),))


def _checked(coded: CodedFile) -> CodedFile:
    return CodedFile(tuple(text.checked() for text in coded.texts), coded.remarks)
