"""TEI (P5): `.xml`. The text of an edition, with its header as metadata.

Headings, verses, speeches, lists, tables and notes keep their marks; a speech begins with the name of its speaker, so
that `corpus.segment("turn")` cuts plays and debates. Line breaks and page breaks of the source are blanks, or nothing
inside a word (`break="no"`), whose hyphen then goes, too. Of an apparatus the lemma is read. Deleted words, running
titles and figures are left out; a gap is `[...]`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from typing import Any

from ...._internal.text import pluralise
from ....errors import SetupError
from .document import PAGE_BREAK, Document, Notes, heading, import_parser, join_blocks, plain_facts, table_row, tidy
from .safe_xml import local_name, parse_xml

_NAMESPACE = "http://www.tei-c.org/ns/1.0"
_SKIPPED = frozenset({"teiHeader", "del", "fw", "figure", "facsimile", "standOff", "graphic", "surplus", "listPerson"})
_BREAKS = frozenset({"lb", "pb", "cb", "milestone", "gb"})
_REGULARISED, _ORIGINAL = ("reg", "corr", "expan"), ("orig", "sic", "abbr")
_GLUE = "\ue000"
"""A sign of private use: where it stands, the white space on both sides is none."""
_GLUED = re.compile(rf"\s*{_GLUE}\s*")
_NEW_PAGE = "\ue001"
_PAGE_IN_WORD = re.compile(rf"{_NEW_PAGE}(\S*)")
"""A page that begins inside a word begins after it."""
_DIVIDED = re.compile(rf"(?<=\w)[-\u00ac\u2e17\u2010](?=\s*{_GLUE})")
"""The hyphen of a word that is divided at the end of a line."""
_CONTAINERS = frozenset(
    [
        "p", "ab", "lg", "sp", "list", "table", "row", "head", "u", "l", "castList", "argument", "front",
        "titlePage", "body", "back", "group", "text", "quote", "floatingText", "epigraph", "stage", "speaker",
        "listBibl"
    ]
)  # fmt: skip
_BLOCKS = frozenset({"p", "ab", "seg", "u"})


def read(
    data: bytes, name: str, *, notes: bool = True, original: bool = False, pages: bool = False, elements: Any = None
) -> Document:
    """Read an edition in TEI.

    Parameters
    ----------
    data, name
        The bytes of the file, and its name.
    notes
        Whether notes are part of the text: their number where they stand, their text at the end.
    original
        Where the edition gives two readings, whether the original is read (`orig`, `sic`, `abbr`) or the regularised
        one (`reg`, `corr`, `expan`), which is the default.
    pages
        Whether a form feed stands where a page begins, so that `corpus.segment("page")` cuts there, with the numbers
        that the edition gives to its pages.
    elements
        The elements that are read, such as `"sp"` or `["div", "p"]`; by default the whole text.

    Raises
    ------
    SetupError
        It is no TEI, declares entities, has none of the elements or no text, or lxml is not installed.
    """
    _, parser = import_parser("lxml.etree", "lxml", name)
    root = parse_xml(data, name)
    if not is_tei(root):
        raise SetupError(f"`{name}` is XML, but no TEI (P5): its first element is `{local_name(root)}`.")
    wanted = [elements] if isinstance(elements, str) else list(elements or ())
    walker = _TeiWalker(notes=notes, original=original, pages=pages)
    roots = _chosen(root, wanted) if wanted else [item for item in root.iter() if _is_whole_text(item)]
    blocks = [*(block for item in roots for block in walker.element(item, 1)), *walker.notes.lines]
    text, page_names = _named_pages(tidy_pages(join_blocks(blocks)), walker.pages)
    if not text:
        missing = f"none of the elements {', '.join(wanted)}" if wanted and not roots else "no text"
        raise SetupError(f"`{name}` has {missing}.")
    facts = _facts(root) | plain_facts(speakers=list(walker.speakers), page_names=page_names)
    return Document(text, facts, parser, remarks=walker.remarks(name, root))


def is_tei(root: Any) -> bool:
    """Whether a document is TEI."""
    return local_name(root) in ("TEI", "teiCorpus", "TEI.2") and (
        _NAMESPACE in root.tag or root.tag == local_name(root)
    )


def _is_whole_text(element: Any) -> bool:
    return local_name(element) == "text" and not any(local_name(above) == "text" for above in element.iterancestors())


def _chosen(root: Any, names: Collection[str]) -> list[Any]:
    """The elements with these names, without those inside another of them."""
    return [
        item
        for item in root.iter()
        if local_name(item) in names
        and not any(local_name(above) in names or local_name(above) == "teiHeader" for above in item.iterancestors())
    ]


def _is_block(element: Any) -> bool:
    kind = local_name(element)
    return kind in _CONTAINERS or kind.startswith("div")


def _facts(root: Any) -> dict[str, Any]:
    header = next((item for item in root.iter() if local_name(item) == "teiHeader"), None)
    if header is None:
        return {}

    def first(name: str, within: str) -> str | None:
        """The words of the first such element in the header that is inside another one."""
        for item in header.iter():
            if local_name(item) == name and any(local_name(above) == within for above in item.iterancestors()):
                return item.get("when") or " ".join("".join(item.itertext()).split()) or None
        return None

    languages = [item.get("ident") for item in header.iter() if local_name(item) == "language" and item.get("ident")]
    return plain_facts(
        title=first("title", "titleStmt"),
        author=first("author", "titleStmt") or first("author", "sourceDesc"),
        editor=first("editor", "titleStmt"),
        date=first("date", "sourceDesc") or first("date", "publicationStmt"),
        publisher=first("publisher", "publicationStmt"),
        language=", ".join(dict.fromkeys(languages)),
    )


def tidy_pages(text: str) -> str:
    """The text as `tidy` makes it, but with a form feed at its beginning if it begins with a new page."""
    is_new = text.lstrip(" \n").startswith(PAGE_BREAK)
    return PAGE_BREAK * is_new + tidy(text)


def _named_pages(text: str, names: Sequence[str]) -> tuple[str, list[str]]:
    """The text without a form feed at its beginning, and the name of each page."""
    if not names:
        return text, []
    if text.startswith(PAGE_BREAK):
        return text[1:].lstrip(), list(names)
    return text, ["", *names]


class _TeiWalker:
    """Reads the blocks of a text in their order, and collects its notes."""

    def __init__(self, *, notes: bool, original: bool, pages: bool) -> None:
        self._wants_notes = notes
        self._is_original = original
        self._left_out = frozenset(_REGULARISED if original else _ORIGINAL)
        self._wants_pages = pages
        self.notes = Notes()
        self.pages: list[str] = []
        """The names of the pages that begin in the text, if they are wanted."""
        self.speakers: dict[str, None] = {}
        self._n_pages = self._n_readings = 0

    def remarks(self, name: str, root: Any) -> list[str]:
        """What was left out."""
        found = []
        if self._n_pages:
            n = pluralise(self._n_pages, "page break")
            found.append(f"`{name}`: {n} left out; pages=True keeps them.")
        if self._n_readings:
            n = pluralise(self._n_readings, "reading")
            found.append(f"`{name}`: {n} of other witnesses left out; the lemma or the first reading was read.")
        n_texts = sum(_is_whole_text(item) for item in root.iter())
        if n_texts > 1:
            found.append(f"`{name}` is a corpus of {n_texts} texts, which are one record; the header is the first one.")
        return found

    def element(self, element: Any, level: int) -> Iterator[str]:
        """The blocks of an element."""
        kind = local_name(element)
        if kind == "pb":
            yield self._page(element)
        elif kind == "head":
            yield heading(level - 1 or 1, self._words(element))
        elif kind == "sp":
            yield self._speech(element)
        elif kind == "lg":
            lines = (self._words(line) for line in element.iter() if local_name(line) in ("l", "head"))
            yield "\n".join(filter(None, lines))
        elif kind == "list":
            for item in (child for child in element if local_name(child) in ("item", "head")):
                yield f"- {self._words(item)}"
        elif kind == "row":
            yield table_row(self._words(cell) for cell in element if local_name(cell) == "cell")
        elif kind == "u" and element.get("who"):
            yield f"{element.get('who').lstrip('#')}: {self._words(element)}"
        elif kind in _BLOCKS or not any(_is_block(child) for child in element):
            yield self._words(element)
        else:
            for child in element:
                if local_name(child) and local_name(child) not in _SKIPPED:
                    yield from self.element(child, level + kind.startswith("div"))

    def _speech(self, speech: Any) -> str:
        """A speech on one line after the name of its speaker; verses keep their lines."""
        speaker = next((self._words(child) for child in speech if local_name(child) == "speaker"), "")
        speaker = speaker.rstrip(" .:") or (speech.get("who") or "").lstrip("#")
        if speaker:
            self.speakers[speaker] = None
        blocks = [
            f"({self._words(child)})" if local_name(child) == "stage" else "\n".join(self.element(child, 1))
            for child in speech
            if local_name(child) and local_name(child) != "speaker"
        ]
        words = "\n".join(filter(None, blocks))
        return f"{speaker}: {words}" if speaker else words

    def _words(self, element: Any) -> str:
        words = "".join(self._inline(element))
        if not self._is_original:
            words = _DIVIDED.sub("", words)
        words = _PAGE_IN_WORD.sub(r"\1" + PAGE_BREAK, _GLUED.sub("", words))
        return PAGE_BREAK.join(" ".join(page.split()) for page in words.split(PAGE_BREAK))

    def _page(self, element: Any, *, is_in_word: bool = False) -> str:
        """The sign of a new page, and its name among those of the text."""
        if not self._wants_pages:
            self._n_pages += 1
            return ""
        self.pages.append(element.get("n") or "")
        return _NEW_PAGE if is_in_word else PAGE_BREAK

    def _inline(self, element: Any) -> Iterator[str]:
        yield element.text or ""
        for child in element:
            kind = local_name(child)
            if kind in _BREAKS:
                is_in_word = child.get("break") == "no"
                yield _GLUE if is_in_word else " "
                if kind == "pb":
                    yield self._page(child, is_in_word=is_in_word)
            elif kind == "app":
                yield self._reading(child)
            elif kind == "note":
                yield self._note(child)
            elif kind == "gap":
                yield "[...]"
            elif kind and kind not in _SKIPPED and not self._is_other_reading(child, kind):
                yield from self._inline(child)
                yield _GLUE if child.get("join") in ("right", "both") else " " if kind in _BLOCKS or kind == "l" else ""
            yield child.tail or ""

    def _reading(self, apparatus: Any) -> str:
        """The lemma of an apparatus, or its first reading."""
        readings = [item for item in apparatus.iter() if local_name(item) in ("lem", "rdg")]
        chosen = next((item for item in readings if local_name(item) == "lem"), readings[0] if readings else None)
        self._n_readings += max(0, len(readings) - 1)
        return "" if chosen is None else "".join(self._inline(chosen))

    def _is_other_reading(self, element: Any, kind: str) -> bool:
        above = element.getparent()
        return kind in self._left_out and above is not None and local_name(above) == "choice"

    def _note(self, element: Any) -> str:
        if not self._wants_notes:
            return ""
        return self.notes.add(lambda: self._words(element))
