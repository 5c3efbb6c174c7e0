"""Libraries of references: RIS (`.ris`) and BibTeX (`.bib`), as Zotero and catalogues write them.

The abstract is the text. Zotero's CSL JSON is a list of objects, which `json_files` reads.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, get_args
from urllib.parse import unquote

from ...errors import SetupError
from .documents import DOCUMENT_READERS
from .documents.document import import_parser
from .encodings import read_text
from .source import Source, SourceRow, existing_path, file_facts

ReferenceTexts = Literal["abstracts", "files"]
_ATTACHED = re.compile(r"[^:;]+\.\w{2,5}(?=[:;]|$)")
"""A path in `name:path:type;...` (BibTeX), or alone (RIS)."""
_RIS_NAMES = {
    "type_of_reference": "type", "primary_title": "title", "notes_abstract": "abstract", "first_authors": "authors",
    "publication_year": "year", "journal_name": "journal", "secondary_title": "journal", "file_attachments1": "file",
}  # fmt: skip
"""What rispy calls a field, and what it is called here: one name for what RIS spells in several ways."""


def read_ris(path: str | Path, *, encoding: str | None = None, texts: ReferenceTexts = "abstracts") -> Source:
    """Read a RIS file. The id of a reference is its own id, its DOI, or its number.

    Parameters
    ----------
    path
        The file.
    encoding
        The encoding; by default it is detected.
    texts
        Whether the texts are the `abstracts`, or the attached `files` (PDFs and other documents), which must be in the
        folder of the library.

    Raises
    ------
    SetupError
        The file does not exist or has no reference, or rispy is not installed.
    """
    file = existing_path(path)
    rispy, parser = import_parser("rispy", "rispy", file.name)
    text, found, remarks = read_text(file, encoding)
    try:
        entries = rispy.loads(text, skip_unknown_tags=True)
    except (OSError, ValueError, KeyError, IndexError) as error:
        raise SetupError(f"`{file.name}` cannot be read as RIS: {error}.") from error
    fields = [_ris_fields(entry) for entry in entries]
    ids = [entry.get("id") or entry.get("doi") for entry in entries]
    return _source(file, fields, ids, {"encoding": found, "parser": parser}, [], remarks, texts)


def _ris_fields(entry: dict[str, Any]) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for name, value in entry.items():
        if name not in ("id", "unknown_tag") and value:
            fields.setdefault(_RIS_NAMES.get(name, name), "; ".join(value) if isinstance(value, list) else value)
    return fields


def read_bibtex(path: str | Path, *, encoding: str | None = None, texts: ReferenceTexts = "abstracts") -> Source:
    """Read a BibTeX file. The id of a reference is its key. Braces and commands of LaTeX become letters.

    Parameters
    ----------
    path, encoding, texts
        As in `read_ris`.

    Raises
    ------
    SetupError
        It does not exist or has no reference, or bibtexparser is not installed.
    """
    file = existing_path(path)
    bibtexparser, parser = import_parser("bibtexparser", "bibtexparser", file.name)
    text, found, remarks = read_text(file, encoding)
    logging.getLogger("bibtexparser").setLevel(logging.CRITICAL)  # what it cannot read is in `rejected`
    library = bibtexparser.parse_string(text, append_middleware=[bibtexparser.middlewares.LatexDecodingMiddleware()])
    texts_by_name = {name.casefold(): str(text.value) for name, text in library.strings_dict.items()}
    fields = [
        {
            "type": entry.entry_type,
            **{field.key.lower(): _plain_text(_joined(str(field.value), texts_by_name)) for field in entry.fields},
        }
        for entry in library.entries
    ]
    problems = [
        (
            number,
            f"what begins in line {block.start_line + 1} is no whole reference, or gives its key or a field twice",
        )
        for number, block in enumerate(library.failed_blocks, len(fields) + 1)
    ]
    ids = [entry.key for entry in library.entries]
    return _source(file, fields, ids, {"encoding": found, "parser": parser}, problems, remarks, texts)


def _joined(value: str, texts: Mapping[str, str]) -> str:
    """The value of a field that is written in parts: `jo # " and others"`."""
    parts = [part.strip() for part in value.split(" # ")]
    if len(parts) < 2:
        return value
    found = [part[1:-1] if part[:1] in '"{' and part[-1:] in '"}' else texts.get(part.casefold()) for part in parts]
    return value if None in found else "".join(map(str, found))


def _plain_text(value: Any) -> str:
    return " ".join(str(value).replace("{", "").replace("}", "").split())


def _source(
    file: Path,
    fields: list[dict[str, Any]],
    ids: list[str | None],
    facts: dict[str, Any],
    problems: list[tuple[int, str]],
    remarks: tuple[str, ...],
    texts: ReferenceTexts,
) -> Source:
    if texts not in get_args(ReferenceTexts):
        raise SetupError(f"texts={texts!r}: write one of {', '.join(get_args(ReferenceTexts))}.")
    if not fields:
        raise SetupError(f"`{file.name}` has no reference.")
    rows = list(_rows(file.stem, fields, ids))
    if texts == "files":
        rows = [_with_file(row, file.parent) for row in rows]
    rows += [SourceRow(line, {}, problem) for line, problem in problems]
    return Source(
        rows, {**file_facts(file), **facts}, "abstract" if texts == "abstracts" else "text", "record_id",
        folder=file.parent, remarks=remarks, unit="reference",
    )  # fmt: skip


def _rows(stem: str, fields: list[dict[str, Any]], ids: list[str | None]) -> Iterator[SourceRow]:
    width = len(str(len(fields)))
    for number, (values, own_id) in enumerate(zip(fields, ids, strict=True), 1):
        yield SourceRow(number, {"record_id": own_id or f"{stem}-{number:0{width}}", "abstract": "", **values})


def _with_file(row: SourceRow, folder: Path) -> SourceRow:
    """The row with the text of its first attached document; with a problem if there is none."""
    given = str(row.fields.get("file") or "")
    paths = [path for path in _ATTACHED.findall(given) if Path(path).suffix.lower() in DOCUMENT_READERS]
    if not paths:
        return row._replace(problem="no document is attached")
    file = (folder / unquote(paths[0].removeprefix("file://"))).resolve()
    if not file.is_relative_to(folder.resolve()):
        return row._replace(problem=f"the attached `{file.name}` is outside the folder of the library")
    if not file.is_file():
        return row._replace(problem=f"there is no attached file `{file.name}`")
    try:
        document = DOCUMENT_READERS[file.suffix.lower()](file.read_bytes(), file.name)
    except SetupError as error:
        return row._replace(problem=error.problems[0].rstrip("."))
    return row._replace(fields={**row.fields, "text": document.text})
