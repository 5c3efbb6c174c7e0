"""The outputs of one step as a frame."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from ...errors import SetupError, nearest
from ...store import Store

if TYPE_CHECKING:
    import pandas as pd

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
        the column `output`. A field with the name of another column is called `output.` and its name.

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
        json.loads(output) if isinstance(output, str) and agent in data_kinds else output
        for agent, output in zip(frame.agent, frame.output, strict=True)
    ]
    own = frame[list(_OWN)]
    mappings = [value for value in values if isinstance(value, dict)]
    if not mappings or len(mappings) < sum(value is not None for value in values):
        return own.assign(output=pd.Series(values, dtype=object, index=own.index))
    names = list(dict.fromkeys(name for value in mappings for name in value))
    fields: dict[str, list[Any]] = {
        f"output.{name}" if name in _OWN else name: [(value or {}).get(name) for value in values] for name in names
    }
    return pd.concat([own, pd.DataFrame(fields, index=own.index).convert_dtypes()], axis=1)
