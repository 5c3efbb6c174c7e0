"""Whether a model, a judge, a prompt or a coder changes the answers to the same records.

The same records are answered at both levels of a factor, so answers are compared in pairs, record by record: what is
tested is the change, not two shares that happen to differ.
"""

from __future__ import annotations

from .compare import compare_levels
from .flips import flips

__all__ = ["compare_levels", "flips"]
