"""The outputs of one step as a frame."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from ...errors import SetupError, nearest
from ...store import Store

if TYPE_CHECKING:
    import pandas as pd

_DATES = ("date", "date-time")
_TYPES = {"integer": "Int64", "number": "Float64", "boolean": "boolean", "string": "string"}
_OWN = ("record_id", "model", "replicate", "status")


def outputs(store: Store, run_id: str, step: str, *, data_kinds: Collection[str]) -> pd.DataFrame:
    """One row per answer of a step, with its output.

    Parameters
    ----------
    store, run_id, step
        The Store, the run and the step.
    data_kinds
        The kinds of agents whose output is data, and not text.

    Returns
    -------
    pandas.DataFrame
        Record, model, replicate and status, and the output: a column for each field if every output is a mapping, else
        the column `output`. A field with the name of another column is called `output.` and its name. Fields
        have the types that the step declares.

    Raises
    ------
    SetupError
        The run has no such step.
    """
    import pandas as pd

    frame = store.df(
        "select record_id, model, replicate, status, agent, output from traces where run_id = ? and step = ? "
        "order by record_id, model, replicate",
        [run_id, step],
    )
    if not len(frame):
        steps = store.df("select distinct step from cells where run_id = ?", [run_id]).step
        if step not in set(steps):
            raise SetupError(f"this run has no step `{step}`; {nearest(step, list(steps))}")
    values = [
        _data(output, status) if agent in data_kinds else output
        for agent, output, status in zip(frame.agent, frame.output, frame.status, strict=True)
    ]
    own = frame[list(_OWN)]
    mappings = [value for value in values if isinstance(value, dict)]
    if not mappings or len(mappings) < sum(value is not None for value in values):
        return own.assign(output=pd.Series(values, dtype=object, index=own.index))
    declared = _declared_fields(store, step)
    names = list(dict.fromkeys([*declared, *(name for value in mappings for name in value)]))
    names = [name for name in names if any(name in value for value in mappings)]
    fields: dict[str, list[Any]] = {
        f"output.{name}" if name in _OWN else name: [(value or {}).get(name) for value in values] for name in names
    }
    table = pd.DataFrame(fields, index=own.index).convert_dtypes()
    for name in table.columns:
        kind = declared.get(name if name in declared else name.removeprefix("output."))
        table[name] = _with_type(table[name], kind) if kind else table[name]
    return pd.concat([own, table], axis=1)


def _data(output: Any, status: str) -> Any:
    """The stored data; None for an answer that could not be parsed, whose text is in `run.errors()`."""
    return json.loads(output) if isinstance(output, str) and status == "ok" else None


def _declared_fields(store: Store, step: str) -> dict[str, str | None]:
    """The fields that the step's schema declares, in its order, each with its type; none for a step without."""
    bodies = store.df("select body from texts where kind = 'schema' and name = ?", [step]).body
    fields: dict[str, str | None] = {}
    for body in bodies:
        for name, declared in (json.loads(body).get("properties") or {}).items():
            choices = [choice for choice in declared.get("anyOf", [declared]) if choice.get("type") != "null"]
            kinds = {"date" if choice.get("format") in _DATES else choice.get("type") for choice in choices}
            kind = kinds.pop() if len(kinds) == 1 else None
            fields[name] = kind if fields.get(name, kind) == kind else None
    return fields


def _with_type(column: pd.Series, kind: str) -> pd.Series:
    """A column with the declared type; as it is if one of its values has another."""
    import pandas as pd

    try:
        if kind == "date":
            return pd.to_datetime(column, format="ISO8601")
        return column.astype(_TYPES[kind]) if kind in _TYPES else column  # type: ignore[call-overload]  # names of types
    except (ValueError, TypeError):
        return column
