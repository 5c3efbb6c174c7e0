"""A plain table of scores, one answer a row: which column is what, or names that speak for themselves.

Each group of rows with the same record, judge, model, criteria and replicate is one judgement with an answer per
criterion. A row of its own with the same criterion is either a repetition, which is said with `replicate`, or
a mistake, which is said back.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping
from typing import Any

from ..._internal.ids import canonical
from ..._internal.text import to_jsonable
from ...codebook.criteria import Criteria
from ...corpus.loaders import Source
from ...corpus.loaders.source import SourceRow
from ...corpus.record import Record
from ...errors import SetupError, nearest
from ...schema import STATUSES
from .imported_study import ImportedStudy, SourceRecord, SourceScore, head, number, parse_time, text, texts, truth

ALIASES: dict[str, tuple[str, ...]] = {
    "record_id": ("record_id", "id", "item", "item_id"),
    "content": ("content", "text", "body"),
    "judge": ("judge", "coder", "rater", "annotator"),
    "model": ("model", "judge_model"),
    "criteria_set": ("criteria_set", "criteria", "judge_criteria"),
    "criterion": ("criterion", "question", "code", "variable"),
    "category": ("category", "label", "answer"),
    "value": ("value", "score", "rating"),
    "flagged": ("flagged", "violating"),
    "uncertainty": ("uncertainty",),
    "conclusion": ("conclusion", "explanation"),
    "reasons": ("reasons", "reason"),
    "replicate": ("replicate", "repeat", "epoch"),
    "prompt": ("prompt", "template", "judge_template"),
    "status": ("status",),
    "started_at": ("started_at", "timestamp", "coded_at"),
}
"""What a column may be, and the names that are taken to say so; the first that is there counts."""
COUNT = "count"


def read_table(
    source: Source, *, name: str, columns: Mapping[str, str], criteria: Criteria | None, replicate: str | None
) -> ImportedStudy:
    """Read a table of scores.

    Parameters
    ----------
    source
        The rows.
    name
        What the run is called; also the judge's name where no column says it.
    columns
        From our names to the table's: `{"judge": "rater", "category": "code"}`.
    criteria
        What was asked, where there is a document of it.
    replicate
        `"count"` numbers rows that are otherwise the same, in their order.
    """
    reading = _TableReader(_chosen(source, columns), name, criteria, counting=replicate == COUNT)
    for row in source.rows:
        reading.add(row)
    places = {record_id: place for place, record_id in enumerate(reading.records)}
    return ImportedStudy(
        kind="scores",
        name=name,
        about=source.description,
        judged=tuple(_judged(key, cell, places.get(key[0])) for key, cell in reading.cells.items()),
        records=tuple(reading.records.values()),
        problems=tuple(reading.problems),
    )


class _Judgement:
    """The rows of one judgement, as they come."""

    def __init__(self, where: str) -> None:
        self.where = where
        self.answers: dict[str, SourceRecord] = {}
        self.rest: list[Any] = []
        self.started_at: dt.datetime | None = None


class _TableReader:
    """What has been read of a table."""

    def __init__(self, chosen: Mapping[str, str], name: str, criteria: Criteria | None, *, counting: bool) -> None:
        self._chosen = chosen
        self._used = set(chosen.values())
        self._name = name
        self._criteria = criteria
        self._counting = counting
        self._counts: Counter[tuple[Any, ...]] = Counter()
        self.cells: dict[tuple[Any, ...], _Judgement] = {}
        self.records: dict[str, Record] = {}
        self.problems: list[str] = []

    def add(self, row: SourceRow) -> None:
        """Take in one row, or note what is wrong with it."""
        where = f"row {row.line}"
        get = {key: row.fields.get(column) for key, column in self._chosen.items()}
        if problem := row.problem or _unusable(get):
            self.problems.append(f"{where}: {problem}.")
            return
        self._note_record(where, str(text(get["record_id"])), text(get.get("content")))
        criterion = text(get.get("criterion")) or _only(self._criteria) or self._name
        cell = self.cells.setdefault(self._key(get, criterion), _Judgement(where))
        if criterion in cell.answers:
            self.problems.append(
                f"{where} answers `{criterion}` of record `{text(get['record_id'])}` again, as {cell.where} did: name "
                'the column that tells them apart (columns={"replicate": ...}), or number them with replicate="count".'
            )
            return
        cell.answers[criterion] = _given(criterion, get)
        cell.started_at = cell.started_at or parse_time(get.get("started_at"))
        if rest := {key: to_jsonable(value) for key, value in row.fields.items() if key not in self._used}:
            cell.rest.append(rest)

    def _key(self, get: Mapping[str, Any], criterion: str) -> tuple[Any, ...]:
        document = self._criteria.name if self._criteria else self._name
        own = (
            str(text(get["record_id"])),
            text(get.get("judge")) or self._name,
            text(get.get("model")),
            text(get.get("criteria_set")) or document,
            text(get.get("prompt")),
        )
        place = self._counts[*own, criterion] if self._counting else int(number(get.get("replicate")) or 0)
        self._counts[*own, criterion] += 1
        return (*own, place)

    def _note_record(self, where: str, record_id: str, content: str | None) -> None:
        if content is None:
            return
        known = self.records.setdefault(record_id, Record(record_id=record_id, content=content))
        if known.content != content:
            self.problems.append(f"{where}: record `{record_id}` has another text than before.")


def _chosen(source: Source, columns: Mapping[str, str]) -> dict[str, str]:
    """Which of our names is which column."""
    there = source.columns
    problems = head(f"row {row.line}: {row.problem}." for row in source.rows if row.problem) if not there else []
    for key, column in columns.items():
        if key not in ALIASES:
            problems.append(f"columns: a score has no `{key}`; {nearest(key, ALIASES)}")
        elif column not in there:
            problems.append(f"there is no column `{column}`; {nearest(column, there)}")
    if problems:
        raise SetupError(*problems)
    chosen = dict(columns)
    taken = set(chosen.values())
    for key, names in ALIASES.items():
        found = next((other for other in names if other in there and other not in taken), None)
        if key not in chosen and found:
            chosen[key] = found
            taken.add(found)
    missing = [] if "record_id" in chosen else ["say which column holds the record's id: columns={'record_id': ...}."]
    if not {"category", "value", "flagged"} & chosen.keys():
        missing.append("say which column holds the answer: columns={'category': ...} or {'value': ...}.")
    if missing:
        listed = ", ".join(f"`{column}`" for column in there[:15]) or "none"
        raise SetupError(*missing[:-1], f"{missing[-1]} There are {listed}.")
    return chosen


def _unusable(get: Mapping[str, Any]) -> str | None:
    if text(get["record_id"]) is None:
        return "no record id"
    if (place := get.get("replicate")) is not None and text(place) is not None:
        found = number(place)
        if found is None or not found.is_integer() or not 0 <= found < 2**31:
            return f"`{place}` is not the number of a replicate"
    status = text(get.get("status"))
    if status is not None and status not in STATUSES:
        return f"`{status}` is not a status; {nearest(status, STATUSES)}".rstrip(".")
    return None


def _only(criteria: Criteria | None) -> str | None:
    return criteria.criteria[0].name if criteria is not None and len(criteria) == 1 else None


def _given(criterion: str, get: Mapping[str, Any]) -> SourceRecord:
    category, value, flagged = text(get.get("category")), number(get.get("value")), truth(get.get("flagged"))
    raw = category if category is not None else value
    answered = raw is not None or flagged is not None
    return SourceRecord.model_validate(
        {
            "criterion": criterion,
            "raw": raw,
            "value": value,
            "category": category,
            "flagged": flagged,
            "uncertainty": text(get.get("uncertainty")),
            "conclusion": text(get.get("conclusion")),
            "reasons": texts(get.get("reasons")),
            "status": text(get.get("status")) or ("ok" if answered else "skipped"),
        }
    )


def _judged(key: tuple[Any, ...], cell: _Judgement, record: int | None) -> SourceScore:
    record_id, judge, model, criteria_set, prompt, replicate = key
    answers = tuple(cell.answers.values())
    statuses = [answer.status for answer in answers]
    return SourceScore(
        where=cell.where,
        record_id=record_id,
        record=record,
        step=judge,
        model=model,
        criteria_set=criteria_set,
        prompt=prompt,
        replicate=replicate,
        status="ok" if "ok" in statuses else statuses[0],
        output=canonical(cell.rest[0] if len(cell.rest) == 1 else cell.rest) if cell.rest else None,
        started_at=cell.started_at,
        answers=answers,
    )
