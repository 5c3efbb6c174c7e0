"""The bus: copies of events for whoever listens."""

from __future__ import annotations

from .bus import Bus

__all__ = ["Bus"]
