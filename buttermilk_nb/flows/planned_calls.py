"""The calls of a plan, counted from the actual requests. Nothing is sent."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Literal, NamedTuple

from ..agents.base import Cell
from ..config.settings import CacheMode
from ..llm.model import Request
from ..project.project import Project
from .plan import Plan

_TOKENS_PER_ANSWER = 180
"""Roughly the length of reasons, a conclusion and an answer to one criterion; always shown as a guess."""

CallState = Literal["new", "cached", "repeated", "local only"]
"""A `repeated` call has the same request as an earlier one of the plan, and shares its answer. A `local only` call is
never sent, because its record must stay on this machine."""


class PlannedCall(NamedTuple):
    """One request that a cell makes."""

    request: Request
    answers: int
    """How many criteria it asks about."""
    state: CallState

    @property
    def tokens_in(self) -> int:
        """The tokens of the request."""
        return self.request.model.count_tokens(self.request.text) + self.request.image_tokens

    @property
    def tokens_out(self) -> int:
        """A guess at the tokens of the answer."""
        return _TOKENS_PER_ANSWER * self.answers

    def cost_usd(self, tokens_in: int) -> float | None:
        """The cost in US dollars; None if the price of the model is not known."""
        price = self.request.model.price()
        return None if price is None else tokens_in * price[0] + self.tokens_out * price[1]


class PlannedCell(NamedTuple):
    """One cell with its calls. It has none if no model is asked, or if its prompt reads the output of other steps."""

    cell: Cell
    calls: tuple[PlannedCall, ...]


def planned_cells(
    plan: Plan, project: Project, *, mode: CacheMode | None = None, retry: Collection[str] = ()
) -> Iterator[PlannedCell]:
    """The cells of a plan, each with its calls. Cells whose newest answer has a status in `retry` are called again."""
    project.cache.open()
    reads_cache = (mode or project.cache_mode) in ("use", "only")
    retried_designs = _designs_with_status(project, retry)
    keys: set[str] = set()

    def state(cell: Cell, request: Request) -> CallState:
        if project.client.consent.local_only_reason(request):
            return "local only"
        if reads_cache and cell.design_id not in retried_designs and project.client.has_cached(request):
            return "cached"
        if request.key in keys:
            return "repeated"
        keys.add(request.key)
        return "new"

    for cell in plan.cells():
        requests = cell.slot.agent.planned_requests(cell) if cell.slot.model else ()
        yield PlannedCell(cell, tuple(PlannedCall(request, n, state(cell, request)) for request, n in requests))


def _designs_with_status(project: Project, statuses: Collection[str]) -> set[str]:
    """The designs whose newest answer has one of these statuses."""
    if not statuses:
        return set()
    frame = project.store.df("select design_id from latest_traces where list_contains(?, status)", [sorted(statuses)])
    return set(frame.design_id)
