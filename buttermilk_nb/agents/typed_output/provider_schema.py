"""The JSON schema of an answer, in the part of JSON Schema that providers take as strict.

They want every property required and no others, and do not take defaults, lengths, or maps with keys of any name. What
is left out here is still checked when an answer is read.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_DROPPED = frozenset(
    ["title", "default", "examples", "deprecated", "readOnly", "writeOnly", "$schema", "$id", "$comment",
     "discriminator", "minLength", "maxLength", "uniqueItems", "contentMediaType", "contentEncoding"]
)  # fmt: skip
_UNKNOWN_TO_PROVIDERS = frozenset(
    ["prefixItems", "patternProperties", "propertyNames", "allOf", "not", "if", "dependentSchemas",
     "dependentRequired", "unevaluatedProperties", "contains"]
)  # fmt: skip


def provider_schema(schema: Mapping[str, Any]) -> dict[str, Any] | None:
    """The schema as providers take it; None if it has parts that they do not take.

    Parameters
    ----------
    schema
        A JSON schema.

    Examples
    --------
    >>> sent = provider_schema({"type": "object", "properties": {"age": {"type": "integer", "title": "Age"}}})
    >>> sent["properties"], sent["required"], sent["additionalProperties"]
    ({'age': {'type': 'integer'}}, ['age'], False)
    >>> provider_schema({"type": "object", "additionalProperties": {"type": "string"}}) is None
    True
    """
    try:
        return _convert(schema)
    except _NotTaken:
        return None


class _NotTaken(Exception):
    """Raised for a part of a schema that providers do not take."""


def _convert(schema: Any) -> dict[str, Any]:
    if not isinstance(schema, Mapping) or not schema or schema.keys() & _UNKNOWN_TO_PROVIDERS:
        raise _NotTaken
    converted: dict[str, Any] = {}
    for key, value in schema.items():
        if key in _DROPPED:
            continue
        if key in ("properties", "$defs"):
            converted[key] = {name: _convert(part) for name, part in value.items()}
        elif key in ("anyOf", "oneOf"):
            converted["anyOf"] = [_convert(part) for part in value]
        elif key == "items":
            converted[key] = _convert(value)
        else:
            converted[key] = value
    if schema.get("type") == "object":
        if "properties" not in schema or schema.get("additionalProperties") not in (None, False):
            raise _NotTaken
        converted |= {"required": list(schema["properties"]), "additionalProperties": False}
    elif not schema.keys() & {"type", "$ref", "anyOf", "oneOf", "enum", "const"}:
        raise _NotTaken
    return converted
