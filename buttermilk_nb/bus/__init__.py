"""The bus: copies of events for whoever listens."""

from __future__ import annotations

from .memory import Bus

__all__ = ["Bus"]
