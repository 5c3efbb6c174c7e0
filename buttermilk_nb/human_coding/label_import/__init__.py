"""Codes of people from files and tables, checked as a whole before anything is written."""

from __future__ import annotations

from .import_labels import import_labels

__all__ = ["import_labels"]
