"""Which answers turn into which: a flip matrix."""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING

from ..._internal.text import pluralise
from ...codebook.scales import NON_ANSWERS
from ...errors import SetupError
from .axes import GREY, INK, axes, square_axes, strip_axes
from .confusion import select_rows as only

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

_DARK = 0.6  # from this share on the cell is too dark for black letters
_MAX_ANSWERS = 25  # answers; more cannot be read
_TIED = "(tied)"


def plot_flips(
    found: pd.DataFrame, *, a: str = "a", b: str = "b", criterion: str | None = None, ax: Axes | None = None
) -> Axes:
    """Draw how many records turn from each answer into each other one.

    Parameters
    ----------
    found
        What `buttermilk_nb.flips` gave.
    a, b
        What the two levels are called on the axes.
    criterion
        Which one, where there are several.
    ax
        Where to draw; by default a new figure.

    Returns
    -------
    matplotlib.axes.Axes
        Answers at `a` from top to bottom, at `b` from left to right, and the number of records in each cell, the darker
        the more. On the diagonal nothing flips. `(tied)` is where the replicates have no most frequent answer.

    Raises
    ------
    SetupError
        There is no such criterion, it must be chosen, no record flips, or there are more than 25 different answers.

    Examples
    --------
    >>> import pandas as pd
    >>> from buttermilk_nb import flips
    >>> said = {"m1": "yyyn", "m2": "ynny"}
    >>> rows = [(f"r{i}", "calm", f"judge · {m}", m, c) for m, codes in said.items() for i, c in enumerate(codes)]
    >>> ratings = pd.DataFrame(rows, columns=["record_id", "criterion", "coder", "model", "category"])
    >>> ax = plot_flips(flips(ratings, factor="model", a="m1", b="m2"), a="m1", b="m2")
    >>> sorted(text.get_text() for text in ax.texts), ax.get_title(loc="left")
    (['1', '2'], 'calm: 3 records flip')
    """
    if not len(found):
        raise SetupError("no record flips, so there is nothing to draw.")
    rows = only(found, "criterion", criterion)
    pairs = Counter(zip(_answer_labels(rows, "a"), _answer_labels(rows, "b"), strict=True))
    answers = sorted({answer for pair in pairs for answer in pair}, key=_sort_key)
    if len(answers) > _MAX_ANSWERS:
        raise SetupError(
            f"there are {len(answers)} different answers, and a matrix can show {_MAX_ANSWERS}; it is for scales with few."
        )
    ax = axes(ax, 1.9 + 0.8 * len(answers), 1.3 + 0.55 * len(answers))
    for place, answer in enumerate(answers):
        if (answer, answer) in pairs:  # two ties, of different numbers
            continue
        ax.plot([place - 0.3, place + 0.3], [place - 0.3, place + 0.3], color=GREY, linewidth=0.8)
    for (one, other), n in pairs.items():
        column, line, share = answers.index(other), answers.index(one), n / max(pairs.values())
        ax.add_patch(square_axes(column, line, share))
        colour = "white" if share >= _DARK else INK
        ax.text(column, line, f"{n:,}", ha="center", va="center", color=colour, fontsize="small")
    ax.set_xlim(-0.5, len(answers) - 0.5)
    ax.set_ylim(len(answers) - 0.5, -0.5)
    long = max(map(len, answers)) > 6
    ax.set_xticks(range(len(answers)), answers, rotation=30 if long else 0, ha="right" if long else "center")
    ax.set_yticks(range(len(answers)), answers)
    ax.set_xlabel(f"answer of {b}" if b != "b" else "answer at b")
    ax.set_ylabel(f"answer of {a}" if a != "a" else "answer at a")
    flip = "flips" if len(rows) == 1 else "flip"
    ax.set_title(f"{rows.criterion.iloc[0]}: {pluralise(len(rows), 'record')} {flip}", loc="left", fontsize="medium")
    strip_axes(ax).spines["bottom"].set_visible(False)
    return ax


def _answer_labels(rows: pd.DataFrame, level: str) -> list[str]:
    """The answer of each record at a level, or that its replicates tie."""
    found = []
    for answer, all_of_them in zip(rows[f"answer_{level}"], rows[f"answers_{level}"], strict=True):
        given = Counter(one for one in all_of_them if one is not None and one not in NON_ANSWERS)
        often = [n for _, n in given.most_common(2)]
        found.append(_TIED if len(often) == 2 and often[0] == often[1] else str(answer))
    return found


def _sort_key(answer: str) -> tuple[int, float, str]:
    """Numbers by size, then names from A to Z, ties last."""
    try:
        number = float(answer)
    except ValueError:
        number = math.nan
    return (int(answer == _TIED) * 2 + int(math.isnan(number)), 0.0 if math.isnan(number) else number, answer)
