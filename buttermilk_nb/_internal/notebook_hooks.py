"""Where lower floors ask for a picture without knowing the notebook.

`notebook/` registers a callable per name when the extension is loaded; a `Run` or a `Project` asks
for it here. Where nothing is registered (a script, a bare import) the caller's own static form shows.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

_registry: dict[str, Callable[..., Any]] = {}


def register_hook(name: str, view: Callable[..., Any]) -> None:
    """Put a view under a name; a later one replaces it."""
    _registry[name] = view


def remove_hook(name: str) -> None:
    """Take a view away again."""
    _registry.pop(name, None)


def get_hook(name: str) -> Callable[..., Any] | None:
    """The view under that name, or None."""
    return _registry.get(name)
