"""The runs of a project, found again: yesterday's, another notebook's, imported ones."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from .._internal.arguments import check_arguments
from .._internal.markdown import code_list
from ..errors import SetupError, nearest
from ..project.project import Project
from ..project.session import require_project
from .run import Run

if TYPE_CHECKING:
    import pandas as pd

_RUNS = """
    with planned as (select run_id, count(*) as planned, count(distinct record_id) as records from cells group by 1),
    finished as (
        select run_id, count(*) filter (status = 'ok') as ok, count(*) filter (status <> 'ok') as not_ok
        from traces group by 1
    ),
    called as (
        select run_id, count(*) filter (cached) as cached_calls, count(*) filter (not cached) as new_calls,
               sum(cost_usd) as cost_usd
        from calls group by 1
    )
    select r.run_id, r.flow, r.status, r.started_at, r.finished_at, coalesce(p.records, 0) as records,
           coalesce(p.planned, 0) as planned, coalesce(f.ok, 0) as ok, coalesce(f.not_ok, 0) as not_ok,
           coalesce(c.cached_calls, 0) as cached_calls, coalesce(c.new_calls, 0) as new_calls, c.cost_usd, r.digest
    from runs r left join planned p using (run_id) left join finished f using (run_id) left join called c using (run_id)
    order by r.started_at desc, r.run_id desc
"""


@check_arguments
def runs(project: Project | None = None) -> pd.DataFrame:
    """Every run of a project, the newest first.

    Parameters
    ----------
    project
        By default the open project.

    Returns
    -------
    pandas.DataFrame
        Id, flow, status and times of each run; its records, planned answers, and answers with and without the status
        `ok`; cached and new calls; the known cost of the new ones in US dollars, and the hash of the answers.

    Examples
    --------
    >>> import tempfile
    >>> from buttermilk_nb import init
    >>> len(runs(init("runs-example", path=tempfile.mkdtemp())))
    0
    """
    return require_project(project, to_read=True).store.df(_RUNS)


@check_arguments
def run(which: str = "latest", *, project: Project | None = None) -> Run:
    """Open a run of the project again: of another day, of another notebook, or imported.

    Parameters
    ----------
    which
        `latest`; the id of a run, or the beginning of one; or the name of a flow, for its newest run.
    project
        By default the open project.

    Returns
    -------
    Run
        The handle to its results.

    Raises
    ------
    SetupError
        There is no such run, or the beginning of the id fits several.

    Examples
    --------
    >>> import tempfile
    >>> from buttermilk_nb import Criteria, Judge, init
    >>> _ = init("run-example", path=tempfile.mkdtemp())
    >>> calm = Criteria("calm", "Is it calm?", flag="no", cues={"no": ["shout"]})
    >>> frame = Judge("tone", criteria=calm, models="offline/strict")("They shout.")
    >>> run("tone").counts, run("latest").flow
    ({'ok': 1}, 'tone')
    """
    project = require_project(project, to_read=True)
    stored = project.store.df("select run_id, flow, status, manifest from runs order by started_at desc, run_id desc")
    if not len(stored):
        raise SetupError("this project has no run yet; start with flow.run(corpus).")
    matches = stored.head(1) if which == "latest" else stored[stored.run_id == which]
    if not len(matches):
        matches = stored[stored.flow == which].head(1)
    if not len(matches):
        matches = stored[stored.run_id.str.startswith(which)] if which else matches
    if len(matches) != 1:
        if len(matches):
            raise SetupError(
                f"{len(matches)} runs have ids that begin with `{which}`: {code_list(list(matches.run_id))}; "
                "write more of the id."
            )
        names = [*dict.fromkeys(stored.flow), *stored.run_id]
        raise SetupError(f"this project has no run or flow `{which}`; {nearest(which, names)} bm.runs() lists them.")
    (row,) = matches.to_dict("records")
    planned = project.store.df("select count(*) as n from cells where run_id = ?", [row["run_id"]]).n.item()
    remarks = json.loads(row["manifest"] or "{}").get("remarks") or ()
    return Run(
        project, row["run_id"], flow=row["flow"], planned=int(planned), remarks=tuple(remarks), status=row["status"]
    )
