"""Flow rows of Buttermilk: judgements, syntheses, and the scorers' assessments of them.

One judgement becomes one trace with its answers. The view `judge_scores` shows it once for every scorer, which is
told from a repetition by the call id. A scorer becomes a trace of its own that read the judgement, its assessments
in its output, for an assessment is no score. Buttermilk has no replicates: the same judge asked again about the same
record is the next one, in order of time. What has no column here is kept as JSON in `output`.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from typing import Any

from ..._internal.ids import canonical, digest
from ...codebook.criteria import Criteria
from ...corpus.loaders import Source
from ...corpus.loaders.source import SourceRow
from ...corpus.record import Record
from .buttermilk_rows import Flat, flat
from .imported_study import (
    ImportedStudy,
    SourceCriterion,
    SourceRecord,
    SourceScore,
    loaded,
    map_word,
    number,
    parse_time,
    text,
    texts,
    truth,
)

_VERDICTS = ("judge", "synthesiser")
_CONTENT = ("content", "fulltext", "text", "body")
_CRITERION = "violating"


def read_buttermilk(source: Source, *, name: str, criteria: Criteria | None) -> ImportedStudy:
    """Read rows that Buttermilk exported, of its tables or its views."""
    reading = _FlowReader(criteria)
    rows = [(row, flat(row.fields)) for row in source.rows if not row.problem]
    reading.problems += [f"row {row.line}: {row.problem}." for row in source.rows if row.problem]
    for row, found in sorted(rows, key=lambda pair: _order(*pair)):
        reading.add(row, found)
    return ImportedStudy(
        kind="buttermilk",
        name=name,
        about=source.description,
        judged=tuple(cell.judged() for cell in reading.cells),
        records=tuple(reading.records),
        problems=tuple(reading.problems),
        remarks=tuple(reading.remarks()),
    )


def _order(row: SourceRow, found: Flat) -> tuple[bool, dt.datetime, int]:
    """In time, and scorers after what they score."""
    at = parse_time(found.known.get("timestamp")) or parse_time(0)
    assert at is not None
    return found.role == "scorer", at, row.line


class _FlowCell:
    """One cell, as its rows come."""

    def __init__(self, fields: dict[str, Any]) -> None:
        self.fields = fields
        self.answers: dict[str, SourceRecord] = {}
        self.read: list[int] = []

    def judged(self) -> SourceScore:
        return SourceScore(**self.fields, answers=tuple(self.answers.values()), read=tuple(self.read))


class _FlowReader:
    """What has been read."""

    def __init__(self, criteria: Criteria | None) -> None:
        self._criteria = criteria
        self._places: dict[tuple[str, str], int] = {}
        self._texts: dict[tuple[str, str], int] = {}
        self._repeats: Counter[tuple[Any, ...]] = Counter()
        self._orphans = 0
        self.cells: list[_FlowCell] = []
        self.records: list[Record] = []
        self.problems: list[str] = []

    def add(self, row: SourceRow, found: Flat) -> None:
        """Take in one row, or note what is wrong with it."""
        where = f"row {row.line}"
        record_id = found.text("record_id")
        if record_id is None:
            self.problems.append(f"{where}: no record id.")
        elif found.role == "scorer":
            parent = self._places.get((found.text("parent_call_id") or "", record_id))
            self._scorer(where, record_id, found, parent, found.text("call_id"))
        else:
            place = self._judgement(where, record_id, found)
            if found.text("scorer"):
                self._scorer(where, record_id, found, place, found.text("scorer_call_id"), in_view=True)

    def _judgement(self, where: str, record_id: str, found: Flat) -> int:
        """The place of the row's judgement, which may have been seen already."""
        call_id = found.text("call_id") or (_same_answer(found) if found.text("scorer") else None)
        place = self._places.get((call_id, record_id)) if call_id else None
        if place is None:
            place = self._cell(where, record_id, found, call_id)
        if found.role in _VERDICTS:
            answer = self._given(found)
            self.cells[place].answers.setdefault(answer.criterion, answer)
        return place

    def _cell(self, where: str, record_id: str, found: Flat, call_id: str | None) -> int:
        step = found.text("judge") or found.role
        criteria_set = found.text("criteria") or (self._criteria.name if self._criteria else None)
        if found.role in _VERDICTS:
            criteria_set = criteria_set or _CRITERION
        error = _error(found)
        fields = {
            "where": where,
            "record_id": record_id,
            "record": self._record(record_id, found),
            "step": step,
            "role": found.role,
            "model": found.text("model"),
            "criteria_set": criteria_set,
            "prompt": found.text("template"),
            "status": "error" if error else "ok" if found.role not in _VERDICTS or _answered(found) else "invalid",
            "flagged": truth(found.known.get("violating")) if found.role in _VERDICTS else None,
            "output": canonical(found.rest) if found.rest else None,
            "error": error,
            "started_at": parse_time(found.known.get("timestamp")),
            "asked": _asked(found),
        }
        return self._keep(fields, call_id, found.known.get("replicate"))

    def _scorer(
        self, where: str, record_id: str, found: Flat, read: int | None, call_id: str | None, *, in_view: bool = False
    ) -> None:
        """One scorer's assessment of one judgement, once; a row of a view is mostly about the judgement."""
        if call_id is not None and (call_id, record_id) in self._places:
            return
        self._orphans += read is None
        known = {key: found.known[key] for key in ("correctness", "assessments") if key in found.known}
        known |= {"assessments": _assessments(found)} if {"correct", "feedback"} & found.known.keys() else {}
        error = None if in_view else _error(found)
        fields = {
            "where": where,
            "record_id": record_id,
            "record": self.cells[read].fields["record"] if read is not None else self._record(record_id, found),
            "step": found.text("scorer") or found.text("judge") or "scorer",
            "role": "scorer",
            "model": found.text("scoring_model") or (None if in_view else found.text("model")),
            "criteria_set": found.text("criteria"),
            "prompt": found.text("scoring_template") or (None if in_view else found.text("template")),
            "status": "error" if error else "ok",
            "error": error,
            "output": canonical({**known, **({} if in_view else found.rest)}),
            "started_at": parse_time(found.known.get("timestamp")),
        }
        self._keep(fields, call_id, None, read)

    def _keep(self, fields: dict[str, Any], call_id: str | None, replicate: Any, read: int | None = None) -> int:
        own = tuple(fields[key] for key in ("record_id", "record", "step", "role", "model", "criteria_set", "prompt"))
        said = number(replicate)
        fields["replicate"] = int(said) if said is not None else self._repeats[(*own, read)]
        self._repeats[(*own, read)] += 1
        self.cells.append(_FlowCell(fields))
        place = len(self.cells) - 1
        if read is not None:
            self.cells[place].read.append(read)
        if call_id is not None:
            self._places[call_id, str(fields["record_id"])] = place
        return place

    def _given(self, found: Flat) -> SourceRecord:
        criterion = found.text("criterion") or self._asked_for(found)
        flagged, error = truth(found.known.get("violating")), _error(found)
        category, value = found.text("category"), number(found.known.get("value"))
        word = category or map_word(self._criteria, criterion, flagged)
        uncertainty = found.text("uncertainty")
        return SourceRecord.model_validate(
            {
                "criterion": criterion,
                "raw": word if word is not None else value,
                "value": float(flagged) if value is None and category is None and flagged is not None else value,
                "category": word,
                "flagged": flagged,
                "uncertainty": uncertainty.lower() if uncertainty else None,
                "conclusion": found.text("conclusion"),
                "reasons": texts(found.known.get("reasons")),
                "status": "error" if error else "ok" if _answered(found) else "invalid",
            }
        )

    def _asked_for(self, found: Flat) -> str:
        if self._criteria is not None and len(self._criteria) == 1:
            return self._criteria.criteria[0].name
        return found.text("criteria") or _CRITERION

    def _record(self, record_id: str, found: Flat) -> int | None:
        """The place of the row's text, each text of a record once."""
        given = found.record or {}
        content = next((said for key in _CONTENT if (said := _said(given.get(key)))), None)
        if content is None:
            return None
        if (record_id, content) not in self._texts:
            self._texts[record_id, content] = len(self.records)
            self.records.append(self._made(record_id, content, given, found))
        return self._texts[record_id, content]

    def _made(self, record_id: str, content: str, given: dict[str, Any], found: Flat) -> Record:
        known = loaded(given.get("ground_truth"))
        known = known if isinstance(known, dict) else {"violating": known}
        expected = truth(known.get("violating")) if "expected" not in found.known else truth(found.known["expected"])
        criterion = found.text("criterion") or self._asked_for(found)
        word = map_word(self._criteria, criterion, expected)
        metadata = loaded(given.get("metadata"))
        return Record(
            record_id=record_id,
            content=content,
            metadata=metadata if isinstance(metadata, dict) else {},
            ground_truth={criterion: word} if word else {},
            expert_reasons={criterion: reasons} if (reasons := texts(known.get("reasons"))) else {},
            uri=text(given.get("uri")),
        )

    def remarks(self) -> list[str]:
        """What a reader should know."""
        if not self._orphans:
            return []
        return [f"{self._orphans:,} assessments are of judgements that the data does not hold."]


def _same_answer(found: Flat) -> str:
    """What tells two judgements apart where they have no ids: everything that the judge said, and when."""
    names = ("timestamp", "judge", "model", "template", "criteria", "role", "violating", "conclusion", "reasons")
    return digest("bm1", *(found.text(name) or "" for name in names))


def _answered(found: Flat) -> bool:
    given = (truth(found.known.get("violating")), found.text("category"), number(found.known.get("value")))
    return any(value is not None for value in given)


def _error(found: Flat) -> str | None:
    said = loaded(found.known.get("error"))
    return text(said) if said not in (None, "", [], {}, "null", "None") else None


def _assessments(found: Flat) -> list[dict[str, Any]]:
    correct, feedback = loaded(found.known.get("correct")) or [], texts(found.known.get("feedback")) or ()
    correct = correct if isinstance(correct, list) else [correct]
    length = max(len(correct), len(feedback))
    return [
        {
            "correct": truth(correct[i]) if i < len(correct) else None,
            "feedback": feedback[i] if i < len(feedback) else None,
        }
        for i in range(length)
    ]


def _asked(found: Flat) -> tuple[SourceCriterion, ...]:
    messages = loaded(found.known.get("messages"))
    model = found.text("model")
    if not isinstance(messages, list) or not messages or model is None:
        return ()
    outputs = found.rest.get("outputs")
    return (
        SourceCriterion(
            model=model,
            request=canonical(messages),
            response=canonical(outputs) if outputs else None,
            asked_at=parse_time(found.known.get("timestamp")),
        ),
    )


def _said(value: Any) -> str | None:
    """A text, or the texts of a list of parts."""
    read = loaded(value)
    if isinstance(read, list):
        parts = [part.get("text") or part.get("content") if isinstance(part, dict) else part for part in read]
        return "\n\n".join(str(part) for part in parts if part) or None
    return text(read)
