"""Axes, shades and shapes that all plots share."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.patches import Rectangle

INK, GREY, PALE = "#1a1a1a", "#8a8a8a", "#e4e4e4"


def axes(ax: Axes | None, width: float, height: float) -> Axes:
    """The given axes, or new ones of this size in inches."""
    if ax is not None:
        return ax
    import matplotlib.pyplot as plt

    new: Axes = plt.subplots(figsize=(width, height), layout="constrained")[1]
    return new


def strip_axes(ax: Axes) -> Axes:
    """Remove the frame and the ticks, except the lower side, which has the scale."""
    for side in ("top", "right", "left"):
        ax.spines[side].set_visible(False)
    ax.tick_params(length=0)
    return ax


def square_axes(column: int, line: int, share: float) -> Rectangle:
    """A square of a matrix; the larger the share (0 to 1), the darker it is."""
    from matplotlib.patches import Rectangle

    grey = 1 - 0.8 * share
    return Rectangle((column - 0.48, line - 0.48), 0.96, 0.96, facecolor=(grey,) * 3, edgecolor="none")
