"""Agreement of each pair of coders as a heat map, with the number of records."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from ..._internal.arguments import check_arguments, require_table
from .axes import INK, axes, square_axes, strip_axes
from .select_rows import select_coefficient

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

_DARK = 0.6  # from this agreement on a square is too dark for black letters


@check_arguments
def plot_pairs(
    table: pd.DataFrame,
    *,
    coefficient: str = "Krippendorff's alpha",
    criterion: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    r"""Draw one coefficient of every pair of coders, with the number of records.

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
        Coders by coders, the lower half. The darker, the more they agree; an undefined coefficient is shown as
        `undefined`.

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
    >>> [text.get_text() for text in plot_pairs(agreement(ratings, n_boot=0)).texts]
    ['1.00\nn = 40']
    """
    require_table(table, "bm.plot_pairs", "bm.agreement(..., pairs=True)", ("criterion", "coefficient"))
    rows = select_coefficient(table, coefficient, criterion)
    pairs = rows[rows.comparison.str.contains(" ~ ", regex=False)]
    split = pairs.comparison.str.split(" ~ ", n=1, regex=False)
    names = list(dict.fromkeys([*split.str[0], *split.str[1]]))
    ax = axes(ax, 1.6 + 1.0 * len(names), 1.0 + 0.7 * len(names))
    for (name_a, name_b), row in zip(split, pairs.to_dict("records"), strict=True):
        column, line = sorted((names.index(name_a), names.index(name_b)))
        text = "undefined" if math.isnan(row["value"]) else f"{row['value']:.2f}"
        shade = 0.0 if math.isnan(row["value"]) else min(max(row["value"], 0.0), 1.0)
        ax.add_patch(square_axes(column, line, shade))
        colour = "white" if shade >= _DARK else INK
        ax.text(
            column, line, f"{text}\nn = {row['n_units']:,}", ha="center", va="center", color=colour, fontsize="small"
        )
    ax.set_xlim(-0.5, len(names) - 1.5)
    ax.set_ylim(len(names) - 0.5, 0.5)
    ax.set_xticks(range(len(names) - 1), names[:-1], rotation=30, ha="right")
    ax.set_yticks(range(1, len(names)), names[1:])
    ax.set_title(f"{rows.criterion.iloc[0]}: {coefficient}", loc="left", fontsize="medium")
    strip_axes(ax).spines["bottom"].set_visible(False)
    return ax
