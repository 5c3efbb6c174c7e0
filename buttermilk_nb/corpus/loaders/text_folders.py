"""Folders and zips of documents and images. Files with the same name become one record.

So `post.txt` and `post.png` become one post, and a folder with only images is a corpus too. A link in the folder may
lead to any file of this computer, and the folder may come from somebody else. So files outside the folder are rejected,
unless the user wants links to be followed.
"""

from __future__ import annotations

import fnmatch
import gc
import os
import re
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from ..._internal.progress_line import ProgressLine
from ..._internal.text import pluralise
from ...errors import SetupError
from ..image import IMAGE_SUFFIXES, MAX_BYTES, Image, detect_mime, too_large_message
from .document_files import document_rows, own_options
from .documents import DOCUMENT_READERS, Document, DocumentReader
from .documents.plain_text import read as read_plain_text
from .interrupted_load import forget_documents, n_documents, read_once
from .source import Source, SourceRow, existing_path, file_facts, raise_problems
from .subtitles import read_document as read_subtitles
from .unreadable_files import ADVICE
from .zip_files import open_zip

_READERS: dict[str, DocumentReader] = {**DOCUMENT_READERS, ".vtt": read_subtitles, ".srt": read_subtitles}
_COLLECT_EVERY = 250
_QUICK = (".txt", ".md", ".markdown", ".vtt", ".srt")
"""Endings of documents that are read faster than they are recognised."""
_SYSTEM_FILES = ("Thumbs.db", "desktop.ini")
_NO_TEXTS = frozenset({*ADVICE, ".xlsx", ".zip", ".parquet", ".sav", ".dta"})
"""Endings of files that are no documents: a pattern for them would be refused, or load their markup."""
_NAMES_AND_NUMBERS = re.compile(r"`[^`]*`|\d[\d,]*|\b(?:was|were)\b|s\b")
"""What differs in remarks that say the same of several files."""
_MAX_REMARKS = 5
_LINK_PROBLEM = "this is a link to something outside the folder; follow_links=True reads it"


class _File(NamedTuple):
    """One file of a folder or a zip."""

    line: int
    name: PurePosixPath
    size: int
    read: Callable[[], bytes]

    @property
    def stem(self) -> str:
        """The name without its ending, which becomes the id of the record."""
        return str(self.name.with_suffix(""))


@dataclass
class _Findings:
    """What the documents of a folder say of themselves beside their texts."""

    remarks: list[str] = field(default_factory=list)
    parsers: set[str] = field(default_factory=set)


def read_folder(
    path: str | Path,
    *,
    pattern: str | None = None,
    encoding: str | None = None,
    follow_links: bool = False,
    notes: bool = True,
    comments: bool = False,
) -> Source:
    """Read the documents and images in a folder and its subfolders.

    Parameters
    ----------
    path
        The folder. The ids are the relative paths without their endings.
    pattern
        Which files are read: `"*.txt"`; by default all documents and images.
    encoding
        The encoding of plain texts; by default it is detected for each.
    follow_links
        Whether files outside the folder are read, to which a link in it leads.
    notes, comments
        Whether the notes and the comments of documents are part of their text.
    """
    options = {"encoding": encoding, "notes": notes, "comments": comments}
    folder = existing_path(path)
    if not folder.is_dir():
        raise SetupError(f"`{path}` is a file, not a folder.")
    files, outside, left_out = [], [], []
    for line, file in enumerate(sorted(_walk(folder, follow_links)), 1):
        name = PurePosixPath(file.relative_to(folder).as_posix())
        is_outside = not follow_links and file.is_symlink() and not _is_inside(file, folder)
        if is_outside and (file.is_dir() or _matches(name, pattern)):
            outside.append(SourceRow(line, {"file": str(name)}, _LINK_PROBLEM))
        elif not is_outside and _matches(name, pattern):
            files.append(_File(line, name, file.stat().st_size, file.read_bytes))
        elif not is_outside and not _is_hidden(name):
            left_out.append(name)
    return _make_source(files, {"folder": folder.name}, path, pattern, options, outside, left_out)


def _is_inside(link: Path, folder: Path) -> bool:
    return link.resolve().is_relative_to(folder.resolve())


def _walk(folder: Path, follow_links: bool) -> Iterator[Path]:
    """The files below a folder, and the links to folders that are not followed. No folder is entered twice."""
    entered: set[Path] = set()
    for parent, folder_names, file_names in os.walk(folder, followlinks=follow_links):
        here = Path(parent)
        if here.resolve() in entered:
            folder_names.clear()
            continue
        entered.add(here.resolve())
        yield from (file for name in file_names if (file := here / name).is_file())
        if not follow_links:
            links = (link for name in folder_names if (link := here / name).is_symlink())
            yield from (link for link in links if not _is_inside(link, folder))


def read_zip(
    path: str | Path,
    *,
    pattern: str | None = None,
    encoding: str | None = None,
    notes: bool = True,
    comments: bool = False,
) -> Source:
    """Read the files in a zip like those of a folder, without the extra files that macOS adds. Nothing is unpacked."""
    file = existing_path(path)
    options = {"encoding": encoding, "notes": notes, "comments": comments}
    left_out: list[PurePosixPath] = []

    def is_wanted(member: zipfile.ZipInfo) -> bool:
        name = PurePosixPath(member.filename)
        is_match = _matches(name, pattern)
        left_out.extend([] if is_match or _is_hidden(name) else [name])
        return is_match

    with open_zip(file, is_wanted, "unpack it and load the folder") as (archive, members):
        files = [
            _File(line, PurePosixPath(member.filename), member.file_size, partial(archive.read, member))
            for line, member in enumerate(members, 1)
        ]
        return _make_source(files, file_facts(file), path, pattern, options, left_out=left_out)


def _make_source(
    files: list[_File],
    description: dict[str, Any],
    path: str | Path,
    pattern: str | None,
    options: Mapping[str, Any],
    outside: Sequence[SourceRow] = (),
    left_out: Sequence[PurePosixPath] = (),
) -> Source:
    if not files and outside:
        raise SetupError(f"`{path}` contains only links to files outside it; follow_links=True reads them.")
    if not files and left_out:
        raise SetupError(
            f"`{path}` contains {_what_is_missing(pattern)}; it has "
            f"{_list_endings(left_out)}{_pattern_hint(left_out, before='; ')}."
        )
    if not files:
        raise SetupError(f"`{path}` contains {_what_is_missing(pattern)}; give another `pattern`.")
    findings = _Findings()
    rows = sorted([*group_by_stem(files, options, findings), *outside], key=lambda row: row.line)
    remarks = group_remarks(findings.remarks)[:_MAX_REMARKS] + _left_out_remarks(
        Path(path).name, left_out if pattern is None else []
    )
    n_images = sum(len(row.images) for row in rows)
    counts = {"files": len(files), **({"images": n_images} if n_images else {})}
    facts = {
        **description,
        **counts,
        **({"left_out": len(left_out)} if left_out else {}),
        **({"parsers": sorted(findings.parsers)} if findings.parsers else {}),
    }
    return Source(rows, facts, "text", "name", remarks=tuple(remarks), unit="file")


def _what_is_missing(pattern: str | None) -> str:
    return f"no file that matches {pattern!r}" if pattern else "no document and no image"


def _left_out_remarks(path: str, left_out: Sequence[PurePosixPath]) -> list[str]:
    """A remark on files that no pattern chose, by their endings."""
    if not left_out:
        return []
    hint = _pattern_hint(left_out, before="; ")
    verb = "was" if len(left_out) == 1 else "were"
    return [f"`{path}`: {pluralise(len(left_out), 'file')} {verb} left out ({_list_endings(left_out)}){hint}."]


def group_remarks(remarks: Sequence[str]) -> list[str]:
    """The remarks with those that say the same of several files as one.

    Examples
    --------
    >>> group_remarks(["`a.pdf`: 2 pictures were left out.", "`b.pdf`: 1 pictures were left out.", "Other."])
    ['`a.pdf`: 2 pictures were left out. The like is so in 1 other file.', 'Other.']
    """
    groups: dict[str, list[str]] = {}
    for remark in remarks:
        groups.setdefault(_NAMES_AND_NUMBERS.sub("", remark), []).append(remark)
    return [
        same[0] if len(same) == 1 else f"{same[0]} The like is so in {pluralise(len(same) - 1, 'other file')}."
        for same in groups.values()
    ]


def _list_endings(names: Sequence[PurePosixPath]) -> str:
    endings = Counter(name.suffix or "without an ending" for name in names)
    return ", ".join(f"{n} {ending}" for ending, n in endings.most_common(5))


def _pattern_hint(names: Sequence[PurePosixPath], *, before: str) -> str:
    """What reads others of these files: a pattern for plain texts, or what to do with them first."""
    endings = list(dict.fromkeys(name.suffix.lower() for name in names if name.suffix))
    texts = [f'pattern="*{ending}" reads others' for ending in endings if ending not in _NO_TEXTS]
    advice = [f"{ending}: {ADVICE[ending]}" for ending in endings if ending in ADVICE]
    return "".join(f"{before}{hint}" for hint in [*texts[:1], *advice[:2]])


def group_by_stem(files: list[_File], options: Mapping[str, Any], findings: _Findings) -> list[SourceRow]:
    """One row for the text and the images of each name, at the position of the first; and rows of what has no text."""
    rows: list[SourceRow] = []
    without_text: list[SourceRow] = []
    places: dict[str, int] = {}
    stems_with_text: set[str] = set()
    problems: list[str] = []
    progress = ProgressLine("read", "files", len(files))
    if n_before := n_documents():
        progress.note(f"{pluralise(n_before, 'document')} of the load that was interrupted need not be read again")
    for n_done, file in enumerate(files, 1):
        progress.update(n_done)
        if n_done % _COLLECT_EVERY == 0 and file.name.suffix.lower() not in (*_QUICK, *IMAGE_SUFFIXES):
            gc.collect()  # what parsers leave is in cycles, and mostly in C, where the collector does not see its size
        try:
            row, *parts = _file_rows(file, options, findings)
        except SetupError as error:
            problems += error.problems
            continue
        without_text += parts
        if row.problem:
            without_text.append(row)
            continue
        place = places.setdefault(file.stem, len(rows))
        if place == len(rows) or (not row.images and file.stem in stems_with_text):
            rows.append(row)  # a second text with the same name is a row of its own, which is rejected for its id
        else:
            first_row, images = rows[place], rows[place].images + row.images
            rows[place] = (first_row if row.images else row)._replace(images=images)
        if not row.images:
            stems_with_text.add(file.stem)
    forget_documents()
    raise_problems(problems)
    return rows + without_text


def _file_rows(file: _File, options: Mapping[str, Any], findings: _Findings) -> list[SourceRow]:
    """The row of a file, and one for each part of it without a text."""
    ending = file.name.suffix.lower()
    if ending in IMAGE_SUFFIXES and file.size > MAX_BYTES:
        raise SetupError(too_large_message(str(file.name)))
    data = file.read()
    fields = {"name": file.stem, "text": "", "file": str(file.name)}
    if ending in IMAGE_SUFFIXES or detect_mime(data):
        return [SourceRow(file.line, fields, images=(Image.from_bytes(data, str(file.name)),))]
    try:
        document = _read_document(data, file.name, options)
    except SetupError as error:
        if ending not in _READERS:
            raise
        return [SourceRow(file.line, {"file": str(file.name)}, error.problems[0].rstrip("."))]
    findings.remarks.extend(document.remarks)
    findings.parsers.update({document.parser} - {""})
    row, *parts = document_rows(document, file.line, file.stem, str(file.name))
    return [row, *(part._replace(line=file.line) for part in parts)]


def _read_document(data: bytes, name: PurePosixPath, options: Mapping[str, Any]) -> Document:
    reader = _READERS.get(name.suffix.lower(), read_plain_text)
    own = own_options(reader, options)
    if name.suffix.lower() in _QUICK:
        return reader(data, str(name), **own)
    return read_once(data, name.suffix.lower(), own, lambda: reader(data, str(name), **own))


def _matches(name: PurePosixPath, pattern: str | None) -> bool:
    if _is_hidden(name):
        return False
    if pattern is None:
        return name.suffix.lower() in IMAGE_SUFFIXES or name.suffix.lower() in _READERS
    forms = (name.name.lower(), str(name).lower())
    return any(fnmatch.fnmatchcase(form, pattern.lower()) for form in forms)


def _is_hidden(name: PurePosixPath) -> bool:
    return any(part.startswith((".", "~$")) or part == "__MACOSX" for part in name.parts) or name.name in _SYSTEM_FILES
