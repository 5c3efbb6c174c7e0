"""Remarks on what in a source looks like a mistake: ids that lost digits, texts that mean nothing, an unused id."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from ..._internal.text import pluralise, shorten
from ...errors import SetupError
from .column_mapping import ColumnMapping
from .dotted_names import get_field
from .source import Source

_EXACT = 2**53
"""The largest whole number up to which a decimal number of a computer holds every one."""
_EXCEL_DIGITS = 15
_SCIENTIFIC = re.compile(r"\d(?:[.,]\d+)?[eE]\+?\d{2,}")
_ID_NAMES = frozenset({"id", "_id", "uuid", "guid", "key", "post_id", "tweet_id", "comment_id", "doc_id", "document_id",
                       "text_id", "item_id", "case_id", "responseid", "response_id", "respondentid"})  # fmt: skip
_ID_ENDING = re.compile(r"(?:^|_)(?:id|ids|to)$|Id$", re.IGNORECASE)
_NOTHING = frozenset({"nan", "none", "null", "na", "n/a", "<na>", "nat", "#n/a", "#name?", "#ref!", "#value!",
                      "#div/0!", "#null!", "#num!"})  # fmt: skip
_TWICE_ENCODED = re.compile("[\u00c2\u00c3\u00e2]")


def check_ids(source: Source, column: str) -> None:
    """Raise SetupError if the ids are numbers that have lost digits.

    Parameters
    ----------
    source
        The source.
    column
        The column with the ids.
    """
    values = [get_field(row.fields, column) for row in source.rows]
    large = next((v for v in values if isinstance(v, float) and abs(v) > _EXACT), None)
    if large is not None:
        raise SetupError(
            f"the ids in `{column}` are decimal numbers such as {large:.6g}, which keep 16 digits only, so they are "
            f'wrong; read them as text, such as pd.read_csv(..., dtype={{"{column}": str}}).'
        )
    scientific = next((v for v in values if isinstance(v, str) and _SCIENTIFIC.fullmatch(v.strip())), None)
    if scientific is not None:
        raise SetupError(
            f"the ids in `{column}` are written as {scientific}, so their digits are lost; export the file again with "
            "the ids as text."
        )


def source_remarks(source: Source, mapping: ColumnMapping) -> list[str]:
    """Sentences on what in a source looks like a mistake."""
    remarks, used, content = [], mapping.used_columns, mapping.content
    if mapping.record_id is None:
        remarks += _unused_id(source, used)
    elif "sheet" in source.description:
        remarks += _rounded_ids(source, mapping.record_id)
    for column in source.columns:
        if column not in used and _ID_ENDING.search(column) and _has_large_decimal(source, column):
            remarks.append(
                f"`{column}` has decimal numbers of more than 16 digits, so its ids are wrong; read it as text, such "
                f'as pd.read_csv(..., dtype={{"{column}": str}}).'
            )
    return remarks + ([*_nothing_texts(source, content), *_twice_encoded(source, content)] if content else [])


def _unused_id(source: Source, used: Sequence[str]) -> list[str]:
    """A remark on a column that looks like an id, if none was named."""
    for column in source.columns:
        if column.strip().casefold() in _ID_NAMES and column not in used:
            values = [row.fields.get(column) for row in source.rows if not row.problem]
            if values and all(v not in (None, "") for v in values) and len(set(map(str, values))) == len(values):
                return [f'`{column}` looks like the id of each record; record_id="{column}" uses it.']
    return []


def _rounded_ids(source: Source, column: str) -> list[str]:
    """A remark on ids that a workbook holds as numbers with more digits than it keeps."""
    lines = [
        row.line
        for row in source.rows
        if isinstance(v := row.fields.get(column), int) and not isinstance(v, bool) and abs(v) >= 10**_EXCEL_DIGITS
    ]
    if not lines:
        return []
    shown = ", ".join(map(str, lines[:5])) + (", ..." if len(lines) > 5 else "")
    return [
        f"a workbook keeps {_EXCEL_DIGITS} digits of a number, so the ids in rows {shown} of `{column}` may be wrong; "
        "get them as text."
    ]


def _has_large_decimal(source: Source, column: str) -> bool:
    return any(isinstance(v := row.fields.get(column), float) and abs(v) > _EXACT for row in source.rows)


def _nothing_texts(source: Source, content: str) -> list[str]:
    """A remark on texts such as `nan`, which are most likely missing values."""
    values: list[Any] = [get_field(row.fields, content) for row in source.rows]
    found = sorted({v.strip() for v in values if isinstance(v, str) and v.strip().casefold() in _NOTHING})
    if not found:
        return []
    n = sum(isinstance(v, str) and v.strip() in found for v in values)
    listed = ", ".join(f"`{text}`" for text in found[:4]) + (", ..." if len(found) > 4 else "")
    verb = "says" if n == 1 else "say"
    return [
        f"{pluralise(n, 'text')} in `{content}` {verb} only {listed}, as missing values do; to drop "
        f"them: corpus.filter(lambda record: record.content.strip() not in {found!r})."
    ]


def _twice_encoded(source: Source, content: str) -> list[str]:
    """A remark on texts whose letters were encoded twice, such as `Ã©` for `é`."""
    values = [get_field(row.fields, content) for row in source.rows]
    mended = [(v, good) for v in values if isinstance(v, str) and (good := _decode_again(v)) is not None]
    if not mended:
        return []
    words = (pair for texts in mended for pair in zip(*(text.split() for text in texts), strict=False))
    wrong, right = next(pair for pair in words if pair[0] != pair[1])
    whose = "looks as if its" if len(mended) == 1 else "look as if their"
    return [
        f"{pluralise(len(mended), 'text')} in `{content}` {whose} letters were encoded twice: `{shorten(wrong, 30)}` "
        f"for `{shorten(right, 30)}`. Export the file again as UTF-8, or mend each text with "
        'text.encode("cp1252").decode("utf-8").'
    ]


def _decode_again(text: str) -> str | None:
    """The text whose UTF-8 bytes were taken for letters of a Western page; None if that did not happen."""
    if not _TWICE_ENCODED.search(text):
        return None
    try:
        good = text.encode("cp1252").decode("utf-8")
    except UnicodeError:
        return None
    return good if good != text else None
