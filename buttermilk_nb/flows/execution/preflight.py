"""What is asked of the researcher before anything is sent: may it leave, may it cost that, is it meant to be that much.

Only a run that would really send something is asked about: what is in the cache needs no leave and costs nothing, so
that a reader can re-run a study without keys and without consent. What cannot be counted before other steps have
answered is looked at again when it is sent; the client refuses it in the same words.
"""

from __future__ import annotations

import sys

from ..._internal import notebook_hooks
from ..._internal.text import pluralise
from ...config.settings import CacheMode
from ...errors import ConsentError, SetupError, UnconfirmedError
from ...llm.model import Model
from ...project.project import Project
from ..estimate import Estimate, estimate, unanswered
from ..plan import Plan


def preflight(
    plan: Plan, project: Project, *, mode: CacheMode, retry: frozenset[str], budget_usd: float | None, yes: bool
) -> list[str]:
    """Ask what has to be asked; remarks on what a reader should know.

    Raises
    ------
    ConsentError, UnconfirmedError, SetupError
        Nothing was sent.
    """
    if mode == "only":
        return []
    settings = project.settings
    remote = [model for model in plan.models if model.remote]
    here = [model for model in plan.models if model.is_local_server]
    asked = unanswered(plan, project, here, mode)  # a replay reaches no server
    looked_for = [model for model in plan.models if not model.is_local_server or model.name in asked]
    obstacles = {model.name: found for model in looked_for if (found := model.unavailable_reasons(settings.probe_s))}
    unapproved = [model for model in remote if not project.client.consent.is_allowed(model)]
    many = bool(remote) and not yes and plan.cell_count(remote) > settings.confirm_above
    if obstacles or unapproved or many:
        _check_estimate(plan, project, remote, obstacles, budget_usd, mode=mode, retry=retry, yes=yes)
    if not remote:
        return []
    return _money(project, remote, budget_usd) + _local_records(plan, remote)


def _downstream_models(plan: Plan, project: Project, found: Estimate) -> set[str]:
    """The models that are sent to if what is new goes on: those of later steps, and those of last resort."""
    if not found.new:
        return set()
    new = {entry.model for entry in found.models if entry.new or entry.later}
    asked = [
        step for step in plan.steps if any(slot.model and slot.model.name in new for slot in plan.slots[step.name])
    ]
    last = {model.name for step in asked for model in step.agent.fallback_models(project)}
    return last | {entry.model for entry in found.models if entry.later}


def _money(project: Project, remote: list[Model], budget_usd: float | None) -> list[str]:
    unpriced = [model for model in remote if model.price() is None]
    if unpriced and budget_usd is not None:
        raise SetupError(*(_unpriced(model) for model in unpriced))
    if not unpriced or project.settings.budget_usd is None:
        return []
    names = ", ".join(f"`{model.name}`" for model in unpriced)
    return [f"the price of {names} is not known, so the project's budget does not see what it costs."]


def _check_estimate(
    plan: Plan,
    project: Project,
    remote: list[Model],
    obstacles: dict[str, list[str]],
    budget_usd: float | None,
    *,
    mode: CacheMode,
    retry: frozenset[str],
    yes: bool,
) -> None:
    """Count what would be sent, and ask about that."""
    found = estimate(plan, project, cap_usd=budget_usd, mode=mode, retry=retry)
    unready = [problem for entry in found.models if entry.new for problem in obstacles.get(entry.model, [])]
    if unready:
        raise SetupError(*dict.fromkeys(unready))
    by_name = {model.name: model for model in remote}
    asked = {entry.model for entry in found.models if entry.new} | _downstream_models(plan, project, found)
    leaving = [model for name, model in by_name.items() if name in asked]
    project.client.consent.check_models(leaving)
    new = sum(entry.new + entry.later for entry in found.models if entry.remote)
    if new > project.settings.confirm_above and not yes:
        _confirm(found, new, project)


def _confirm(found: Estimate, new: int, project: Project) -> None:
    question = f"{found}. Send {new:,} calls to remote models?"
    ask = notebook_hooks.get_hook("confirm") or (
        _in_the_terminal if sys.stdin is not None and sys.stdin.isatty() else None
    )
    said = ask(question) if ask else None
    if said is None:
        raise UnconfirmedError(
            f"{found}. That is more than `confirm_above` ({project.settings.confirm_above:,}) calls to remote models: "
            "write run(..., yes=True), or raise `confirm_above` in buttermilk.yaml."
        )
    if not said:
        raise UnconfirmedError(f"nothing was sent: {found}.")


def _in_the_terminal(question: str) -> bool:
    return input(f"{question} [y/N] ").strip().lower() in ("y", "yes")


def _local_records(plan: Plan, remote: list[Model]) -> list[str]:
    stay = sum(record.local_only for record in plan.corpus.records)
    if not stay:
        return []
    names = ", ".join(f"`{model.name}`" for model in remote)
    chosen = {slot.model.name for slots in plan.slots.values() for slot in slots if slot.model}
    if stay == len(plan.corpus) and chosen <= {model.name for model in remote}:
        raise ConsentError(f"every record of this corpus is local_only, and {names} would read them elsewhere.")
    return [f"{pluralise(stay, 'record')} must stay here (local_only); what {names} would have read is `skipped`."]


def _unpriced(model: Model) -> str:
    return (
        f"the price of `{model.name}` is not known, so a budget cannot be kept; write it in buttermilk.yaml: "
        f"`models: {{{model.name}: {{prices: {{input: ..., output: ...}}}}}}` (US dollars per million tokens)."
    )
