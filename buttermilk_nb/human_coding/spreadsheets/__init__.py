"""Coding in a spreadsheet: a row per text, a drop-down per question, and the codebook."""

from __future__ import annotations

from .coding_sheet import coding_sheet

__all__ = ["coding_sheet"]
