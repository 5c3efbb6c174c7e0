"""Check consent, keys, cost and size of a run before anything is sent.

Only calls that would be sent are checked. Cached answers need no consent and cost nothing, so a reader can re-run a
study without keys and without consent. Calls that cannot be counted yet, because they depend on other steps, are
checked again when they are sent; then the client raises the same errors.
"""

from __future__ import annotations

import sys

from ..._internal import hooks
from ..._internal.text import pluralise
from ...config.confirmed_settings import describe_settings
from ...config.settings import CacheMode
from ...errors import ConsentError, SetupError, UnconfirmedError
from ...llm.model import Model
from ...llm.providers.listed_price import nearest_listed_name
from ...project.project import Project
from ..estimate import Estimate, estimate, models_to_call
from ..plan import Plan


def preflight(
    plan: Plan, project: Project, *, mode: CacheMode, retry: frozenset[str], budget_usd: float | None, yes: bool
) -> list[str]:
    """Check a plan before it runs, and return remarks on it.

    Raises
    ------
    ConsentError
        A provider has no consent, or every record must stay on this machine.
    UnconfirmedError
        There are more calls than expected, and they are not confirmed.
    SetupError
        A model is not available, or a budget needs a price that is not known.
    """
    if mode == "only":
        return []
    settings = project.settings
    remote = [model for model in plan.models if model.remote]
    local_servers = [model for model in plan.models if model.is_local_server]
    consent = project.client.consent
    if consent.unconfirmed_for(plan.models):
        _check_confirmed(plan, project, mode, retry)
    called = models_to_call(plan, project, local_servers, mode)  # a run from the cache needs no server
    checked_models = [
        model
        for model in plan.models
        if not consent.is_unconfirmed(model) and (not model.is_local_server or model.name in called)
    ]
    obstacles = {
        model.name: reasons for model in checked_models if (reasons := model.unavailable_reasons(settings.probe_s))
    }
    unapproved = [model for model in plan.models if not consent.is_allowed(model)]
    is_large = bool(remote) and not yes and plan.cell_count(remote) > settings.confirm_above
    if obstacles or unapproved or is_large:
        _check_estimate(plan, project, obstacles, budget_usd, mode=mode, retry=retry, yes=yes)
    if not remote:
        return []
    unpriced = [model for model in remote if model.price() is None]
    called = set() if yes else models_to_call(plan, project, unpriced, mode)
    return _price_remarks(project, unpriced, called, budget_usd, yes=yes) + _local_only_remarks(plan, remote)


def list_needs(plan: Plan, project: Project) -> list[str]:
    """What `preflight` would stop a run for, as sentences; nothing is sent, asked or confirmed."""
    planned = estimate(plan, project)
    models = _called_models(plan, project, planned)
    consent = project.client.consent
    needs: list[str] = []
    if unconfirmed := consent.unconfirmed_for(models):
        needs.append(f"{describe_settings(project.folder, unconfirmed)} Confirm it with bm.trust().")
    for model in models:
        if not consent.is_unconfirmed(model):
            needs += model.unavailable_reasons(project.settings.probe_s)
    try:
        consent.check_models([model for model in models if not consent.is_unconfirmed(model)])
    except ConsentError as error:
        needs += error.problems
    if project.settings.budget_usd is not None:
        needs += [_unpriced_message(model) for model in models if model.remote and model.price() is None]
    new = sum(entry.new + entry.later for entry in planned.models if entry.remote)
    if new > project.settings.confirm_above:
        needs.append(
            f"{new:,} calls to remote models are more than `confirm_above` ({project.settings.confirm_above:,}): "
            "write run(..., yes=True)."
        )
    return list(dict.fromkeys(needs))


def _check_confirmed(plan: Plan, project: Project, mode: CacheMode, retry: frozenset[str]) -> None:
    """Ask about unconfirmed settings of the models that would be called; without a yes, nothing is sent."""
    called_models = _called_models(plan, project, estimate(plan, project, mode=mode, retry=retry))
    consent = project.client.consent
    unconfirmed = consent.unconfirmed_for(called_models)
    if unconfirmed and _ask(f"{describe_settings(project.folder, unconfirmed)} Is that what you want?"):
        project.trust()
    elif unconfirmed:
        consent.check_models(called_models)


def _called_models(plan: Plan, project: Project, planned: Estimate) -> list[Model]:
    called = {entry.model for entry in planned.models if entry.new} | _downstream_models(plan, project, planned)
    return [model for model in plan.models if model.name in called]


def _downstream_models(plan: Plan, project: Project, planned: Estimate) -> set[str]:
    """The models that may be called because of new calls: those of later steps, and fallbacks."""
    if not planned.new:
        return set()
    new = {entry.model for entry in planned.models if entry.new or entry.later}
    steps = [
        step for step in plan.steps if any(slot.model and slot.model.name in new for slot in plan.slots[step.name])
    ]
    fallbacks = {model.name for step in steps for model in step.agent.fallback_models(project)}
    return fallbacks | {entry.model for entry in planned.models if entry.later}


def _price_remarks(
    project: Project, unpriced: list[Model], called: set[str], budget_usd: float | None, *, yes: bool
) -> list[str]:
    """A remark on models without a known price; an error if they would be called and a budget is to be kept."""
    if not unpriced or (budget_usd is None and project.settings.budget_usd is None):
        return []
    if not yes and (called_models := [model for model in unpriced if model.name in called]):
        raise SetupError(*(_unpriced_message(model) for model in called_models))
    names = ", ".join(f"`{model.name}`" for model in unpriced)
    return [f"the price of {names} is not known, so its calls do not count towards the project's budget."]


def _check_estimate(
    plan: Plan,
    project: Project,
    obstacles: dict[str, list[str]],
    budget_usd: float | None,
    *,
    mode: CacheMode,
    retry: frozenset[str],
    yes: bool,
) -> None:
    """Estimate the new calls, and check them."""
    planned = estimate(plan, project, cap_usd=budget_usd, mode=mode, retry=retry)
    unready = [problem for entry in planned.models if entry.new for problem in obstacles.get(entry.model, [])]
    if unready:
        raise SetupError(*dict.fromkeys(unready))
    called_models = _called_models(plan, project, planned)
    project.client.consent.check_models(called_models)
    new = sum(entry.new + entry.later for entry in planned.models if entry.remote)
    if new > project.settings.confirm_above and not yes:
        _confirm(planned, new, project)


def _confirm(planned: Estimate, new: int, project: Project) -> None:
    question = f"{planned}. Send {new:,} calls to remote models?"
    is_confirmed = _ask(question)
    if is_confirmed is None:
        raise UnconfirmedError(
            f"{planned}. That is more than `confirm_above` ({project.settings.confirm_above:,}) calls to remote "
            "models: write run(..., yes=True), or raise `confirm_above` in buttermilk.yaml."
        )
    if not is_confirmed:
        raise UnconfirmedError(f"nothing was sent: {planned}.")


def _ask(question: str) -> bool | None:
    """The user's answer to a yes/no question; None if there is nobody to ask."""
    ask = hooks.get_hook("confirm") or (_confirm_in_terminal if sys.stdin is not None and sys.stdin.isatty() else None)
    return ask(question) if ask else None


def _confirm_in_terminal(question: str) -> bool:
    return input(f"{question} [y/N] ").strip().lower() in ("y", "yes")


def _local_only_remarks(plan: Plan, remote: list[Model]) -> list[str]:
    n_local = sum(record.local_only for record in plan.corpus.records)
    if not n_local:
        return []
    names = ", ".join(f"`{model.name}`" for model in remote)
    model_names = {slot.model.name for slots in plan.slots.values() for slot in slots if slot.model}
    if n_local == len(plan.corpus) and model_names <= {model.name for model in remote}:
        raise ConsentError(f"every record of this corpus is local_only, so it cannot be sent to {names}.")
    return [f"{pluralise(n_local, 'record')} must stay here (local_only), so the answers of {names} are `skipped`."]


def _unpriced_message(model: Model) -> str:
    listed_name = nearest_listed_name(model.full_name)
    suggestion = f" (did you mean `{listed_name}`?)" if listed_name else ""
    return (
        f"the price of `{model.name}`{suggestion} is not known, so the budget cannot be kept. Write it in "
        f"buttermilk.yaml: `models: {{{model.name}: {{prices: {{input: ..., output: ...}}}}}}` (US dollars per million "
        "tokens), or run without it: run(..., yes=True)."
    )
