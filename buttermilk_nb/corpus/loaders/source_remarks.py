"""Remarks on what in a source looks like a mistake: ids that lost digits, texts that mean nothing, an unused id."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from ..._internal.markdown import code_list
from ..._internal.text import pluralise, shorten
from ...errors import SetupError
from .column_mapping import ColumnMapping
from .dotted_names import get_field
from .source import Source, SourceRow

_EXACT = 2**53
"""The largest whole number up to which a decimal number of a computer holds every one."""
_EXCEL_DIGITS = 15
_SHOWN = 5
_PREVIEWS = ("Survey Preview", "1")
_REDCAP = ("redcap_event_name", "redcap_repeat_instrument", "redcap_repeat_instance")
_LONGEST_NOTHING = 40
_SCIENTIFIC = re.compile(r"\d(?:[.,]\d+)?[eE]\+?\d{2,}")
_ID_NAMES = frozenset({"id", "_id", "uuid", "guid", "key", "post_id", "tweet_id", "comment_id", "doc_id", "document_id",
                       "text_id", "item_id", "case_id", "responseid", "response_id", "respondentid"})  # fmt: skip
_ID_ENDING = re.compile(r"(?:^|_)(?:id|ids|to)$|Id$", re.IGNORECASE)
_NOTHING = frozenset({"nan", "none", "null", "na", "n/a", "<na>", "nat", "#n/a", "#name?", "#ref!", "#value!",
                      "#div/0!", "#null!", "#num!"})  # fmt: skip
_TWICE_ENCODED = re.compile("[\u00c2\u00c3\u00e2]")


class SourceRemarks:
    """Looks at each row of a source once, and says at the end what looks like a mistake.

    Parameters
    ----------
    source
        The source.
    mapping
        Its mapping to records.
    """

    def __init__(self, source: Source, mapping: ColumnMapping) -> None:
        others = [name for name in source.columns if name not in mapping.used_columns]
        self._id, self._content = mapping.record_id, mapping.content
        self._unused_ids: dict[str, set[int]] = {}
        if mapping.record_id is None:
            self._unused_ids = {name: set() for name in others if name.strip().casefold() in _ID_NAMES}
        self._is_workbook = "sheet" in source.description
        self._rounded_lines: list[int] = []
        self._id_like = [name for name in others if _ID_ENDING.search(name)]
        self._large_decimals: set[str] = set()
        self._nothing: Counter[str] = Counter()
        self._n_previews: int | None = 0 if "question_texts" in source.description else None
        self._repeats = [name for name in _REDCAP if name in source.columns and mapping.record_id]
        self._ids: set[int] = set()
        self._has_repeated_id = False
        self._n_mended = 0
        self._mended_words = ("", "")

    def add(self, row: SourceRow) -> None:
        """Look at a row.

        Raises
        ------
        SetupError
            Its id is a number that has lost digits.
        """
        if self._id is not None:
            self._add_id(row, self._id)
        for name in list(self._unused_ids):
            self._add_unused_id(row, name)
        for name in self._id_like:
            if isinstance(value := row.fields.get(name), float) and abs(value) > _EXACT:
                self._large_decimals.add(name)
        if self._n_previews is not None:
            self._n_previews += row.fields.get("Status") in _PREVIEWS
        text = get_field(row.fields, self._content) if self._content else None
        if isinstance(text, str):
            self._add_text(text)

    def _add_id(self, row: SourceRow, column: str) -> None:
        value = get_field(row.fields, column)
        if self._repeats:
            key = hash(str(value))
            self._has_repeated_id = self._has_repeated_id or key in self._ids
            self._ids.add(key)
        if isinstance(value, float) and abs(value) > _EXACT:
            raise SetupError(
                f"the ids in `{column}` are decimal numbers such as {value:.6g}, which keep 16 digits only, so they "
                f'are wrong; read them as text, such as pd.read_csv(..., dtype={{"{column}": str}}).'
            )
        if isinstance(value, str) and _SCIENTIFIC.fullmatch(value.strip()):
            raise SetupError(
                f"the ids in `{column}` are written as {value}, so their digits are lost; export the file again with "
                "the ids as text."
            )
        is_number = isinstance(value, int) and not isinstance(value, bool)
        if self._is_workbook and is_number and abs(value) >= 10**_EXCEL_DIGITS and len(self._rounded_lines) <= _SHOWN:
            self._rounded_lines.append(row.line)

    def _add_unused_id(self, row: SourceRow, name: str) -> None:
        if row.problem:
            return
        value, hashes = row.fields.get(name), self._unused_ids[name]
        key = hash(str(value))
        if value in (None, "") or key in hashes:
            del self._unused_ids[name]
        else:
            hashes.add(key)

    def _add_text(self, text: str) -> None:
        if len(text) < _LONGEST_NOTHING and text.strip().casefold() in _NOTHING:
            self._nothing[text.strip()] += 1
        if (good := _decode_again(text)) is not None:
            self._n_mended += 1
            if self._n_mended == 1:
                self._mended_words = next(
                    pair for pair in zip(text.split(), good.split(), strict=False) if pair[0] != pair[1]
                )

    def sentences(self) -> list[str]:
        """A sentence for each thing that looks like a mistake."""
        remarks = []
        if unused := next((name for name, hashes in self._unused_ids.items() if hashes), None):
            remarks.append(f'`{unused}` looks like the id of each record; record_id="{unused}" uses it.')
        if lines := self._rounded_lines:
            shown = ", ".join(map(str, lines[:_SHOWN])) + (", ..." if len(lines) > _SHOWN else "")
            remarks.append(
                f"a workbook keeps {_EXCEL_DIGITS} digits of a number, so the ids in rows {shown} of `{self._id}` may "
                "be wrong; get them as text."
            )
        remarks += [
            f"`{name}` has decimal numbers of more than 16 digits, so its ids are wrong; read it as text, such as "
            f'pd.read_csv(..., dtype={{"{name}": str}}).'
            for name in self._id_like
            if name in self._large_decimals
        ]
        if self._n_previews:
            n = pluralise(self._n_previews, "row")
            remarks.append(
                f"{n} of Qualtrics {'is a preview' if self._n_previews == 1 else 'are previews'} (`Status`), and no "
                'answer of a participant; to drop them: corpus.filter(lambda record: "Preview" not in '
                'str(record.metadata.get("Status"))).'
            )
        if self._has_repeated_id:
            columns = [str(self._id), *self._repeats]
            remarks.append(
                f"REDCap repeats `{self._id}` for each {code_list(self._repeats)}, so the later rows are rejected; to "
                f'keep them: frame = pd.read_csv(..., dtype=str).fillna(""); frame["row"] = frame[{columns}]'
                f'.agg("/".join, axis=1); bm.load(frame, record_id="row", cluster="{self._id}", ...).'
            )
        return [*remarks, *self._text_sentences()]

    def _text_sentences(self) -> Iterator[str]:
        if self._nothing:
            words, n = sorted(self._nothing), self._nothing.total()
            listed = ", ".join(f"`{text}`" for text in words[:4]) + (", ..." if len(words) > 4 else "")
            verb = "says" if n == 1 else "say"
            yield (
                f"{pluralise(n, 'text')} in `{self._content}` {verb} only {listed}, as missing values do; to drop "
                f"them: corpus.filter(lambda record: record.content.strip() not in {words!r})."
            )
        if self._n_mended:
            wrong, right = self._mended_words
            whose = "looks as if its" if self._n_mended == 1 else "look as if their"
            yield (
                f"{pluralise(self._n_mended, 'text')} in `{self._content}` {whose} letters were encoded twice: "
                f"`{shorten(wrong, 30)}` for `{shorten(right, 30)}`. Export the file again as UTF-8, or mend each text "
                'with text.encode("cp1252").decode("utf-8").'
            )


def _decode_again(text: str) -> str | None:
    """The text whose UTF-8 bytes were taken for letters of a Western page; None if that did not happen."""
    if not _TWICE_ENCODED.search(text):
        return None
    try:
        good = text.encode("cp1252").decode("utf-8")
    except UnicodeError:
        return None
    return good if good != text else None
