"""OpenDocument: `.odt`. Headings, lists, tables and notes in their order; comments if they are asked for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ....errors import SetupError
from .document import (
    Document,
    Notes,
    heading,
    import_parser,
    join_blocks,
    left_out_remarks,
    plain_facts,
    table_row,
    tidy,
)
from .safe_xml import local_name, parse_xml
from .zip_package import open_package

_SKIPPED = frozenset({"tracked-changes", "bookmark", "soft-page-break", "sequence-decls", "forms", "note-citation"})
_FACTS = {"title": "title", "initial-creator": "author", "subject": "subject", "creation-date": "created",
          "language": "language"}  # fmt: skip


def read(data: bytes, name: str, *, notes: bool = True, comments: bool = False) -> Document:
    """Read a text of LibreOffice, OpenOffice or another program that writes OpenDocument.

    Parameters
    ----------
    data, name
        The bytes of the file, and its name.
    notes, comments
        As for a document of Word, in `docx.read`.

    Raises
    ------
    SetupError
        It is no such document, is damaged, encrypted or too large, or lxml is not installed.
    """
    _, parser = import_parser("lxml.etree", "lxml", name)
    with open_package(data, name, "an OpenDocument text") as package:
        content, about = package.read("content.xml"), package.read("meta.xml")
    if content is None:
        raise SetupError(f"`{name}` cannot be read as an OpenDocument text: it is damaged, or something else.")
    root = parse_xml(content, name)
    body = next((element for element in root.iter() if local_name(element) == "text" and _is_body(element)), None)
    if body is None:
        raise SetupError(f"`{name}` is an OpenDocument file, but no text.")
    walker = _OdtWalker(notes=notes, comments=comments)
    text = join_blocks([*walker.blocks(body), *walker.notes.lines])
    remarks = left_out_remarks(name, pictures=walker.n_pictures, comments=0 if comments else walker.n_comments)
    return Document(tidy(text), _facts(about, name), parser, (), remarks)


def _is_body(element: Any) -> bool:
    above = element.getparent()
    return above is not None and local_name(above) == "body"


def _facts(about: bytes | None, name: str) -> dict[str, Any]:
    if about is None:
        return {}
    names = ((_FACTS.get(local_name(element)), element.text) for element in parse_xml(about, name).iter())
    return plain_facts(**{fact: text for fact, text in names if fact})


class _OdtWalker:
    """Reads the blocks of a text in their order, and collects its notes."""

    def __init__(self, *, notes: bool, comments: bool) -> None:
        self._wanted = {"note": notes, "annotation": comments}
        self.notes = Notes()
        self.n_pictures = self.n_comments = 0

    def blocks(self, parent: Any) -> Iterator[str]:
        """The blocks in a body, a cell or a note."""
        for element in parent:
            kind = local_name(element)
            if kind == "h":
                level = next((value for key, value in element.attrib.items() if key.endswith("}outline-level")), "1")
                text = "".join(self._inline(element))
                yield heading(int(level) if level.isdigit() else 1, text) if text.strip() else ""
            elif kind == "p":
                yield "".join(self._inline(element)).strip()
            elif kind == "list-item":
                yield f"- {' '.join(self.blocks(element))}".replace("- - ", "- ")
            elif kind == "table":
                for row in (item for item in element.iter() if local_name(item) == "table-row"):
                    yield table_row(" ".join(self.blocks(cell)) for cell in row if local_name(cell) == "table-cell")
            elif kind not in _SKIPPED:
                yield from self.blocks(element)

    def _inline(self, element: Any) -> Iterator[str]:
        yield element.text or ""
        for child in element:
            kind = local_name(child)
            if kind == "s":
                count = next((value for key, value in child.attrib.items() if key.endswith("}c")), "1")
                yield " " * min(int(count) if count.isdigit() else 1, 1_000)
            elif kind in ("tab", "line-break"):
                yield "\t" if kind == "tab" else "\n"
            elif kind in ("note", "annotation"):
                yield self._note(child, kind)
            elif kind == "image":
                self.n_pictures += 1
            elif kind and kind not in _SKIPPED and kind != "annotation-end":
                yield from self._inline(child)
            yield child.tail or ""

    def _note(self, element: Any, kind: str) -> str:
        self.n_comments += kind == "annotation"
        if not self._wanted[kind]:
            return ""
        parts = {local_name(part): part for part in element}
        body = parts.get("note-body", element)
        author = parts["creator"].text if kind == "annotation" and "creator" in parts else None
        texts = [part for part in body if local_name(part) not in ("creator", "date", "initials")]
        return self.notes.add(lambda: " ".join(self.blocks(texts)), author)
