"""Import of people's codes from files and tables; all codes are checked before any is written."""

from __future__ import annotations

from .import_labels import import_labels

__all__ = ["import_labels"]
