"""`Estimate`: the calls, tokens and cost of a run, counted without sending anything.

The counts come from the actual requests that the run would send.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from .._internal.html import fragment, table, title
from ..config.settings import CacheMode
from ..llm.model import Model
from ..project.project import Project
from .plan import Plan
from .planned_calls import PlannedCall, planned_cells


@dataclass
class ModelEstimate:
    """The calls of one model, with their tokens and their cost."""

    model: str
    calls: int = 0
    cached: int = 0
    repeated: int = 0
    """Calls with the same request as another call of the run; they share its answer."""
    tokens_in: int = 0
    tokens_out: int = 0
    cost_usd: float | None = 0.0
    later: int = 0
    """Answers whose calls cannot be counted yet."""
    provider: str = ""
    remote: bool = False
    counted: bool = False
    """Whether tokens are counted with the model's own tokenizer; if not, they are estimated from the characters."""

    @property
    def new(self) -> int:
        """Calls that would be sent."""
        return self.calls - self.cached - self.repeated


class Estimate:
    """Calls, tokens and cost, by model.

    Parameters
    ----------
    models
        One entry per model.
    cells
        The number of planned answers.
    cap_usd
        The budget in US dollars; None for no budget.
    """

    def __init__(self, models: Sequence[ModelEstimate], *, cells: int, cap_usd: float | None = None) -> None:
        self.models = list(models)
        self.cells = cells
        self.cap_usd = cap_usd

    @property
    def later(self) -> int:
        """Answers whose calls cannot be counted yet, because their prompts read the outputs of other steps."""
        return sum(model.later for model in self.models)

    @property
    def calls(self) -> int:
        """All calls."""
        return sum(model.calls for model in self.models)

    @property
    def cached(self) -> int:
        """Calls with an answer in the cache."""
        return sum(model.cached for model in self.models)

    @property
    def repeated(self) -> int:
        """Calls with the same request as another call of the run; they share its answer."""
        return sum(model.repeated for model in self.models)

    @property
    def new(self) -> int:
        """Calls that would be sent."""
        return self.calls - self.cached - self.repeated

    @property
    def cost_usd(self) -> float | None:
        """The estimated cost of the new calls; None if a model's price is not known."""
        costs = [model.cost_usd for model in self.models if model.new]
        return None if None in costs else float(sum(cost for cost in costs if cost is not None))

    def __repr__(self) -> str:
        return f"Estimate: {self.calls:,} calls for {self.cells:,} answers; print() it for cached and new calls"

    def __str__(self) -> str:
        cost = "at a price that is not known" if self.cost_usd is None else f"about ${self.cost_usd:,.2f}"
        later = f"; {self.later:,} more answers depend on the outputs of other steps" if self.later else ""
        cap = (
            ""
            if self.cap_usd is None or not any(model.remote for model in self.models)
            else f", cap ${self.cap_usd:,.2f}"
        )
        repeated = f", {self.repeated:,} the same as another one" if self.repeated else ""
        return f"{self.calls:,} calls: {self.cached:,} cached, {self.new:,} new{repeated}, {cost}{cap}{later}"

    def to_html(self) -> str:
        """The estimate as a table, by model."""
        rows = [
            (m.model, m.calls, m.cached, *([m.repeated] if self.repeated else []), m.new, m.tokens_in, m.tokens_out,
             _format_cost(m.cost_usd))
            for m in self.models
        ]  # fmt: skip
        repeated = ["repeated"] if self.repeated else []
        columns = ["model", "calls", "cached", *repeated, "new", "tokens in", "tokens out (guess)", "cost of new calls"]
        guessed = [f"`{m.model}`" for m in self.models if m.new and not m.counted]
        how = f"Tokens of {', '.join(guessed)} are estimated from characters. " if guessed else ""
        note = f"{how}The length of answers is a guess. Nothing was sent."
        return fragment(title("Estimate", str(self)), table(columns, rows, note))


def _format_cost(cost: float | None) -> str:
    return "not known" if cost is None else f"${cost:,.4f}"


def estimate(
    plan: Plan,
    project: Project,
    *,
    cap_usd: float | None = None,
    mode: CacheMode | None = None,
    retry: Collection[str] = (),
) -> Estimate:
    """Estimate the calls of a plan. Cells whose newest answer has a status in `retry` are called again."""
    entries: dict[str, ModelEstimate] = {}
    cells = 0
    for planned in planned_cells(plan, project, mode=mode, retry=retry):
        cells += 1
        model = planned.cell.slot.model
        if model is None:
            continue
        if model.name not in entries:
            entries[model.name] = _new_entry(model)
        entry = entries[model.name]
        entry.later += not planned.calls
        for call in planned.calls:
            _add_call(entry, call)
    return Estimate(
        list(entries.values()), cells=cells, cap_usd=project.settings.budget_usd if cap_usd is None else cap_usd
    )


def models_to_call(plan: Plan, project: Project, models: Iterable[Model], mode: CacheMode) -> set[str]:
    """The names of the models that would certainly be called; the search stops at the first new call of each."""
    names = {model.name for model in models}
    if mode in ("refresh", "off"):
        return names
    called: set[str] = set()
    if names:
        project.cache.open()
        for cell in plan.cells():
            model = cell.slot.model
            if model is None or model.name not in names:
                continue
            if not all(project.client.has_cached(request) for request, _ in cell.slot.agent.planned_requests(cell)):
                called.add(model.name)
                names.discard(model.name)
                if not names:
                    break
    return called


def _new_entry(model: Model) -> ModelEstimate:
    return ModelEstimate(model.name, provider=model.provider, remote=model.remote, counted=model.own_tokenizer)


def _add_call(entry: ModelEstimate, call: PlannedCall) -> None:
    if call.state == "local only":
        return
    entry.calls += 1
    entry.cached += call.state == "cached"
    entry.repeated += call.state == "repeated"
    if call.state != "new":
        return
    tokens_in = call.tokens_in
    cost_usd = call.cost_usd(tokens_in)
    entry.tokens_in += tokens_in
    entry.tokens_out += call.tokens_out
    entry.cost_usd = None if cost_usd is None or entry.cost_usd is None else entry.cost_usd + cost_usd
