"""Web pages that were saved: `.html`. Their main text, without menus, advertisements and comments of readers."""

from __future__ import annotations

from typing import Any

from ....errors import SetupError
from .document import Document, import_parser, plain_facts, tidy
from .html_text import html_text

FACTS = {"title": "title", "author": "author", "date": "published", "sitename": "site", "language": "language",
         "url": "url"}  # fmt: skip
"""What trafilatura finds in a page, and what it is called in the metadata."""


def read(data: bytes, name: str, *, main_text: bool = True) -> Document:
    """Read a page that was saved from the web. Nothing that it refers to is fetched, and no script is run.

    Parameters
    ----------
    data, name
        The bytes of the file, and its name.
    main_text
        Whether only the main text is read, as trafilatura finds it; otherwise all of it, with marks for headings,
        lists and tables.

    Raises
    ------
    SetupError
        It has no text, or trafilatura or lxml is not installed.
    """
    if not main_text:
        _, parser = import_parser("lxml.html", "lxml", name)
        text = tidy(html_text(data, name))
        return _checked(Document(text, {}, parser), name)
    _, parser = import_parser("trafilatura", "trafilatura", name)
    text, facts = extract_main_text(data)
    if text.strip():
        return Document(tidy(text), facts, parser)
    document = read(data, name, main_text=False)
    remark = f"`{name}`: no main text could be told from the rest, so all of the page was read."
    return Document(document.text, facts, document.parser, (), [remark])


def extract_main_text(page: bytes | str, address: str | None = None) -> tuple[str, dict[str, Any]]:
    """The main text of a page, and what it says of itself; the text is empty if there is none."""
    import trafilatura

    document = trafilatura.bare_extraction(
        page, url=address, with_metadata=True, include_comments=False, include_tables=True
    )
    if document is None:
        return "", {}
    values = document.as_dict()
    return values.get("text") or "", plain_facts(**{name: values.get(key) for key, name in FACTS.items()})


def _checked(document: Document, name: str) -> Document:
    if not document.text:
        raise SetupError(f"`{name}` has no text; it may be written by the browser.")
    return document
