"""Plots of the statistics with matplotlib; each function takes axes and returns them.

They use black, greys and shapes, so that they work in print and for readers who do not see colours, and every estimate
is shown with its interval and its number of records.
"""

from __future__ import annotations

from .agreement import plot_agreement
from .confusion import plot_confusion
from .flips import plot_flips
from .multiverse import plot_multiverse
from .pairs import plot_pairs
from .perspectives import plot_perspectives

__all__ = ["plot_agreement", "plot_confusion", "plot_flips", "plot_multiverse", "plot_pairs", "plot_perspectives"]
