"""A flip matrix: how many records change from each answer to each other."""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

from ..._internal.arguments import check_arguments, require_table
from ..._internal.text import pluralise
from ...codebook.scales import NON_ANSWERS
from ...errors import SetupError
from ..shared.modes import modes
from .axes import GREY, INK, axes, square_axes, strip_axes
from .select_rows import select_rows

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

_DARK = 0.6  # from this share on a square is too dark for black letters
_MAX_ANSWERS = 25  # with more the labels cannot be read
_TIED = "(tied)"


@check_arguments
def plot_flips(
    table: pd.DataFrame, *, a: str = "a", b: str = "b", criterion: str | None = None, ax: Axes | None = None
) -> Axes:
    """Draw how many records change from each answer to each other.

    Parameters
    ----------
    table
        The table that `buttermilk_nb.flips` returns.
    a, b
        The names of the two levels on the axes.
    criterion
        The criterion, if there are several.
    ax
        The axes to draw on; by default a new figure.

    Returns
    -------
    matplotlib.axes.Axes
        Answers at `a` from top to bottom, at `b` from left to right, and the number of records in each square, which is
        darker if there are more. On the diagonal nothing flips. `(tied)` means that the replicates have no most
        frequent answer.

    Raises
    ------
    SetupError
        There is no such criterion, there are several and none is given, no record flips, or there are more than 25
        different answers.

    Examples
    --------
    >>> import pandas as pd
    >>> from buttermilk_nb import flips
    >>> answers = {"m1": "yyyn", "m2": "ynny"}
    >>> rows = [(f"r{i}", "calm", f"judge · {m}", m, c) for m, codes in answers.items() for i, c in enumerate(codes)]
    >>> ratings = pd.DataFrame(rows, columns=["record_id", "criterion", "coder", "model", "category"])
    >>> ax = plot_flips(flips(ratings, factor="model", a="m1", b="m2"), a="m1", b="m2")
    >>> sorted(text.get_text() for text in ax.texts), ax.get_title(loc="left")
    (['1', '2'], 'calm: 3 records flip')
    """
    require_table(table, "bm.plot_flips", "bm.flips(...)")
    if not len(table):
        raise SetupError("no record flips, so there is nothing to draw.")
    rows = select_rows(table, "criterion", criterion)
    pairs = Counter(zip(_answer_labels(rows, "a"), _answer_labels(rows, "b"), strict=True))
    answers = sorted({answer for pair in pairs for answer in pair}, key=_sort_key)
    if len(answers) > _MAX_ANSWERS:
        raise SetupError(
            f"there are {len(answers)} different answers, and a matrix can show {_MAX_ANSWERS}; it is for scales with "
            "few answers."
        )
    ax = axes(ax, 1.9 + 0.8 * len(answers), 1.3 + 0.55 * len(answers))
    for i, answer in enumerate(answers):
        if (answer, answer) in pairs:  # two ties, of different numbers
            continue
        ax.plot([i - 0.3, i + 0.3], [i - 0.3, i + 0.3], color=GREY, linewidth=0.8)
    for (answer_a, answer_b), n in pairs.items():
        column, line, share = answers.index(answer_b), answers.index(answer_a), n / max(pairs.values())
        ax.add_patch(square_axes(column, line, share))
        colour = "white" if share >= _DARK else INK
        ax.text(column, line, f"{n:,}", ha="center", va="center", color=colour, fontsize="small")
    ax.set_xlim(-0.5, len(answers) - 0.5)
    ax.set_ylim(len(answers) - 0.5, -0.5)
    is_long = max(map(len, answers)) > 6
    ax.set_xticks(range(len(answers)), answers, rotation=30 if is_long else 0, ha="right" if is_long else "center")
    ax.set_yticks(range(len(answers)), answers)
    ax.set_xlabel(f"answer of {b}" if b != "b" else "answer at b")
    ax.set_ylabel(f"answer of {a}" if a != "a" else "answer at a")
    verb = "flips" if len(rows) == 1 else "flip"
    ax.set_title(f"{rows.criterion.iloc[0]}: {pluralise(len(rows), 'record')} {verb}", loc="left", fontsize="medium")
    strip_axes(ax).spines["bottom"].set_visible(False)
    return ax


def _answer_labels(rows: pd.DataFrame, level: str) -> list[str]:
    """The answer of each record at a level, or `(tied)` if its replicates tie."""
    import pandas as pd

    replicates = pd.Series(list(rows[f"answers_{level}"]), dtype=object).explode()
    replicates = replicates[replicates.notna() & ~replicates.isin(NON_ANSWERS)]
    codes = pd.factorize(replicates)[0].astype(np.intp)
    is_tie = modes(replicates.index.to_numpy(np.intp), codes, len(rows)).is_tie
    return [_TIED if tie else str(answer) for answer, tie in zip(rows[f"answer_{level}"], is_tie, strict=True)]


def _sort_key(answer: str) -> tuple[int, float, str]:
    """Numbers by size, then names from A to Z, ties last."""
    try:
        number = float(answer)
    except ValueError:
        number = math.nan
    return (int(answer == _TIED) * 2 + int(math.isnan(number)), 0.0 if math.isnan(number) else number, answer)
