"""Turns pydantic's validation errors into sentences."""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import ValidationError

from ..errors import SetupError, nearest


def validation_error(name: str, error: ValidationError, fields: Iterable[str]) -> SetupError:
    """An error with one sentence for each mistake, and the nearest valid name for each unknown name.

    Parameters
    ----------
    name
        The name of the declaration in messages: "judge `tone`".
    error
        Pydantic's error.
    fields
        The valid names of fields.

    Examples
    --------
    >>> from pydantic import BaseModel
    >>> class Cup(BaseModel, extra="forbid"):
    ...     size: int = 1
    >>> try:
    ...     Cup(sise=2)
    ... except ValidationError as error:
    ...     print(validation_error("the cup", error, Cup.model_fields))
    the cup: there is no field `sise`; did you mean `size`?
    """
    names = list(fields)
    problems = []
    for item in error.errors():
        path = [str(part) for part in item["loc"]]
        message = str(item["msg"]).removeprefix("Value error, ")
        if item["type"] == "extra_forbidden":
            message = f"there is no field `{path[-1]}`; {nearest(path[-1], names)}"
            path = path[:-1]
        elif item["type"] == "missing":
            message = f"`{path[-1]}` is missing"
            path = path[:-1]
        location = f", {' '.join(path)}" if path else ""
        problems.append(f"{name}{location}: {message}{'' if message.endswith(('.', '?')) else '.'}")
    return SetupError(*problems)
