"""Who said what on a contested record, and why: people and instruments alike."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..codebook.criteria import Criteria
from ..corpus.image import Image
from ..corpus.record import Record
from ..project.project import Project
from .session.model_answers import ModelAnswer, model_answers

if TYPE_CHECKING:
    import pandas as pd

_RECORD = """
    select record_id, content, uri, mime, media, expert_reasons, record_hash
    from latest_records r where record_id = ? {of_run} order by first_seen_at desc limit 1
"""
_OF_RUN = "and exists (from cells c where c.run_id = ? and c.record_id = r.record_id and c.record_hash = r.record_hash)"
_LABELS = """
    select coder, reasons, notes from latest_labels
    where record_id = ? and record_hash = ? and criteria_hash = ? and criterion = ? and status <> 'withdrawn'
        and source <> 'adjudication' order by coded_at
"""


@dataclass(frozen=True, slots=True)
class CoderAnswer:
    """What one coder said."""

    coder: str
    kind: str
    answer: str
    """The answer, or the status where there is none."""
    reasons: tuple[str, ...] = ()
    remark: str = ""
    """A person's note, or a model's conclusion."""
    trace_id: str | None = None


def stored_record(project: Project, record_id: str, run_id: str | None) -> Record | None:
    """A record as the Store has it: in the version of a run, else the newest; without what is known of it."""
    query = _RECORD.format(of_run=_OF_RUN if run_id else "")
    with project.store.reading() as con:
        found = con.execute(query, [record_id, run_id] if run_id else [record_id]).fetchone()
        if found is None:
            return None
        _, content, uri, mime, media, reasons, _ = found
        hashes = json.loads(media or "[]")
        texts = "select text_hash, body from texts where list_contains(?::varchar[], text_hash)"
        bodies = dict(con.execute(texts, [hashes]).fetchall()) if hashes else {}
    images = [Image.from_body(bodies[name]) for name in hashes]
    known: dict[str, Any] = {"uri": uri, "mime": mime, "expert_reasons": json.loads(reasons)}
    return Record(record_id=record_id, content=content, images=images, **known)


def votes(
    project: Project, part: pd.DataFrame, record: Record, criteria: Criteria, criterion: str, run_id: str | None
) -> tuple[CoderAnswer, ...]:
    """The votes on one record and criterion: people first.

    `part` are the ratings of that record on that criterion.
    """
    people = part[part.kind != "instrument"]
    return (
        *_people(project, people, record, criteria, criterion),
        *_instruments(project, part, record, criteria, criterion, run_id),
    )


def _people(
    project: Project, part: pd.DataFrame, record: Record, criteria: Criteria, criterion: str
) -> Iterator[CoderAnswer]:
    with project.store.reading() as con:
        key = [record.record_id, record.record_hash, criteria.criteria_hash, criterion]
        said = {
            coder: (tuple(reasons or ()), notes or "") for coder, reasons, notes in con.execute(_LABELS, key).fetchall()
        }
    said.setdefault("truth", (record.reasons_for(criterion), ""))
    for row in part.to_dict("records"):
        yield CoderAnswer(row["coder"], "human", _said(row), *said.get(row["coder"], ((), "")))


def _instruments(
    project: Project, part: pd.DataFrame, record: Record, criteria: Criteria, criterion: str, run_id: str | None
) -> Iterator[CoderAnswer]:
    answers: dict[tuple[Any, ...], list[ModelAnswer]] = {}
    for one in model_answers(project, record, criteria, run_id):
        if one.criterion == criterion:
            answers.setdefault((one.judge, one.model, one.replicate), []).append(one)
    for row in part[part.kind == "instrument"].to_dict("records"):
        known = answers.get((row.get("judge"), row.get("model"), int(row.get("replicate") or 0)), [])
        answer = next((one for one in known if one.said == _said(row)), None)
        if answer is None:
            yield CoderAnswer(row["coder"], "instrument", _said(row))
        else:
            known.remove(answer)  # asked in two ways, they are two votes
            who = row["coder"] + (f" · {answer.replicate}" if answer.replicate else "")
            yield CoderAnswer(who, "instrument", answer.said, answer.reasons, answer.conclusion, answer.trace_id)


def _said(row: dict[Any, Any]) -> str:
    status = row.get("status")
    if isinstance(status, str) and status != "ok":
        return status
    return row["category"] if isinstance(row["category"], str) else f"{row['value']:g}"
