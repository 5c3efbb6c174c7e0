"""The card of a project, and the estimate of a run: live tables with stable saved forms."""

from __future__ import annotations

from IPython import get_ipython
from IPython.display import display

from .._internal.html import fragment, table, title
from ..flows.estimate import Estimate
from ..project.project import Project
from .live_widget import Live

_shown: dict[int, int] = {}  # project -> the cell that showed its card, so that `bm.init(...)` shows one, not two


def show(project: Project) -> None:
    """Show a project's card, once per cell."""
    shell = get_ipython()
    cell = shell.execution_count if shell else -1
    if _shown.get(id(project)) == cell:
        return
    _shown[id(project)] = cell
    html = fragment(title(f"Project {project.name}"), table(["what", "where"], project.summary()))
    display(Live(html, plain=repr(project), saved_html=project._repr_html_()))


def show_estimate(estimate: Estimate) -> None:
    """Show an estimate; what is cached by now is not saved."""
    saved = f"Estimate: {estimate.calls:,} calls for {estimate.cells:,} cells"
    display(Live(estimate.to_html(), plain=saved, saved_html=fragment(title(saved))))
