"""The emptiest object that fits a JSON schema: what an offline model answers where a typed answer is asked for.

It says nothing on the text: null or "not answered" where that fits, no items, the number 0, false, and of several
values one such as *unknown*, else the first. Fields that may be missing are missing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

NOT_ANSWERED = "not answered"
_EMPTY_WORDS = (
    NOT_ANSWERED, "unknown", "unclear", "cannot tell", "not applicable", "n/a", "none", "other", "undecided",
)  # fmt: skip
_BY_FORMAT = {
    "date": "1970-01-01", "date-time": "1970-01-01T00:00:00Z", "time": "00:00:00Z", "duration": "PT0S",
    "uuid": "00000000-0000-0000-0000-000000000000", "email": "not-answered@example.org",
    "uri": "https://example.org/not-answered",
}  # fmt: skip
_MAX_DEPTH = 20


def fill_schema(schema: Mapping[str, Any]) -> Any:
    """The emptiest value that fits a schema.

    Parameters
    ----------
    schema
        A JSON schema; its references point into itself.

    Examples
    --------
    >>> side = {"enum": ["for", "against", "unclear"]}
    >>> fill_schema({"type": "object", "properties": {"who": {"type": "string"}, "side": side}, "required": ["side"]})
    {'side': 'unclear'}
    """
    return _fill(schema, schema, 0)


def empty_choice(values: Sequence[Any]) -> Any:
    """The value that says least: one such as *unknown*, else the first.

    Examples
    --------
    >>> empty_choice(["named", "none"]), empty_choice(["low", "high"])
    ('none', 'low')
    """
    if None in values:
        return None
    by_word = {str(value).casefold(): value for value in values}
    return next((by_word[word] for word in _EMPTY_WORDS if word in by_word), values[0])


def _fill(schema: Any, root: Mapping[str, Any], depth: int) -> Any:
    if not isinstance(schema, Mapping) or depth > _MAX_DEPTH:
        return None
    if "$ref" in schema:
        return _fill(_look_up(schema["$ref"], root), root, depth + 1)
    if "const" in schema:
        return schema["const"]
    if schema.get("enum"):
        return empty_choice(schema["enum"])
    choices = schema.get("anyOf") or schema.get("oneOf") or schema.get("allOf")
    if choices:
        without_value = any(isinstance(choice, Mapping) and choice.get("type") == "null" for choice in choices)
        return None if without_value else _fill(choices[0], root, depth + 1)
    kinds = schema.get("type")
    kinds = kinds if isinstance(kinds, list) else [kinds]
    if "null" in kinds or kinds == [None]:
        return None
    return _fill_kind(kinds[0], schema, root, depth)


def _fill_kind(kind: str, schema: Mapping[str, Any], root: Mapping[str, Any], depth: int) -> Any:
    if kind == "object":
        properties = schema.get("properties", {})
        return {name: _fill(properties.get(name), root, depth + 1) for name in schema.get("required", ())}
    if kind == "array":
        parts = schema.get("prefixItems") or [schema.get("items")] * int(schema.get("minItems", 0))
        return [_fill(part, root, depth + 1) for part in parts]
    if kind in ("integer", "number"):
        return _number(kind, schema)
    if kind == "boolean":
        return False
    text = _BY_FORMAT.get(str(schema.get("format")), NOT_ANSWERED)
    text = text.ljust(int(schema.get("minLength", 0)), ".")
    return text[: schema["maxLength"]] if "maxLength" in schema else text


def _number(kind: str, schema: Mapping[str, Any]) -> Any:
    """The number next to 0 within the limits."""
    step = 1 if kind == "integer" else 1e-9
    lowest = schema.get("minimum", schema.get("exclusiveMinimum", float("-inf")) + step)
    highest = schema.get("maximum", schema.get("exclusiveMaximum", float("inf")) - step)
    return min(max(0, lowest), highest)


def _look_up(reference: Any, root: Mapping[str, Any]) -> Any:
    """The part of a schema that a reference such as `#/$defs/Person` points to."""
    part: Any = root
    for name in str(reference).removeprefix("#").strip("/").split("/"):
        if name:
            part = part.get(name.replace("~1", "/").replace("~0", "~")) if isinstance(part, Mapping) else None
    return part
