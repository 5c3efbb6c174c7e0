"""Logs of Inspect (the UK AI Security Institute's framework): a score for each sample, scorer and epoch.

The sample's input is the record, the task is the step, the scorer is the criterion, the epoch is the replicate, and the
model is the one that was examined. Correct, partial and incorrect (`C`, `P`, `I`) also get the numbers that
Inspect gives them (1, 0.5, 0); no answer (`N`) and what could not be scored have none, for a missing answer is
never 0. The conversation becomes request and answer; a grader's too. Events of the transcript stay in the log, which is
named by its hash.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..._internal.ids import canonical
from ..._internal.text import to_jsonable
from ...corpus.loaders.source import file_facts
from ...corpus.record import Record
from .imported_study import ImportedStudy, SourceCriterion, SourceRecord, SourceScore, number, parse_time, text
from .inspect_files import InspectFile

_GRADES = {"C": 1.0, "P": 0.5, "I": 0.0}
_ATTACHED = "attachment://"
_KEPT_OUT = frozenset(
    {"id", "epoch", "input", "messages", "scores", "events", "attachments", "error", "total_time", "events_data"}
)


def read_inspect(path: Path) -> ImportedStudy:
    """Read a log, one sample at a time."""
    log = InspectFile(path)
    head = log.header()
    said = _object(head.get("eval"))
    reading = _LogReader(said)
    for where, sample in log.samples():
        reading.add(where, sample)
    return ImportedStudy(
        kind="inspect",
        name=reading.task,
        about={**file_facts(path), "inspect": _about(head, said)},
        judged=tuple(reading.judged),
        records=tuple(reading.records),
        problems=tuple(reading.problems),
        remarks=tuple(reading.remarks(head)),
    )


def _about(head: Mapping[str, Any], said: Mapping[str, Any]) -> dict[str, Any]:
    """What belongs to the log as a whole; the ids of its samples do not, for they may be names."""
    names = ("task", "task_id", "task_version", "task_args", "run_id", "eval_id", "created", "model", "model_args",
             "model_generate_config", "config", "revision", "packages", "scorers")  # fmt: skip
    kept = {name: said[name] for name in names if name in said}
    dataset = {key: value for key, value in _object(said.get("dataset")).items() if key != "sample_ids"}
    kept |= {"dataset": dataset, "status": head.get("status"), "version": head.get("version")}
    kept |= {name: head[name] for name in ("plan", "results", "stats", "error") if head.get(name)}
    found = to_jsonable(kept)
    assert isinstance(found, dict)
    return found


class _LogReader:
    """What has been read of a log."""

    def __init__(self, said: Mapping[str, Any]) -> None:
        self.task = text(said.get("task")) or "inspect"
        self._model = text(said.get("model")) or "unknown"
        self._params = canonical(to_jsonable(_object(said.get("model_generate_config"))))
        self._scorers = [
            str(_object(item).get("name")) for item in said.get("scorers") or [] if _object(item).get("name")
        ]
        config, dataset = _object(said.get("config")), _object(said.get("dataset"))
        listed = dataset.get("sample_ids")
        self._planned = (len(listed) if isinstance(listed, list) else 0) * int(number(config.get("epochs")) or 1)
        self._texts: dict[tuple[str, str], int] = {}
        self._seen: dict[tuple[str, int, int], str] = {}
        self._unscored = 0
        self.judged: list[SourceScore] = []
        self.records: list[Record] = []
        self.problems: list[str] = []

    def add(self, where: str, sample: dict[str, Any]) -> None:
        """Take in one sample, or note what is wrong with it."""
        record_id, epoch = text(sample.get("id")), number(sample.get("epoch", 1))
        if record_id is None or epoch is None or not epoch.is_integer() or not 1 <= epoch < 2**31:
            self.problems.append(f"`{where}` has no id, or no epoch.")
            return
        record = self._record(record_id, sample)
        first = self._seen.setdefault((record_id, int(epoch), record), where)
        if first != where:
            self.problems.append(f"`{where}` and `{first}` are the same sample and epoch.")
            return
        error = _object(sample.get("error")).get("message") or text(sample.get("error"))
        answers = self._answers(sample, failed=bool(error))
        self._unscored += not answers
        self.judged.append(
            SourceScore(
                where=where,
                record_id=record_id,
                record=record,
                step=self.task,
                model=self._model,
                criteria_set=self.task,
                params=self._params,
                replicate=int(epoch) - 1,
                status="error" if error else "ok",
                output=canonical(rest) if (rest := _rest(sample)) else None,
                error=text(error),
                started_at=parse_time(sample.get("started_at")) if sample.get("started_at") else None,
                duration_s=number(sample.get("total_time")) or 0.0,
                answers=answers,
                asked=tuple(self._asked(sample)),
            )
        )

    def remarks(self, head: Mapping[str, Any]) -> list[str]:
        """What a reader should know."""
        found = []
        if head.get("status") not in ("success", None):
            found.append(f"the log says that it ended with status `{head.get('status')}`.")
        if len(self.judged) < self._planned:
            found.append(f"{len(self.judged):,} of {self._planned:,} planned samples are in the log.")
        if self._unscored:
            found.append(f"{self._unscored:,} samples have no scores.")
        return found

    def _record(self, record_id: str, sample: dict[str, Any]) -> int:
        """The place of the sample's input, each text of a sample once."""
        content = _input(sample)
        if (record_id, content) not in self._texts:
            self._texts[record_id, content] = len(self.records)
            metadata = {**_object(sample.get("metadata")), **_present(sample, "target", "choices")}
            self.records.append(Record(record_id=record_id, content=content, metadata=metadata))
        return self._texts[record_id, content]

    def _answers(self, sample: dict[str, Any], *, failed: bool) -> tuple[SourceRecord, ...]:
        scores = _object(sample.get("scores"))
        if not scores and failed:
            return tuple(SourceRecord(criterion=name, status="error") for name in self._scorers)
        return tuple(given for name, score in scores.items() for given in _given(name, _object(score)))

    def _asked(self, sample: dict[str, Any]) -> list[SourceCriterion]:
        """The conversation with the examined model, and those with graders."""
        messages = _resolved(sample.get("messages") or [], sample)
        output = _object(sample.get("output"))
        usage = _object(output.get("usage"))
        found = []
        if request := [message for message in messages if isinstance(message, dict)]:
            answer = request.pop() if request[-1].get("role") == "assistant" else None
            found.append(
                SourceCriterion(
                    model=self._model,
                    served=text(output.get("model")),
                    request=canonical(to_jsonable(request)),
                    response=_content(answer.get("content")) if answer else None,
                    params=self._params,
                    latency_s=number(output.get("time")),
                    tokens_in=_whole(usage.get("input_tokens")),
                    tokens_out=_whole(usage.get("output_tokens")),
                    finish_reason=_stopped(output),
                )
            )
        return found + [
            asked for score in _object(sample.get("scores")).values() for asked in _grading(_object(score), sample)
        ]


def _given(name: str, score: Mapping[str, Any]) -> list[SourceRecord]:
    """The answers in a score: one, or one for each part where its value has several."""
    value = score.get("value")
    same = {"conclusion": text(score.get("explanation"))}
    if isinstance(value, dict):
        return [
            SourceRecord.model_validate({"criterion": f"{name}.{key}", **_answer(part), **same})
            for key, part in value.items()
        ]
    return [SourceRecord.model_validate({"criterion": name, **_answer(value), **same})]


def _answer(value: Any) -> dict[str, Any]:
    if isinstance(value, bool):
        return {"raw": value, "value": float(value), "category": "yes" if value else "no"}
    if isinstance(value, list):
        return {"raw": value, "category": canonical(to_jsonable(value))}
    if isinstance(value, str):
        found = text(value)
        return {"raw": found, "value": _GRADES.get(value), "category": found, "status": "ok" if found else "invalid"}
    found_number = number(value)
    return {"raw": found_number, "value": found_number, "status": "ok" if found_number is not None else "invalid"}


def _grading(score: Mapping[str, Any], sample: dict[str, Any]) -> list[SourceCriterion]:
    """The conversation with the model that graded, where the score kept it."""
    grading = _object(score.get("metadata")).get("grading")
    messages = [m for m in _resolved(grading, sample) if isinstance(m, dict)] if isinstance(grading, list) else []
    if len(messages) < 2 or messages[-1].get("role") != "assistant":
        return []
    answer = messages.pop()
    model = text(answer.get("model")) or "unknown"
    return [
        SourceCriterion(
            model=model,
            served=model,
            request=canonical(to_jsonable(messages)),
            response=_content(answer.get("content")),
        )
    ]


def _rest(sample: dict[str, Any]) -> dict[str, Any]:
    """What of a sample has no column."""
    kept = {key: value for key, value in sample.items() if key not in _KEPT_OUT and value not in (None, {}, [], "")}
    scores = {}
    for name, score in _object(sample.get("scores")).items():
        more = {key: value for key, value in _object(score).items() if key not in ("value", "explanation") and value}
        metadata = {key: value for key, value in _object(more.get("metadata")).items() if key != "grading"}
        scores[name] = {
            **{k: v for k, v in more.items() if k != "metadata"},
            **({"metadata": metadata} if metadata else {}),
        }
    found = to_jsonable(_resolved({**kept, **({"scores": scores} if any(scores.values()) else {})}, sample))
    return found if isinstance(found, dict) else {}


def _input(sample: dict[str, Any]) -> str:
    """What the examined model was given to read, as one text."""
    given = _resolved(sample.get("input"), sample)
    if not isinstance(given, list):
        return text(given) or ""
    messages = [message for message in given if isinstance(message, dict)]
    if len(messages) == 1:
        return _content(messages[0].get("content")) or ""
    return "\n\n".join(f"{message.get('role')}: {_content(message.get('content')) or ''}" for message in messages)


def _content(content: Any) -> str | None:
    """The text of a message: a text, or the texts among its parts."""
    if not isinstance(content, list):
        return text(content)
    parts = [_object(part) for part in content]
    return "\n\n".join(str(p.get("text") or p.get("reasoning") or f"[{p.get('type')}]") for p in parts) or None


def _resolved(value: Any, sample: Mapping[str, Any]) -> Any:
    """Put long texts, which the log keeps aside once each, back in their places."""
    attachments = _object(sample.get("attachments"))
    if isinstance(value, str) and value.startswith(_ATTACHED):
        return attachments.get(value.removeprefix(_ATTACHED), value)
    if isinstance(value, list):
        return [_resolved(item, sample) for item in value]
    if isinstance(value, dict):
        return {key: _resolved(item, sample) for key, item in value.items()}
    return value


def _stopped(output: Mapping[str, Any]) -> str | None:
    choices = output.get("choices")
    return text(_object(choices[0]).get("stop_reason")) if isinstance(choices, list) and choices else None


def _whole(value: Any) -> int | None:
    found = number(value)
    return int(found) if found is not None and 0 <= found < 2**31 else None


def _present(sample: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: sample[name] for name in names if sample.get(name) not in (None, "", [], {})}


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
