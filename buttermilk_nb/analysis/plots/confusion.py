"""A coder's answers against the truth: how many of each true category got which answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...errors import SetupError, nearest
from .axes import INK, axes, square_axes, strip_axes

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

_DARK = 0.6  # from this share on the cell is too dark for black letters


def plot_confusion(
    found: pd.DataFrame, *, coder: str | None = None, criterion: str | None = None, ax: Axes | None = None
) -> Axes:
    r"""Draw one coder's answers by true category: counts, shaded by the share of the row.

    Parameters
    ----------
    found
        What `buttermilk_nb.confusion` gave.
    coder, criterion
        Which, where there are several.
    ax
        Where to draw; by default a new figure.

    Returns
    -------
    matplotlib.axes.Axes
        True categories from top to bottom, answers from left to right; what is no usable answer stands on the right.

    Raises
    ------
    SetupError
        There is no such coder or criterion, or it must be chosen.

    Examples
    --------
    >>> import pandas as pd
    >>> from buttermilk_nb import confusion
    >>> codes = {"truth": ["yes", "no", "no", "no"], "ana": ["yes", "yes", "no", "no"]}
    >>> rows = [(f"r{i}", "calm", who, code) for who, given in codes.items() for i, code in enumerate(given)]
    >>> ratings = pd.DataFrame(rows, columns=["record_id", "criterion", "coder", "category"])
    >>> sorted(text.get_text() for text in plot_confusion(confusion(ratings)).texts)
    ['0\n0%', '1\n100%', '1\n33%', '2\n67%']
    """
    rows = select_rows(select_rows(found, "criterion", criterion), "coder", coder)
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


def select_rows(found: pd.DataFrame, column: str, wanted: str | None) -> pd.DataFrame:
    names = list(found[column].unique())
    if wanted is None and len(names) > 1:
        raise SetupError(f"there are {len(names)} in `{column}`; choose one, {column}={names[0]!r}.")
    if wanted is not None and wanted not in names:
        raise SetupError(f"there is no {column} `{wanted}`; {nearest(wanted, names)}")
    return found[found[column] == (wanted or names[0])]


def _usable_first(rows: pd.DataFrame, column: str) -> list[str]:
    """The categories as they come, those that are usable first."""
    usable = rows[rows[f"{column}_usable"]]
    return list(dict.fromkeys([*usable[column], *rows[column]]))
