"""Reads Inspect logs: one score for each sample, scorer and epoch.

Inspect is the framework of the UK AI Security Institute. The sample's input is the record, the task is the step, the
scorer is the criterion, the epoch is the replicate, and the model is the one that was evaluated. Correct, partial and
incorrect (`C`, `P`, `I`) also get the numbers that Inspect gives them (1, 0.5, 0). Samples without an answer (`N`) or
without a score have no number, because a missing answer is never 0. The conversation becomes request and response, and
so does the conversation with a grader. Events of the transcript stay in the log, which is identified by its hash.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..._internal.ids import canonical
from ..._internal.text import to_jsonable
from ...corpus.loaders.source import file_facts
from ...corpus.record import Record
from .imported_study import ImportedStudy, SourceAnswer, SourceCall, SourceTrace, parse_time, to_number, to_text
from .inspect_files import InspectFile

_GRADES = {"C": 1.0, "P": 0.5, "I": 0.0}
_ATTACHED = "attachment://"
_EXCLUDED_FIELDS = frozenset(
    {"id", "epoch", "input", "messages", "scores", "events", "attachments", "error", "total_time", "events_data"}
)


def read_inspect(path: Path) -> ImportedStudy:
    """Read a log, one sample at a time."""
    log = InspectFile(path)
    header = log.header()
    eval_info = _as_object(header.get("eval"))
    reader = _LogReader(eval_info)
    for location, sample in log.samples():
        reader.add(location, sample)
    return ImportedStudy(
        kind="inspect",
        name=reader.task,
        description={**file_facts(path), "inspect": _log_facts(header, eval_info)},
        traces=tuple(reader.traces),
        records=tuple(reader.records),
        problems=tuple(reader.problems),
        remarks=tuple(reader.remarks(header)),
    )


def _log_facts(header: Mapping[str, Any], eval_info: Mapping[str, Any]) -> dict[str, Any]:
    """Facts about the whole log. Sample ids are left out, because they may be names of persons."""
    names = ("task", "task_id", "task_version", "task_args", "run_id", "eval_id", "created", "model", "model_args",
             "model_generate_config", "config", "revision", "packages", "scorers")  # fmt: skip
    facts = {name: eval_info[name] for name in names if name in eval_info}
    dataset = {key: value for key, value in _as_object(eval_info.get("dataset")).items() if key != "sample_ids"}
    facts |= {"dataset": dataset, "status": header.get("status"), "version": header.get("version")}
    facts |= {name: header[name] for name in ("plan", "results", "stats", "error") if header.get(name)}
    jsonable = to_jsonable(facts)
    assert isinstance(jsonable, dict)
    return jsonable


class _LogReader:
    """Collects traces, records and problems from the samples of a log."""

    def __init__(self, eval_info: Mapping[str, Any]) -> None:
        self.task = to_text(eval_info.get("task")) or "inspect"
        self._model = to_text(eval_info.get("model")) or "unknown"
        self._params = canonical(to_jsonable(_as_object(eval_info.get("model_generate_config"))))
        self._scorers = [
            str(_as_object(item).get("name")) for item in eval_info.get("scorers") or [] if _as_object(item).get("name")
        ]
        config, dataset = _as_object(eval_info.get("config")), _as_object(eval_info.get("dataset"))
        sample_ids = dataset.get("sample_ids")
        self._planned = (len(sample_ids) if isinstance(sample_ids, list) else 0) * int(
            to_number(config.get("epochs")) or 1
        )
        self._record_indexes: dict[tuple[str, str], int] = {}
        self._locations: dict[tuple[str, int, int], str] = {}
        self._unscored = 0
        self.traces: list[SourceTrace] = []
        self.records: list[Record] = []
        self.problems: list[str] = []

    def add(self, location: str, sample: dict[str, Any]) -> None:
        """Add one sample, or note its problem."""
        record_id, epoch = to_text(sample.get("id")), to_number(sample.get("epoch", 1))
        if record_id is None or epoch is None or not epoch.is_integer() or not 1 <= epoch < 2**31:
            self.problems.append(f"`{location}` has no id, or no epoch.")
            return
        record_index = self._record_index(record_id, sample)
        first_location = self._locations.setdefault((record_id, int(epoch), record_index), location)
        if first_location != location:
            self.problems.append(f"`{location}` and `{first_location}` are the same sample and epoch.")
            return
        error = _as_object(sample.get("error")).get("message") or to_text(sample.get("error"))
        answers = self._answers(sample, failed=bool(error))
        self._unscored += not answers
        self.traces.append(
            SourceTrace(
                location=location,
                record_id=record_id,
                record_index=record_index,
                step=self.task,
                model=self._model,
                criteria_set=self.task,
                params=self._params,
                replicate=int(epoch) - 1,
                status="error" if error else "ok",
                output=canonical(unmapped) if (unmapped := _unmapped_fields(sample)) else None,
                error=to_text(error),
                started_at=parse_time(sample.get("started_at")) if sample.get("started_at") else None,
                duration_s=to_number(sample.get("total_time")) or 0.0,
                answers=answers,
                calls=tuple(self._calls(sample)),
            )
        )

    def remarks(self, header: Mapping[str, Any]) -> list[str]:
        """Remarks for the researcher."""
        remarks = []
        if header.get("status") not in ("success", None):
            remarks.append(f"according to the log, its status is `{header.get('status')}`.")
        if len(self.traces) < self._planned:
            remarks.append(f"{len(self.traces):,} of {self._planned:,} planned samples are in the log.")
        if self._unscored:
            remarks.append(f"{self._unscored:,} samples have no scores.")
        return remarks

    def _record_index(self, record_id: str, sample: dict[str, Any]) -> int:
        """The index of the sample's input; each text of a sample is added once."""
        content = _input_text(sample)
        if (record_id, content) not in self._record_indexes:
            self._record_indexes[record_id, content] = len(self.records)
            metadata = {**_as_object(sample.get("metadata")), **_non_empty_fields(sample, "target", "choices")}
            self.records.append(Record(record_id=record_id, content=content, metadata=metadata))
        return self._record_indexes[record_id, content]

    def _answers(self, sample: dict[str, Any], *, failed: bool) -> tuple[SourceAnswer, ...]:
        scores = _as_object(sample.get("scores"))
        if not scores and failed:
            return tuple(SourceAnswer(criterion=name, status="error") for name in self._scorers)
        return tuple(answer for name, score in scores.items() for answer in _score_answers(name, _as_object(score)))

    def _calls(self, sample: dict[str, Any]) -> list[SourceCall]:
        """The conversation with the evaluated model, and those with graders."""
        messages = _resolve_attachments(sample.get("messages") or [], sample)
        output = _as_object(sample.get("output"))
        usage = _as_object(output.get("usage"))
        calls = []
        if request := [message for message in messages if isinstance(message, dict)]:
            reply = request.pop() if request[-1].get("role") == "assistant" else None
            calls.append(
                SourceCall(
                    model=self._model,
                    model_served=to_text(output.get("model")),
                    request=canonical(to_jsonable(request)),
                    response=_message_text(reply.get("content")) if reply else None,
                    params=self._params,
                    latency_s=to_number(output.get("time")),
                    tokens_in=_count_or_none(usage.get("input_tokens")),
                    tokens_out=_count_or_none(usage.get("output_tokens")),
                    finish_reason=_stop_reason(output),
                )
            )
        return calls + [
            call
            for score in _as_object(sample.get("scores")).values()
            for call in _grading_calls(_as_object(score), sample)
        ]


def _score_answers(name: str, score: Mapping[str, Any]) -> list[SourceAnswer]:
    """The answers in a score: one, or one for each part of its value."""
    value = score.get("value")
    shared_fields = {"conclusion": to_text(score.get("explanation"))}
    if isinstance(value, dict):
        return [
            SourceAnswer.model_validate({"criterion": f"{name}.{key}", **_answer_fields(part), **shared_fields})
            for key, part in value.items()
        ]
    return [SourceAnswer.model_validate({"criterion": name, **_answer_fields(value), **shared_fields})]


def _answer_fields(value: Any) -> dict[str, Any]:
    if isinstance(value, bool):
        return {"raw_answer": value, "value": float(value), "category": "yes" if value else "no"}
    if isinstance(value, list):
        return {"raw_answer": value, "category": canonical(to_jsonable(value))}
    if isinstance(value, str):
        word = to_text(value)
        return {
            "raw_answer": word,
            "value": _GRADES.get(value),
            "category": word,
            "status": "ok" if word else "invalid",
        }
    amount = to_number(value)
    return {"raw_answer": amount, "value": amount, "status": "ok" if amount is not None else "invalid"}


def _grading_calls(score: Mapping[str, Any], sample: dict[str, Any]) -> list[SourceCall]:
    """The conversation with the grader, if the score contains it."""
    grading = _as_object(score.get("metadata")).get("grading")
    messages = (
        [m for m in _resolve_attachments(grading, sample) if isinstance(m, dict)] if isinstance(grading, list) else []
    )
    if len(messages) < 2 or messages[-1].get("role") != "assistant":
        return []
    reply = messages.pop()
    model = to_text(reply.get("model")) or "unknown"
    return [
        SourceCall(
            model=model,
            model_served=model,
            request=canonical(to_jsonable(messages)),
            response=_message_text(reply.get("content")),
        )
    ]


def _unmapped_fields(sample: dict[str, Any]) -> dict[str, Any]:
    """The fields of a sample that have no column."""
    fields = {
        key: value for key, value in sample.items() if key not in _EXCLUDED_FIELDS and value not in (None, {}, [], "")
    }
    scores = {}
    for name, score in _as_object(sample.get("scores")).items():
        score_fields = {
            key: value for key, value in _as_object(score).items() if key not in ("value", "explanation") and value
        }
        metadata = {key: value for key, value in _as_object(score_fields.get("metadata")).items() if key != "grading"}
        scores[name] = {
            **{k: v for k, v in score_fields.items() if k != "metadata"},
            **({"metadata": metadata} if metadata else {}),
        }
    jsonable = to_jsonable(
        _resolve_attachments({**fields, **({"scores": scores} if any(scores.values()) else {})}, sample)
    )
    return jsonable if isinstance(jsonable, dict) else {}


def _input_text(sample: dict[str, Any]) -> str:
    """The input of the evaluated model as one text."""
    sample_input = _resolve_attachments(sample.get("input"), sample)
    if not isinstance(sample_input, list):
        return to_text(sample_input) or ""
    messages = [message for message in sample_input if isinstance(message, dict)]
    if len(messages) == 1:
        return _message_text(messages[0].get("content")) or ""
    return "\n\n".join(f"{message.get('role')}: {_message_text(message.get('content')) or ''}" for message in messages)


def _message_text(content: Any) -> str | None:
    """The text of a message; if it has parts, their texts joined."""
    if not isinstance(content, list):
        return to_text(content)
    parts = [_as_object(part) for part in content]
    return "\n\n".join(str(p.get("text") or p.get("reasoning") or f"[{p.get('type')}]") for p in parts) or None


def _resolve_attachments(value: Any, sample: Mapping[str, Any]) -> Any:
    """Replace references to attachments, in which the log keeps each long text once, by their texts."""
    attachments = _as_object(sample.get("attachments"))
    if isinstance(value, str) and value.startswith(_ATTACHED):
        return attachments.get(value.removeprefix(_ATTACHED), value)
    if isinstance(value, list):
        return [_resolve_attachments(item, sample) for item in value]
    if isinstance(value, dict):
        return {key: _resolve_attachments(item, sample) for key, item in value.items()}
    return value


def _stop_reason(output: Mapping[str, Any]) -> str | None:
    choices = output.get("choices")
    return to_text(_as_object(choices[0]).get("stop_reason")) if isinstance(choices, list) and choices else None


def _count_or_none(value: Any) -> int | None:
    count = to_number(value)
    return int(count) if count is not None and 0 <= count < 2**31 else None


def _non_empty_fields(sample: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: sample[name] for name in names if sample.get(name) not in (None, "", [], {})}


def _as_object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
