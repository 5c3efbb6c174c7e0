"""The specification curve: the finding in every specification, above its choices."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..._internal.arguments import check_arguments, require_table
from ..._internal.text import pluralise
from ...errors import SetupError
from ..multiverse.multiverse import CHOICES
from .axes import GREY, INK, PALE, axes, strip_axes

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

_CURVE = 2.4  # inches
_ROW = 0.17


@check_arguments
def plot_multiverse(table: pd.DataFrame, *, above: float | None = None, ax: Axes | None = None) -> Axes:
    """Draw the finding in every specification, the lowest first, and below it the choices of each.

    Parameters
    ----------
    table
        The table that `buttermilk_nb.multiverse` returns, or some of its rows.
    above
        A value with which the finding is compared, drawn as a line.
    ax
        The axes to draw on; by default a new figure. The choices take part of their space, in axes of their own.

    Returns
    -------
    matplotlib.axes.Axes
        Estimates as dots with their intervals, their median as a dotted line. Below, a row for each value of each
        choice that varies, ordered by its median estimate from low to high, with a mark for each specification that has
        it, and that median.

    Raises
    ------
    SetupError
        No specification has an estimate.

    Notes
    -----
    Simonsohn, Simmons and Nelson (2020), Specification curve analysis.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"estimate": [0.4, 0.1], "low": [0.3, 0.0], "high": [0.5, 0.2], "models": ["m2", "m1"]})
    >>> frame = frame.assign(finding="share flagged", criterion="calm", rule="alone", n=[40, 38])
    >>> ax = plot_multiverse(frame)
    >>> ax.get_title(loc="left")
    'calm: 2 specifications, n = 38 to 40 records'
    >>> [label.get_text() for label in ax.figure.axes[1].get_yticklabels()]
    ['models', 'm1', 'm2']
    """
    require_table(table, "bm.plot_multiverse", "bm.multiverse(...)", ("estimate",))
    rows = table[table.estimate.notna()].sort_values("estimate", kind="stable", ignore_index=True)
    if not len(rows):
        raise SetupError("no specification has an estimate, so there is nothing to draw.")
    lines = _choice_lines(rows)
    ax = axes(ax, 8.0, _CURVE + 0.6 + _ROW * len(lines))
    size = min(3.5, max(1.0, 250 / len(rows)))
    ax.vlines(rows.index, rows.low, rows.high, color=GREY if len(rows) < 200 else PALE, linewidth=min(1.2, size / 2))
    median, transform = rows.estimate.median(), ax.get_yaxis_transform()
    ax.axhline(median, color=INK, linewidth=0.8, linestyle=":")
    ax.text(1.01, median, f"median\n{median:.2f}", transform=transform, fontsize=7, va="center")
    if above is not None:
        ax.axhline(above, color=INK, linewidth=0.8)
        ax.text(0.005, above, f"{above:g}", transform=transform, fontsize=7, va="bottom")
    ax.plot(rows.index, rows.estimate, "o", color=INK, markersize=size, markeredgewidth=0)
    ax.set_xlim(-0.02 * len(rows) - 0.5, 1.02 * len(rows) - 0.5)
    ax.set_xticks([])
    ax.set_ylabel(str(rows.finding.iloc[0]).replace(", ", ",\n"), fontsize="small")
    ax.set_title(_title(rows), loc="left", fontsize="medium")
    strip_axes(ax).spines["bottom"].set_visible(False)
    ax.spines["left"].set_visible(True)
    _draw_choices(ax, rows, lines)
    return ax


def _choice_lines(rows: pd.DataFrame) -> list[tuple[str, str | None]]:
    """The choices that vary, each followed by its values."""
    lines: list[tuple[str, str | None]] = []
    for name in CHOICES:
        if name in rows and rows[name].nunique() > 1:
            medians = rows.groupby(name, sort=False).estimate.median().sort_values(kind="stable")
            lines += [(name, None), *((name, value) for value in medians.index)]
    return lines


def _draw_choices(ax: Axes, rows: pd.DataFrame, lines: list[tuple[str, str | None]]) -> None:
    """Draw the matrix of choices, in axes of its own."""
    if not lines:
        return
    below = _axes_below(ax, _ROW * len(lines) / _CURVE)
    height, width = 5.0 if len(rows) < 300 else 4.0, _mark_width(len(rows))
    for y, (name, value) in enumerate(lines):
        if value is None:
            continue
        x = rows.index[rows[name] == value]
        below.axhline(y, color=PALE, linewidth=0.6, zorder=0)
        below.plot(x, [y] * len(x), "|", color=INK, markersize=height, markeredgewidth=width)
        median = rows.estimate[x].median()
        below.text(1.01, y, f"{median:.2f}", transform=below.get_yaxis_transform(), fontsize=7, va="center")
    below.set_yticks(range(len(lines)), [value or name.replace("_", "-") for name, value in lines], fontsize=7)
    for tick, (_, value) in zip(below.get_yticklabels(), lines, strict=True):
        tick.set_fontweight("bold" if value is None else "normal")
    below.text(1.01, -0.9, "median", transform=below.get_yaxis_transform(), fontsize=7, va="center")
    below.set_ylim(len(lines) - 0.5, -0.5)
    below.set_xticks([])
    strip_axes(below).spines["bottom"].set_visible(False)


def _axes_below(ax: Axes, ratio: float) -> Axes:
    """New axes below others, which give up part of their space."""
    spec, figure = ax.get_subplotspec(), ax.figure
    if spec is not None:
        parts = spec.subgridspec(2, 1, height_ratios=[1, ratio], hspace=0.02)
        ax.set_subplotspec(parts[0])
        return figure.add_subplot(parts[1], sharex=ax)
    box = ax.get_position()
    height = box.height / (1 + ratio)
    ax.set_position((box.x0, box.y1 - height, box.width, height))
    return figure.add_axes((box.x0, box.y0, box.width, box.height - height), sharex=ax)


def _mark_width(n: int) -> float:
    """The width of a mark in points, thin enough to separate neighbours."""
    return min(1.2, max(0.25, 250 / n))


def _title(rows: pd.DataFrame) -> str:
    least, most = int(rows.n.min()), int(rows.n.max())
    records = f"{least:,} to {most:,} records" if least < most else pluralise(most, "record")
    return f"{rows.criterion.iloc[0]}: {pluralise(len(rows), 'specification')}, n = {records}"
