"""doccano: JSON lines with a `text` and its `label`s: passages as `[start, end, label]` or as `entities`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..._internal.text import pluralise
from ...corpus.loaders.source import SourceRow
from .coded_file import CodedFile
from .coded_text import Code, CodedText

_FIELDS = ("entities", "label", "labels")


def recognises(fields: Mapping[str, Any]) -> bool:
    """Whether an object is a text of doccano with passages, or one that its `Comments` show to be doccano's."""
    lists = [fields[name] for name in _FIELDS if isinstance(fields.get(name), list)]
    return (
        isinstance(fields.get("text", fields.get("data")), str)
        and bool(lists)
        and ("Comments" in fields or any(_passage(item) for items in lists for item in items))
    )


def read(rows: Sequence[SourceRow], file: str) -> CodedFile:
    """The codes of each text.

    Examples
    --------
    >>> row = {"id": 7, "text": "They are vermin.", "label": [[9, 15, "insult"]]}
    >>> read([SourceRow(1, row)], "all.jsonl").texts[0].codes[0].path
    ('insult',)
    """
    n_relations = sum(len(row.fields.get("relations") or ()) for row in rows)
    remark = f"{pluralise(n_relations, 'relation')} between passages left out."
    return CodedFile(tuple(_text(row, file) for row in rows), (remark,) if n_relations else ())


def _text(row: SourceRow, file: str) -> CodedText:
    where, fields = f"{file}, line {row.line}", row.fields
    names = tuple(str(fields[name]) for name in ("record_id", "id", "filename") if fields.get(name) is not None)
    if row.problem:
        return CodedText(where, names, problem=row.problem)
    codes = [code for name in _FIELDS if isinstance(fields.get(name), list) for code in _codes(fields[name])]
    notes = "; ".join(str(note) for note in fields.get("Comments") or ()) or None
    if codes and notes:
        codes[0] = codes[0]._replace(notes=notes)
    text = str(fields.get("text") or fields.get("data") or "") or None
    coder = fields.get("annotator") or fields.get("user") or ""
    return CodedText(where, names, str(coder), tuple(codes), text, facts=fields)


def _codes(items: Sequence[Any]) -> Iterator[Code]:
    for item in items:
        if passage := _passage(item):
            yield passage
        elif isinstance(item, str):
            yield Code((item,))


def _passage(item: Any) -> Code | None:
    """The passage in one of the two forms."""
    if isinstance(item, dict) and {"start_offset", "end_offset", "label"} <= item.keys():
        start, end, label = item["start_offset"], item["end_offset"], item["label"]
    elif isinstance(item, list) and len(item) == 3:
        start, end, label = item
    else:
        return None
    is_place = isinstance(start, int) and isinstance(end, int) and isinstance(label, str)
    return Code((label,), start=start, end=end) if is_place else None
