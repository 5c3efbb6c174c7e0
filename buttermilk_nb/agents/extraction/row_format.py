"""The form of an extractor's answer: the instruction, which is part of the prompt, and the JSON schema."""

from __future__ import annotations

from typing import Any

from ..json_schema import object_schema
from .parse_rows import Columns


def row_format(columns: Columns, quote: str | None) -> str:
    """The instruction on the form of the answer; its wording is part of the cache key and must not change."""
    example = ", ".join(f'"{name}": "..."' for name in columns)
    descriptions = "\n".join(
        f'- "{name}": {content if isinstance(content, str) else "one of " + ", ".join(content)}'
        for name, content in columns.items()
    )
    quote_rule = f'\nCopy "{quote}" from the text, letter by letter.' if quote else ""
    return (
        f'Reply with one JSON object and nothing else, in this form:\n{{"rows": [{{{example}}}]}}\n'
        f'where\n{descriptions}{quote_rule}\nWhere there is nothing to report, "rows" is an empty list.'
    )


def row_schema(columns: Columns) -> dict[str, Any]:
    """The JSON schema of the answer: a list of rows with these columns."""
    row = object_schema(
        {
            name: {"type": "string"} if isinstance(content, str) else {"type": "string", "enum": list(content)}
            for name, content in columns.items()
        }
    )
    return object_schema({"rows": {"type": "array", "items": row}})
