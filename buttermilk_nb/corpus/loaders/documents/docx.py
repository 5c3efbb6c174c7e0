"""Word: `.docx`. Headings, lists, tables and notes in their order; comments if they are asked for.

The text is read as Word shows it with all changes accepted: inserted words are part of it, deleted ones are not. Fields
show their last result. Pictures, headers and footers are left out, and pictures are said.
"""

from __future__ import annotations

import io
import re
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
from .safe_xml import local_name
from .zip_package import open_package

_SKIPPED = frozenset({"del", "moveFrom", "Fallback", "instrText", "delText", "rPr", "pPr", "sdtPr", "txbxContent"})
_BREAKS = {"tab": "\t", "br": "\n", "cr": "\n", "noBreakHyphen": "-", "softHyphen": ""}
_HEADING = re.compile(r"heading (\d)", re.IGNORECASE)
_FACTS = ("title", "author", "subject", "created", "language")
_NO_NOTES = ("separator", "continuationSeparator")
_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"


def read(data: bytes, name: str, *, notes: bool = True, comments: bool = False) -> Document:
    """Read a document of Word.

    Parameters
    ----------
    data, name
        The bytes of the file, and its name.
    notes
        Whether footnotes and endnotes are part of the text: their number where they are referred to, their text at
        the end.
    comments
        Whether comments in the margin are part of it, in the same way, with the name of who made them.

    Raises
    ------
    SetupError
        It is no such document, is damaged or too large, or python-docx is not installed.
    """
    docx, parser = import_parser("docx", "python-docx", name)
    with open_package(data, name, "a document of Word"):
        pass  # its size is checked before anything is unpacked
    try:
        document = docx.Document(io.BytesIO(data))
        walker = _DocxWalker(document, notes=notes, comments=comments)
        text = join_blocks([*walker.blocks(document.element.body), *walker.notes.lines])
        metadata = plain_facts(**{fact: getattr(document.core_properties, fact) for fact in _FACTS})
    except Exception as error:  # a damaged file can make python-docx and lxml fail in any way
        raise SetupError(f"`{name}` cannot be read as a document of Word: it is damaged, or something else.") from error
    remarks = left_out_remarks(name, pictures=walker.n_pictures, comments=0 if comments else walker.n_comments)
    if walker.n_hidden:
        remarks.append(f"`{name}`: hidden text was left out, as Word does not show it.")
    return Document(tidy(text), metadata, parser, (), remarks)


class _DocxWalker:
    """Reads the blocks of a document in their order, and collects its notes."""

    def __init__(self, document: Any, *, notes: bool, comments: bool) -> None:
        self._styles = {style.style_id: style.name or "" for style in document.styles}
        self._parts = {
            kind: _notes_by_id(document, kind)
            for kind, is_wanted in (("footnotes", notes), ("endnotes", notes), ("comments", comments))
            if is_wanted
        }
        self.notes = Notes()
        self.n_pictures = self.n_comments = self.n_hidden = 0

    def blocks(self, parent: Any) -> Iterator[str]:
        """The blocks in a body, a cell or a note."""
        for element in parent:
            kind = local_name(element)
            if kind == "p":
                yield self._paragraph(element)
                for box in element.iter(f"{_W}txbxContent"):  # a text box is in the paragraph that it is anchored to
                    if not any(local_name(above) == "Fallback" for above in box.iterancestors()):
                        yield from self.blocks(box)
            elif kind == "tbl":
                yield from self._table(element)
            elif kind in ("sdt", "sdtContent", "ins", "moveTo", "smartTag", "customXml"):
                yield from self.blocks(element)

    def _paragraph(self, paragraph: Any) -> str:
        text = "".join(self._inline(paragraph))
        style_id = next((item.get(f"{_W}val") for item in paragraph.iterfind(f"{_W}pPr/{_W}pStyle")), "")
        style = self._styles.get(style_id, "")
        outline = next((item.get(f"{_W}val") for item in paragraph.iterfind(f"{_W}pPr/{_W}outlineLvl")), None)
        match = _HEADING.fullmatch(style)
        if not text.strip():
            return ""
        if match or style.lower() == "title" or (outline or "9") in "012345678":
            return heading(int(match[1]) if match else int(outline) + 1 if outline else 1, text)
        is_item = style.lower().startswith("list") or paragraph.find(f"{_W}pPr/{_W}numPr") is not None
        return f"- {text.strip()}" if is_item else text.strip()

    def _inline(self, element: Any) -> Iterator[str]:
        for child in element:
            kind = local_name(child)
            if kind in _SKIPPED:
                continue
            if kind == "r" and _is_hidden(child):
                self.n_hidden += 1
            elif kind == "t":
                yield child.text or ""
            elif kind in _BREAKS:
                yield _BREAKS[kind]
            elif kind in ("footnoteReference", "endnoteReference", "commentReference"):
                yield self._reference(kind.removesuffix("Reference") + "s", child.get(f"{_W}id"))
            elif kind in ("drawing", "pict"):
                self.n_pictures += any(local_name(part) in ("blip", "imagedata") for part in child.iter())
            else:
                yield from self._inline(child)

    def _reference(self, kind: str, note_id: str | None) -> str:
        self.n_comments += kind == "comments"
        body = self._parts.get(kind, {}).get(note_id or "")
        if body is None:
            return ""
        author = body.get(f"{_W}author") if kind == "comments" else None
        return self.notes.add(lambda: " ".join(self.blocks(body)), author)

    def _table(self, table: Any) -> Iterator[str]:
        for row in table.iter(f"{_W}tr"):
            if next(row.iterancestors(f"{_W}tbl")) is table:
                cells = [
                    " ".join(self.blocks(cell))
                    for cell in row.iter(f"{_W}tc")
                    if next(cell.iterancestors(f"{_W}tr")) is row
                ]
                yield table_row(cells)


def _is_hidden(run: Any) -> bool:
    """Whether Word does not show a run."""
    mark = run.find(f"{_W}rPr/{_W}vanish")
    return mark is not None and mark.get(f"{_W}val") not in ("0", "false", "off")


def _notes_by_id(document: Any, kind: str) -> dict[str, Any]:
    """The notes of one kind, by their id."""
    from docx.oxml import parse_xml

    for relation in document.part.rels.values():
        if not relation.is_external and relation.reltype.endswith(f"/{kind}"):
            root = parse_xml(relation.target_part.blob)
            return {item.get(f"{_W}id"): item for item in root if item.get(f"{_W}type") not in _NO_NOTES}
    return {}
