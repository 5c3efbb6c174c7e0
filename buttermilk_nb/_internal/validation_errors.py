"""From pydantic's errors to sentences, for everything that a researcher declares."""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import ValidationError

from ..errors import SetupError, nearest


def validation_error(what: str, error: ValidationError, fields: Iterable[str]) -> SetupError:
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
    found = []
    for item in error.errors():
        where = [str(part) for part in item["loc"]]
        message = str(item["msg"]).removeprefix("Value error, ")
        if item["type"] == "extra_forbidden":
            message = f"there is no field `{where[-1]}`; {nearest(where[-1], names)}"
            where = where[:-1]
        elif item["type"] == "missing":
            message = f"`{where[-1]}` is missing"
            where = where[:-1]
        place = f", {' '.join(where)}" if where else ""
        found.append(f"{what}{place}: {message}{'' if message.endswith(('.', '?')) else '.'}")
    return SetupError(*found)
