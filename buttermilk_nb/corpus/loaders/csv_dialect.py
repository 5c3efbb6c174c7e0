"""How a delimited file separates its fields: the delimiter, and whether quotation marks stand around fields.

Both are found by how regular a table each makes of the file. `table_rows` reads the rows.
"""

from __future__ import annotations

import contextlib
import csv
import itertools
import re
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from .header_rows import TableRow
from .text_file import TextFile

_DELIMITERS = ",;\t|"
_UNQUOTED = "\t|"
"""Files with these delimiters are often written without quoting, so that a quotation mark is one of the text."""
_SAMPLE_ROWS = 50
_SAMPLE_CHARACTERS = 200_000
_BATCH = 100
_field_limit_lock = threading.Lock()


class Dialect(NamedTuple):
    """How a file separates its fields."""

    delimiter: str
    is_quoted: bool
    remark: str = ""
    has_escapes: bool = False
    """Whether a quotation mark in a field is written as `\\"`, and not twice."""
    has_blanks: bool = False
    """Whether a blank stands between a delimiter and the quotation mark that opens the next field."""

    def reader(self, lines: Iterator[str], *, strict: bool = False) -> Iterator[list[str]]:
        """The rows in these lines; `line_num` of the reader counts the lines."""
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


class TableLines:
    """The lines of a file, which each loop reads anew.

    Parameters
    ----------
    text
        The file.
    n_skipped
        How many lines at its beginning are not part of the table.
    """

    def __init__(self, text: TextFile, n_skipped: int = 0) -> None:
        self._text, self._n_skipped = text, n_skipped
        self._contains: dict[str, bool] = {}

    @property
    def first(self) -> int:
        """The number of the first line, from 1."""
        return self._n_skipped + 1

    def __iter__(self) -> Iterator[str]:
        return itertools.islice(self._text.lines(), self._n_skipped, None)

    def contain(self, mark: str) -> bool:
        """Whether a mark, which is within one line, is in the file."""
        if mark not in self._contains:
            self._contains[mark] = any(mark in line for line in self)
        return self._contains[mark]

    def head(self, n_characters: int) -> list[str]:
        """The first lines, until they have so many characters."""
        lines: list[str] = []
        for line in self:
            lines.append(line[:n_characters])
            n_characters -= len(line)
            if n_characters <= 0:
                break
        return lines


@contextlib.contextmanager
def unlimited_fields() -> Iterator[None]:
    """Let fields be as large as texts are: the csv module has one limit for the whole process."""
    with _field_limit_lock:
        earlier_limit = csv.field_size_limit(2**31 - 1)
        try:
            yield
        finally:
            csv.field_size_limit(earlier_limit)


def table_rows(lines: TableLines, dialect: Dialect, *, strict: bool = False) -> Iterator[TableRow]:
    """The rows of a table, with the line in which each begins."""
    reader = dialect.reader(iter(lines), strict=strict)
    line = lines.first
    while True:
        with unlimited_fields():
            batch = []
            for cells in itertools.islice(reader, _BATCH):
                batch.append(TableRow(line, cells))
                line = lines.first + reader.line_num  # type: ignore[attr-defined]  # of csv's own iterator
        if not batch:
            return
        yield from batch


def is_filled(cells: Sequence[str]) -> bool:
    """Whether a row has anything in it."""
    return any(cell.strip() for cell in cells)


def find_dialect(lines: TableLines, delimiter: str | None) -> Dialect:
    """The delimiter that gives the most regular table, and whether fields are quoted."""
    delimiter = delimiter or _find_delimiter(lines)
    quoted = Dialect(delimiter, is_quoted=True)
    if not lines.contain('"'):
        return quoted
    if delimiter not in _UNQUOTED:
        opening = re.compile(rf'{re.escape(delimiter)} +"')
        return quoted._replace(has_blanks=not lines.contain(f'{delimiter}"') and any(map(opening.search, lines)))
    plain = Dialect(delimiter, is_quoted=False)
    is_regular = _is_regular(quoted, lines)
    if is_regular and not (lines.contain("\n") and _is_regular(plain, lines)):
        return quoted
    n_quoted, n_plain = (sum(1 for _ in table_rows(lines, dialect)) for dialect in (quoted, plain))
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


def doubtful_quoting(quoted: Dialect, lines: TableLines, problem: str) -> Dialect:
    """How a file with irregular quotation marks writes those inside its fields, and what of it is not certain."""
    escaped = quoted._replace(has_escapes=True)
    if lines.contain('\\"') and _is_regular(escaped, lines):
        return escaped._replace(remark='quotation marks inside the texts are written as \\", and were read so.')
    if "unexpected end of data" in problem:  # a mark is never closed: the last row is rejected for it
        return quoted
    line = _irregular_line(quoted, lines)
    return quoted._replace(
        remark=f"a quotation mark in or after line {line} neither opens nor closes a field, so "
        "texts there may have lost marks or more; in a CSV file, a mark inside a text is written twice."
    )


def _irregular_line(dialect: Dialect, lines: TableLines) -> int:
    """The line of the first quotation mark that neither opens nor closes a field."""
    reader = dialect.reader(iter(lines), strict=True)
    with contextlib.suppress(csv.Error), unlimited_fields():  # an error that the caller has seen
        for _ in reader:
            pass
    return lines.first - 1 + int(reader.line_num)  # type: ignore[attr-defined]  # of csv's own iterator


def _is_regular(dialect: Dialect, lines: TableLines) -> bool:
    """Whether every quotation mark opens or closes a field, and every row has as many fields as the first."""
    try:
        lengths = {len(row.cells) for row in table_rows(lines, dialect, strict=True) if row.cells}
    except csv.Error:
        return False
    return len(lengths) == 1


def _find_delimiter(lines: TableLines) -> str:
    """The delimiter with which most of the first rows have as many fields as the header, and more than one."""
    head = lines.head(_SAMPLE_CHARACTERS)

    def regularity(delimiter: str) -> tuple[float, int]:
        reader = Dialect(delimiter, is_quoted=True).reader(iter(head))
        with unlimited_fields():
            filled = (len(cells) for cells in reader if is_filled(cells))
            lengths = list(itertools.islice(filled, _SAMPLE_ROWS))
        usual, n = (
            Counter(length for length in lengths if length > 1).most_common(1)[0]
            if max(lengths, default=0) > 1
            else (0, 0)
        )
        return (n / len(lengths) if lengths else 0.0), usual

    return max(_DELIMITERS, key=regularity)
