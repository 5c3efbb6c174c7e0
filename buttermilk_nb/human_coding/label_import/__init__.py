"""Import of people's codes from files and tables, checked before any code is written."""

from __future__ import annotations

from .import_labels import import_labels

__all__ = ["import_labels"]
