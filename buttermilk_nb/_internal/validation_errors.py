"""From pydantic's errors to sentences, for everything that a researcher declares."""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import ValidationError

from ..errors import SetupError, nearest


def validation_error(name: str, error: ValidationError, fields: Iterable[str]) -> SetupError:
    """One sentence for each mistake, with the nearest valid name where a name is unknown.

    Parameters
    ----------
    what
        What was declared, as a reader would name it: "judge `tone`".
    error
        What pydantic found.
    fields
        The names that could have been meant.

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
