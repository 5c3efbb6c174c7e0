"""`to_plain_data`: what a function returns, as data that JSON can express.

`text.to_jsonable` is for data from files, whose hashes depend on it: it makes text of everything that it does not know.
The author of a function is told instead what cannot be kept.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import enum
import math
import uuid
from collections.abc import Mapping
from decimal import Decimal
from pathlib import PurePath
from typing import Any

from .text import MAX_BITS, MAX_DEPTH, replace_surrogates

_MAX_ROWS = 1_000
_MAX_EXPONENT = 300


def to_plain_data(value: Any) -> Any:
    """The value as texts, numbers, lists and mappings.

    Numpy's and pandas' values become plain ones, and missing values (NaN, NaT, infinity) None; dates, times and paths
    become texts, decimals and fractions numbers, enumerations their values, sets sorted lists; pydantic models,
    dataclasses and named tuples become mappings, and a frame of at most 1,000 rows the list of its rows.

    Raises
    ------
    TypeError, ValueError
        A part of the value cannot be kept; the message names it.

    Examples
    --------
    >>> to_plain_data({"share": Decimal("0.5"), "on": dt.date(2026, 1, 2), "tags": {"b", "a"}, "nothing": math.nan})
    {'share': 0.5, 'on': '2026-01-02', 'tags': ['a', 'b'], 'nothing': None}
    """
    return _convert(value, "", 0)


def _convert(value: Any, where: str, depth: int) -> Any:  # a table of kinds
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, enum.Enum):
        return _convert(value.value, where, depth)
    if isinstance(value, str):
        return replace_surrogates(str(value))
    if isinstance(value, int):
        if value.bit_length() > MAX_BITS:
            raise ValueError(f"{_name(where)} has more than 4,000 digits, which cannot be written")
        return int(value)
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if depth > MAX_DEPTH:
        raise ValueError(f"{_name(where)} is nested more than {MAX_DEPTH} deep, or contains itself")
    if isinstance(value, Decimal):
        return _number(value, where) if value.is_finite() else None
    if _is_missing(value):
        return None
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    if isinstance(value, dt.timedelta | PurePath | uuid.UUID):
        return str(value)
    if hasattr(value, "itertuples"):
        return _convert(_rows_of(value, where), where, depth + 1)
    fields = _fields_of(value)
    if fields is not None:
        return _convert_mapping(fields, where, depth)
    if isinstance(value, list | tuple):
        return [_convert(item, f"{where}[{n}]", depth + 1) for n, item in enumerate(value)]
    if isinstance(value, set | frozenset):
        items = [_convert(item, f"{where}[...]", depth + 1) for item in value]
        return sorted(items, key=lambda item: (str(type(item)), str(item)))
    if getattr(getattr(value, "dtype", None), "kind", "") in ("m", "M") and hasattr(value, "astype"):
        value = value.astype(str)  # numpy writes times in nanoseconds as whole numbers otherwise
    if hasattr(value, "to_dict") and hasattr(value, "index") and type(value.index).__name__ != "RangeIndex":
        return _convert_mapping({str(name): item for name, item in value.to_dict().items()}, where, depth)
    if hasattr(value, "tolist"):  # numpy's scalars and arrays, and a column of a frame
        return _convert(value.tolist(), where, depth + 1)
    if hasattr(value, "numerator") and hasattr(value, "denominator"):
        return float(value)
    raise TypeError(
        f"{_name(where)} is of type {type(value).__name__}, which cannot be stored; return texts, numbers, lists or "
        "mappings of these"
    )


def _name(where: str) -> str:
    return f"`{where.lstrip('.')}` of the output" if where else "the output"


def _number(value: Decimal, where: str) -> int | float:
    if value.adjusted() > _MAX_EXPONENT:
        raise ValueError(f"{_name(where)} is {value}, which is too large a number")
    return int(value) if value == value.to_integral_value() else float(value)


def _is_missing(value: Any) -> bool:
    """Whether a value is pandas' NA or NaT, without importing pandas."""
    return type(value).__name__ in ("NAType", "NaTType")


def _rows_of(frame: Any, where: str) -> list[dict[str, Any]]:
    if len(frame) > _MAX_ROWS:
        raise ValueError(f"{_name(where)} is a frame of {len(frame):,} rows; at most {_MAX_ROWS:,} are stored")
    names = [str(column) for column in frame.columns]
    if len(set(names)) < len(names):
        raise ValueError(f"{_name(where)} is a frame with two columns of one name")
    return [dict(zip(names, row, strict=True)) for row in frame.itertuples(index=False, name=None)]


def _fields_of(value: Any) -> Mapping[Any, Any] | None:
    """The fields of a mapping, a pydantic model, a dataclass or a named tuple; None for any other value."""
    if isinstance(value, Mapping):
        return value
    if isinstance(value, type):
        return None
    if hasattr(type(value), "model_fields"):
        return {name: getattr(value, name) for name in type(value).model_fields}
    if dataclasses.is_dataclass(value):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    return value._asdict() if isinstance(value, tuple) and hasattr(value, "_asdict") else None


def _convert_mapping(fields: Mapping[Any, Any], where: str, depth: int) -> dict[str, Any]:
    plain: dict[str, Any] = {}
    for key, item in fields.items():
        name = replace_surrogates(str(key.value if isinstance(key, enum.Enum) else key))
        if name in plain:
            raise ValueError(f"{_name(where)} has two fields that are both written `{name}`")
        plain[name] = _convert(item, f"{where}.{name}", depth + 1)
    return plain
