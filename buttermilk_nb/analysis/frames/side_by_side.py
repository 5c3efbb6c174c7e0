"""One record with all answers side by side: the text, the answers, where they diverge."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from ..._internal.html import fragment, title
from ..._internal.text import pluralise
from ...errors import SetupError, nearest
from ...store import Store
from . import meta_outputs
from .quotations import unverified_passages

if TYPE_CHECKING:
    import pandas as pd

_STYLE = Markup(
    "<style>.bmnb .sbs{display:flex;gap:.8em;overflow-x:auto;align-items:flex-start}"
    ".bmnb .sbs>div{flex:1 0 15em;max-width:26em;border-top:3px solid var(--jp-border-color1,#8c959f);padding:.4em 0}"
    ".bmnb .sbs ul{margin:.3em 0;padding-left:1.2em}.bmnb .text{max-width:46em;white-space:pre-wrap;margin:.5em 0;"
    "padding-left:.8em;border-left:3px solid var(--jp-border-color2,#d0d7de)}"
    ".bmnb .not{color:var(--jp-warn-color0,#9a6700)}.bmnb dl{margin:.3em 0}"
    ".bmnb dt{font-weight:600;margin-top:.5em;float:none;width:auto}.bmnb dd{margin:.2em 0 .2em 1.2em}</style>"
)


class SideBySide:
    """The answers on one record, side by side. `Run.side_by_side` returns it."""

    def __init__(
        self, record_id: str, text: str, answers: pd.DataFrame, divergences: pd.DataFrame, conclusions: pd.DataFrame
    ) -> None:
        self.record_id = record_id
        self.text = text
        self.answers = answers
        self.divergences = divergences
        self.conclusions = conclusions

    def _counts(self) -> str:
        answers = self.answers.drop_duplicates(["judge", "model", "replicate", "criteria_set"])
        return f"{pluralise(len(answers), 'answer')} on {pluralise(self.answers.criterion.nunique(), 'question')}"

    def __repr__(self) -> str:
        lines = [f"Record {self.record_id}: {self._counts()}"]
        lines += [
            f"  {_instrument_name(row)}, {row['criterion']}: {_answer_text(row)}"
            for row in self.answers.to_dict("records")
        ]
        lines += [f"{row['criteria_set']}: {row['conclusion']}" for row in self.conclusions.to_dict("records")]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        parts: list[Markup] = [
            _STYLE,
            title(f"Record {self.record_id}", self._counts()),
            Markup('<div class="text">{}</div>').format(self.text),
        ]
        for (criteria_set, criterion), part in self.answers.groupby(["criteria_set", "criterion"], sort=False):
            parts.append(title(str(criterion) if criterion == criteria_set else f"{criteria_set}: {criterion}"))
            columns = Markup("").join(_answer_html(row, self.text) for row in part.to_dict("records"))
            parts.append(Markup('<div class="sbs">{}</div>').format(columns))
        for row in self.conclusions.to_dict("records"):
            parts.append(title(f"Where they diverge on {row['criteria_set']}", f"as read by {row['reader']}"))
            parts.append(Markup("<div>{}</div>").format(row["conclusion"]))
            parts.append(_topics_html(self._divergences_of(row)))
        return fragment(*parts)

    def _divergences_of(self, conclusion: Mapping[Hashable, Any]) -> pd.DataFrame:
        divergences = self.divergences
        for name in ("criteria_set", "step", "reader", "reader_replicate"):
            divergences = divergences[divergences[name] == conclusion[name]]
        return divergences


def side_by_side(store: Store, run_id: str, record_id: str) -> SideBySide:
    """All answers of a run's judges on a record, and what other agents say about them.

    Raises
    ------
    SetupError
        The run has no such record.
    """
    record_ids = store.df("select distinct record_id from cells where run_id = ?", [run_id]).record_id
    if record_id not in set(record_ids):
        raise SetupError(f"this run has no record `{record_id}`; {nearest(record_id, list(record_ids))}")
    text = store.df(
        "select content from records r semi join cells c on c.run_id = ? and c.record_id = r.record_id "
        "and c.record_hash = r.record_hash where r.record_id = ? limit 1",
        [run_id, record_id],
    ).content
    answers = store.df(
        """
        select s.criteria_set, s.criterion, s.judge, s.model, s.replicate, s.category, s.value, s.uncertainty,
               s.conclusion, s.reasons, s.status
        from scores s where s.run_id = ? and s.record_id = ?
        order by s.criteria_set, s.criterion, s.judge, s.model, s.replicate""",
        [run_id, record_id],
    )
    divergences, conclusions = meta_outputs.divergences(store, run_id), meta_outputs.conclusions(store, run_id)
    return SideBySide(
        record_id,
        str(text.iloc[0]) if len(text) else "",
        answers,
        divergences[divergences.record_id == record_id],
        conclusions[conclusions.record_id == record_id],
    )


def _instrument_name(row: Mapping[Hashable, Any]) -> str:
    replicate = f", replicate {row['replicate']}" if row["replicate"] else ""
    return f"{row['judge']} · {row['model']}{replicate}"


def _answer_text(row: Mapping[Hashable, Any]) -> str:
    if row["status"] != "ok":
        return str(row["status"])
    return str(row["category"]) if isinstance(row["category"], str) else f"{row['value']:g}"


def _unverified_html(quotes: list[str]) -> Markup:
    if not quotes:
        return Markup("")
    listed = "; ".join(quotes)
    return Markup(' <span class="not" title="{}">⚠ quotes words that are not in the text</span>').format(listed)


def _answer_html(row: Mapping[Hashable, Any], text: str) -> Markup:
    uncertainty = f"uncertainty {row['uncertainty']}" if isinstance(row["uncertainty"], str) else ""
    unverified = unverified_passages(text, list(_as_list(row["reasons"])))
    reasons = Markup("").join(
        Markup("<li>{}{}</li>").format(reason, _unverified_html(quotes)) for reason, quotes in unverified.items()
    )
    conclusion = row["conclusion"] if isinstance(row["conclusion"], str) else ""
    return Markup(
        '<div><div class="q">{}</div><div><b>{}</b> <span class="q">{}</span></div><ul>{}</ul>{}</div>'
    ).format(_instrument_name(row), _answer_text(row), uncertainty, reasons, conclusion)


def _topics_html(divergences: pd.DataFrame) -> Markup:
    topics = []
    for topic, part in divergences.groupby("topic", sort=False):
        positions = Markup("").join(
            Markup('<li>{} <span class="q">({})</span></li>').format(position, _holder_names(holders))
            for position, holders in part.groupby("position", sort=False)
        )
        topics.append(Markup('<div class="topic">{}<ul>{}</ul></div>').format(topic, positions))
    return Markup("").join(topics)


def _holder_names(holders: pd.DataFrame) -> str:
    """The instruments that take a position, each once, with its replicates."""
    names = []
    for (judge, model), part in holders.groupby(["judge", "model"], dropna=False):  # a panel has no model
        replicates = ", ".join(str(n) for n in sorted(part.replicate))
        name = f"{judge} · {model}" if isinstance(model, str) else str(judge)
        names.append(f"{name}{f', replicates {replicates}' if replicates != '0' else ''}")
    return "; ".join(names)


def _as_list(value: Any) -> Iterable[str]:
    return [] if value is None or isinstance(value, float) else value
