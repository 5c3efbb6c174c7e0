"""The votes on a contested record: the answers and reasons of people and instruments."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..codebook.criteria import Criteria
from ..corpus.record import Record
from ..project.project import Project
from ..store.rebuild_record import rebuild_record
from .session.model_answers import ModelAnswer, model_answers

if TYPE_CHECKING:
    import pandas as pd

_VERSION = """
    select record_hash from latest_records r where record_id = ? {of_run} order by first_seen_at desc limit 1
"""
_OF_RUN = "and exists (from cells c where c.run_id = ? and c.record_id = r.record_id and c.record_hash = r.record_hash)"
_LABELS = """
    select coder, reasons, notes from latest_labels
    where record_id = ? and record_hash = ? and criteria_hash = ? and criterion = ? and status <> 'withdrawn'
        and source <> 'adjudication' order by coded_at
"""


@dataclass(frozen=True, slots=True)
class CoderAnswer:
    """The answer of one coder on one criterion of one record."""

    coder: str
    kind: str
    answer: str
    """The answer, or the status if there is no answer."""
    reasons: tuple[str, ...] = ()
    remark: str = ""
    """A person's note, or a model's conclusion."""
    trace_id: str | None = None


def stored_record(project: Project, record_id: str, run_id: str | None) -> Record | None:
    """A record from the Store, in the version of a run or else the newest. Its truth and codes are left out."""
    versions = project.store.df(
        _VERSION.format(of_run=_OF_RUN if run_id else ""), [record_id, run_id] if run_id else [record_id]
    ).record_hash
    record = rebuild_record(project.store, record_id, versions.iloc[0]) if len(versions) else None
    return record and record.model_copy(update={"ground_truth": {}, "labels": {}, "metadata": {}, "cluster": None})


def votes(
    project: Project, ratings: pd.DataFrame, record: Record, criteria: Criteria, criterion: str, run_id: str | None
) -> tuple[CoderAnswer, ...]:
    """The votes on one record and criterion, people's first.

    `ratings` are the ratings of that record on that criterion.
    """
    is_instrument = ratings.kind == "instrument"
    return (
        *_human_votes(project, ratings[~is_instrument], record, criteria, criterion),
        *_instrument_votes(project, ratings[is_instrument], record, criteria, criterion, run_id),
    )


def _human_votes(
    project: Project, ratings: pd.DataFrame, record: Record, criteria: Criteria, criterion: str
) -> Iterator[CoderAnswer]:
    params = [record.record_id, record.record_hash, criteria.criteria_hash, criterion]
    with project.store.reading() as con:
        rows = con.execute(_LABELS, params).fetchall()
    remarks = {coder: (tuple(reasons or ()), notes or "") for coder, reasons, notes in rows}
    remarks.setdefault("truth", (record.reasons_for(criterion), ""))
    for row in ratings.to_dict("records"):
        yield CoderAnswer(row["coder"], "human", _answer_text(row), *remarks.get(row["coder"], ((), "")))


def _instrument_votes(
    project: Project, ratings: pd.DataFrame, record: Record, criteria: Criteria, criterion: str, run_id: str | None
) -> Iterator[CoderAnswer]:
    answers: dict[tuple[Any, ...], list[ModelAnswer]] = {}
    for answer in model_answers(project, record, criteria, run_id):
        if answer.criterion == criterion:
            answers.setdefault((answer.judge, answer.model, answer.replicate), []).append(answer)
    for row in ratings.to_dict("records"):
        candidates = answers.get((row.get("judge"), row.get("model"), int(row.get("replicate") or 0)), [])
        match = next((candidate for candidate in candidates if candidate.answer == _answer_text(row)), None)
        if match is None:
            yield CoderAnswer(row["coder"], "instrument", _answer_text(row))
        else:
            candidates.remove(match)  # a model with two designs has two votes
            coder = row["coder"] + (f" · {match.replicate}" if match.replicate else "")
            yield CoderAnswer(coder, "instrument", match.answer, match.reasons, match.conclusion, match.trace_id)


def _answer_text(row: dict[Any, Any]) -> str:
    status = row.get("status")
    if isinstance(status, str) and status != "ok":
        return status
    return row["category"] if isinstance(row["category"], str) else f"{row['value']:g}"
