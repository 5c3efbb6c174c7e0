"""What a load that was interrupted had read already, so that the next one goes on there.

It is kept in this process only, until a load ends: no text is written anywhere.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import Any

from .documents import Document

_documents: dict[bytes, Document] = {}


def read_once(data: bytes, ending: str, options: Mapping[str, Any], read: Callable[[], Document]) -> Document:
    """The document in these bytes: as an interrupted load has read it, or read now.

    Parameters
    ----------
    data, ending
        The bytes of the file, and the ending of its name.
    options
        The options of its reader.
    read
        What reads it.

    Examples
    --------
    >>> document = Document("One.")
    >>> read_once(b"x", ".txt", {}, lambda: document) is read_once(b"x", ".txt", {}, lambda: Document("Two."))
    True
    >>> forget_documents()
    """
    key = hashlib.sha256(repr((ending, sorted(options.items()))).encode() + b"\0" + data).digest()
    if key not in _documents:
        _documents[key] = read()
    return _documents[key]


def forget_documents() -> None:
    """Forget the documents: a load has ended."""
    _documents.clear()


def n_documents() -> int:
    """How many documents an interrupted load has left."""
    return len(_documents)
