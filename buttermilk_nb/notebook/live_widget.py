"""Widgets for what changes from one run to the next, with a stable form for the saved notebook.

A saved notebook holds only what the study determines. Paths, cached counts and times are therefore
shown in a widget, whose saved forms (text and HTML) leave them out.
"""

from __future__ import annotations

from typing import Any

import ipywidgets


class Live:
    """A widget that shows HTML now, and something stable in the saved notebook.

    Parameters
    ----------
    html
        What shows while the kernel lives.
    plain, saved_html
        What is saved.
    """

    def __init__(self, html: str, *, plain: str, saved_html: str) -> None:
        self.widget = ipywidgets.HTML(value=html)
        self._plain = plain
        self._saved_html = saved_html

    def show(self, html: str) -> None:
        """Show something else."""
        self.widget.value = html

    def __repr__(self) -> str:
        return self._plain

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        return stable_bundle(self.widget, self._plain, self._saved_html)


def stable_bundle(widget: Any, plain: str, html: str) -> dict[str, Any]:
    """A widget's view, beside forms that do not change between runs."""
    made = widget._repr_mimebundle_()
    data = made[0] if isinstance(made, tuple) else made
    views = {kind: value for kind, value in (data or {}).items() if kind.startswith("application/")}
    return {**views, "text/plain": plain, "text/html": html}
