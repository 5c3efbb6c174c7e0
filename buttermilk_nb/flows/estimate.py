"""What a run would ask: counted from the very requests it would send, without sending any."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .._html import fragment, table, title
from .._text import rough_tokens
from ..project import Project
from .plan import Plan

_TOKENS_PER_ANSWER = 180
"""Reasons, a conclusion and an answer on one criterion, roughly; said to be a guess wherever it shows."""


@dataclass
class ModelEstimate:
    """The calls of one model."""

    model: str
    calls: int = 0
    cached: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    cost_usd: float | None = 0.0

    @property
    def new(self) -> int:
        """Calls that would be sent."""
        return self.calls - self.cached


class Estimate:
    """Calls, tokens and cost, by model. Tokens are estimated from the number of characters.

    Parameters
    ----------
    models
        One entry per model.
    later
        Cells that cannot be counted yet, because their prompts read what other steps will find.
    """

    def __init__(self, models: Sequence[ModelEstimate], *, cells: int, later: int) -> None:
        self.models = list(models)
        self.cells = cells
        self.later = later

    @property
    def calls(self) -> int:
        """All calls."""
        return sum(model.calls for model in self.models)

    @property
    def cached(self) -> int:
        """Calls whose answer is in the cache."""
        return sum(model.cached for model in self.models)

    @property
    def new(self) -> int:
        """Calls that would be sent."""
        return self.calls - self.cached

    @property
    def cost_usd(self) -> float | None:
        """About what the new calls would cost; None where a model's price is not known."""
        costs = [model.cost_usd for model in self.models if model.new]
        return None if None in costs else float(sum(cost for cost in costs if cost is not None))

    def __repr__(self) -> str:
        return f"Estimate: {self.calls:,} calls for {self.cells:,} cells; print() it for what is cached and new"

    def __str__(self) -> str:
        cost = "at a price that is not known" if self.cost_usd is None else f"about ${self.cost_usd:,.2f}"
        later = f"; {self.later:,} more cells depend on what other steps find" if self.later else ""
        return f"{self.calls:,} calls: {self.cached:,} cached, {self.new:,} new, {cost}{later}"

    def to_html(self) -> str:
        """The estimate as a table, by model."""
        rows = [(m.model, m.calls, m.cached, m.new, m.tokens_in, m.tokens_out, _price(m.cost_usd)) for m in self.models]
        columns = ["model", "calls", "cached", "new", "tokens in (est.)", "tokens out (guess)", "cost of new calls"]
        note = "Tokens are estimated from characters; nothing was sent."
        return fragment(title("Estimate", str(self)), table(columns, rows, note))


def _price(cost: float | None) -> str:
    return "not known" if cost is None else f"${cost:,.4f}"


def estimate(plan: Plan, project: Project) -> Estimate:
    """Count what a plan would ask."""
    project.cache.open()
    reads_cache = project.cache_mode in ("use", "only")
    found: dict[str, ModelEstimate] = {}
    cells = later = 0
    seen: set[str] = set()
    for cell in plan.cells():
        cells += 1
        asked = False
        for ask in cell.slot.agent.asks(cell):
            asked = True
            entry = found.setdefault(ask.model.name, ModelEstimate(ask.model.name))
            entry.calls += 1
            if ask.key in seen or (reads_cache and ask.key in project.cache):
                entry.cached += 1
                continue
            seen.add(ask.key)
            tokens_in, tokens_out = rough_tokens(ask.text), _TOKENS_PER_ANSWER * ask.answers
            entry.tokens_in += tokens_in
            entry.tokens_out += tokens_out
            price = ask.model.price()
            if price is None or entry.cost_usd is None:
                entry.cost_usd = None
            else:
                entry.cost_usd += tokens_in * price[0] + tokens_out * price[1]
        later += not asked and cell.slot.model is not None
    return Estimate(list(found.values()), cells=cells, later=later)
