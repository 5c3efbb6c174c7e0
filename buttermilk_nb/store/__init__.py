"""The Store: a project's DuckDB file with all results."""

from __future__ import annotations

from .store import Store
from .writer import Writer

__all__ = ["Store", "Writer"]
