"""CSV files and other delimited text.

Every value stays text, so that the id `007` stays `007`.
"""

from __future__ import annotations

import csv
import itertools
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from ..._internal.text import pluralise
from ...errors import SetupError
from .csv_dialect import Dialect, TableLines, doubtful_quoting, find_dialect, is_filled, table_rows, unlimited_fields
from .header_rows import HEADER_AGAIN, Header, TableRow, find_header, is_header_again
from .source import Source, SourceRow, StreamedRows, existing_path
from .text_file import TextFile

_SEP_LINE = re.compile(r"\ufeff?sep=(.)\r?\n", re.IGNORECASE)
_TOP_ROWS = 20
"""How many rows below the header are looked at to find it."""


class _Shape(NamedTuple):
    """The number of the rows of a table, the line of the last one, and how many rows have how many fields."""

    n_rows: int
    last_line: int
    lengths: Counter[int]


def read(
    path: str | Path, *, encoding: str | None = None, delimiter: str | None = None, header: int | None = None
) -> Source:
    """Read a delimited file. Encoding, delimiter, quoting and header are found if they are not given."""
    file = existing_path(path)
    text = TextFile(file, encoding)
    lines = TableLines(text)
    if stated := _SEP_LINE.match(next(iter(lines), "")):  # Excel writes and reads this line
        delimiter, lines = delimiter or stated[1], TableLines(text, n_skipped=1)
    try:
        dialect, shape = _measure_table(lines, delimiter)
        top_rows = _top_rows(lines, dialect, header)
        top = find_header(top_rows, f"`{file.name}`", header)
        names, header_remarks = _with_row_names(top, shape, top_rows, file.name)
        n_open = shape.n_rows if dialect.is_quoted and _has_open_quote(lines, shape.last_line, dialect.delimiter) else 0
    except (csv.Error, TypeError, ValueError) as error:
        raise SetupError(f"`{file.name}` cannot be read as a delimited file: {error}.") from error
    rows = StreamedRows(lambda: _source_rows(lines, dialect, top.n_rows, names, n_open))
    description = {**text.facts, "encoding": text.encoding, "delimiter": dialect.delimiter, **top.facts}
    if not dialect.is_quoted and lines.contain('"'):
        description["quoting"] = "none"
    if dialect.has_escapes:
        description["quoting"] = "with backslashes"
    remarks = (*text.remarks, *([f"`{file.name}`: {dialect.remark}"] if dialect.remark else []))
    return Source(rows, description, folder=file.parent, remarks=(*remarks, *top.remarks, *header_remarks))


def _measure_table(lines: TableLines, delimiter: str | None) -> tuple[Dialect, _Shape]:
    """The dialect of a file, and the number and the lengths of its rows."""
    dialect = find_dialect(lines, delimiter)
    if dialect.is_quoted and lines.contain('"'):
        try:
            return dialect, _measure_rows(table_rows(lines, dialect, strict=True))
        except csv.Error as error:
            dialect = doubtful_quoting(dialect, lines, str(error))
    return dialect, _measure_rows(table_rows(lines, dialect))


def _measure_rows(rows: Iterable[TableRow]) -> _Shape:
    lengths: Counter[int] = Counter()
    n_rows = last_line = 0
    for n_rows, (last_line, cells) in enumerate(rows, 1):  # noqa: B007  # the number is what is wanted
        lengths[len(cells)] += is_filled(cells)
    return _Shape(n_rows, last_line, lengths)


def _top_rows(lines: TableLines, dialect: Dialect, header: int | None) -> list[TableRow]:
    """The rows among which the header is."""
    rows: list[TableRow] = []
    n_filled = 0
    for row in table_rows(lines, dialect):
        rows.append(row)
        n_filled += row.n_filled > 0
        if n_filled > _TOP_ROWS and row.line > (header or 0) + _TOP_ROWS:
            break
    return rows


def _with_row_names(top: Header, shape: _Shape, top_rows: list[TableRow], name: str) -> tuple[list[str], list[str]]:
    """The columns, with one for the names of rows, which R's write.table writes without a header."""
    above = Counter(len(row.cells) for row in top_rows[: top.n_rows] if row.n_filled)
    if set(shape.lengths - above) != {len(top.names) + 1} or "row" in top.names:
        return top.names, []
    remark = f"`{name}`: each row has one field more than the header, so the first is called `row`, as in R."
    return ["row", *top.names], [remark]


def _source_rows(
    lines: TableLines, dialect: Dialect, n_above: int, names: list[str], n_open: int
) -> Iterator[SourceRow]:
    """The rows below the header, each with its fields or with what is wrong with it."""
    numbered = enumerate(table_rows(lines, dialect), 1)
    for number, (line, cells) in itertools.islice(numbered, n_above, None):
        row = SourceRow(line, dict(zip(names, cells, strict=False)))
        if number == n_open:
            problem = (
                "a quotation mark that opens in this row is never closed, so the row contains the rest of the file"
            )
            yield row._replace(problem=problem)
        elif not is_filled(cells):
            yield SourceRow(line, dict.fromkeys(names, ""), "empty row")
        elif is_header_again(cells, names):
            yield row._replace(problem=HEADER_AGAIN)
        elif len(cells) != len(names):
            problem = f"the row has {pluralise(len(cells), 'field')}, but the header has {len(names)}"
            yield row._replace(problem=problem)
        else:
            yield row


def _has_open_quote(lines: TableLines, line: int, delimiter: str) -> bool:
    """Whether a quotation mark in the last row, which starts in this line, is never closed."""
    last_lines = itertools.islice(lines, line - lines.first, None)
    try:
        with unlimited_fields():
            list(csv.reader(last_lines, delimiter=delimiter, strict=True))
    except csv.Error as error:
        return "unexpected end of data" in str(error)
    return False
