"""Check a plan, and make the runner that executes it: its scope of calls, its row, its manifest."""

from __future__ import annotations

import asyncio
import platform
from collections.abc import Iterable
from typing import Any

from ..._internal import hooks
from ..._internal.ids import uuid7
from ..._internal.package_versions import package_version, package_versions
from ...agents.base import Context
from ...llm.calls.budget import Budget, SpendingLimit
from ...llm.calls.run_scope import RunScope
from ...project.project import Project
from ...schema import RunRow, now
from ..plan import Plan
from ..run import Run, set_last_run
from ..run_options import RunOptions
from .code_hash import code_hash
from .preflight import preflight
from .progress import follow
from .runner import Runner

_EXTRA_WORKERS = 32  # workers beyond the calls in flight, so that a call can begin while other answers are parsed
_SEQUENTIAL_BELOW = 8  # below this concurrency, add no extra workers


def start(
    plan: Plan, project: Project, options: RunOptions, *, flow: str, flow_hash: str, definition: dict[str, Any]
) -> Runner:
    """Check the plan, and return a runner that is ready to go. Raises SetupError; nothing is sent."""
    grid = plan.checked()
    mode = options.cache
    notes = preflight(plan, project, mode=mode, retry=options.retry, budget_usd=options.budget_usd, yes=options.yes)
    remarks = (*grid.remarks, *notes)
    run_id = uuid7()
    run = Run(project, run_id, flow=flow, planned=grid.cells, remarks=remarks, status="running")
    run.agents = {step.name: step.agent for step in plan.steps}
    run_row = RunRow(
        run_id=run_id,
        flow=flow,
        flow_hash=flow_hash,
        corpus_hash=plan.corpus.hash,
        status="running",
        started_at=now(),
        manifest="",  # written with the run, and again at its end, when the models are identified
    )
    extra = min(options.concurrency, _EXTRA_WORKERS) if options.concurrency >= _SEQUENTIAL_BELOW else 0
    runner = Runner(
        plan,
        run,
        Context(project, run_id, options.retry, _scope(project, run_id, plan, options)),
        workers=options.concurrency + extra,
        options=options,
        run_row=run_row,
        manifest=_manifest(plan, options, definition, remarks),
    )
    run.cancel_callback = runner.interrupt
    set_last_run(run)
    (hooks.get_hook("progress") or follow)(project.bus, run)
    return runner


def _scope(project: Project, run_id: str, plan: Plan, options: RunOptions) -> RunScope:
    limits = [
        SpendingLimit(options.budget_usd, label="this run's budget", hint="Raise budget_usd in run(...) to go on.")
    ]
    if any(model.remote for model in plan.models):
        limits.append(project.spending_limit())
    return RunScope(
        run_id,
        mode=options.cache,
        semaphore=asyncio.Semaphore(options.concurrency),
        budget=Budget(limits),
        failure_threshold=project.settings.give_up_after,
    )


def _manifest(plan: Plan, options: RunOptions, definition: dict[str, Any], remarks: Iterable[str]) -> dict[str, Any]:
    """How a run came about, for a reader: versions, definition, corpus, options."""
    return {
        "buttermilk_nb": package_version("buttermilk-nb"),
        "python": platform.python_version(),
        "code": code_hash(),
        "packages": package_versions("duckdb", "litellm", "pandas", "pydantic"),
        "flow": definition,
        "corpus": plan.corpus.provenance,
        "cache": options.cache,
        "retry": sorted(options.retry),
        "batch": options.batch,
        "remarks": list(remarks),
    }
