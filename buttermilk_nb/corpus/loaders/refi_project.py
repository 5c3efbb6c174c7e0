"""Projects of programs for qualitative analysis: `.qdpx` and `.qdc`, the exchange formats of REFI-QDA.

MAXQDA, NVivo, ATLAS.ti, QDA Miner, Quirkos, Taguette and others write them. A `.qdpx` has the texts, the codes and who
coded what; a `.qdc` has the codes alone. Places in a text count characters from 0, the end excluded.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from ..._internal.text import pluralise
from ...errors import SetupError
from .documents.document import import_parser
from .documents.safe_xml import local_name, parse_xml
from .documents.zip_package import ZipPackage, open_package
from .encodings import decode
from .source import Source, SourceRow, existing_path, file_facts

NAMESPACE = "urn:QDA-XML:project:1.0"
CODEBOOK_NAMESPACE = "urn:QDA-XML:codebook:1.0"
_PROJECT_FILE = "project.qde"
_INTERNAL = ("internal://", "relative://")


class RefiCode(NamedTuple):
    """One code of the code tree: its names from the outermost, and its description."""

    path: tuple[str, ...]
    description: str = ""
    is_leaf: bool = True


class RefiCoding(NamedTuple):
    """One use of a code: by whom, where (None for the whole text), and with which note."""

    path: tuple[str, ...]
    coder: str
    start: int | None = None
    end: int | None = None
    notes: str | None = None


@dataclass(frozen=True)
class RefiText:
    """One text of a project with its codings; `problem` says why it cannot be read."""

    name: str
    text: str | None
    codings: tuple[RefiCoding, ...]
    problem: str | None = None
    facts: dict[str, str] = field(default_factory=dict)
    """The variables of the text and of its cases."""


@dataclass(frozen=True)
class RefiProject:
    """A project: its codes, its texts, and what was left out."""

    codes: tuple[RefiCode, ...]
    texts: tuple[RefiText, ...]
    parser: str
    remarks: tuple[str, ...] = ()


def read_codes(data: bytes, name: str) -> list[RefiCode]:
    """The codes of a codebook (`.qdc`) or project (`.qdpx`).

    Raises
    ------
    SetupError
        The file is damaged or something else, has no code, or lxml is not installed.
    """
    root = _project_root(data, name)[0] if data.startswith(b"PK") else parse_xml(data, name)
    if local_name(root) not in ("CodeBook", "Project"):
        raise SetupError(f"`{name}` is XML, but no codebook of REFI-QDA: its first element is `{local_name(root)}`.")
    codes = list(_codes(root).values())
    if not codes:
        raise SetupError(f"`{name}` has no code.")
    return codes


def read_project(data: bytes, name: str) -> RefiProject:
    """Read a project (`.qdpx`).

    Raises
    ------
    SetupError
        The file is damaged, too large or something else, or lxml is not installed.
    """
    root, package_texts = _project_root(data, name)
    _, parser = import_parser("lxml.etree", "lxml", name)
    codes = _codes(root)
    users = {user.get("guid"): (user.get("name") or user.get("id") or "").strip() for user in _all(root, "User")}
    notes = {note.get("guid"): _note_text(note, package_texts) for note in _all(root, "Note")}
    variables = {item.get("guid"): item.get("name") or "variable" for item in _all(root, "Variable")}
    variables_of_case = {
        reference.get("targetGUID"): {"case": case.get("name") or "", **_variables(case, variables)}
        for case in _all(root, "Case")
        for reference in _children(case, "SourceRef")
    }
    n_others: dict[str, int] = {}
    texts = []
    for source in (element for parent in _all(root, "Sources") for element in parent):
        kind = local_name(source)
        body = source if kind == "TextSource" else next(iter(_all(source, "Representation")), None)
        others = [item for item in source.iter() if local_name(item).endswith("Selection")]
        for item in others:
            if local_name(item) != "PlainTextSelection":
                n_others[local_name(item)] = n_others.get(local_name(item), 0) + 1
        title = source.get("name") or source.get("guid") or "unnamed"
        if body is None:
            texts.append(RefiText(title, None, (), f"it is a {kind} without a text"))
            continue
        text, problem = _source_text(body, package_texts)
        codings = [coding for element in {id(source): source, id(body): body}.values()
                   for coding in _codings(element, codes, users, notes)]  # fmt: skip
        facts = {**variables_of_case.get(source.get("guid") or "", {}), **_variables(source, variables)}
        texts.append(RefiText(title, text, tuple(codings), problem, facts))
    remarks = [
        f"{pluralise(n, 'selection')} (`{kind}`) left out: only passages of texts are read."
        for kind, n in sorted(n_others.items())
    ]
    return RefiProject(tuple(code for guid, code in codes.items()), tuple(texts), parser, tuple(remarks))


def read(path: str | Path) -> Source:
    """Read the texts of a project: one record for each, with its name as its id.

    The codes stay in the file; `bm.import_labels` reads them.

    Raises
    ------
    SetupError
        The file does not exist, cannot be read, or has no text.
    """
    file = existing_path(path)
    project = read_project(file.read_bytes(), file.name)
    rows = [
        SourceRow(number, {"name": text.name, "text": text.text or "", **text.facts}, text.problem)
        for number, text in enumerate(project.texts, 1)
    ]
    if not rows:
        raise SetupError(f"`{file.name}` has no text.")
    n_codings = sum(len(text.codings) for text in project.texts)
    remarks = project.remarks
    if n_codings:
        remarks = (*remarks, f"{pluralise(n_codings, 'code')} in `{file.name}` can be imported with bm.import_labels.")
    description = {**file_facts(file), "parser": project.parser}
    return Source(rows, description, "text", "name", folder=file.parent, remarks=remarks, unit="text")


def _project_root(data: bytes, name: str) -> tuple[Any, dict[str, bytes]]:
    """The XML of a project, and its files by their names."""
    with open_package(data, name, "a project of REFI-QDA") as package:
        xml = package.read(_project_file(package))
        if xml is None:
            raise SetupError(f"`{name}` cannot be read as a project of REFI-QDA: it has no `{_PROJECT_FILE}`.")
        files = {
            part.rpartition("/")[2]: package.read(part) or b""
            for part in package.parts
            if part.lower().endswith(".txt")
        }
    return parse_xml(xml, name), files


def _project_file(package: ZipPackage) -> str:
    return next((part for part in sorted(package.parts) if part.lower().endswith(".qde")), _PROJECT_FILE)


def _all(element: Any, name: str) -> list[Any]:
    return [item for item in element.iter() if local_name(item) == name]


def _children(element: Any, name: str) -> list[Any]:
    return [item for item in element if local_name(item) == name]


def _codes(root: Any) -> dict[str, RefiCode]:
    """Each code by its id, in the order of the tree."""
    codes: dict[str, RefiCode] = {}

    def add(element: Any, above: tuple[str, ...]) -> None:
        path = (*above, (element.get("name") or "").strip())
        inner = _children(element, "Code")
        described = next(iter(_children(element, "Description")), None)
        description = "" if described is None else "".join(described.itertext()).strip()
        codes[element.get("guid") or str(path)] = RefiCode(path, description, not inner)
        for child in inner:
            add(child, path)

    for container in _all(root, "Codes"):
        for element in _children(container, "Code"):
            add(element, ())
    return codes


def _codings(
    element: Any, codes: dict[str, RefiCode], users: dict[str, str], notes: dict[str, str | None]
) -> Iterator[RefiCoding]:
    """The codings of a text: of its passages, and of the whole."""
    for coding in _children(element, "Coding"):
        yield from _coding(coding, codes, users, notes)
    for selection in _children(element, "PlainTextSelection"):
        start, end = _whole_number(selection.get("startPosition")), _whole_number(selection.get("endPosition"))
        for coding in _children(selection, "Coding"):
            for read_coding in _coding(coding, codes, users, notes, selection):
                yield read_coding._replace(start=start, end=end)


def _coding(
    element: Any, codes: dict[str, RefiCode], users: dict[str, str], notes: dict[str, str | None], selection: Any = None
) -> Iterator[RefiCoding]:
    coder_id = element.get("creatingUser") or ("" if selection is None else selection.get("creatingUser")) or ""
    holders = [element] if selection is None else [element, selection]
    texts = [notes.get(ref.get("targetGUID")) for holder in holders for ref in _children(holder, "NoteRef")]
    texts += ["".join(item.itertext()).strip() for holder in holders for item in _children(holder, "Description")]
    for reference in _children(element, "CodeRef"):
        code = codes.get(reference.get("targetGUID"))
        path = code.path if code else (f"unknown code {reference.get('targetGUID')}",)
        yield RefiCoding(path, users.get(coder_id, ""), notes="\n".join(filter(None, texts)) or None)


def _variables(element: Any, names: dict[str, str]) -> dict[str, str]:
    """The variables of a source or case, by their names."""
    found = {}
    for value in _children(element, "VariableValue"):
        reference = next(iter(_children(value, "VariableRef")), None)
        texts = ["".join(item.itertext()).strip() for item in value if local_name(item).endswith("Value")]
        if reference is not None and texts:
            found[names.get(reference.get("targetGUID"), "variable")] = texts[0]
    return found


def _whole_number(text: str | None) -> int:
    try:
        return int(text or "")
    except ValueError:
        return -1


def _source_text(element: Any, files: dict[str, bytes]) -> tuple[str | None, str | None]:
    """The text of a source, and the reason why there is none."""
    inline = next(iter(_children(element, "PlainTextContent")), None)
    if inline is not None:
        return "".join(inline.itertext()), None
    path = element.get("plainTextPath") or ""
    if path.startswith(_INTERNAL):
        name = path.rpartition("/")[2]
        if name in files:
            return decode(files[name], None, name).text, None
        return None, f"its text `{name}` is not in the file"
    if path:
        return None, "its text is outside of the file, and is not read"
    return None, "it has no plain text"


def _note_text(note: Any, files: dict[str, bytes]) -> str | None:
    return (_source_text(note, files)[0] or "").strip() or None
