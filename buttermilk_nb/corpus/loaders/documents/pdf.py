"""PDF: `.pdf`. The text layer of each page; a page without one is a picture, and is listed as rejected."""

from __future__ import annotations

import re
import threading
from collections.abc import Sequence
from typing import Any

from ...._internal.text import pluralise
from ....errors import SetupError
from .document import PAGE_BREAK, Document, import_parser, plain_facts, tidy

_ONE_AT_A_TIME = threading.Lock()
"""PDFium is not safe in threads."""
_SOFT_HYPHEN = "\u00ad"
_DIVIDED = re.compile(r"(\w*)[\ufffe\x02]\s*(\w*)")
"""A word that is divided at the end of a line: PDFium writes one of two signs for the hyphen."""


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
            divided = [_page_text(document, n, pdfium.PdfiumError) for n in range(len(document))]
            facts = document.get_metadata_dict(skip_empty=True)
        finally:
            document.close()
    pages, joined = join_words(divided)
    empty = [n for n, text in enumerate(pages, 1) if not text]
    if len(empty) == len(pages):
        raise SetupError(
            f"`{name}`: none of its {len(pages)} pages has a text; is it scanned? Recognise its text first (OCR)."
        )
    metadata = plain_facts(title=facts.get("Title"), author=facts.get("Author"), pages=len(pages))
    problems = [(n, f"page {n} of `{name}` has no text; is it scanned?") for n in empty]
    verb = "was" if len(joined) == 1 else "were"
    remark = (
        f"`{name}`: {pluralise(len(joined), 'word')} that {verb} divided at the end of a line {verb} joined, such as "
        f"`{joined[0]}`."
        if joined
        else ""
    )
    return Document(PAGE_BREAK.join(pages), metadata, parser, problems, [remark] if remark else [])


def join_words(pages: Sequence[str]) -> tuple[list[str], list[str]]:
    r"""The pages with divided words joined, and these words.

    A hyphen stays where the word is written with it elsewhere in the text, and before a capital letter or a number.

    Examples
    --------
    >>> join_words(["The har\x02bour was well\x02known.", "A well-known har\ufffe Bour."])
    (['The harbour was well-known.', 'A well-known har-Bour.'], ['harbour'])
    """
    written = {word.casefold() for page in pages for word in re.findall(r"\w+-\w+", page)}
    joined: list[str] = []

    def join(match: re.Match[str]) -> str:
        first, second = match.groups()
        if not first or not second[:1].islower() or f"{first}-{second}".casefold() in written:
            return f"{first}-{second}"
        joined.append(first + second)
        return first + second

    return [_DIVIDED.sub(join, page) for page in pages], joined


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
    return tidy(text.replace(_SOFT_HYPHEN, "").replace(PAGE_BREAK, "\n").replace("\0", ""))
