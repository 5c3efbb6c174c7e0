"""Plain texts and Markdown: `.txt`, `.md`."""

from __future__ import annotations

from ..encodings import decode
from .document import Document


def read(data: bytes, name: str, *, encoding: str | None = None) -> Document:
    """Read a text as it is. The encoding is detected, unless it is given.

    Examples
    --------
    >>> read(b"Good morning.", "talk.txt").text
    'Good morning.'
    """
    text, found, remarks = decode(data, encoding, name)
    return Document(text, {} if found == "utf-8" else {"encoding": found}, "", (), remarks)
