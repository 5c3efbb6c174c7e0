"""Make a record of a web page: its main text, without menus, advertisements and comments of readers."""

from __future__ import annotations

import hashlib
from typing import Any

from ...errors import SetupError
from ..loaders.documents.document import import_parser
from ..loaders.documents.html_page import extract_main_text
from ..loaders.documents.html_text import decode_html, decoded_as
from ..loaders.encodings import decode
from ..loaders.remote_files import display_address
from ..record import Record
from .download_page import WebPage


def page_record(page: WebPage) -> Record:
    """The record of a page. Its id is the address that was asked for.

    Parameters
    ----------
    page
        The page as it came.

    Raises
    ------
    SetupError
        The page has no main text, or the package that finds it is missing.
    """
    facts: dict[str, Any] = {}
    if page.media_type.lower().startswith("text/plain"):
        text = decode(page.body, _charset(page.media_type), display_address(page.url)).text
    else:
        text, facts = _main_text(page)
    if not text.strip():
        raise SetupError(
            f"`{display_address(page.url)}` has no main text that a program can find; it may be a list of "
            "links, or be written by the browser. Copy its text, and make a Record of it."
        )
    metadata = {
        **facts,
        "fetched_at": page.fetched_at.isoformat(timespec="seconds"),
        "page_sha256": hashlib.sha256(page.body).hexdigest(),
    }
    return Record(record_id=page.url, content=text.strip(), metadata=metadata, uri=page.final_url)


def _charset(media_type: str) -> str | None:
    _, _, charset = media_type.lower().partition("charset=")
    return charset.strip(" \"'") or None


def _main_text(page: WebPage) -> tuple[str, dict[str, Any]]:
    import_parser("trafilatura", "trafilatura", display_address(page.url))
    text, facts = extract_main_text(_decoded(page), page.final_url)
    return text, {name: value for name, value in facts.items() if name != "url"}


def _decoded(page: WebPage) -> str:
    """The page in the letters that the server names; else in those that it declares itself, or that fit."""
    charset = _charset(page.media_type)
    text = decoded_as(charset, page.body) if charset else None
    return decode_html(page.body, display_address(page.url)).text if text is None else text
