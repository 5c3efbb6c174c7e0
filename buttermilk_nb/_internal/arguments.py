"""Check the arguments of public functions: a value of a wrong kind is one sentence, not an error deep inside."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..errors import SetupError


def require_text(value: object, what: str) -> str:
    """A text, or a sentence that names what should be one.

    Examples
    --------
    >>> try:
    ...     require_text(3, "the name of a project")
    ... except SetupError as error:
    ...     print(error)
    the name of a project must be a text, not int.
    """
    if not isinstance(value, str):
        raise SetupError(f"{what} must be a text, not {type(value).__name__}.")
    return value


def require_table(value: Any, user: str, source: str, columns: Sequence[str] = ()) -> Any:
    """A dataframe with these columns, or a sentence that says where such a frame comes from."""
    if not hasattr(value, "columns"):
        raise SetupError(f"{user} needs the dataframe that {source} returns, not {type(value).__name__}.")
    if missing := [name for name in columns if name not in value.columns]:
        raise SetupError(f"{user} needs the dataframe that {source} returns; this one has no column `{missing[0]}`.")
    return value
