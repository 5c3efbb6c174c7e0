"""A widget with changing HTML and a stable saved form.

A saved notebook contains only what the study determines. Paths, counts of cached answers and times are therefore
shown in a widget; its saved forms (text and HTML) leave them out.
"""

from __future__ import annotations

from typing import Any

import ipywidgets


class Live:
    """A widget that shows HTML now, and a stable text in the saved notebook.

    Parameters
    ----------
    html
        The HTML that shows while the kernel runs.
    plain, saved_html
        The text and the HTML that are saved in the notebook.
    """

    def __init__(self, html: str, *, plain: str, saved_html: str) -> None:
        self.widget = ipywidgets.HTML(value=html)
        self._plain = plain
        self._saved_html = saved_html

    def show(self, html: str) -> None:
        """Show other HTML."""
        self.widget.value = html

    def __repr__(self) -> str:
        return self._plain

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        return stable_bundle(self.widget, self._plain, self._saved_html)


def stable_bundle(widget: Any, plain: str, html: str) -> dict[str, Any]:
    """The display forms of a widget: its view, plus a text and HTML that do not change between runs."""
    bundle = widget._repr_mimebundle_()
    forms = bundle[0] if isinstance(bundle, tuple) else bundle
    views = {mime: form for mime, form in (forms or {}).items() if mime.startswith("application/")}
    return {**views, "text/plain": plain, "text/html": html}
