"""The answers that a cell reads, in shuffled order and without the models' names.

An answer is shown as `A1`, `A2`, ..., without the model that gave it, so that no answer is believed because of its
author. Each cell has a different order, so that no model always comes first. The order follows from the design of the
cell, so that it is the same in every run, and is stored in `trace_inputs`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from ..._internal.ids import digest
from ...llm.offline_input import AnonymisedAnswer
from ...schema import Unit
from ..base import Cell

Order = Literal["shuffled", "planned"]


def anonymised_answers(cell: Cell, steps: Sequence[str], order: Order) -> tuple[AnonymisedAnswer, ...]:
    """The answers of these steps that a cell reads, in the order in which they are shown."""
    units = [unit for name in steps for unit in cell.inputs.get(name, ())]
    if order == "shuffled":
        units.sort(key=lambda unit: digest("so1", cell.design_id, unit.trace.design_id))
    return tuple(_anonymise(f"A{place}", unit) for place, unit in enumerate(units, 1))


def to_template(answer: AnonymisedAnswer) -> dict[str, Any]:
    """An answer as templates see it."""
    return {
        "id": answer.label,
        "criteria": {
            score.criterion: {
                "answer": score.value if score.category is None else score.category,
                "conclusion": score.conclusion or "",
                "reasons": score.reasons or [],
                "uncertainty": score.uncertainty,
            }
            for score in answer.scores
            if score.status == "ok"
        },
    }


def _anonymise(label: str, unit: Unit) -> AnonymisedAnswer:
    trace = unit.trace
    return AnonymisedAnswer(label, trace.trace_id, trace.model or trace.step, trace.replicate, unit.scores)
