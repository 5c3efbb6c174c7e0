"""The progress bar of a run, a widget that is updated at most ten times a second."""

from __future__ import annotations

from IPython.display import display
from markupsafe import Markup

from .._internal.html import fragment, title
from ..events import Bus
from ..flows.execution.progress import Tally, watch
from ..flows.run import Run
from .live_widget import Live

_COLOURS = {
    "new": "#2563eb",
    "cached": "#64748b",
    "refused or invalid": "#d97706",
    "failed": "#dc2626",
    "skipped": "#a3a3a3",
}


def show_progress(bus: Bus, run: Run) -> None:
    """Show the progress of a run until it ends."""
    tally = Tally(run.run_id, run.planned)
    planned = f"{run.planned:,} answers"
    bar = Live(
        progress_html(run.flow, tally), plain=f"{run.flow}: {planned}", saved_html=fragment(title(run.flow, planned))
    )
    display(bar)
    watch(bus, tally, lambda _: bar.show(progress_html(run.flow, tally)))


def progress_html(flow: str, tally: Tally) -> str:
    """The bar as HTML."""
    total = max(tally.total, 1)
    parts = Markup("").join(
        Markup('<span style="display:inline-block;height:100%;width:{}%;background:{}" title="{}"></span>').format(
            f"{100 * n / total:.3f}", _COLOURS[outcome], f"{n:,} {outcome}"
        )
        for outcome, n in tally.counts.items()
    )
    bar = Markup(
        '<div style="height:10px;border-radius:5px;overflow:hidden;white-space:nowrap;font-size:0;'
        'background:var(--jp-layout-color3,#e5e7eb);margin:.35em 0" role="progressbar" '
        'aria-valuemin="0" aria-valuemax="{}" aria-valuenow="{}">{}</div>'
    ).format(tally.total, tally.done, parts)
    return fragment(title(flow), bar, Markup('<div class="q">{}</div>').format(tally.line))
