"""REFI-QDA: projects of MAXQDA, NVivo, ATLAS.ti, Taguette and others (`.qdpx`). They are read and written."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

from ...codebook.refi_codebook import add_codes, make_guid
from ...corpus.loaders.documents.document import import_parser
from ...corpus.loaders.refi_project import NAMESPACE, RefiText, read_project
from .coded_file import CodedFile
from .coded_text import Code, CodedText
from .file_set import FileSet

_ORIGIN = "buttermilk_nb"
_DATE = (1980, 1, 1, 0, 0, 0)


def _encoded(text: str) -> bytes:
    """A text as a file; one that begins with a byte-order mark of its own gets one more, which readers take off."""
    return text.encode("utf-8-sig" if text.startswith("\ufeff") else "utf-8")


def recognises(name: str, _: bytes) -> bool:
    """Whether a file is a project of REFI-QDA."""
    return name.lower().endswith(".qdpx")


def read(files: FileSet, name: str) -> CodedFile:
    """Read the codes of a project: for each text, those of each person."""
    project = read_project(files.read(name) or b"", PurePosixPath(name).name)
    return CodedFile(
        tuple(coded for text in project.texts for coded in _coded_texts(text, PurePosixPath(name).name)),
        project.remarks,
    )


def _coded_texts(text: RefiText, file: str) -> list[CodedText]:
    coders = dict.fromkeys(coding.coder for coding in text.codings)
    where = f"{file}, text `{text.name}`"
    return [
        CodedText(
            where,
            (text.name,),
            coder,
            tuple(
                Code(coding.path, start=coding.start, end=coding.end, notes=coding.notes)
                for coding in text.codings
                if coding.coder == coder
            ),
            text.text,
            problem=text.problem,
        )
        for coder in coders
    ]


def write(
    name: str, coded: Sequence[CodedText], texts: Mapping[str, str], codes: Iterable[tuple[tuple[str, ...], str]]
) -> bytes:
    """A project with texts, codes and who coded what.

    Parameters
    ----------
    name
        The name of the project.
    coded
        The coded texts; each names one of `texts`, and its codes have a question and an answer.
    texts
        The texts by their names.
    codes
        The code tree: the names of each code from the outermost, with its description.

    Returns
    -------
    bytes
        The zip. Equal arguments give equal bytes.
    """
    etree, _ = import_parser("lxml.etree", "lxml", "a project of REFI-QDA")
    root = etree.Element(f"{{{NAMESPACE}}}Project", {"name": name, "origin": _ORIGIN}, nsmap={None: NAMESPACE})
    coders = sorted({item.coder for item in coded})
    users = _child(root, "Users")
    for coder in coders:
        _child(users, "User", guid=make_guid("user", coder), name=coder)
    used = [(*code.path, str(code.answer)) for item in coded for code in item.codes]
    add_codes(_child(root, "CodeBook"), [*codes, *((path, "") for path in used)], NAMESPACE)
    sources = _child(root, "Sources")
    notes: dict[str, str] = {}
    by_name: dict[str, list[CodedText]] = {}
    for item in coded:
        by_name.setdefault(item.names[0], []).append(item)
    for title, text in texts.items():
        file = f"{make_guid('source', title)}.txt"
        source = _child(
            sources, "TextSource", guid=make_guid("source", title), name=title, plainTextPath=f"internal://{file}"
        )
        items = [(item.coder, code) for item in by_name.get(title, ()) for code in item.codes]
        for n, (coder, code) in enumerate(items):  # the schema wants passages before codes of the whole text
            if code.start is not None and code.end is not None:
                place = {"startPosition": str(code.start), "endPosition": str(code.end)}
                ident = make_guid("selection", title, coder, str(n))
                words = " ".join(text[code.start : code.end].split())[:80]
                selection = _child(
                    source, "PlainTextSelection", guid=ident, name=words, creatingUser=make_guid("user", coder), **place
                )
                _add_coding(selection, title, coder, code, n, notes)
        for n, (coder, code) in enumerate(items):
            if code.start is None:
                _add_coding(source, title, coder, code, n, notes)
    if notes:
        container = _child(root, "Notes")
        for ident, note in notes.items():
            _child(_child(container, "Note", guid=ident, name="note"), "PlainTextContent").text = note
    return _zipped(etree.tostring(root, xml_declaration=True, encoding="utf-8", pretty_print=True), texts)


def _add_coding(parent: Any, title: str, coder: str, code: Code, n: int, notes: dict[str, str]) -> None:
    coding = _child(
        parent, "Coding", guid=make_guid("coding", title, coder, str(n)), creatingUser=make_guid("user", coder)
    )
    _child(coding, "CodeRef", targetGUID=make_guid("code", *code.path, str(code.answer)))
    if code.notes:
        ident = make_guid("note", title, coder, str(n))
        notes[ident] = code.notes
        _child(coding, "NoteRef", targetGUID=ident)


def _zipped(project: bytes, texts: Mapping[str, str]) -> bytes:
    buffer = io.BytesIO()
    files = {f"sources/{make_guid('source', title)}.txt": _encoded(text) for title, text in texts.items()}
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, data in {"project.qde": project, **files}.items():
            info = zipfile.ZipInfo(path, _DATE)
            info.compress_type, info.external_attr = zipfile.ZIP_DEFLATED, 0o600 << 16
            archive.writestr(info, data)
    return buffer.getvalue()


def _child(parent: Any, tag: str, /, **attributes: str) -> Any:
    etree, _ = import_parser("lxml.etree", "lxml", "a project of REFI-QDA")
    return etree.SubElement(parent, f"{{{NAMESPACE}}}{tag}", attributes)
