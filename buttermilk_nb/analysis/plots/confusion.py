"""A confusion matrix of a coder's answers and the truth."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..._internal.arguments import check_arguments, require_table
from .axes import INK, axes, square_axes, strip_axes
from .select_rows import select_rows

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

_DARK = 0.6  # from this share on a square is too dark for black letters


@check_arguments
def plot_confusion(
    table: pd.DataFrame, *, coder: str | None = None, criterion: str | None = None, ax: Axes | None = None
) -> Axes:
    r"""Draw one coder's answers by true category: counts, shaded by the share of the row.

    Parameters
    ----------
    table
        The table that `buttermilk_nb.confusion` returns.
    coder, criterion
        The coder and the criterion, if there are several.
    ax
        The axes to draw on; by default a new figure.

    Returns
    -------
    matplotlib.axes.Axes
        True categories from top to bottom, answers from left to right; non-answers are on the right.

    Raises
    ------
    SetupError
        There is no such coder or criterion, or there are several and none is given.

    Examples
    --------
    >>> import pandas as pd
    >>> from buttermilk_nb import confusion
    >>> codes = {"truth": ["yes", "no", "no", "no"], "ana": ["yes", "yes", "no", "no"]}
    >>> rows = [(f"r{i}", "calm", who, code) for who, own in codes.items() for i, code in enumerate(own)]
    >>> ratings = pd.DataFrame(rows, columns=["record_id", "criterion", "coder", "category"])
    >>> sorted(text.get_text() for text in plot_confusion(confusion(ratings)).texts)
    ['0\n0%', '1\n100%', '1\n33%', '2\n67%']
    """
    require_table(table, "bm.plot_confusion", "bm.confusion(...)", ("criterion", "coder"))
    rows = select_rows(select_rows(table, "criterion", criterion), "coder", coder)
    rows = rows[rows.truth_usable]
    truths, answers = _usable_first(rows, "truth"), _usable_first(rows, "answer")
    ax = axes(ax, 2.0 + 0.9 * len(answers), 1.2 + 0.6 * len(truths))
    for row in rows.to_dict("records"):
        line, column = truths.index(row["truth"]), answers.index(row["answer"])
        share = float(row["share"]) if row["n"] else 0.0
        ax.add_patch(square_axes(column, line, share))
        colour = "white" if share >= _DARK else INK
        ax.text(column, line, f"{row['n']:,}\n{share:.0%}", ha="center", va="center", color=colour, fontsize="small")
    ax.set_xlim(-0.5, len(answers) - 0.5)
    ax.set_ylim(len(truths) - 0.5, -0.5)
    ax.set_xticks(range(len(answers)), answers, rotation=30, ha="right")
    ax.set_yticks(range(len(truths)), truths)
    ax.set_xlabel(f"answer of {rows.coder.iloc[0]}")
    ax.set_ylabel("truth")
    ax.set_title(str(rows.criterion.iloc[0]), loc="left", fontsize="medium")
    strip_axes(ax).spines["bottom"].set_visible(False)
    return ax


def _usable_first(rows: pd.DataFrame, column: str) -> list[str]:
    """The categories in their order, the usable ones first."""
    usable = rows[rows[f"{column}_usable"]]
    return list(dict.fromkeys([*usable[column], *rows[column]]))
