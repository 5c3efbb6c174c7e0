"""`require_criteria`: criteria, from criteria or from the path of their file."""

from __future__ import annotations

from pathlib import Path

from ..errors import SetupError
from .criteria import Criteria


def require_criteria(value: object, user: str, *, reload: bool = False) -> Criteria:
    """Criteria, from criteria or from the path of their file.

    Parameters
    ----------
    value
        The value to check.
    user
        The function or object that needs criteria, as the subject of the error message.
    reload
        Whether criteria that have a file are read again from it.

    Raises
    ------
    SetupError
        The value is neither criteria nor a path, or the file cannot be read.

    Examples
    --------
    >>> try:
    ...     require_criteria(3, "a coding form")
    ... except SetupError as error:
    ...     print(error)
    a coding form needs criteria or the path of their file, not int.
    """
    if isinstance(value, Criteria):
        return value.reload() if reload else value
    if isinstance(value, str | Path):
        return Criteria.from_file(value)
    if isinstance(value, list | tuple):
        raise SetupError(f"{user} takes the criteria of one document; use it once for each of the {len(value)}.")
    raise SetupError(f"{user} needs criteria or the path of their file, not {type(value).__name__}.")
