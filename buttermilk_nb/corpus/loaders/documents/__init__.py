"""Files that are one text each: one module per format, each with `read(data, name)`, which returns a `Document`."""

from __future__ import annotations

from . import docx, email_message, epub, html_page, odt, pdf, plain_text, rtf, tei
from .document import Document, DocumentReader

DOCUMENT_READERS: dict[str, DocumentReader] = {
    ".txt": plain_text.read,
    ".md": plain_text.read,
    ".markdown": plain_text.read,
    ".docx": docx.read,
    ".odt": odt.read,
    ".rtf": rtf.read,
    ".pdf": pdf.read,
    ".html": html_page.read,
    ".htm": html_page.read,
    ".xhtml": html_page.read,
    ".epub": epub.read,
    ".eml": email_message.read,
    ".xml": tei.read,
}
"""The reader of each ending."""

__all__ = ["DOCUMENT_READERS", "Document", "DocumentReader"]
