"""Agreement of each coder with each other as a heat map, the number of records in every cell."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from .agreement import select_coefficient
from .axes import INK, axes, square_axes, strip_axes

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

_DARK = 0.6  # from this agreement on the cell is too dark for black letters


def plot_pairs(
    found: pd.DataFrame,
    *,
    coefficient: str = "Krippendorff's alpha",
    criterion: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    r"""Draw one coefficient of every pair of coders, and how many records it rests on.

    Parameters
    ----------
    found
        What `buttermilk_nb.agreement` gave.
    coefficient
        As the column `coefficient` names it.
    criterion
        Which one, where there are several.
    ax
        Where to draw; by default a new figure.

    Returns
    -------
    matplotlib.axes.Axes
        Coders by coders, the lower half. The darker, the more they agree; `undefined` stands where a coefficient is.

    Raises
    ------
    SetupError
        There is no such coefficient or criterion, or it must be chosen.

    Examples
    --------
    >>> import pandas as pd
    >>> from buttermilk_nb import agreement
    >>> rows = [(f"r{i}", "calm", who, code) for who in ("ana", "ben") for i, code in enumerate(["yes", "no"] * 20)]
    >>> ratings = pd.DataFrame(rows, columns=["record_id", "criterion", "coder", "category"])
    >>> [text.get_text() for text in plot_pairs(agreement(ratings, n_boot=0)).texts]
    ['1.00\nn = 40']
    """
    rows = select_coefficient(found, coefficient, criterion)
    pairs = rows[rows.comparison.str.contains(" ~ ", regex=False)]
    split = pairs.comparison.str.split(" ~ ", n=1, regex=False)
    names = list(dict.fromkeys([*split.str[0], *split.str[1]]))
    ax = axes(ax, 1.6 + 1.0 * len(names), 1.0 + 0.7 * len(names))
    for (one, other), row in zip(split, pairs.to_dict("records"), strict=True):
        column, line = sorted((names.index(one), names.index(other)))
        shown = "undefined" if math.isnan(row["value"]) else f"{row['value']:.2f}"
        depth = 0.0 if math.isnan(row["value"]) else min(max(row["value"], 0.0), 1.0)
        ax.add_patch(square_axes(column, line, depth))
        colour = "white" if depth >= _DARK else INK
        ax.text(
            column, line, f"{shown}\nn = {row['n_units']:,}", ha="center", va="center", color=colour, fontsize="small"
        )
    ax.set_xlim(-0.5, len(names) - 1.5)
    ax.set_ylim(len(names) - 0.5, 0.5)
    ax.set_xticks(range(len(names) - 1), names[:-1], rotation=30, ha="right")
    ax.set_yticks(range(1, len(names)), names[1:])
    ax.set_title(f"{rows.criterion.iloc[0]}: {coefficient}", loc="left", fontsize="medium")
    strip_axes(ax).spines["bottom"].set_visible(False)
    return ax
