"""Agreement as a forest plot, with the agreement among the people as the yardstick."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..._internal.arguments import check_arguments, require_table
from .axes import GREY, INK, PALE, axes, strip_axes
from .select_rows import select_coefficient

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

_SHAPES = {"human-human": "o", "judge-human": "s", "judge-judge": "^", "mixed": "D"}
_LABELS = {
    "human-human": "people with people", "judge-human": "people with a judge", "judge-judge": "judge with judge",
    "mixed": "everybody",
}  # fmt: skip


@check_arguments
def plot_agreement(
    table: pd.DataFrame,
    *,
    coefficient: str = "Krippendorff's alpha",
    criterion: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw one coefficient of every comparison, with its interval and the number of records.

    Parameters
    ----------
    table
        The table that `buttermilk_nb.agreement` returns.
    coefficient
        The coefficient, as named in the column `coefficient`.
    criterion
        The criterion, if there are several.
    ax
        The axes to draw on; by default a new figure.

    Returns
    -------
    matplotlib.axes.Axes
        Comparisons from top to bottom, the coefficient from left to right. Circles are people with people, squares
        people with judges, triangles judges with judges; an undefined coefficient has no mark. The band is the interval
        of the people among themselves.

    Raises
    ------
    SetupError
        There is no such coefficient or criterion, or there are several criteria and none is given.

    Examples
    --------
    >>> import pandas as pd
    >>> from buttermilk_nb import agreement
    >>> rows = [(f"r{i}", "calm", who, code) for who in ("ana", "ben") for i, code in enumerate(["yes", "no"] * 20)]
    >>> ratings = pd.DataFrame(rows, columns=["record_id", "criterion", "coder", "category"])
    >>> ax = plot_agreement(agreement(ratings, n_boot=50))
    >>> ax.get_xlabel(), [label.get_text() for label in ax.get_yticklabels()]
    ("Krippendorff's alpha", ['ana ~ ben  (n = 40)'])
    """
    require_table(table, "bm.plot_agreement", "bm.agreement(...)", ("criterion", "coefficient"))
    rows = select_coefficient(table, coefficient, criterion)
    ax = axes(ax, 7.5, 0.8 + 0.26 * len(rows))
    yardstick = rows[rows.comparison == "people"]
    if len(yardstick):
        ax.axvspan(yardstick.low.iloc[0], yardstick.high.iloc[0], color=PALE, zorder=0, linewidth=0)
    ax.axvline(0, color=GREY, linewidth=0.8, linestyle=":")
    for y, row in enumerate(rows.to_dict("records")):
        ax.plot([row["low"], row["high"]], [y, y], color=INK, linewidth=1.2)
        fill_colour = "white" if row["dependent"] else INK
        ax.plot(
            [row["value"]],
            [y],
            _SHAPES.get(row["comparison_type"], "o"),
            color=INK,
            markerfacecolor=fill_colour,
            markersize=5,
        )
    labels = [f"{row['comparison']}  (n = {row['n_units']:,})" for row in rows.to_dict("records")]
    ax.set_yticks(range(len(rows)), labels, fontsize="small")
    ax.invert_yaxis()
    lowest = rows[["low", "value"]].min().min()
    ax.set_xlim(min(-0.05, lowest - 0.05), 1.05)
    ax.set_xlabel(coefficient)
    ax.set_title(str(rows.criterion.iloc[0]), loc="left", fontsize="medium")
    _add_legend(ax, rows, band=len(yardstick) > 0)
    return strip_axes(ax)


def _add_legend(ax: Axes, rows: pd.DataFrame, *, band: bool) -> None:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    types = [name for name in _SHAPES if name in set(rows.comparison_type)]
    marks = [
        Line2D([], [], color=INK, marker=_SHAPES[name], linestyle="", label=_LABELS[name], markersize=5)
        for name in types
    ]
    bands = [Patch(color=PALE, label="interval of the people")] if band else []
    if rows.dependent.any():
        label = "have seen the other's answers"
        marks.append(Line2D([], [], color=INK, marker="s", linestyle="", markerfacecolor="white", label=label))
    ax.legend(handles=[*marks, *bands], loc="upper left", bbox_to_anchor=(1.01, 1), frameon=False, fontsize="small")
