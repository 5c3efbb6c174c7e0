"""Reads Buttermilk's flow rows: judgements, syntheses, and scorers' assessments of them.

One judgement becomes one trace with its answers. The view `judge_scores` shows a judgement once for every scorer; the
call id tells such a row from a repetition. A scorer becomes a trace of its own with the judgement as its input and its
assessments in its output, because an assessment is not a score. Buttermilk has no replicates: if the same judge was
asked again about the same record, that is the next replicate, in order of time. Fields without a column here are kept
as JSON in `output`.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Sequence
from typing import Any

from ..._internal.ids import canonical, digest
from ...codebook.criteria import Criteria
from ...corpus.loaders import Source
from ...corpus.loaders.source import SourceRow
from ...corpus.record import Record
from .buttermilk_rows import FlatRow, assessments_of, flatten_row, uncertainty_of
from .imported_study import (
    ImportedStudy,
    SourceAnswer,
    SourceAssessment,
    SourceCall,
    SourceTrace,
    answer_from_verdict,
    parse_json,
    parse_time,
    to_bool,
    to_number,
    to_text,
    to_texts,
)

_JUDGING_ROLES = ("judge", "synthesiser")
_CONTENT_FIELDS = ("content", "fulltext", "text", "body")
_CRITERION = "violating"


def read_buttermilk(source: Source, *, name: str, criteria: Criteria | None) -> ImportedStudy:
    """Read rows that Buttermilk exported from its tables or views."""
    reader = _FlowReader(criteria)
    rows = [(row, flatten_row(row.fields)) for row in source.rows if not row.problem]
    reader.problems += [f"row {row.line}: {row.problem}." for row in source.rows if row.problem]
    for row, flat_row in sorted(rows, key=lambda pair: _sort_key(*pair)):
        reader.add(row, flat_row)
    return ImportedStudy(
        kind="buttermilk",
        name=name,
        description=source.description,
        traces=tuple(cell.build() for cell in reader.traces),
        records=tuple(reader.records),
        problems=tuple(reader.problems),
        remarks=tuple(reader.remarks()),
    )


def _sort_key(row: SourceRow, flat_row: FlatRow) -> tuple[bool, dt.datetime, int]:
    """Order by time, with scorers after the judgements that they score."""
    time = parse_time(flat_row.values.get("timestamp")) or parse_time(0)
    assert time is not None
    return flat_row.role == "scorer", time, row.line


class _TraceBuilder:
    """Collects the rows of one trace."""

    def __init__(self, fields: dict[str, Any]) -> None:
        self.fields = fields
        self.answers: dict[str, SourceAnswer] = {}
        self.inputs: list[int] = []
        self.assessments: tuple[SourceAssessment, ...] = ()

    def build(self) -> SourceTrace:
        answers, inputs = tuple(self.answers.values()), tuple(self.inputs)
        return SourceTrace(**self.fields, answers=answers, inputs=inputs, assessments=self.assessments)


class _FlowReader:
    """Collects traces, records and problems from the rows of a flow."""

    def __init__(self, criteria: Criteria | None) -> None:
        self._criteria = criteria
        self._trace_indexes: dict[tuple[str, str], int] = {}
        self._record_indexes: dict[tuple[str, str], int] = {}
        self._repeats: Counter[tuple[Any, ...]] = Counter()
        self._orphans = 0
        self.traces: list[_TraceBuilder] = []
        self.records: list[Record] = []
        self.problems: list[str] = []

    def add(self, row: SourceRow, flat_row: FlatRow) -> None:
        """Add one row, or note its problem."""
        location = f"row {row.line}"
        record_id = flat_row.text("record_id")
        if record_id is None:
            self.problems.append(f"{location}: no record id.")
        elif flat_row.role == "scorer":
            parent = self._trace_indexes.get((flat_row.text("parent_call_id") or "", record_id))
            self._add_scorer(location, record_id, flat_row, parent, flat_row.text("call_id"))
        else:
            index = self._add_judgement(location, record_id, flat_row)
            if flat_row.text("scorer"):
                self._add_scorer(location, record_id, flat_row, index, flat_row.text("scorer_call_id"), in_view=True)

    def _add_judgement(self, location: str, record_id: str, row: FlatRow) -> int:
        """The index of the row's judgement, which an earlier row may have added already."""
        call_id = row.text("call_id") or (_judgement_digest(row) if row.text("scorer") else None)
        index = self._trace_indexes.get((call_id, record_id)) if call_id else None
        if index is None:
            index = self._add_trace(location, record_id, row, call_id)
        if row.role in _JUDGING_ROLES:
            answer = self._answer(row)
            self.traces[index].answers.setdefault(answer.criterion, answer)
        return index

    def _add_trace(self, location: str, record_id: str, row: FlatRow, call_id: str | None) -> int:
        step = row.text("judge") or row.role
        criteria_set = row.text("criteria") or (self._criteria.name if self._criteria else None)
        if row.role in _JUDGING_ROLES:
            criteria_set = criteria_set or _CRITERION
        error = _error_text(row)
        fields = {
            "location": location,
            "record_id": record_id,
            "record_index": self._record_index(record_id, row),
            "step": step,
            "role": row.role,
            "model": row.text("model"),
            "criteria_set": criteria_set,
            "prompt": row.text("template"),
            "status": "error" if error else "ok" if row.role not in _JUDGING_ROLES or _has_answer(row) else "invalid",
            "flagged": to_bool(row.values.get("violating")) if row.role in _JUDGING_ROLES else None,
            "output": canonical(row.unmapped) if row.unmapped else None,
            "error": error,
            "started_at": parse_time(row.values.get("timestamp")),
            "calls": _source_calls(row),
        }
        return self._append_trace(fields, call_id, row.values.get("replicate"))

    def _add_scorer(
        self,
        location: str,
        record_id: str,
        row: FlatRow,
        input_index: int | None,
        call_id: str | None,
        *,
        in_view: bool = False,
    ) -> None:
        """Add one scorer's assessment of one judgement, once; a row of a view mostly describes the judgement."""
        if call_id is not None and (call_id, record_id) in self._trace_indexes:
            return
        self._orphans += input_index is None
        output = {key: row.values[key] for key in ("correctness", "assessments") if key in row.values}
        assessments = assessments_of(row)
        output |= {"assessments": assessments} if {"correct", "feedback"} & row.values.keys() else {}
        error = None if in_view else _error_text(row)
        fields = {
            "location": location,
            "record_id": record_id,
            "record_index": self.traces[input_index].fields["record_index"]
            if input_index is not None
            else self._record_index(record_id, row),
            "step": row.text("scorer") or row.text("judge") or "scorer",
            "role": "scorer",
            "model": row.text("scoring_model") or (None if in_view else row.text("model")),
            "criteria_set": row.text("criteria"),
            "prompt": row.text("scoring_template") or (None if in_view else row.text("template")),
            "status": "error" if error else "ok",
            "error": error,
            "output": canonical({**output, **({} if in_view else row.unmapped)}),
            "started_at": parse_time(row.values.get("timestamp")),
            "calls": () if in_view else _source_calls(row),
        }
        index = self._append_trace(fields, call_id, None, input_index)
        if input_index is not None:
            reasons = self._expert_reasons(input_index, len(assessments))
            self.traces[index].assessments = tuple(
                SourceAssessment(reason=reason, matched=item["correct"], feedback=item["feedback"])
                for reason, item in zip(reasons, assessments, strict=True)
            )

    def _expert_reasons(self, index: int, n: int) -> Sequence[str]:
        """The expert's reasons that were compared with a judgement, if the record has as many; else their numbers."""
        trace = self.traces[index]
        record_index = trace.fields["record_index"]
        criterion = next(iter(trace.answers), "")
        reasons = self.records[record_index].expert_reasons.get(criterion, ()) if record_index is not None else ()
        return reasons if len(reasons) == n else [f"reason {i + 1} (its words are not in the export)" for i in range(n)]

    def _append_trace(
        self, fields: dict[str, Any], call_id: str | None, replicate: Any, input_index: int | None = None
    ) -> int:
        names = ("record_id", "record_index", "step", "role", "model", "criteria_set", "prompt")
        key = tuple(fields[name] for name in names)
        stated = to_number(replicate)
        fields["replicate"] = int(stated) if stated is not None else self._repeats[(*key, input_index)]
        self._repeats[(*key, input_index)] += 1
        self.traces.append(_TraceBuilder(fields))
        index = len(self.traces) - 1
        if input_index is not None:
            self.traces[index].inputs.append(input_index)
        if call_id is not None:
            self._trace_indexes[call_id, str(fields["record_id"])] = index
        return index

    def _answer(self, row: FlatRow) -> SourceAnswer:
        criterion = row.text("criterion") or self._criterion_name(row)
        flagged, error = to_bool(row.values.get("violating")), _error_text(row)
        category, value = row.text("category"), to_number(row.values.get("value"))
        word = category or answer_from_verdict(self._criteria, criterion, flagged)
        uncertainty = row.text("uncertainty") or uncertainty_of(row.values.get("confidence"))
        return SourceAnswer.model_validate(
            {
                "criterion": criterion,
                "raw_answer": word if word is not None else value,
                "value": float(flagged) if value is None and category is None and flagged is not None else value,
                "category": word,
                "flagged": flagged,
                "uncertainty": uncertainty.lower() if uncertainty else None,
                "conclusion": row.text("conclusion"),
                "reasons": to_texts(row.values.get("reasons")),
                "status": "error" if error else "ok" if _has_answer(row) else "invalid",
            }
        )

    def _criterion_name(self, row: FlatRow) -> str:
        if self._criteria is not None and len(self._criteria) == 1:
            return self._criteria.criteria[0].name
        return row.text("criteria") or _CRITERION

    def _record_index(self, record_id: str, row: FlatRow) -> int | None:
        """The index of the row's text; each text of a record is added once."""
        fields = row.record or {}
        content = next((text for key in _CONTENT_FIELDS if (text := _joined_text(fields.get(key)))), None)
        if content is None:
            return None
        if (record_id, content) not in self._record_indexes:
            self._record_indexes[record_id, content] = len(self.records)
            self.records.append(self._make_record(record_id, content, fields, row))
        return self._record_indexes[record_id, content]

    def _make_record(self, record_id: str, content: str, fields: dict[str, Any], row: FlatRow) -> Record:
        ground_truth = parse_json(fields.get("ground_truth"))
        ground_truth = ground_truth if isinstance(ground_truth, dict) else {"violating": ground_truth}
        expected = to_bool(row.values.get("expected", ground_truth.get("violating")))
        criterion = row.text("criterion") or self._criterion_name(row)
        word = answer_from_verdict(self._criteria, criterion, expected)
        metadata = parse_json(fields.get("metadata"))
        return Record(
            record_id=record_id,
            content=content,
            metadata=metadata if isinstance(metadata, dict) else {},
            ground_truth={criterion: word} if word else {},
            expert_reasons={criterion: reasons} if (reasons := to_texts(ground_truth.get("reasons"))) else {},
            uri=to_text(fields.get("uri")),
        )

    def remarks(self) -> list[str]:
        """Remarks for the researcher."""
        if not self._orphans:
            return []
        return [f"{self._orphans:,} assessments refer to judgements that are not in the data."]


def _judgement_digest(row: FlatRow) -> str:
    """A hash that tells judgements without ids apart: the judge's whole answer and its time."""
    names = ("timestamp", "judge", "model", "template", "criteria", "role", "violating", "conclusion", "reasons")
    return digest("bm1", *(row.text(name) or "" for name in names))


def _has_answer(row: FlatRow) -> bool:
    values = (to_bool(row.values.get("violating")), row.text("category"), to_number(row.values.get("value")))
    return any(value is not None for value in values)


def _error_text(row: FlatRow) -> str | None:
    error = parse_json(row.values.get("error"))
    return to_text(error) if error not in (None, "", [], {}, "null", "None") else None


def _source_calls(row: FlatRow) -> tuple[SourceCall, ...]:
    messages = parse_json(row.values.get("messages"))
    model = row.text("model")
    if not isinstance(messages, list) or not messages or model is None:
        return ()
    outputs = row.unmapped.get("outputs")
    return (
        SourceCall(
            model=model,
            request=canonical(messages),
            response=canonical(outputs) if outputs else None,
            asked_at=parse_time(row.values.get("timestamp")),
        ),
    )


def _joined_text(value: Any) -> str | None:
    """The text of a value; of a list of parts, their texts joined."""
    parsed = parse_json(value)
    if isinstance(parsed, list):
        parts = [part.get("text") or part.get("content") if isinstance(part, dict) else part for part in parsed]
        return "\n\n".join(str(part) for part in parts if part) or None
    return to_text(parsed)
