"""The Store: the DuckDB file, which is the evidence."""

from __future__ import annotations

from .store import Store
from .writer import Writer

__all__ = ["Store", "Writer"]
