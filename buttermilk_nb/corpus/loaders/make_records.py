"""`make_records`: the records of a source, row by row, and the rows that cannot become records."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from ..._internal.progress_line import ProgressLine
from ..._internal.text import replace_surrogates, shorten, to_jsonable
from ...errors import SetupError
from ..record import Record, visible_id
from .column_mapping import ColumnMapping
from .dotted_names import delete_field, get_field, has_field
from .image_columns import ImageColumn
from .local_only_column import LocalOnlyColumn
from .source import Source, SourceRow, raise_problems
from .source_remarks import SourceRemarks


class Rejected(NamedTuple):
    """A row that did not become a record."""

    line: int
    reason: str
    excerpt: str


class LoadedRecords(NamedTuple):
    """The records of a source, the rows that did not become records, and what looks like a mistake."""

    records: list[Record]
    rejected: list[Rejected]
    remarks: list[str]


def make_records(source: Source, mapping: ColumnMapping) -> LoadedRecords:
    """Make records of the rows, and list each row that cannot become one, with the reason.

    Raises
    ------
    SetupError
        Images are missing or broken, ids have lost digits, or a row does not say whether it is `local_only`.
    """
    records: list[Record] = []
    rejected: list[Rejected] = []
    lines: dict[str, int] = {}
    remarks = SourceRemarks(source, mapping)
    images = ImageColumn(mapping.images, mapping.images_from or source.folder, source.unit)
    local_only = LocalOnlyColumn(mapping.local_only, source.unit)
    progress = ProgressLine("checked", f"{source.unit}s", source.n_rows)
    for number, original in enumerate(source.rows, 1):
        remarks.add(original)
        row = images.add_images(original)
        result = row.problem or _record_or_reason(row, mapping, local_only.flag(row))
        if isinstance(result, Record):
            key = visible_id(result.record_id)
            if (line := lines.get(key)) is None:
                lines[key] = row.line
            else:
                result = (
                    f"the id `{result.record_id}` is already in {source.unit} {line}"
                    if mapping.record_id
                    else f"the same {_content_kind(result)} is in {source.unit} {line}; {_how_to_keep_both(source)}"
                )
        if isinstance(result, Record):
            records.append(result)
        else:
            rejected.append(Rejected(row.line, result, _excerpt(row.fields)))
        progress.update(number)
    raise_problems(images.problems)
    raise_problems(local_only.problems)
    return LoadedRecords(records, rejected, remarks.sentences())


def _how_to_keep_both(source: Source) -> str:
    if source.unit == "text":
        return "give dictionaries with a `record_id` and a `content` to keep both"
    return "name a column as `record_id` to keep both"


def _excerpt(fields: dict[str, Any]) -> str:
    try:
        return shorten(json.dumps(fields, ensure_ascii=False, default=str))
    except (ValueError, RecursionError):  # nested in itself or very deeply, or a very long number
        return shorten(", ".join(map(str, fields)))


def _record_or_reason(row: SourceRow, mapping: ColumnMapping, local_only: bool) -> Record | str:
    """The record of a row, or why it cannot become one."""
    try:
        return _make_record(row, mapping, local_only)
    except (SetupError, ValueError) as error:
        is_long_number = "int_max_str_digits" in str(error)
        return "a whole number has too many digits" if is_long_number else str(error).rstrip(".")


def _make_record(row: SourceRow, mapping: ColumnMapping, local_only: bool) -> Record | str:
    fields = row.fields
    content = get_field(fields, mapping.content) if mapping.content else None
    if content is None or (isinstance(content, str) and not content.strip()):
        if not row.images:
            content_columns = {"text": mapping.content, "image": mapping.images}
            return ", ".join(f"no {kind} in `{column}`" for kind, column in content_columns.items() if column)
        content = ""
    if isinstance(content, dict | list | bytes):
        return f"`{mapping.content}` contains a value of type `{type(content).__name__}`, not text"
    record_id = ""
    if mapping.record_id:
        raw_id = get_field(fields, mapping.record_id)
        if isinstance(raw_id, dict | list | bytes):
            return f"`{mapping.record_id}` contains a value of type `{type(raw_id).__name__}`, not an id"
        record_id = _as_text(raw_id)
        if not record_id:
            return f"no id in `{mapping.record_id}`"
    labels = {
        coder: codes for coder, columns in mapping.coders.items() if (codes := _row_codes(fields, columns, mapping))
    }
    cluster = get_field(fields, mapping.cluster) if mapping.cluster else None
    others = {
        "metadata": _row_metadata(fields, mapping),
        "ground_truth": _row_codes(fields, mapping.truth, mapping),
        "expert_reasons": {
            criterion: reasons
            for criterion, column in mapping.reasons.items()
            if (reasons := _split_reasons(get_field(fields, column)))
        },
        "labels": labels,
        "cluster": None if cluster in (None, "") else _as_text(cluster),
        "images": row.images,
        "local_only": local_only,
    }
    given = {name: value for name, value in others.items() if value}  # a field that is given costs memory
    return Record(record_id=record_id, content=str(content), **given)


def _row_codes(fields: dict[str, Any], columns: Mapping[str, str], mapping: ColumnMapping) -> dict[str, Any]:
    codes = {}
    for criterion, column in columns.items():
        value = to_jsonable(get_field(fields, column))
        value = value.strip() if isinstance(value, str) else value
        value = mapping.code_translation(value)
        if value is not None and value != "":
            codes[criterion] = value
    return codes


def _row_metadata(fields: dict[str, Any], mapping: ColumnMapping) -> dict[str, Any]:
    removed = mapping.used_columns if mapping.metadata is None else mapping.answer_columns
    metadata = {str(k): v for k, v in fields.items() if k not in removed}
    nested = [name for name in removed if name not in fields]
    if nested:
        metadata = copy.deepcopy(metadata)
        for name in nested:
            delete_field(metadata, name)
    if mapping.metadata is not None:
        return {name: get_field(metadata, name) for name in mapping.metadata if has_field(metadata, name)}
    return metadata


def _split_reasons(value: Any) -> tuple[str, ...]:
    value = to_jsonable(value)
    parts = value if isinstance(value, list) else str(value or "").replace("\n", " | ").split(" | ")
    return tuple(replace_surrogates(str(part).strip()) for part in parts if part is not None and str(part).strip())


def _as_text(value: Any) -> str:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return "" if value is None else replace_surrogates(str(value).strip())


def _content_kind(record: Record) -> str:
    return "text" if record.content else "image"
