"""`design_frame`: the planned grid of a flow as a frame, before anything runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..project.project import Project
from .plan import Plan
from .planned_calls import PlannedCell, planned_cells

if TYPE_CHECKING:
    import pandas as pd

_COLUMNS = [
    "record_id", "step", "criteria_set", "model", "replicate", "state", "calls", "new_calls", "tokens_in", "tokens_out",
    "cost_usd", "design_id",
]  # fmt: skip


def design_frame(plan: Plan, project: Project) -> pd.DataFrame:
    """One row per planned answer, with its calls and their estimated tokens and cost."""
    import pandas as pd

    frame = pd.DataFrame([_row(planned) for planned in planned_cells(plan, project)], columns=_COLUMNS)
    return frame.astype({"cost_usd": "float64"})


def _row(planned: PlannedCell) -> dict[str, Any]:
    slot, new_calls = planned.cell.slot, [call for call in planned.calls if call.state == "new"]
    tokens_in = [call.tokens_in for call in new_calls]
    costs = [call.cost_usd(n) for call, n in zip(new_calls, tokens_in, strict=True)]
    return {
        "record_id": planned.cell.record.record_id,
        "step": slot.agent.name,
        "criteria_set": slot.criteria.name if slot.criteria else None,
        "model": slot.model.name if slot.model else None,
        "replicate": slot.replicate,
        "state": _state(planned),
        "calls": len(planned.calls),
        "new_calls": len(new_calls),
        "tokens_in": sum(tokens_in),
        "tokens_out": sum(call.tokens_out for call in new_calls),
        "cost_usd": None if None in costs else sum(cost for cost in costs if cost is not None),
        "design_id": planned.cell.design_id,
    }


def _state(planned: PlannedCell) -> str:
    """What a planned answer needs: `new` calls, or none, if all are `cached`; `later` if other steps decide that."""
    if planned.cell.slot.model is None:
        return "no call"
    states = {call.state for call in planned.calls}
    return next((state for state in ("new", "local only", "repeated", "cached") if state in states), "later")
