"""`CodedFile`: what the reader of a program's file returns."""

from __future__ import annotations

from typing import NamedTuple

from .coded_text import CodedText


class CodedFile(NamedTuple):
    """The coded texts of a file, and remarks on what in it is no code of a text."""

    texts: tuple[CodedText, ...]
    remarks: tuple[str, ...] = ()
