"""Makes the rows of the Store from an imported study.

The keys of imported calls have a recipe of their own (`ki1`), so that no request of this package can have one of them.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from ..._internal.ids import digest, uuid7
from ...codebook.criteria import Criteria
from ...errors import InvalidAnswer, nearest
from ...schema import Assessment, Call, CellRow, Score, TextRow, Trace, TraceInput, Unit
from .design_ids import RecordVersion, criteria_hash_of, design_ids_of, prompt_hash_of
from .imported_study import ImportedStudy, SourceAnswer, SourceCall, SourceTrace


class StudyRows(NamedTuple):
    """All rows of a study."""

    units: list[Unit]
    cells: list[tuple[Any, ...]]
    texts: list[TextRow]


def answer_problems(study: ImportedStudy, criteria: Criteria | None) -> list[str]:
    """Answers that do not fit the criteria, one message each."""
    if criteria is None:
        return []
    problems = []
    for source in study.traces:
        for answer in source.answers:
            try:
                _parse_answer(answer, criteria)
            except InvalidAnswer as error:
                problems.append(f"{source.location}: {error}.".replace("..", "."))
    return problems


def duplicate_design_problems(
    study: ImportedStudy, versions: Sequence[RecordVersion], criteria: Criteria | None
) -> list[str]:
    """Traces that cannot be told apart, one message each."""
    locations: dict[str, str] = {}
    problems = []
    for source, design_id in zip(study.traces, design_ids_of(study, versions, criteria), strict=True):
        if design_id in locations:
            problems.append(
                f"{source.location} and {locations[design_id]} have the same judge, record, criteria and replicate."
            )
        locations.setdefault(design_id, source.location)
    return problems


def make_rows(
    study: ImportedStudy,
    run_id: str,
    versions: Sequence[RecordVersion],
    criteria: Criteria | None,
    default_time: dt.datetime,
) -> StudyRows:
    """The rows of a study.

    Parameters
    ----------
    study
        The study.
    run_id
        The id of its run.
    versions
        For each trace, the version of its record.
    criteria
        The criteria document, if there is one.
    default_time
        The time of traces without a time.
    """
    ids = [uuid7() for _ in study.traces]
    design_ids = design_ids_of(study, versions, criteria)
    units, cells = [], []
    for index, (source, version, design_id) in enumerate(zip(study.traces, versions, design_ids, strict=True)):
        units.append(_make_unit(study, source, version, criteria, run_id, ids, index, design_id, default_time))
        cells.append(_cell_values(source, version, criteria, run_id, design_id))
    return StudyRows(units, cells, list(_text_rows(study, criteria)))


def _make_unit(
    study: ImportedStudy,
    source: SourceTrace,
    version: RecordVersion,
    criteria: Criteria | None,
    run_id: str,
    ids: Sequence[str],
    index: int,
    design_id: str,
    default_time: dt.datetime,
) -> Unit:
    shared_fields = {
        "trace_id": ids[index],
        "run_id": run_id,
        "design_id": design_id,
        "record_id": source.record_id,
        "record_hash": version.record_hash,
        "replicate": source.replicate,
    }
    scores = tuple(_make_score(answer, source, criteria, shared_fields) for answer in source.answers)
    trace = Trace.model_validate(
        {
            **shared_fields,
            "step": source.step,
            "agent": study.kind,
            "role": source.role,
            "model": source.model,
            "criteria_set": source.criteria_set,
            "criteria_hash": criteria_hash_of(source.criteria_set, criteria),
            "prompt_hash": prompt_hash_of(source.prompt),
            "params": source.params,
            "status": source.status,
            "output": source.output,
            "flagged": _overall_flag(source, scores, criteria),
            "error_type": "ImportedError" if source.error else None,
            "error_message": source.error,
            "attempts": len(source.calls),
            "started_at": source.started_at or default_time,
            "duration_s": source.duration_s,
        }
    )
    calls, texts = _make_calls(source, trace)
    inputs = tuple(
        TraceInput(trace_id=ids[index], input_trace_id=ids[input_index], position=position)
        for position, input_index in enumerate(source.inputs)
    )
    assessments = tuple(_make_assessments(study, source, trace, ids))
    return Unit(trace=trace, calls=calls, scores=scores, texts=texts, inputs=inputs, assessments=assessments)


def _make_assessments(
    study: ImportedStudy, source: SourceTrace, trace: Trace, ids: Sequence[str]
) -> Iterable[Assessment]:
    """The rows of a scorer: one for each of the expert's reasons, on the first criterion of the assessed answer."""
    if not source.assessments or not source.inputs:
        return
    assessed = study.traces[source.inputs[0]]
    criterion = assessed.answers[0].criterion if assessed.answers else assessed.criteria_set or ""
    for position, assessment in enumerate(source.assessments):
        yield Assessment(
            trace_id=trace.trace_id,
            run_id=trace.run_id,
            assessed_trace_id=ids[source.inputs[0]],
            record_id=trace.record_id,
            criterion=criterion,
            reason_index=position,
            reason=assessment.reason,
            matched=assessment.matched,
            feedback=assessment.feedback,
            status="ok",
        )


def _make_score(
    answer: SourceAnswer, source: SourceTrace, criteria: Criteria | None, shared_fields: Mapping[str, Any]
) -> Score:
    parsed = {"value": answer.value, "category": answer.category, "flagged": answer.flagged}
    if criteria is not None:
        parsed = _parse_answer(answer, criteria)
    return Score.model_validate(
        {
            **shared_fields,
            "judge": source.step,
            "criteria_set": source.criteria_set or answer.criterion,
            "criteria_hash": criteria_hash_of(source.criteria_set or answer.criterion, criteria),
            "criterion": answer.criterion,
            "model": source.model or source.step,
            **parsed,
            "uncertainty": answer.uncertainty,
            "conclusion": answer.conclusion,
            "reasons": None if answer.reasons is None else list(answer.reasons),
            "status": answer.status,
        }
    )


def _parse_answer(source_answer: SourceAnswer, criteria: Criteria) -> dict[str, Any]:
    """The columns of an answer, parsed by its scale."""
    names = [criterion.name for criterion in criteria]
    if source_answer.criterion not in names:
        raise InvalidAnswer(
            f"criteria `{criteria.name}` has no criterion `{source_answer.criterion}`; "
            f"{nearest(source_answer.criterion, names)}"
        )
    if source_answer.raw_answer is None:
        return {"flagged": source_answer.flagged}
    criterion = criteria[source_answer.criterion]
    answer = criterion.parse(source_answer.raw_answer)
    flagged = criterion.flagged(answer)
    return {
        "value": answer.value,
        "category": answer.category,
        "answer_note": answer.note,
        "flagged": source_answer.flagged if flagged is None else flagged,
    }


def _overall_flag(source: SourceTrace, scores: Iterable[Score], criteria: Criteria | None) -> bool | None:
    if criteria is None or source.role not in ("judge", "synthesiser"):
        return source.flagged
    return criteria.overall_flag({score.criterion: score.flagged for score in scores})


def _make_calls(source: SourceTrace, trace: Trace) -> tuple[tuple[Call, ...], tuple[TextRow, ...]]:
    calls, texts = [], []
    for source_call in source.calls:
        request = TextRow.of("request", source_call.request)
        response = TextRow.of("response", source_call.response) if source_call.response is not None else None
        texts += [text for text in (request, response) if text is not None]
        calls.append(_make_call(source_call, trace, request, response))
    return tuple(calls), tuple(texts)


def _make_call(source_call: SourceCall, trace: Trace, request: TextRow, response: TextRow | None) -> Call:
    return Call(
        call_id=uuid7(),
        trace_id=trace.trace_id,
        run_id=trace.run_id,
        model_requested=source_call.model,
        model_served=source_call.model_served,
        request_id=source_call.request_id,
        cache_key=digest("ki1", source_call.model, request.text_hash),
        cached=False,
        asked_at=source_call.asked_at or trace.started_at,
        params_sent=source_call.params,
        params_dropped="{}",
        request_hash=request.text_hash,
        response_hash=response.text_hash if response else None,
        finish_reason=source_call.finish_reason,
        tokens_in=source_call.tokens_in,
        tokens_out=source_call.tokens_out,
        latency_s=source_call.latency_s,
        status="ok" if response else "error",
        provider="imported",
        remote=False,
    )


def _cell_values(
    source: SourceTrace, version: RecordVersion, criteria: Criteria | None, run_id: str, design_id: str
) -> tuple[Any, ...]:
    row = CellRow(
        run_id=run_id,
        design_id=design_id,
        step=source.step,
        record_id=source.record_id,
        record_hash=version.record_hash,
        criteria_set=source.criteria_set,
        criteria_hash=criteria_hash_of(source.criteria_set, criteria),
        model=source.model,
        replicate=source.replicate,
        details_hash=version.details_hash,
    )
    return tuple(getattr(row, name) for name in CellRow.model_fields)


def _text_rows(study: ImportedStudy, criteria: Criteria | None) -> Iterable[TextRow]:
    """Rows for the wording of the criteria, if it is known, and for the names of the prompts."""
    if criteria is not None:
        yield TextRow(
            text_hash=criteria.criteria_hash,
            kind="criteria",
            name=criteria.name,
            version=criteria.version,
            body=criteria.to_markdown(),
        )
    for name in dict.fromkeys(source.prompt for source in study.traces if source.prompt):
        yield TextRow(text_hash=digest("pi1", name), kind="prompt", name=name, body="")
