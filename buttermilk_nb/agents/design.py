"""Hashes that identify the design of a slot and of a cell."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .._internal.ids import canonical, digest
from ..corpus.record import Record
from .base import AgentBase, Slot

DESIGN_TAG = "d1"


def design_id(slot: Slot, record: Record, inputs: Iterable[str] = ()) -> str:
    """The id of a cell's design: the same in every run and on every machine.

    Parameters
    ----------
    slot
        The column of the grid.
    record
        The record.
    inputs
        The design ids of the cells that it reads; by default none.

    Returns
    -------
    str
        The hash of slot, record and inputs.
    """
    model_input = slot.model.extra_input(record) if slot.model else ""
    return digest(DESIGN_TAG, slot.design, record.record_hash, slot.agent.extra_input(record), model_input, *inputs)


def slot_design(agent: AgentBase, **parts: Any) -> str:
    """The part of a design that is the same for every record: step, kind and version of the agent, and `parts`."""
    return digest("ds1", canonical({"step": agent.name, "kind": agent.kind, "version": agent.version, **parts}))
