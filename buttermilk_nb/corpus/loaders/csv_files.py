"""CSV and its relatives. Everything stays text, so that the id `007` stays `007`."""

from __future__ import annotations

import csv
import io
import threading
from collections.abc import Iterator
from pathlib import Path

from ...errors import SetupError
from .encodings import read_text
from .source import Source, SourceRow, check_unique, existing_path, file_facts

_DELIMITERS = ",;\t|"
_field_limit = threading.Lock()  # csv keeps its limit in one global; texts of a megabyte are ordinary here


def read(path: str | Path, *, encoding: str | None = None, delimiter: str | None = None) -> Source:
    """Read a delimited file; encoding and delimiter are detected where they are not given."""
    file = existing_path(path)
    text, found = read_text(file, encoding)
    sign = delimiter or _delimiter(text)
    with _field_limit:
        before = csv.field_size_limit(2**31 - 1)
        try:
            rows = list(_rows(text, sign, file.name))
            if rows and _quote_left_open(text, rows[-1].line, sign):
                problem = "a quotation mark that opens in this row is never closed; the rest of the file is in it"
                rows[-1] = rows[-1]._replace(problem=problem)
        except (csv.Error, TypeError, ValueError) as error:
            raise SetupError(f"`{file.name}` cannot be read as a delimited file: {error}.") from error
        finally:
            csv.field_size_limit(before)
    return Source(rows, {**file_facts(file), "encoding": found, "delimiter": sign}, folder=file.parent)


def _rows(text: str, sign: str, name: str) -> Iterator[SourceRow]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=sign)
    header: list[str] | None = None
    line = 1
    for cells in reader:
        start, line = line, reader.line_num + 1
        if header is None:
            if not any(cell.strip() for cell in cells):
                continue
            unnamed = (f"column {place}" for place in range(1, len(cells) + 1))
            header = [cell.strip() or other for cell, other in zip(cells, unnamed, strict=True)]
            check_unique(header, f"`{name}`")
        elif not any(cell.strip() for cell in cells):
            yield SourceRow(start, dict.fromkeys(header, ""), "empty row")
        elif len(cells) != len(header):
            problem = f"{len(cells)} fields where the header has {len(header)}"
            yield SourceRow(start, dict(zip(header, cells, strict=False)), problem)
        else:
            yield SourceRow(start, dict(zip(header, cells, strict=True)))
    if header is None:
        raise SetupError(f"`{name}` is empty: it has no header line.")


def _quote_left_open(text: str, line: int, sign: str) -> bool:
    last = io.StringIO(text, newline="").readlines()[line - 1 :]
    try:
        list(csv.reader(last, delimiter=sign, strict=True))
    except csv.Error as error:
        return "unexpected end of data" in str(error)
    return False


def _delimiter(text: str) -> str:
    """The sign that stands most often outside quotes in the header line."""
    counts = dict.fromkeys(_DELIMITERS, 0)
    quoted = False
    for char in text.lstrip("\ufeff\r\n"):
        if char == '"':
            quoted = not quoted
        elif char in "\r\n" and not quoted:
            break
        elif char in counts and not quoted:
            counts[char] += 1
    return max(counts, key=lambda sign: counts[sign])
