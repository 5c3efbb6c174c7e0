"""CSV files and other delimited text.

Every value stays text, so that the id `007` stays `007`.
"""

from __future__ import annotations

import contextlib
import csv
import io
import re
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from ..._internal.text import pluralise
from ...errors import SetupError
from .encodings import read_text
from .header_rows import HEADER_AGAIN, Header, TableRow, find_header, is_header_again
from .source import Source, SourceRow, existing_path, file_facts

_DELIMITERS = ",;\t|"
_UNQUOTED = "\t|"
"""Files with these delimiters are often written without quoting, so that a quotation mark is one of the text."""
_SEP_LINE = re.compile(r"\ufeff?sep=(.)\r?\n", re.IGNORECASE)
_SAMPLE_ROWS = 50
_field_limit_lock = threading.Lock()
"""The csv module has one global limit of the field size, and texts of a megabyte are ordinary here."""


class _Dialect(NamedTuple):
    """How a file separates its fields."""

    delimiter: str
    is_quoted: bool
    remark: str = ""
    has_escapes: bool = False
    """Whether a quotation mark in a field is written as `\\"`, and not twice."""
    has_blanks: bool = False
    """Whether a blank stands between a delimiter and the quotation mark that opens the next field."""

    def reader(self, text: str, *, strict: bool = False) -> Iterator[list[str]]:
        """The rows of a text; `line_num` of the reader counts its lines."""
        lines = io.StringIO(text, newline="")
        if self.is_quoted:
            return csv.reader(
                lines,
                delimiter=self.delimiter,
                strict=strict,
                skipinitialspace=self.has_blanks,
                escapechar="\\" if self.has_escapes else None,
                doublequote=not self.has_escapes,
            )
        return csv.reader(lines, delimiter=self.delimiter, quoting=csv.QUOTE_NONE)


def read(
    path: str | Path, *, encoding: str | None = None, delimiter: str | None = None, header: int | None = None
) -> Source:
    """Read a delimited file. Encoding, delimiter, quoting and header are found if they are not given."""
    file = existing_path(path)
    text, encoding, remarks = read_text(file, encoding)
    n_skipped = 0
    if stated := _SEP_LINE.match(text):  # Excel writes and reads this line
        delimiter, text, n_skipped = delimiter or stated[1], text[stated.end() :], 1
    with _field_limit_lock:
        earlier_limit = csv.field_size_limit(2**31 - 1)
        try:
            dialect, table = _read_table(text, delimiter, n_skipped)
            top = find_header(table, f"`{file.name}`", header)
            rows, header_remarks = _source_rows(table, top, file.name)
            if rows and dialect.is_quoted and _has_open_quote(text, rows[-1].line - n_skipped, dialect.delimiter):
                problem = (
                    "a quotation mark that opens in this row is never closed, so the row contains the rest of the file"
                )
                rows[-1] = rows[-1]._replace(problem=problem)
        except (csv.Error, TypeError, ValueError) as error:
            raise SetupError(f"`{file.name}` cannot be read as a delimited file: {error}.") from error
        finally:
            csv.field_size_limit(earlier_limit)
    description = {**file_facts(file), "encoding": encoding, "delimiter": dialect.delimiter, **top.facts}
    if not dialect.is_quoted and '"' in text:
        description["quoting"] = "none"
    if dialect.has_escapes:
        description["quoting"] = "with backslashes"
    if dialect.remark:
        remarks = (*remarks, f"`{file.name}`: {dialect.remark}")
    return Source(rows, description, folder=file.parent, remarks=(*remarks, *top.remarks, *header_remarks))


def _read_table(text: str, delimiter: str | None, n_skipped: int) -> tuple[_Dialect, list[TableRow]]:
    """The dialect of a file and its rows. A file whose quotation marks are regular is read once."""
    dialect = _find_dialect(text, delimiter)
    if dialect.is_quoted and '"' in text:
        try:
            return dialect, _table_rows(text, dialect, n_skipped, strict=True)
        except csv.Error as error:
            dialect = _doubtful_quoting(dialect, text, str(error))
    return dialect, _table_rows(text, dialect, n_skipped)


def _table_rows(text: str, dialect: _Dialect, n_skipped: int, *, strict: bool = False) -> list[TableRow]:
    reader = dialect.reader(text, strict=strict)
    rows, line = [], 1 + n_skipped
    for cells in reader:
        rows.append(TableRow(line, cells))
        line = reader.line_num + 1 + n_skipped  # type: ignore[attr-defined]  # of csv's own iterator
    return rows


def _source_rows(table: list[TableRow], top: Header, name: str) -> tuple[list[SourceRow], list[str]]:
    """The rows below the header, each with its fields or with what is wrong with it."""
    body = table[top.n_rows :]
    names, remarks = top.names, []
    lengths = Counter(len(row.cells) for row in body if row.n_filled)
    if set(lengths) == {len(names) + 1} and "row" not in names:  # R's write.table writes row names without a header
        names = ["row", *names]
        remarks.append(f"`{name}`: each row has one field more than the header, so the first is called `row`, as in R.")
    rows = []
    for line, cells in body:
        if not any(cell.strip() for cell in cells):
            rows.append(SourceRow(line, dict.fromkeys(names, ""), "empty row"))
        elif is_header_again(cells, names):
            rows.append(SourceRow(line, dict(zip(names, cells, strict=True)), HEADER_AGAIN))
        elif len(cells) != len(names):
            problem = f"the row has {pluralise(len(cells), 'field')}, but the header has {len(names)}"
            rows.append(SourceRow(line, dict(zip(names, cells, strict=False)), problem))
        else:
            rows.append(SourceRow(line, dict(zip(names, cells, strict=True))))
    return rows, remarks


def _has_open_quote(text: str, line: int, delimiter: str) -> bool:
    """Whether a quotation mark in the last row, which starts in this line, is never closed."""
    last_lines = io.StringIO(text, newline="").readlines()[line - 1 :]
    try:
        list(csv.reader(last_lines, delimiter=delimiter, strict=True))
    except csv.Error as error:
        return "unexpected end of data" in str(error)
    return False


def _find_dialect(text: str, delimiter: str | None) -> _Dialect:
    """The delimiter that gives the most regular table, and whether fields are quoted."""
    delimiter = delimiter or _find_delimiter(text)
    quoted = _Dialect(delimiter, is_quoted=True)
    if '"' not in text:
        return quoted
    if delimiter not in _UNQUOTED:
        opening = re.escape(delimiter)
        return quoted._replace(has_blanks=bool(re.search(rf'{opening} +"', text)) and f'{delimiter}"' not in text)
    plain = _Dialect(delimiter, is_quoted=False)
    is_regular = _is_regular(quoted, text)
    if is_regular and not ("\n" in text and _is_regular(plain, text)):
        return quoted
    n_quoted, n_plain = (sum(1 for _ in dialect.reader(text)) for dialect in (quoted, plain))
    if is_regular and n_quoted == n_plain:
        return quoted
    if is_regular:
        return quoted._replace(
            remark=f"quotation marks were read as marks around fields ({n_quoted:,} rows); read as part of the texts "
            f"they would give {n_plain:,} rows. If a text begins with a quotation mark of its own, export the file "
            "anew, with commas."
        )
    return plain._replace(
        remark=f"quotation marks were read as part of the texts ({n_plain:,} lines); read as marks around fields they "
        f"would give {n_quoted:,}, and other fields. Files of this kind are usually not quoted."
    )


def _doubtful_quoting(quoted: _Dialect, text: str, problem: str) -> _Dialect:
    """How a file with irregular quotation marks writes those inside its fields, and what of it is not certain."""
    escaped = quoted._replace(has_escapes=True)
    if '\\"' in text and _is_regular(escaped, text):
        return escaped._replace(remark='quotation marks inside the texts are written as \\", and were read so.')
    if "unexpected end of data" in problem:  # a mark is never closed: the last row is rejected for it
        return quoted
    line = _irregular_line(quoted, text)
    return quoted._replace(
        remark=f"a quotation mark in or after line {line} neither opens nor closes a field, so "
        "texts there may have lost marks or more; in a CSV file, a mark inside a text is written twice."
    )


def _irregular_line(dialect: _Dialect, text: str) -> int:
    """The line of the first quotation mark that neither opens nor closes a field."""
    reader = dialect.reader(text, strict=True)
    with contextlib.suppress(csv.Error):  # which the caller has seen
        for _ in reader:
            pass
    return int(reader.line_num)  # type: ignore[attr-defined]  # of csv's own iterator


def _is_regular(dialect: _Dialect, text: str) -> bool:
    """Whether every quotation mark opens or closes a field, and every row has as many fields as the first."""
    try:
        lengths = {len(cells) for cells in dialect.reader(text, strict=True) if cells}
    except csv.Error:
        return False
    return len(lengths) == 1


def _find_delimiter(text: str) -> str:
    """The delimiter with which most of the first rows have as many fields as the header, and more than one."""

    def regularity(delimiter: str) -> tuple[float, int]:
        rows = []
        for cells in _Dialect(delimiter, is_quoted=True).reader(text[:200_000]):
            if any(cell.strip() for cell in cells):
                rows.append(len(cells))
            if len(rows) >= _SAMPLE_ROWS:
                break
        usual, n = (
            Counter(length for length in rows if length > 1).most_common(1)[0] if max(rows, default=0) > 1 else (0, 0)
        )
        return (n / len(rows) if rows else 0.0), usual

    return max(_DELIMITERS, key=regularity)
