"""The notebook extension: magics, project card, progress bar, explorer, coding forms.

`%load_ext buttermilk_nb` loads it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def load(ipython: Any) -> None:
    """Register the magics and widgets with an IPython shell. Loading twice changes nothing."""
    from .._internal import hooks
    from .magics import ButtermilkMagics

    ipython.register_magics(ButtermilkMagics)
    for name, view in _widgets().items():
        hooks.register_hook(name, view)
    for shown_class, show in _displays().items():
        ipython.display_formatter.ipython_display_formatter.for_type(shown_class, show)


def unload(ipython: Any) -> None:
    """Remove the magics and widgets from an IPython shell. Results are then shown as static HTML."""
    from .._internal import hooks

    for name in _widgets():
        hooks.remove_hook(name)
    for shown_class in _displays():
        ipython.display_formatter.ipython_display_formatter.pop(shown_class, None)
    for magics in ipython.magics_manager.magics.values():
        for name in ("criteria", "judge", "bmsql", "bm"):
            magics.pop(name, None)


def _widgets() -> dict[str, Callable[..., Any]]:
    """Each widget by the name under which core code asks for it."""
    from .adjudication_form import make_adjudication_form
    from .card import show_card
    from .coding_form import make_coding_form
    from .confirm import confirm
    from .explorer import explore
    from .progress_bar import show_progress

    return {
        "adjudication": make_adjudication_form,
        "card": show_card,
        "coding": make_coding_form,
        "confirm": confirm,
        "explorer": explore,
        "progress": show_progress,
    }


def _displays() -> dict[type, Callable[[Any], None]]:
    """What shows an object of a class at the end of a notebook cell."""
    from ..flows.estimate import Estimate
    from ..project.project import Project
    from .card import show_card, show_estimate

    return {Estimate: show_estimate, Project: show_card}
