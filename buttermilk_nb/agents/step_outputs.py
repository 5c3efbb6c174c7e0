"""The outputs of earlier steps, as templates and functions see them."""

from __future__ import annotations

import json
from typing import Any

from ..schema import Unit
from .base import AgentBase, Cell


def step_outputs(cell: Cell) -> dict[str, Any]:
    """The outputs of earlier steps, by step name.

    A step with one cell for each record has one output; a step with several has a list of those that finished. The
    output of a judge is a mapping from criterion to answer, conclusion, reasons, uncertainty and model.
    """
    outputs: dict[str, Any] = {}
    for step, units in cell.inputs.items():
        values = [_unit_output(unit) for unit in units]
        outputs[step] = values[0] if step in cell.single_cell_steps and values else values
    return outputs


def _unit_output(unit: Unit) -> Any:
    if unit.scores:
        return {
            score.criterion: {
                "answer": score.value if score.category is None else score.category,
                "conclusion": score.conclusion,
                "reasons": score.reasons or [],
                "uncertainty": score.uncertainty,
                "model": score.model,
            }
            for score in unit.scores
            if score.status == "ok"
        }
    output = unit.trace.output
    return json.loads(output) if output and AgentBase.kinds[unit.trace.agent].output_is_json else output
