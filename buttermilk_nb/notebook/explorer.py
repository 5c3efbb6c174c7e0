"""The explorer: a heat map of judges and criteria; click a cell for its records, a record for its reasons.

The widget holds no data of its own: each click asks the Store for what it shows. All text reaches the
page as text nodes, never as HTML.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import anywidget
import traitlets

from ..analysis.frames.heatmap import Heatmap, flag_shares
from ..flows.run import Run
from .live_widget import stable_bundle

if TYPE_CHECKING:
    import pandas as pd

_STATIC = Path(__file__).parent / "static"
_PAGE = 100  # records listed at once


class Explorer(anywidget.AnyWidget):  # type: ignore[misc]  # anywidget is followed without types
    """The widget. `run.explore()` makes it.

    Parameters
    ----------
    run
        The run to look at.
    """

    _esm = _STATIC / "explorer.js"
    _css = _STATIC / "explorer.css"

    heading = traitlets.Unicode().tag(sync=True)
    heat = traitlets.Dict().tag(sync=True)
    cell = traitlets.Dict(default_value={}).tag(sync=True)
    """The chosen cell (judge, model, criteria_set, criterion), with `only`, `search` and `page`."""
    records = traitlets.Dict(default_value={}).tag(sync=True)
    record = traitlets.Unicode("").tag(sync=True)
    detail = traitlets.Dict(default_value={}).tag(sync=True)

    def __init__(self, run: Run) -> None:
        super().__init__()
        self._run = run
        self._frame: pd.DataFrame | None = None
        found = flag_shares(run.project.store, run.run_id)
        self._static = Heatmap(found)
        self.heading = f"Run of {run.flow}"
        self.heat = _heat(found)
        self.observe(self._list, "cell")
        self.observe(self._show, "record")

    def _scores(self) -> pd.DataFrame:
        if self._frame is None:
            self._frame = self._run.scores()
        return self._frame

    def _list(self, _: Any) -> None:
        """The records of the chosen cell."""
        wanted = self.cell
        if not wanted:
            self.records = {}
            return
        scores = self._scores()
        of_criterion = scores[
            (scores.criteria_set == wanted["criteria_set"]) & (scores.criterion == wanted["criterion"])
        ]
        answers = of_criterion.groupby("record_id").category.nunique(dropna=True)
        split = set(answers[answers > 1].index)
        own = of_criterion[(of_criterion.judge == wanted["judge"]) & (of_criterion.model == wanted["model"])]
        only = wanted.get("only", "all")
        if only == "flagged":
            own = own[own.flagged.fillna(False).astype(bool)]
        elif only == "split":
            own = own[own.record_id.isin(split)]
        elif only == "problems":
            own = own[own.status != "ok"]
        if search := str(wanted.get("search", "")).strip():
            own = own[own.record_id.str.contains(search, case=False, regex=False)]
        page = int(wanted.get("page", 0))
        part = own.iloc[page * _PAGE : (page + 1) * _PAGE]
        rows = [
            {
                "record_id": row["record_id"],
                "replicate": row["replicate"],
                "answer": _answer(row),
                "flagged": _flag(row["flagged"]),
                "uncertainty": row["uncertainty"] if isinstance(row["uncertainty"], str) else "",
                "truth": _known(row["truth"]),
                "split": row["record_id"] in split,
            }
            for row in part.to_dict("records")
        ]
        self.records = {"rows": rows, "total": len(own), "page": page, "size": _PAGE}

    def _show(self, _: Any) -> None:
        """One record: its text, and what every judge said of it on the chosen criterion."""
        if not self.record or not self.cell:
            self.detail = {}
            return
        text = self._run.project.store.df(
            "select r.content from records r join scores s using (record_id, record_hash) "
            "where s.run_id = ? and r.record_id = ? limit 1",
            [self._run.run_id, self.record],
        )
        scores = self._scores()
        rows = scores[
            (scores.record_id == self.record)
            & (scores.criteria_set == self.cell["criteria_set"])
            & (scores.criterion == self.cell["criterion"])
        ].to_dict("records")
        self.detail = {
            "record_id": self.record,
            "content": text.content.iloc[0] if len(text) else "",
            "truth": _known(rows[0]["truth"]) if rows else "",
            "judges": [
                {
                    "judge": f"{row['judge']} · {row['model']}"
                    + (f" · {row['replicate']}" if row["replicate"] else ""),
                    "answer": _answer(row),
                    "flagged": _flag(row["flagged"]),
                    "uncertainty": row["uncertainty"] if isinstance(row["uncertainty"], str) else "",
                    "conclusion": row["conclusion"] if isinstance(row["conclusion"], str) else "",
                    "reasons": [str(reason) for reason in row["reasons"]] if _listed(row["reasons"]) else [],
                }
                for row in rows
            ],
        }

    def __repr__(self) -> str:
        return repr(self._static)

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        return stable_bundle(super(), repr(self._static), self._static._repr_html_())


def explore(run: Run) -> Explorer:
    """The explorer of a run."""
    return Explorer(run)


def _heat(found: pd.DataFrame) -> dict[str, Any]:
    criteria = list(dict.fromkeys(zip(found.criteria_set, found.criterion, strict=True)))
    rows: dict[tuple[str, str], dict[tuple[str, str], dict[str, Any]]] = {}
    for row in found.to_dict("records"):
        share = float(row["flagged_share"]) if row["n_answered"] else None
        answered = int(row["n_answered"] or row["n_ok"])
        cell = {"share": share, "answered": answered, "planned": int(row["n_planned"])}
        rows.setdefault((row["judge"], row["model"]), {})[(row["criteria_set"], row["criterion"])] = cell
    return {
        "criteria": [{"criteria_set": s, "criterion": c} for s, c in criteria],
        "rows": [{"judge": j, "model": m, "cells": [cells.get(c) for c in criteria]} for (j, m), cells in rows.items()],
    }


def _answer(row: dict[Any, Any]) -> str:
    if row["status"] != "ok":
        return str(row["status"])
    return str(row["category"]) if isinstance(row["category"], str) else f"{row['value']:g}"


def _flag(value: Any) -> bool | None:
    return bool(value) if value is True or value is False else None


def _known(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _listed(value: Any) -> bool:
    return value is not None and hasattr(value, "__len__")
