"""Reads a plain table of scores with one answer per row.

The researcher says which column is which, or the columns have names that are recognised. Each group of rows with the
same record, judge, model, criteria and replicate is one judgement with one answer per criterion. A second row with the
same criterion is either a repetition, which `replicate` declares, or a mistake, which is reported.
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
from .imported_study import (
    ImportedStudy,
    SourceAnswer,
    SourceTrace,
    first_problems,
    parse_time,
    to_bool,
    to_number,
    to_text,
    to_texts,
)

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
"""Our columns, and the names that are recognised for each; the first that exists is used."""
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
        The name of the run; also the judge's name if no column has it.
    columns
        From our names to the table's: `{"judge": "rater", "category": "code"}`.
    criteria
        The criteria document, if there is one.
    replicate
        `"count"` numbers rows that are otherwise the same, in their order.
    """
    reader = _TableReader(_column_mapping(source, columns), name, criteria, count_replicates=replicate == COUNT)
    for row in source.rows:
        reader.add(row)
    record_indexes = {record_id: index for index, record_id in enumerate(reader.records)}
    return ImportedStudy(
        kind="scores",
        name=name,
        description=source.description,
        traces=tuple(
            _source_trace(key, judgement, record_indexes.get(key[0])) for key, judgement in reader.judgements.items()
        ),
        records=tuple(reader.records.values()),
        problems=tuple(reader.problems),
    )


class _Judgement:
    """Collects the rows of one judgement."""

    def __init__(self, location: str) -> None:
        self.location = location
        self.answers: dict[str, SourceAnswer] = {}
        self.unmapped: list[Any] = []
        self.started_at: dt.datetime | None = None


class _TableReader:
    """Collects judgements, records and problems from the rows of a table."""

    def __init__(
        self, mapping: Mapping[str, str], name: str, criteria: Criteria | None, *, count_replicates: bool
    ) -> None:
        self._mapping = mapping
        self._used_columns = set(mapping.values())
        self._name = name
        self._criteria = criteria
        self._count_replicates = count_replicates
        self._counts: Counter[tuple[Any, ...]] = Counter()
        self.judgements: dict[tuple[Any, ...], _Judgement] = {}
        self.records: dict[str, Record] = {}
        self.problems: list[str] = []

    def add(self, row: SourceRow) -> None:
        """Add one row, or note its problem."""
        location = f"row {row.line}"
        values = {key: row.fields.get(column) for key, column in self._mapping.items()}
        if problem := row.problem or _row_problem(values):
            self.problems.append(f"{location}: {problem}.")
            return
        self._add_record(location, str(to_text(values["record_id"])), to_text(values.get("content")))
        criterion = to_text(values.get("criterion")) or _only_criterion(self._criteria) or self._name
        judgement = self.judgements.setdefault(self._judgement_key(values, criterion), _Judgement(location))
        if criterion in judgement.answers:
            self.problems.append(
                f"{location} answers `{criterion}` of record `{to_text(values['record_id'])}` again, like "
                f'{judgement.location}: name the column that tells them apart (columns={{"replicate": ...}}), '
                'or number them with replicate="count".'
            )
            return
        judgement.answers[criterion] = _source_answer(criterion, values)
        judgement.started_at = judgement.started_at or parse_time(values.get("started_at"))
        if unmapped := {key: to_jsonable(value) for key, value in row.fields.items() if key not in self._used_columns}:
            judgement.unmapped.append(unmapped)

    def _judgement_key(self, values: Mapping[str, Any], criterion: str) -> tuple[Any, ...]:
        document = self._criteria.name if self._criteria else self._name
        key = (
            str(to_text(values["record_id"])),
            to_text(values.get("judge")) or self._name,
            to_text(values.get("model")),
            to_text(values.get("criteria_set")) or document,
            to_text(values.get("prompt")),
        )
        replicate = (
            self._counts[*key, criterion] if self._count_replicates else int(to_number(values.get("replicate")) or 0)
        )
        self._counts[*key, criterion] += 1
        return (*key, replicate)

    def _add_record(self, location: str, record_id: str, content: str | None) -> None:
        if content is None:
            return
        record = self.records.setdefault(record_id, Record(record_id=record_id, content=content))
        if record.content != content:
            self.problems.append(f"{location}: record `{record_id}` has a different text than before.")


def _column_mapping(source: Source, columns: Mapping[str, str]) -> dict[str, str]:
    """The column of the table for each of our names."""
    available = source.columns
    problems = (
        first_problems(f"row {row.line}: {row.problem}." for row in source.rows if row.problem) if not available else []
    )
    for key, column in columns.items():
        if key not in ALIASES:
            problems.append(f"columns: a score has no `{key}`; {nearest(key, ALIASES)}")
        elif column not in available:
            problems.append(f"there is no column `{column}`; {nearest(column, available)}")
    if problems:
        raise SetupError(*problems)
    mapping = dict(columns)
    used_columns = set(mapping.values())
    for key, names in ALIASES.items():
        match = next((alias for alias in names if alias in available and alias not in used_columns), None)
        if key not in mapping and match:
            mapping[key] = match
            used_columns.add(match)
    missing = (
        [] if "record_id" in mapping else ["say which column contains the record's id: columns={'record_id': ...}."]
    )
    if not {"category", "value", "flagged"} & mapping.keys():
        missing.append("say which column contains the answer: columns={'category': ...} or {'value': ...}.")
    if missing:
        listing = ", ".join(f"`{column}`" for column in available[:15]) or "none"
        raise SetupError(*missing[:-1], f"{missing[-1]} The columns are {listing}.")
    return mapping


def _row_problem(values: Mapping[str, Any]) -> str | None:
    if to_text(values["record_id"]) is None:
        return "no record id"
    if (replicate := values.get("replicate")) is not None and to_text(replicate) is not None:
        n = to_number(replicate)
        if n is None or not n.is_integer() or not 0 <= n < 2**31:
            return f"`{replicate}` is not the number of a replicate"
    status = to_text(values.get("status"))
    if status is not None and status not in STATUSES:
        return f"`{status}` is not a status; {nearest(status, STATUSES)}".rstrip(".")
    return None


def _only_criterion(criteria: Criteria | None) -> str | None:
    return criteria.criteria[0].name if criteria is not None and len(criteria) == 1 else None


def _source_answer(criterion: str, values: Mapping[str, Any]) -> SourceAnswer:
    category, value, flagged = (
        to_text(values.get("category")),
        to_number(values.get("value")),
        to_bool(values.get("flagged")),
    )
    raw_answer = category if category is not None else value
    is_answered = raw_answer is not None or flagged is not None
    return SourceAnswer.model_validate(
        {
            "criterion": criterion,
            "raw_answer": raw_answer,
            "value": value,
            "category": category,
            "flagged": flagged,
            "uncertainty": to_text(values.get("uncertainty")),
            "conclusion": to_text(values.get("conclusion")),
            "reasons": to_texts(values.get("reasons")),
            "status": to_text(values.get("status")) or ("ok" if is_answered else "skipped"),
        }
    )


def _source_trace(key: tuple[Any, ...], judgement: _Judgement, record_index: int | None) -> SourceTrace:
    record_id, judge, model, criteria_set, prompt, replicate = key
    answers = tuple(judgement.answers.values())
    statuses = [answer.status for answer in answers]
    return SourceTrace(
        location=judgement.location,
        record_id=record_id,
        record_index=record_index,
        step=judge,
        model=model,
        criteria_set=criteria_set,
        prompt=prompt,
        replicate=replicate,
        status="ok" if "ok" in statuses else statuses[0],
        output=canonical(judgement.unmapped[0] if len(judgement.unmapped) == 1 else judgement.unmapped)
        if judgement.unmapped
        else None,
        started_at=judgement.started_at,
        answers=answers,
    )
