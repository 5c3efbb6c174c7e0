"""CSV files and other delimited text.

Every value stays text, so that the id `007` stays `007`.
"""

from __future__ import annotations

import csv
import io
import threading
from collections.abc import Iterator
from pathlib import Path

from ..._internal.text import pluralise
from ...errors import SetupError
from .encodings import read_text
from .source import Source, SourceRow, check_unique, existing_path, file_facts

_DELIMITERS = ",;\t|"
_field_limit_lock = threading.Lock()
"""The csv module has one global limit of the field size, and texts of a megabyte are ordinary here."""


def read(path: str | Path, *, encoding: str | None = None, delimiter: str | None = None) -> Source:
    """Read a delimited file. Encoding and delimiter are detected if they are not given."""
    file = existing_path(path)
    text, encoding = read_text(file, encoding)
    delimiter = delimiter or _detect_delimiter(text)
    with _field_limit_lock:
        earlier_limit = csv.field_size_limit(2**31 - 1)
        try:
            rows = list(_csv_rows(text, delimiter, file.name))
            if rows and _has_open_quote(text, rows[-1].line, delimiter):
                problem = (
                    "a quotation mark that opens in this row is never closed, so the row contains the rest of the file"
                )
                rows[-1] = rows[-1]._replace(problem=problem)
        except (csv.Error, TypeError, ValueError) as error:
            raise SetupError(f"`{file.name}` cannot be read as a delimited file: {error}.") from error
        finally:
            csv.field_size_limit(earlier_limit)
    return Source(rows, {**file_facts(file), "encoding": encoding, "delimiter": delimiter}, folder=file.parent)


def _csv_rows(text: str, delimiter: str, name: str) -> Iterator[SourceRow]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    header: list[str] | None = None
    line = 1
    for cells in reader:
        start, line = line, reader.line_num + 1
        if header is None:
            if not any(cell.strip() for cell in cells):
                continue
            header = [cell.strip() or f"column {number}" for number, cell in enumerate(cells, 1)]
            check_unique(header, f"`{name}`")
        elif not any(cell.strip() for cell in cells):
            yield SourceRow(start, dict.fromkeys(header, ""), "empty row")
        elif len(cells) != len(header):
            problem = f"the row has {pluralise(len(cells), 'field')}, but the header has {len(header)}"
            yield SourceRow(start, dict(zip(header, cells, strict=False)), problem)
        else:
            yield SourceRow(start, dict(zip(header, cells, strict=True)))
    if header is None:
        raise SetupError(f"`{name}` is empty: it has no header line.")


def _has_open_quote(text: str, line: int, delimiter: str) -> bool:
    """Whether a quotation mark in the last row, which starts in this line, is never closed."""
    last_lines = io.StringIO(text, newline="").readlines()[line - 1 :]
    try:
        list(csv.reader(last_lines, delimiter=delimiter, strict=True))
    except csv.Error as error:
        return "unexpected end of data" in str(error)
    return False


def _detect_delimiter(text: str) -> str:
    """The delimiter that is most frequent outside quotes in the header line."""
    counts = dict.fromkeys(_DELIMITERS, 0)
    is_quoted = False
    for char in text.lstrip("\ufeff\r\n"):
        if char == '"':
            is_quoted = not is_quoted
        elif char in "\r\n" and not is_quoted:
            break
        elif char in counts and not is_quoted:
            counts[char] += 1
    return max(counts, key=lambda char: counts[char])
