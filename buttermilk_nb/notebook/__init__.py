"""The notebook extension: magics, project card, progress bar, explorer, coding forms.

`%load_ext buttermilk_nb` loads it.
"""

from __future__ import annotations

from typing import Any

_HOOKS = ("card", "progress", "explorer", "confirm", "coding", "adjudication")


def load(ipython: Any) -> None:
    """Register the magics and widgets with an IPython shell. Loading twice changes nothing."""
    from .._internal import notebook_hooks
    from ..flows.estimate import Estimate
    from ..project.project import Project
    from . import card, progress_bar
    from .adjudication_form import make_adjudication_form
    from .coding_form import make_coding_form
    from .confirm import confirm
    from .explorer import explore
    from .magics import ButtermilkMagics

    ipython.register_magics(ButtermilkMagics)
    notebook_hooks.register_hook("card", card.show_card)
    notebook_hooks.register_hook("progress", progress_bar.show_progress)
    notebook_hooks.register_hook("explorer", explore)
    notebook_hooks.register_hook("confirm", confirm)
    notebook_hooks.register_hook("coding", make_coding_form)
    notebook_hooks.register_hook("adjudication", make_adjudication_form)
    ipython.display_formatter.ipython_display_formatter.for_type(Project, card.show_card)
    ipython.display_formatter.ipython_display_formatter.for_type(Estimate, card.show_estimate)


def unload(ipython: Any) -> None:
    """Remove the magics and widgets from an IPython shell. Results are then shown as static HTML."""
    from .._internal import notebook_hooks
    from ..flows.estimate import Estimate
    from ..project.project import Project

    for name in _HOOKS:
        notebook_hooks.remove_hook(name)
    for shown_class in (Project, Estimate):
        ipython.display_formatter.ipython_display_formatter.pop(shown_class, None)
    for magics in ipython.magics_manager.magics.values():
        for name in ("criteria", "judge", "bmsql", "bm"):
            magics.pop(name, None)
