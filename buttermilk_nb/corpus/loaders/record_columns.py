"""Columns with the names of a record's fields, which need no mapping.

The columns `content` (or else `text`), `record_id` and `cluster` become the fields of these names. `ground_truth`,
`expert_reasons` and `labels` contain mappings from criterion (and coder) to answer, which no judge may read.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from ...errors import SetupError
from .source import Source

TEXT_COLUMNS = ("content", "text")
"""The names of the column with the text, the first that exists."""
_PLAIN_COLUMNS = ("record_id", "cluster")
_NESTED_COLUMNS = ("ground_truth", "expert_reasons", "labels")


def mapping_from_columns(source: Source, options: dict[str, Any]) -> dict[str, Any]:
    """The keywords of a loader. Missing ones are filled in from columns with the names of a record's fields.

    Raises
    ------
    SetupError
        A criterion or a coder has a dot in its name.
    """
    plain_options = {name: name for name in _PLAIN_COLUMNS if name in source.columns}
    if text_column := next((name for name in TEXT_COLUMNS if name in source.columns), None):
        plain_options["content"] = text_column
    if source.default_content:
        plain_options.pop("content", None)
    if source.default_id:
        plain_options.pop("record_id", None)
    nested_options: dict[str, Any] = {
        "truth": _dotted_paths("ground_truth", _key_names(_values(source, "ground_truth"))),
        "reasons": _dotted_paths("expert_reasons", _key_names(_values(source, "expert_reasons"))),
        "coders": {coder: _dotted_paths(f"labels.{coder}", names) for coder, names in _coder_criteria(source).items()},
    }
    own_options = {name: value for name, value in options.items() if value is not None}
    return {**plain_options, **{name: value for name, value in nested_options.items() if value}, **own_options}


def mapping_columns(source: Source) -> list[str]:
    """The columns that contain mappings of answers. They never become metadata."""
    return [name for name in _NESTED_COLUMNS if any(isinstance(value, dict) for value in _values(source, name))]


def _values(source: Source, column: str) -> Iterator[Any]:
    """The values of a column, without a loop over the rows if there is no such column."""
    return (row.fields.get(column) for row in source.rows) if column in source.columns else iter(())


def _coder_criteria(source: Source) -> dict[str, list[str]]:
    """The criteria that each coder of a column `labels` has coded, in the order of their first appearance."""
    criteria: dict[str, dict[str, None]] = {}
    for codes in _values(source, "labels"):
        if isinstance(codes, dict):
            for coder, own in codes.items():
                names = criteria.setdefault(str(coder), {})
                names.update(dict.fromkeys(map(str, own)) if isinstance(own, dict) else {})
    _dotted_paths("labels", list(criteria))
    return {coder: list(names) for coder, names in criteria.items()}


def _key_names(values: Iterable[Any]) -> list[str]:
    """The names in mappings, in the order of their first appearance."""
    return list(dict.fromkeys(str(name) for value in values if isinstance(value, dict) for name in value))


def _dotted_paths(field: str, names: list[str]) -> dict[str, str]:
    dotted = [name for name in names if "." in name]
    if dotted:
        raise SetupError(f"`{field}` contains the name `{dotted[0]}`. A name with a dot looks like a path; rename it.")
    return {name: f"{field}.{name}" for name in names}
