"""`Document`: the text of one file, in a plain form that people and models can read and that can be cut.

Every reader writes the same marks, which are those of Markdown: `# ` before a heading, `- ` before an item of a list,
`| a | b |` for the row of a table, `[^1]` for a note and its number. Pages are separated by a form feed. So
`corpus.segment("heading")` and `corpus.segment("page")` work on each of them, and nothing about the form is hidden.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...._internal.package_versions import package_version
from ...._internal.text import pluralise
from ....errors import SetupError

DocumentReader = Callable[..., "Document"]
"""Takes the bytes of a file and its name, and its own options by name."""

PAGE_BREAK = "\f"
_BLANKS = re.compile(r"[ \t\u00a0\u202f]*\n[ \t\u00a0\u202f]*")
_MANY_LINES = re.compile(r"\n{3,}")


@dataclass(frozen=True)
class Document:
    """The text of one file.

    Parameters
    ----------
    text
        The text, with the marks that this module describes.
    metadata
        What the file says of itself: title, author, created, ...
    parser
        The package that read it, with its version.
    problems
        Parts without a text: their number (of a page, of a message) and the reason. They are listed as rejected.
    remarks
        What was guessed or left out.
    """

    text: str
    metadata: dict[str, Any] = field(default_factory=dict)
    parser: str = ""
    problems: Sequence[tuple[int, str]] = ()
    remarks: Sequence[str] = ()


def heading(level: int, text: str) -> str:
    """A heading as one line.

    Examples
    --------
    >>> heading(2, "The harbour")
    '## The harbour'
    """
    return f"{'#' * min(max(level, 1), 6)} {' '.join(text.split())}"


def table_row(cells: Iterable[str]) -> str:
    r"""A row of a table as one line.

    Examples
    --------
    >>> table_row(["Who", "said\nwhat"])
    '| Who | said what |'
    """
    return "| " + " | ".join(" ".join(cell.split()) for cell in cells) + " |"


class Notes:
    """The notes that a text refers to, in the order of their numbers.

    Examples
    --------
    >>> notes = Notes()
    >>> notes.add(lambda: "See the minutes."), notes.lines
    ('[^1]', ['[^1]: See the minutes.'])
    """

    def __init__(self) -> None:
        self.lines: list[str] = []

    def add(self, read_text: Callable[[], str], author: str | None = None) -> str:
        """Add a note, and return the mark that refers to it. Notes that its own text refers to come after it."""
        self.lines.append("")
        number = len(self.lines)
        text = " ".join(read_text().split())
        self.lines[number - 1] = f"[^{number}]: {author}: {text}" if author else f"[^{number}]: {text}"
        return f"[^{number}]"


def left_out_remarks(name: str, *, pictures: int, comments: int) -> list[str]:
    """Remarks on pictures and comments that are not part of the text.

    Examples
    --------
    >>> left_out_remarks("talk.odt", pictures=2, comments=0)
    ['`talk.odt`: 2 pictures were left out.']
    """
    remarks = []
    for n, noun, hint in ((pictures, "picture", ""), (comments, "comment", "; comments=True reads them")):
        if n:
            remarks.append(f"`{name}`: {pluralise(n, noun)} {'was' if n == 1 else 'were'} left out{hint}.")
    return remarks


def join_blocks(blocks: Iterable[str]) -> str:
    r"""Blocks as one text, with an empty line between them; rows of a table and items of a list follow each other.

    Examples
    --------
    >>> join_blocks(["One.", "", "- a", "- b", "Two."])
    'One.\n\n- a\n- b\n\nTwo.'
    """
    pieces: list[str] = []
    before = ""
    for block in blocks:
        if not block.strip() and block != PAGE_BREAK:
            continue
        is_close = any(block.startswith(mark) and before.startswith(mark) for mark in ("- ", "| ", "[^"))
        pieces += ["\n" if is_close else "\n\n"] * bool(before) + [block]
        before = block
    return "".join(pieces)


def tidy(text: str) -> str:
    r"""The text without blanks at the ends of lines, and with at most one empty line in a row.

    Examples
    --------
    >>> tidy("a \r\n\r\n\r\n\r\nb ")
    'a\n\nb'
    """
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    return _MANY_LINES.sub("\n\n", _BLANKS.sub("\n", lines)).strip()


def plain_facts(**facts: Any) -> dict[str, Any]:
    """The facts that say something, dates in their ISO form, texts without blanks at their ends."""
    plain = {
        name: value.isoformat() if hasattr(value, "isoformat") else value.strip() if isinstance(value, str) else value
        for name, value in facts.items()
    }
    return {name: value for name, value in plain.items() if value not in (None, "", [], ())}


def import_parser(module: str, package: str, name: str) -> tuple[Any, str]:
    """Import the package that reads a format; returns its module, and its name and version for the provenance.

    Raises
    ------
    SetupError
        It is not installed, or cannot be used.
    """
    try:
        return importlib.import_module(module), f"{package} {package_version(package)}"
    except ImportError as error:
        if error.name is not None and module.split(".")[0] != error.name.split(".")[0]:
            raise SetupError(f"`{name}`: {package} cannot be used: {error}.") from error
        raise SetupError(
            f'`{name}` needs {package}, which is not installed: pip install "buttermilk-nb[files]".'
        ) from None
