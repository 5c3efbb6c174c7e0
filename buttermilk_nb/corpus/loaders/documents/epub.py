"""Electronic books: `.epub`. The chapters in the order in which they are read; pictures are left out."""

from __future__ import annotations

import posixpath
from typing import Any
from urllib.parse import unquote

from ....errors import SetupError
from .document import Document, import_parser, plain_facts, tidy
from .html_text import decode_html, html_text
from .safe_xml import local_name, parse_xml
from .zip_package import ZipPackage, open_package

_CONTAINER = "META-INF/container.xml"
_FACTS = {"title": "title", "creator": "author", "language": "language", "date": "published", "publisher": "publisher"}
_PAGES = ("application/xhtml+xml", "text/html")


def read(data: bytes, name: str) -> Document:
    """Read a book.

    Raises
    ------
    SetupError
        It is no such book, is damaged, has no text or is locked, or lxml is not installed.
    """
    _, parser = import_parser("lxml.etree", "lxml", name)
    with open_package(data, name, "an EPUB") as package:
        container = package.read(_CONTAINER)
        if container is None:
            raise SetupError(f"`{name}` cannot be read as an EPUB: it has no list of its contents.")
        if "META-INF/encryption.xml" in package.parts and "META-INF/rights.xml" in package.parts:
            raise SetupError(f"`{name}` is locked (digital rights management), so its text cannot be read.")
        roots = [item.get("full-path") for item in parse_xml(container, name).iter() if local_name(item) == "rootfile"]
        book = package.read(roots[0]) if roots and roots[0] else None
        if book is None:
            raise SetupError(f"`{name}` cannot be read as an EPUB: it has no list of its contents.")
        root = parse_xml(book, name)
        chapters = [
            html_text(decode_html(chapter, name).text, name)
            for chapter in _chapters(package, root, posixpath.dirname(roots[0]))
        ]
    text = tidy("\n\n".join(filter(None, chapters)))
    if not text:
        raise SetupError(f"`{name}` has no text; its pages may be pictures.")
    return Document(text, _facts(root), parser)


def _chapters(package: ZipPackage, root: Any, folder: str) -> list[bytes]:
    items = {item.get("id"): item for item in root.iter() if local_name(item) == "item"}
    order = [items.get(item.get("idref")) for item in root.iter() if local_name(item) == "itemref"]
    paths = [
        posixpath.normpath(posixpath.join(folder, unquote(item.get("href") or "")))
        for item in order
        if item is not None and item.get("media-type") in _PAGES and "nav" not in (item.get("properties") or "").split()
    ]
    return [chapter for path in dict.fromkeys(paths) if (chapter := package.read(path)) is not None]


def _facts(root: Any) -> dict[str, Any]:
    metadata = next((item for item in root.iter() if local_name(item) == "metadata"), ())
    values = {local_name(item): item.text for item in reversed(list(metadata)) if item.text}
    return plain_facts(**{fact: values.get(key) for key, fact in _FACTS.items()})
