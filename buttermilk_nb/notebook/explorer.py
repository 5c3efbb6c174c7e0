"""The explorer of a run: a heat map of judges and criteria, with records and reasons.

The widget contains no data: each click queries the Store. All text reaches the page as text nodes, never as HTML.
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
_PAGE_SIZE = 100
"""The number of records that are listed at once."""


class Explorer(anywidget.AnyWidget):  # type: ignore[misc]  # anywidget is followed without types
    """The widget that `run.explore()` shows.

    Parameters
    ----------
    run
        The run to explore.
    """

    _esm = _STATIC / "explorer.js"
    _css = _STATIC / "explorer.css"

    heading = traitlets.Unicode().tag(sync=True)
    heat = traitlets.Dict().tag(sync=True)
    cell = traitlets.Dict(default_value={}).tag(sync=True)
    """The selected cell of the heat map (judge, model, criteria_set, criterion), with `only`, `search` and `page`."""
    records = traitlets.Dict(default_value={}).tag(sync=True)
    record = traitlets.Unicode("").tag(sync=True)
    detail = traitlets.Dict(default_value={}).tag(sync=True)

    def __init__(self, run: Run) -> None:
        super().__init__()
        self._run = run
        self._scores: pd.DataFrame | None = None
        counts = flag_shares(run.project.store, run.run_id)
        self._heatmap = Heatmap(counts)
        self.heading = f"Run of {run.flow}"
        self.heat = _heat_view(counts)
        self.observe(self._list_records, "cell")
        self.observe(self._show_record, "record")

    def _criterion_scores(self) -> pd.DataFrame:
        """All scores on the criterion of the selected cell."""
        if self._scores is None:
            self._scores = self._run.scores()
        frame, cell = self._scores, self.cell
        scores: pd.DataFrame = frame[
            (frame.criteria_set == cell["criteria_set"]) & (frame.criterion == cell["criterion"])
        ]
        return scores

    def _list_records(self, _: Any) -> None:
        """Fill `records` with a page of the records of the selected cell."""
        cell = self.cell
        if not cell:
            self.records = {}
            return
        scores = self._criterion_scores()
        n_answers = scores.groupby("record_id").category.nunique(dropna=True)
        split = set(n_answers[n_answers > 1].index)
        scores = scores[(scores.judge == cell["judge"]) & (scores.model == cell["model"])]
        only = cell.get("only", "all")
        if only == "flagged":
            scores = scores[scores.flagged.fillna(False).astype(bool)]
        elif only == "split":
            scores = scores[scores.record_id.isin(split)]
        elif only == "problems":
            scores = scores[scores.status != "ok"]
        if search := str(cell.get("search", "")).strip():
            scores = scores[scores.record_id.str.contains(search, case=False, regex=False)]
        page = int(cell.get("page", 0))
        rows = [
            {
                "record_id": row["record_id"],
                "replicate": row["replicate"],
                "answer": _answer_text(row),
                "flagged": _flag(row["flagged"]),
                "uncertainty": _text(row["uncertainty"]),
                "truth": _text(row["truth"]),
                "split": row["record_id"] in split,
            }
            for row in scores.iloc[page * _PAGE_SIZE : (page + 1) * _PAGE_SIZE].to_dict("records")
        ]
        self.records = {"rows": rows, "total": len(scores), "page": page, "size": _PAGE_SIZE}

    def _show_record(self, _: Any) -> None:
        """Fill `detail` with one record: its text, and every judge's answer on the selected criterion."""
        if not self.record or not self.cell:
            self.detail = {}
            return
        contents = self._run.project.store.df(
            "select r.content from records r join scores s using (record_id, record_hash) "
            "where s.run_id = ? and r.record_id = ? limit 1",
            [self._run.run_id, self.record],
        )
        scores = self._criterion_scores()
        rows = scores[scores.record_id == self.record].to_dict("records")
        self.detail = {
            "record_id": self.record,
            "content": contents.content.iloc[0] if len(contents) else "",
            "truth": _text(rows[0]["truth"]) if rows else "",
            "judges": [
                {
                    "judge": f"{row['judge']} · {row['model']}"
                    + (f" · {row['replicate']}" if row["replicate"] else ""),
                    "answer": _answer_text(row),
                    "flagged": _flag(row["flagged"]),
                    "uncertainty": _text(row["uncertainty"]),
                    "note": _text(row["answer_note"]),
                    "conclusion": _text(row["conclusion"]),
                    "reasons": [str(reason) for reason in row["reasons"]] if _is_list(row["reasons"]) else [],
                }
                for row in rows
            ],
        }

    def __repr__(self) -> str:
        return repr(self._heatmap)

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        return stable_bundle(super(), repr(self._heatmap), self._heatmap._repr_html_())


def explore(run: Run) -> Explorer:
    """The explorer of a run."""
    return Explorer(run)


def _heat_view(counts: pd.DataFrame) -> dict[str, Any]:
    """The heat map in the form in which the page shows it: one row per judge and model, one cell per criterion."""
    criteria = list(dict.fromkeys(zip(counts.criteria_set, counts.criterion, strict=True)))
    rows: dict[tuple[str, str], dict[tuple[str, str], dict[str, Any]]] = {}
    for row in counts.to_dict("records"):
        share = float(row["flagged_share"]) if row["n_answered"] else None
        answered = int(row["n_answered"] or row["n_ok"])
        cell = {"share": share, "answered": answered, "planned": int(row["n_planned"])}
        rows.setdefault((row["judge"], row["model"]), {})[(row["criteria_set"], row["criterion"])] = cell
    return {
        "criteria": [{"criteria_set": s, "criterion": c} for s, c in criteria],
        "rows": [{"judge": j, "model": m, "cells": [cells.get(c) for c in criteria]} for (j, m), cells in rows.items()],
    }


def _answer_text(row: dict[Any, Any]) -> str:
    if row["status"] != "ok":
        return str(row["status"])
    return str(row["category"]) if isinstance(row["category"], str) else f"{row['value']:g}"


def _flag(value: Any) -> bool | None:
    return bool(value) if value is True or value is False else None


def _text(value: Any) -> str:
    """The value if it is a text; else an empty text, since missing values are NaN or None."""
    return value if isinstance(value, str) else ""


def _is_list(value: Any) -> bool:
    return value is not None and hasattr(value, "__len__")
