"""`require_complete`: the error of a run that stopped before its end."""

from __future__ import annotations

from ...errors import BudgetReached, Interrupted, RunStopped
from ..run import Run


def require_complete(run: Run, stopped: type[Interrupted | RunStopped]) -> Run:
    """The run, if it has come to its end.

    Raises
    ------
    BudgetReached, RunStopped
        It stopped at its budget, or at its time limit.
    Interrupted, RunStopped
        It was stopped by hand; the error is of the given type.
    """
    if run.status not in ("interrupted", "over budget", "out of time"):
        return run
    n_missing = sum(run.counts.get(status, 0) for status in ("pending", "cancelled"))
    hint = (
        f"{n_missing:,} of {run.planned:,} answers are missing. Finished answers are stored: run this notebook "
        "cell again to continue, or use bm.last_run() for the results so far."
    )
    why = f"{run.stopped_by} " if run.stopped_by else ""
    if run.status == "over budget":
        raise BudgetReached(f"The run stopped at its budget: {why}{hint}")
    if run.status == "out of time":
        raise RunStopped(f"The run stopped at its time limit: {why}{hint}")
    raise stopped(f"The run was stopped: {why}{hint}")
