"""Export of people's codes to other programs: as their projects, tasks and tables."""

from __future__ import annotations

from .export_labels import export_labels

__all__ = ["export_labels"]
