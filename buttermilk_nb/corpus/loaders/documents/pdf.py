"""PDF: `.pdf`. The text layer of each page; a page without one is a picture, and is listed as rejected."""

from __future__ import annotations

import threading
from typing import Any

from ....errors import SetupError
from .document import PAGE_BREAK, Document, import_parser, plain_facts, tidy

_ONE_AT_A_TIME = threading.Lock()
"""PDFium is not safe in threads."""
_SOFT_HYPHEN = "\u00ad"
_PDFIUM_HYPHEN = "\ufffe"
"""What PDFium writes for a hyphen at the end of a line."""


def read(data: bytes, name: str) -> Document:
    """Read the text layer of a PDF; pages are separated by form feeds.

    Raises
    ------
    SetupError
        It is damaged or needs a password, no page has a text, or pypdfium2 is not installed.
    """
    pdfium, parser = import_parser("pypdfium2", "pypdfium2", name)
    with _ONE_AT_A_TIME:
        try:
            document = pdfium.PdfDocument(data)
        except pdfium.PdfiumError as error:
            reason = "it needs a password" if "password" in str(error).lower() else "it is damaged, or no PDF"
            raise SetupError(f"`{name}` cannot be read as a PDF: {reason}.") from error
        try:
            pages = [_page_text(document, n, pdfium.PdfiumError) for n in range(len(document))]
            facts = document.get_metadata_dict(skip_empty=True)
        finally:
            document.close()
    empty = [n for n, text in enumerate(pages, 1) if not text]
    if len(empty) == len(pages):
        raise SetupError(
            f"`{name}`: none of its {len(pages)} pages has a text; is it scanned? Recognise its text first (OCR)."
        )
    metadata = plain_facts(title=facts.get("Title"), author=facts.get("Author"), pages=len(pages))
    problems = [(n, f"page {n} of `{name}` has no text; is it scanned?") for n in empty]
    return Document(PAGE_BREAK.join(pages), metadata, parser, problems)


def _page_text(document: Any, n: int, error: type[Exception]) -> str:
    """The text of a page; empty if it has none, or is damaged."""
    try:
        page = document[n]
        text_page = page.get_textpage()
        text = text_page.get_text_bounded()
        text_page.close()
        page.close()
    except error:
        return ""
    return tidy(text.replace(_PDFIUM_HYPHEN, "-").replace(_SOFT_HYPHEN, "").replace(PAGE_BREAK, "\n").replace("\0", ""))
