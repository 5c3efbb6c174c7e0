"""Make a record of a web page: its main text, without menus, advertisements and comments of readers."""

from __future__ import annotations

import hashlib
from typing import Any

from ...errors import SetupError
from ..loaders.encodings import decode
from ..loaders.remote_files import display_address
from ..record import Record
from .download_page import WebPage

_FACTS = {"title": "title", "author": "author", "date": "published", "sitename": "site", "language": "language"}
"""What trafilatura finds in a page, and what it is called in the metadata."""


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
    try:
        import trafilatura
    except ImportError as error:
        if error.name not in (None, "trafilatura"):
            raise SetupError(f"trafilatura, which finds the main text of a page, cannot be used: {error}.") from error
        raise SetupError(
            'to find the main text of a page, a package is needed: pip install "buttermilk-nb[web]" (or trafilatura).'
        ) from None
    document = trafilatura.bare_extraction(
        _decoded(page), url=page.final_url, with_metadata=True, include_comments=False, include_tables=True
    )
    if document is None:
        return "", {}
    values = document.as_dict()
    return values.get("text") or "", {name: values[key] for key, name in _FACTS.items() if values.get(key)}


def _decoded(page: WebPage) -> str | bytes:
    """The page in the letters that the server names; else the bytes, for which trafilatura finds the encoding."""
    charset = _charset(page.media_type)
    try:
        return page.body.decode(charset) if charset else page.body
    except (LookupError, UnicodeDecodeError):
        return page.body
