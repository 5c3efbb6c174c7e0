"""Whether a factor changes the answers to the same records.

A factor is a model, a judge, a prompt or a coder. Both of its levels answer the same records, so the answers are
compared in pairs, record by record: the test is of the change, and not of two shares that happen to differ.
"""

from __future__ import annotations

from .compare import compare_levels
from .flips import flips

__all__ = ["compare_levels", "flips"]
