"""Registry through which core code calls what is above it, without importing it.

`notebook/` registers a widget for each name when the extension is loaded, and a `Run` or a `Project` gets it here. If
nothing is registered (in a script, or without the extension), the caller shows its own static form. The package itself
registers `run_agent`, through which an agent that is called runs as a flow, and `find_run`, which opens a stored run.
"""

from __future__ import annotations

TYPE_CHECKING = False  # as a name of our own: `typing` would be a third of the time that importing the package takes
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_registry: dict[str, Callable[..., Any]] = {}


def register_hook(name: str, view: Callable[..., Any]) -> None:
    """Register a view under a name; a later one replaces it."""
    _registry[name] = view


def remove_hook(name: str) -> None:
    """Remove the view with that name."""
    _registry.pop(name, None)


def get_hook(name: str) -> Callable[..., Any] | None:
    """The view with that name, or None."""
    return _registry.get(name)
