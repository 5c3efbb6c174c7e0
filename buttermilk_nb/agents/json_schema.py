"""Build the JSON schemas of answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def object_schema(properties: Mapping[str, Any]) -> dict[str, Any]:
    """The JSON schema of an object in which all these properties are required, and no others are allowed.

    Examples
    --------
    >>> object_schema({"conclusion": {"type": "string"}})["required"]
    ['conclusion']
    """
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(properties),
        "additionalProperties": False,
    }
