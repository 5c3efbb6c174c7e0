"""What the notebook adds: magics, card, progress, explorer."""

from __future__ import annotations

from typing import Any


def load(ipython: Any) -> None:
    """Register everything with a shell."""


def unload(ipython: Any) -> None:
    """Take it away again."""
