"""Pictures of what the statistics found, as matplotlib axes: each function returns them and takes one.

They are drawn in black, greys and shapes, so that they survive a printer and a reader who sees no colours, and every
estimate stands with its interval and its number of records.
"""

from __future__ import annotations

from .agreement import plot_agreement
from .confusion import plot_confusion
from .flips import plot_flips
from .multiverse import plot_multiverse
from .pairs import plot_pairs
from .perspectives import plot_perspectives

__all__ = ["plot_agreement", "plot_confusion", "plot_flips", "plot_multiverse", "plot_pairs", "plot_perspectives"]
