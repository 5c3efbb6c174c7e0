"""The project card and the estimate of a run, as tables with a stable saved form."""

from __future__ import annotations

from IPython import get_ipython
from IPython.display import display

from .._internal.html import fragment, table, title
from ..flows.estimate import Estimate
from ..project.project import Project
from .live_widget import Live

_last_cells: dict[int, int] = {}
"""The notebook cell that showed the card of each project last, so that `bm.init(...)` does not show it twice."""


def show_card(project: Project) -> None:
    """Show a project's card, once per notebook cell."""
    shell = get_ipython()
    cell = shell.execution_count if shell else -1
    if _last_cells.get(id(project)) == cell:
        return
    _last_cells[id(project)] = cell
    html = fragment(title(f"Project {project.name}"), table(["what", "where"], project.summary()))
    display(Live(html, plain=repr(project), saved_html=project._repr_html_()))


def show_estimate(estimate: Estimate) -> None:
    """Show an estimate. The counts of cached answers are not saved in the notebook, because they change."""
    saved_text = f"Estimate: {estimate.calls:,} calls for {estimate.cells:,} answers"
    display(Live(estimate.to_html(), plain=saved_text, saved_html=fragment(title(saved_text))))
