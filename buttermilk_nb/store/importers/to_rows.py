"""From a study of another program to the rows of the Store.

A cell that was made elsewhere is another design than one that was made here, also where the words are the same, for
nobody can tell from here what its prompt was: its design id has a recipe of its own (`di1`), as have the hashes of
prompts and criteria that are only known by name (`pi1`, `ci1`) and the keys of its calls (`ki1`), which no
request of ours can have.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from ..._internal.ids import canonical, digest, uuid7
from ...codebook.criteria import Criteria
from ...corpus.record import Record
from ...errors import InvalidAnswer, nearest
from ...schema import Call, CellRow, Score, TextRow, Trace, TraceInput, Unit
from .imported_study import ImportedStudy, SourceCriterion, SourceRecord, SourceScore


class Version(NamedTuple):
    """Which version of a record a cell had."""

    record_hash: str
    details_hash: str


class Rows(NamedTuple):
    """Everything that lands."""

    units: list[Unit]
    cells: list[tuple[Any, ...]]
    texts: list[TextRow]


def answer_problems(study: ImportedStudy, criteria: Criteria | None) -> list[str]:
    """What does not fit the criteria that were given."""
    found = []
    for judged in study.judged:
        for given in judged.answers if criteria is not None else ():
            try:
                _read(given, criteria)
            except InvalidAnswer as error:
                found.append(f"{judged.where}: {error}.".replace("..", "."))
    return found


def same_design_problems(study: ImportedStudy, versions: Sequence[Version], criteria: Criteria | None) -> list[str]:
    """Cells of which nothing tells them apart."""
    seen: dict[str, str] = {}
    found = []
    for judged, design in zip(study.judged, _designs(study, versions, criteria), strict=True):
        if design in seen:
            found.append(f"{judged.where} and {seen[design]} are the same judge, record, criteria and replicate.")
        seen.setdefault(design, judged.where)
    return found


def make_rows(
    study: ImportedStudy, run_id: str, versions: Sequence[Version], criteria: Criteria | None, at: dt.datetime
) -> Rows:
    """The rows of a study.

    Parameters
    ----------
    study
        What was read.
    run_id
        The run that it becomes.
    versions
        Of each cell, which version of its record it had.
    criteria
        What was asked, where there is a document of it.
    at
        The time of cells that have none.
    """
    ids = [uuid7() for _ in study.judged]
    designs = _designs(study, versions, criteria)
    units, cells = [], []
    for place, (judged, version, design) in enumerate(zip(study.judged, versions, designs, strict=True)):
        units.append(_unit(study, judged, version, criteria, run_id, ids, place, design, at))
        cells.append(_cell(judged, version, criteria, run_id, design))
    return Rows(units, cells, list(_texts(study, criteria)))


def _unit(
    study: ImportedStudy,
    judged: SourceScore,
    version: Version,
    criteria: Criteria | None,
    run_id: str,
    ids: Sequence[str],
    place: int,
    design: str,
    at: dt.datetime,
) -> Unit:
    same = {
        "trace_id": ids[place],
        "run_id": run_id,
        "design_id": design,
        "record_id": judged.record_id,
        "record_hash": version.record_hash,
        "replicate": judged.replicate,
    }
    scores = tuple(_score(given, judged, criteria, same) for given in judged.answers)
    trace = Trace.model_validate(
        {
            **same,
            "step": judged.step,
            "agent": study.kind,
            "role": judged.role,
            "model": judged.model,
            "criteria_set": judged.criteria_set,
            "criteria_hash": _criteria_hash(judged.criteria_set, criteria),
            "prompt_hash": _prompt_hash(judged.prompt),
            "params": judged.params,
            "status": judged.status,
            "output": judged.output,
            "flagged": _overall(judged, scores, criteria),
            "error_type": "ImportedError" if judged.error else None,
            "error_message": judged.error,
            "attempts": len(judged.asked),
            "started_at": judged.started_at or at,
            "duration_s": judged.duration_s,
        }
    )
    calls, texts = _calls(judged, trace)
    inputs = tuple(
        TraceInput(trace_id=ids[place], input_trace_id=ids[read], position=position)
        for position, read in enumerate(judged.read)
    )
    return Unit(trace=trace, calls=calls, scores=scores, texts=texts, inputs=inputs)


def _score(given: SourceRecord, judged: SourceScore, criteria: Criteria | None, same: Mapping[str, Any]) -> Score:
    value, category, flagged = given.value, given.category, given.flagged
    if criteria is not None:
        value, category, flagged = _read(given, criteria)
    return Score.model_validate(
        {
            **same,
            "judge": judged.step,
            "criteria_set": judged.criteria_set or given.criterion,
            "criteria_hash": _criteria_hash(judged.criteria_set or given.criterion, criteria),
            "criterion": given.criterion,
            "model": judged.model or judged.step,
            "value": value,
            "category": category,
            "flagged": flagged,
            "uncertainty": given.uncertainty,
            "conclusion": given.conclusion,
            "reasons": None if given.reasons is None else list(given.reasons),
            "status": given.status,
        }
    )


def _read(given: SourceRecord, criteria: Criteria | None) -> tuple[float | None, str | None, bool | None]:
    """An answer as its scale reads it: value, category, flagged."""
    assert criteria is not None
    names = [criterion.name for criterion in criteria]
    if given.criterion not in names:
        raise InvalidAnswer(
            f"criteria `{criteria.name}` asks no `{given.criterion}`; {nearest(given.criterion, names)}"
        )
    if given.raw is None:
        return None, None, given.flagged
    criterion = criteria[given.criterion]
    answer = criterion.parse(given.raw)
    flagged = criterion.flagged(answer)
    return answer.value, answer.category, given.flagged if flagged is None else flagged


def _overall(judged: SourceScore, scores: Iterable[Score], criteria: Criteria | None) -> bool | None:
    if criteria is None or judged.role not in ("judge", "synthesiser"):
        return judged.flagged
    return criteria.overall_flag({score.criterion: score.flagged for score in scores})


def _calls(judged: SourceScore, trace: Trace) -> tuple[tuple[Call, ...], tuple[TextRow, ...]]:
    calls, texts = [], []
    for asked in judged.asked:
        request = TextRow.of("request", asked.request)
        answer = TextRow.of("response", asked.response) if asked.response is not None else None
        texts += [text for text in (request, answer) if text is not None]
        calls.append(_call(asked, trace, request, answer))
    return tuple(calls), tuple(texts)


def _call(asked: SourceCriterion, trace: Trace, request: TextRow, answer: TextRow | None) -> Call:
    return Call(
        call_id=uuid7(),
        trace_id=trace.trace_id,
        run_id=trace.run_id,
        model_requested=asked.model,
        model_served=asked.served,
        request_id=asked.request_id,
        cache_key=digest("ki1", asked.model, request.text_hash),
        cached=False,
        asked_at=asked.asked_at or trace.started_at,
        params_sent=asked.params,
        params_dropped="{}",
        request_hash=request.text_hash,
        response_hash=answer.text_hash if answer else None,
        finish_reason=asked.finish_reason,
        tokens_in=asked.tokens_in,
        tokens_out=asked.tokens_out,
        latency_s=asked.latency_s,
        status="ok" if answer else "error",
        provider="imported",
        remote=False,
    )


def _cell(
    judged: SourceScore, version: Version, criteria: Criteria | None, run_id: str, design: str
) -> tuple[Any, ...]:
    row = CellRow(
        run_id=run_id,
        design_id=design,
        step=judged.step,
        record_id=judged.record_id,
        record_hash=version.record_hash,
        criteria_set=judged.criteria_set,
        criteria_hash=_criteria_hash(judged.criteria_set, criteria),
        model=judged.model,
        replicate=judged.replicate,
        details_hash=version.details_hash,
    )
    return tuple(getattr(row, name) for name in CellRow.model_fields)


def _designs(study: ImportedStudy, versions: Sequence[Version], criteria: Criteria | None) -> list[str]:
    """The design of each cell; of what it read, which stands before it, that design."""
    made: list[str] = []
    for judged, version in zip(study.judged, versions, strict=True):
        read = [made[place] for place in judged.read]
        made.append(_design(study, judged, version, criteria, read))
    return made


def _design(
    study: ImportedStudy, judged: SourceScore, version: Version, criteria: Criteria | None, read: Sequence[str]
) -> str:
    said = {
        "kind": study.kind,
        "step": judged.step,
        "role": judged.role,
        "model": judged.model,
        "criteria": _criteria_hash(judged.criteria_set, criteria),
        "prompt": judged.prompt,
        "params": judged.params,
        "replicate": judged.replicate,
    }
    return digest("di1", canonical(said), version.record_hash, *read)


def _criteria_hash(name: str | None, criteria: Criteria | None) -> str | None:
    if criteria is not None and name is not None:
        return criteria.criteria_hash
    return digest("ci1", name) if name is not None else None


def _prompt_hash(name: str | None) -> str | None:
    return digest("pi1", name) if name is not None else None


def _texts(study: ImportedStudy, criteria: Criteria | None) -> Iterable[TextRow]:
    """The wording of the criteria where it is known; of prompts only their names are."""
    if criteria is not None:
        yield TextRow(
            text_hash=criteria.criteria_hash,
            kind="criteria",
            name=criteria.name,
            version=criteria.version,
            body=criteria.to_markdown(),
        )
    for name in dict.fromkeys(judged.prompt for judged in study.judged if judged.prompt):
        yield TextRow(text_hash=digest("pi1", name), kind="prompt", name=name, body="")


def version_of(record: Record) -> Version:
    """The hashes of a record."""
    return Version(record.record_hash, record.annotations_hash)
