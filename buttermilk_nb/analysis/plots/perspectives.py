"""Agreement of a judge with each group of people; the group's own agreement is the yardstick."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

from ..._internal.arguments import check_arguments, require_table
from ...errors import SetupError
from .axes import GREY, INK, PALE, axes, strip_axes
from .select_rows import select_rows

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

_SHAPES = "os^DvPX*"
_LABELS = {"agreement": "percent agreement", "alpha": "Krippendorff's alpha"}


@check_arguments
def plot_perspectives(
    table: pd.DataFrame,
    *,
    measure: Literal["agreement", "alpha"] = "agreement",
    criterion: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw the agreement of each judge with each group of people, with its interval and the number of records.

    Parameters
    ----------
    table
        The table that `buttermilk_nb.perspectives` returns.
    measure
        `agreement` (a share, 0 to 1) or `alpha`.
    criterion
        The criterion, if there are several.
    ax
        The axes to draw on; by default a new figure.

    Returns
    -------
    matplotlib.axes.Axes
        Groups under each judge from top to bottom, a shape for each group; the grey band and the line in it are the
        interval and the value of the agreement within the group. An undefined value has no mark.

    Raises
    ------
    SetupError
        There is no such measure or criterion, or there are several criteria and none is given.

    Examples
    --------
    >>> import pandas as pd
    >>> from buttermilk_nb import perspectives
    >>> answers = {"ana": "yyyn", "ben": "yyyn", "eva": "ynnn", "judge": "yyyn"}
    >>> rows = [(i, "hurtful", who, codes[i % 4]) for who, codes in answers.items() for i in range(40)]
    >>> ratings = pd.DataFrame(rows, columns=["record_id", "criterion", "coder", "category"])
    >>> in_group = {"ana": "targeted", "ben": "targeted", "eva": "bystander"}
    >>> ax = plot_perspectives(perspectives(ratings, groups=in_group, judges=["judge"], n_boot=50))
    >>> [label.get_text() for label in ax.get_yticklabels()]
    ['judge', 'bystander, 1 coder (n = 40)', 'targeted, 2 coders (n = 40)']
    """
    if measure not in _LABELS:
        raise SetupError(f"measure: write `agreement` or `alpha`, and not `{measure}`.")
    require_table(table, "bm.plot_perspectives", "bm.perspectives(...)", ("criterion",))
    rows = select_rows(table, "criterion", criterion)
    groups = list(dict.fromkeys(rows.group))
    labels: list[tuple[str, bool]] = []
    ax = axes(ax, 6.5, 0.9 + 0.28 * (len(rows) + rows.judge.nunique()))
    for judge, own in rows.groupby("judge", sort=False):
        labels.append((str(judge), True))
        for row in own.to_dict("records"):
            _draw_row(ax, row, len(labels), measure, _SHAPES[groups.index(row["group"]) % len(_SHAPES)])
            coders = f"{row['n_coders']} coder{'' if row['n_coders'] == 1 else 's'}"
            labels.append((f"{row['group']}, {coders} (n = {row['n_records']:,})", False))
    ax.set_yticks(range(len(labels)), [text for text, _ in labels], fontsize="small")
    for tick, (_, is_heading) in zip(ax.get_yticklabels(), labels, strict=True):
        tick.set_fontweight("bold" if is_heading else "normal")
    ax.set_ylim(len(labels) - 0.4, -0.6)
    lowest = rows[[measure, f"{measure}_low", f"within_{measure}_low"]].min().min()
    ax.set_xlim(min(-0.03, lowest - 0.05), 1.03)
    if lowest < 0:
        ax.axvline(0, color=GREY, linewidth=0.8, linestyle=":")
    ax.set_xlabel(_LABELS[measure])
    ax.set_title(str(rows.criterion.iloc[0]), loc="left", fontsize="medium")
    _add_group_legend(ax, groups, within=bool(rows[f"within_{measure}"].notna().any()))
    return strip_axes(ax)


def _draw_row(ax: Axes, row: Mapping[Any, Any], y: int, measure: str, shape: str) -> None:
    from matplotlib.patches import Rectangle

    low, high = row[f"within_{measure}_low"], row[f"within_{measure}_high"]
    if not math.isnan(low):
        ax.add_patch(Rectangle((low, y - 0.38), high - low, 0.76, facecolor=PALE, edgecolor="none", zorder=0))
    yardstick = row[f"within_{measure}"]
    ax.plot([yardstick, yardstick], [y - 0.38, y + 0.38], color=GREY, linewidth=1.5, zorder=1)
    ax.plot([row[f"{measure}_low"], row[f"{measure}_high"]], [y, y], color=INK, linewidth=1.2)
    ax.plot([row[measure]], [y], shape, color=INK, markersize=5.5)


def _add_group_legend(ax: Axes, groups: list[str], *, within: bool) -> None:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    marks: list[Any] = [
        Line2D(
            [],
            [],
            color=INK,
            marker=_SHAPES[i % len(_SHAPES)],
            linestyle="",
            label=f"judge with {name}",
            markersize=5.5,
        )
        for i, name in enumerate(groups)
    ]
    if within:
        marks += [
            Line2D(
                [],
                [],
                color=GREY,
                marker="|",
                linestyle="",
                markeredgewidth=1.5,
                markersize=10,
                label="within the group",
            ),
            Patch(color=PALE, label="its interval"),
        ]
    ax.legend(handles=marks, loc="upper left", bbox_to_anchor=(1.01, 1), frameon=False, fontsize="small")
