"""Events, and the bus that delivers them to listeners."""

from __future__ import annotations

from .bus import Bus

__all__ = ["Bus"]
