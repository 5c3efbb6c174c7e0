"""Web pages that were saved: `.html`. Their main text, without menus, advertisements and comments of readers."""

from __future__ import annotations

import logging
from typing import Any

from ....errors import SetupError
from .document import Document, import_parser, plain_facts, tidy
from .html_text import decode_html, html_text

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
    source, encoding, remarks = decode_html(data, name)
    _, parser = import_parser("trafilatura", "trafilatura", name) if main_text else ("", "")
    text, facts = extract_main_text(source) if main_text else ("", {})
    if not text.strip():
        _, parser = import_parser("lxml.html", "lxml", name)
        text = tidy(html_text(source, name))
        if main_text:
            remarks = (*remarks, f"`{name}`: no main text could be told from the rest, so all of the page was read.")
    if not text:
        raise SetupError(f"`{name}` has no text; it may be written by the browser.")
    encoding_fact = {} if encoding.lower() in ("utf-8", "utf8") else {"encoding": encoding}
    return Document(tidy(text), {**facts, **encoding_fact}, parser, (), remarks)


def extract_main_text(page: str, address: str | None = None) -> tuple[str, dict[str, Any]]:
    """The main text of a page, and what it says of itself; the text is empty if there is none."""
    import trafilatura

    logging.getLogger("trafilatura").setLevel(logging.CRITICAL)  # a page without a main text is no error of the program
    document = trafilatura.bare_extraction(
        page, url=address, with_metadata=True, include_comments=False, include_tables=True
    )
    if document is None:
        return "", {}
    values = document.as_dict()
    return values.get("text") or "", plain_facts(**{name: values.get(key) for key, name in FACTS.items()})
