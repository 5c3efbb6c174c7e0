"""Coding in a spreadsheet: a row for each text, a drop-down for each question, the codebook on the second page."""

from __future__ import annotations

from .coding_sheet import coding_sheet

__all__ = ["coding_sheet"]
