"""The heat map of judges and criteria, as a static table for pages without widgets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markupsafe import Markup

from ..._internal.html import fragment, title
from ...store import Store

if TYPE_CHECKING:
    import pandas as pd


class Heatmap:
    """Share of flagged answers per judge and criterion.

    Parameters
    ----------
    frame
        The rows of `flag_shares`.
    """

    def __init__(self, frame: pd.DataFrame) -> None:
        self.frame = frame

    def _table(self) -> tuple[list[str], list[tuple[str, list[tuple[float | None, int, int]]]]]:
        """The criteria, and for each instrument the share, the answers and the planned answers of each criterion."""
        keys = list(dict.fromkeys(zip(self.frame.criteria_set, self.frame.criterion, strict=True)))
        several = len({criteria_set for criteria_set, _ in keys}) > 1
        criteria = [f"{criteria_set}: {name}" if several else name for criteria_set, name in keys]
        rows = []
        for (judge, model), part in self.frame.groupby(["judge", "model"], sort=True):
            by_key = {(row["criteria_set"], row["criterion"]): row for row in part.to_dict("records")}
            shares: list[tuple[float | None, int, int]] = []
            for key in keys:
                row = by_key.get(key, {"n_answered": 0, "n_ok": 0, "n_planned": 0})
                share = float(row["flagged_share"]) if row["n_answered"] else None
                n = row["n_answered"] if row["n_answered"] else row["n_ok"]
                shares.append((share, int(n), int(row["n_planned"])))
            rows.append((f"{judge} · {model}", shares))
        return criteria, rows

    def __repr__(self) -> str:
        criteria, rows = self._table()
        width = max([len(name) for name, _ in rows], default=5)
        lines = ["share flagged (answers)", " " * width + "".join(f"  {name:>16.16}" for name in criteria)]
        for name, shares in rows:
            lines.append(f"{name:<{width}}" + "".join(f"  {_share_text(*share):>16}" for share in shares))
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        criteria, rows = self._table()
        head = Markup("").join(Markup("<th>{}</th>").format(name) for name in ["judge", *criteria])
        body = Markup("").join(
            Markup("<tr><td>{}</td>{}</tr>").format(name, Markup("").join(_share_html(*share) for share in shares))
            for name, shares in rows
        )
        table = Markup("<table><thead><tr>{}</tr></thead><tbody>{}</tbody></table>").format(head, body)
        return fragment(title("Share of flagged answers", "answers in brackets"), table)


def flag_shares(store: Store, run_id: str) -> pd.DataFrame:
    """Share of flagged answers per judge and criterion, with the number of answers.

    `n_planned` counts planned answers, `n_ok` those that were given, and `n_answered` those that say yes or no to the
    flag. `flagged_share` is NULL if the criterion declares no flag, or if nothing was answered.
    """
    return store.df(
        """
        with planned as (
            select step, model, criteria_set, count(*) as n from cells where run_id = $run group by all
        )
        select s.judge, s.model, s.criteria_set, s.criterion, avg(s.flagged::int) as flagged_share,
               count(s.flagged) as n_answered, count(*) filter (s.status = 'ok') as n_ok, any_value(p.n) as n_planned
        from scores s left join planned p  -- a model that stood in for another was not planned
            on p.step = s.judge and p.model = s.model and p.criteria_set = s.criteria_set
        where s.run_id = $run group by s.judge, s.model, s.criteria_set, s.criterion
        order by s.judge, s.model, s.criteria_set, s.criterion""",
        {"run": run_id},
    )


def _share_text(share: float | None, answered: int, planned: int) -> str:
    if not planned:
        return ""
    if share is None:
        return f"no flag ({answered})" if answered else f"no answer (0 of {planned})"
    return f"{share:.0%} ({answered})"


def _share_html(share: float | None, answered: int, planned: int) -> Markup:
    strength = 0 if share is None else round(share * 70)
    style = f"background:color-mix(in srgb,#c2410c {strength}%,transparent)"
    return Markup('<td class="n" style="{}">{}</td>').format(style, _share_text(share, answered, planned))
