"""What the notebook adds: magics, card, progress, explorer. Loaded by `%load_ext buttermilk_nb`."""

from __future__ import annotations

from typing import Any

_VIEWS = ("card", "progress", "explorer", "confirm", "coding", "adjudication")


def load(ipython: Any) -> None:
    """Register everything with a shell. Loading twice changes nothing."""
    from .._internal import notebook_hooks as _views
    from ..flows.estimate import Estimate
    from ..project.project import Project
    from . import card, progress_bar as progress
    from .adjudication_form import adjudication_form
    from .coding_form import code_form
    from .confirm import confirm
    from .explorer import explore
    from .magics import ButtermilkMagics

    ipython.register_magics(ButtermilkMagics)
    _views.register_hook("card", card.show)
    _views.register_hook("progress", progress.follow)
    _views.register_hook("explorer", explore)
    _views.register_hook("confirm", confirm)
    _views.register_hook("coding", code_form)
    _views.register_hook("adjudication", adjudication_form)
    ipython.display_formatter.ipython_display_formatter.for_type(Project, card.show)
    ipython.display_formatter.ipython_display_formatter.for_type(Estimate, card.show_estimate)


def unload(ipython: Any) -> None:
    """Take it away again; static forms show from then on."""
    from .._internal import notebook_hooks as _views
    from ..flows.estimate import Estimate
    from ..project.project import Project

    for name in _VIEWS:
        _views.remove_hook(name)
    for kind in (Project, Estimate):
        ipython.display_formatter.ipython_display_formatter.pop(kind, None)
    for magics in ipython.magics_manager.magics.values():
        for name in ("criteria", "judge", "bmsql", "bm"):
            magics.pop(name, None)
