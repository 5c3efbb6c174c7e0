"""The Store: the DuckDB file, which is the evidence."""

from __future__ import annotations

from .database import Store
from .writer import Writer

__all__ = ["Store", "Writer"]
