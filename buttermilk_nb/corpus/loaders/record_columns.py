"""Files whose rows have the names of a record's own fields: they need no mapping.

`content`, `record_id` and `cluster` are what they say; `ground_truth`, `expert_reasons` and `labels` are mappings from
criterion (and coder) to answer, which no judge may read.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ...errors import SetupError
from .source import Source

_SINGLE = ("content", "record_id", "cluster")
_NESTED = ("ground_truth", "expert_reasons", "labels")


def mapping_from_columns(source: Source, given: dict[str, Any]) -> dict[str, Any]:
    """The keywords of a loader, with those that the names of the columns stand for where nothing else was said.

    Raises
    ------
    SetupError
        A criterion or a coder has a dot in its name.
    """
    found = {name: name for name in _SINGLE if name in source.columns}
    if source.default_content:
        found.pop("content", None)
    if source.default_id:
        found.pop("record_id", None)
    rows = [row.fields for row in source.rows]
    coded: dict[str, Any] = {
        "truth": _paths("ground_truth", _names(row.get("ground_truth") for row in rows)),
        "reasons": _paths("expert_reasons", _names(row.get("expert_reasons") for row in rows)),
        "coders": {
            coder: _paths(f"labels.{coder}", _names(_within(row.get("labels"), coder) for row in rows))
            for coder in _paths("labels", _names(row.get("labels") for row in rows))
        },
    }
    said = {name: value for name, value in given.items() if value is not None}
    return {**found, **{name: value for name, value in coded.items() if value}, **said}


def mapping_columns(source: Source) -> list[str]:
    """The columns that hold mappings of answers, which never become metadata."""
    return [name for name in _NESTED if any(isinstance(row.fields.get(name), dict) for row in source.rows)]


def _within(codes: Any, coder: str) -> Any:
    return codes.get(coder) if isinstance(codes, dict) else None


def _names(values: Iterable[Any]) -> list[str]:
    """The names in mappings, in the order of their first appearance."""
    return list(dict.fromkeys(str(name) for value in values if isinstance(value, dict) for name in value))


def _paths(field: str, names: list[str]) -> dict[str, str]:
    dotted = [name for name in names if "." in name]
    if dotted:
        raise SetupError(f"`{field}` names `{dotted[0]}`, and names with a dot cannot be told from paths; rename it.")
    return {name: f"{field}.{name}" for name in names}
