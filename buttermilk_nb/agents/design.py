"""Hashes of what a cell is: its slot's design and its design id."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from .._internal.ids import canonical, digest
from ..corpus.record import Record
from .base import AgentBase, Slot

if TYPE_CHECKING:
    pass


DESIGN_TAG = "d1"


def design_id(slot: Slot, record: Record, inputs: Iterable[str] = ()) -> str:
    """The id of a cell's design: what it is, whenever and wherever it runs.

    Parameters
    ----------
    slot
        The column of the grid.
    record
        The record.
    inputs
        The design ids of what the cell reads.
    """
    model_input = slot.model.extra_input(record) if slot.model else ""
    return digest(DESIGN_TAG, slot.design, record.record_hash, slot.agent.extra_input(record), model_input, *inputs)


def slot_design(agent: AgentBase, **parts: Any) -> str:
    """The static part of a design: step, kind and version of the agent, and what the agent adds."""
    return digest("ds1", canonical({"step": agent.name, "kind": agent.kind, "version": agent.version, **parts}))
