"""`StoredTrace`: one answer with all that led to it: the record, what was sent, what came, what was read in it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from .._internal.html import fragment, table, title
from .._internal.text import pluralise, shorten
from ..agents.base import AgentBase
from ..corpus.record import Record
from ..errors import SetupError, nearest
from ..llm.providers.wire_answer import read_wire_answer
from ..store import Store
from ..store.rebuild_record import rebuild_record

if TYPE_CHECKING:
    import pandas as pd

_SCORES = ["criterion", "category", "value", "answer_note", "flagged", "uncertainty", "conclusion", "reasons", "status"]
_MAX_SHOWN = 2_000


@dataclass(frozen=True)
class StoredTrace:
    """One answer of a run. `Run.trace` returns it.

    Parameters
    ----------
    trace_id, run_id, step, agent, model, criteria_set, replicate, status, error, duration_s
        As in `run.traces()`.
    record
        The record as the run had it; None if its text is no longer stored.
    messages
        The messages of the last call, as they were sent: role and content.
    answer
        The text of the model's answer; None if no model answered.
    output
        What was read in it: the scores of a judge by criterion, the data or the text of any other agent; the object of
        an agent with an `output` type, if the run is of this session, else its data.
    scores
        One row per criterion, for an agent with scores.
    calls
        One row per call, with the whole request and response.
    attempts
        How often the model was asked.
    cost_usd
        What the calls of this run cost; None if that is not known.
    inputs
        The ids of the traces that it read.
    """

    trace_id: str
    run_id: str
    step: str
    agent: str
    model: str | None
    criteria_set: str | None
    replicate: int
    status: str
    error: str | None
    duration_s: float
    record: Record | None
    record_id: str
    messages: tuple[Mapping[str, Any], ...]
    answer: str | None
    output: Any
    scores: pd.DataFrame
    calls: pd.DataFrame
    attempts: int
    cost_usd: float | None
    inputs: tuple[str, ...]

    def __repr__(self) -> str:
        cost = "unknown" if self.cost_usd is None else f"${self.cost_usd:,.4f}"
        lines = [
            f"Trace {self.trace_id}: {self._who()} on record {self.record_id}, {self.status}",
            f"  {pluralise(self.attempts, 'attempt')} in {self.duration_s:,.1f} s, cost {cost}"
            + (f"; it used {pluralise(len(self.inputs), 'other answer')}" if self.inputs else ""),
            *(f"  {name}: {value}" for name, value in self._request_facts()),
        ]
        if self.error:
            lines.append(f"  error: {self.error}")
        lines += [f"  message ({message.get('role')}): {shorten(_text_of(message), 100)}" for message in self.messages]
        if self.answer is not None:
            lines.append(f"  reply: {shorten(self.answer, 100)}")
        lines.append(f"  output: {shorten(str(self.output), 200)}")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        cost = "not known" if self.cost_usd is None else f"${self.cost_usd:,.4f}"
        facts = [
            ("record", self.record_id), ("attempts", self.attempts), ("seconds", f"{self.duration_s:,.1f}"),
            ("cost", cost), *([("error", self.error)] if self.error else []),
            *([("answers used", ", ".join(self.inputs))] if self.inputs else []), *self._request_facts(),
        ]  # fmt: skip
        parts: list[Markup] = [title(self._who(), f"{self.status} · {self.trace_id}"), table(["", ""], facts)]
        if self.record is not None:
            parts += [title("The record"), _preformatted(self.record.content)]
        for message in self.messages:
            parts += [title(f"Message ({message.get('role')})"), _preformatted(_text_of(message))]
        if self.answer is not None:
            parts += [title("Reply"), _preformatted(self.answer)]
        if len(self.scores):
            rows = [
                (row["criterion"], _answer_of(row), row["conclusion"] or "") for row in self.scores.to_dict("records")
            ]
            parts += [title("Output"), table(["criterion", "answer", "conclusion"], rows)]
        elif self.output is not None:
            parts += [title("Output"), _preformatted(_shown(self.output))]
        return fragment(*parts)

    def _request_facts(self) -> list[tuple[str, str]]:
        """The last call's parameters, the model that served it if it says so, and its tokens."""
        if not len(self.calls):
            return []
        call = self.calls.iloc[-1]
        params = {name: value for name, value in json.loads(call.params_sent or "{}").items() if name != "model"}
        facts = [("parameters", ", ".join(f"{name}={value}" for name, value in params.items()))]
        if _value(call.model_served) and call.model_served != call.model_requested:
            facts.append(("model that served", call.model_served))
        tokens = [_value(call.tokens_in), _value(call.tokens_out)]
        if tokens != [None, None]:
            facts.append(("tokens in, out", ", ".join("unknown" if n is None else f"{int(n):,}" for n in tokens)))
        return [(name, value) for name, value in facts if value]

    def _who(self) -> str:
        parts = [self.step, *([self.criteria_set] if self.criteria_set else []), *([self.model] if self.model else [])]
        return " · ".join(parts) + (f" · replicate {self.replicate}" if self.replicate else "")


def read_trace(store: Store, run_id: str, which: str, conditions: Mapping[str, Any]) -> StoredTrace:
    """The trace with that id, or the only one of that record under the conditions.

    Raises
    ------
    SetupError
        There is no such trace, or there are several.
    """
    frame = store.df(
        "select * from traces where run_id = ? and (trace_id = ? or record_id = ?)"
        " order by step, criteria_set, model, replicate, trace_id",
        [run_id, which, which],
    )
    for column, value in conditions.items():
        if value is not None:
            frame = frame[frame[column] == value]
    if len(frame) != 1:
        raise SetupError(_which_problem(store, run_id, which, frame, conditions))
    (row,) = frame.to_dict("records")
    calls = store.df("select * from calls_full where trace_id = ? order by call_id", [row["trace_id"]])
    scores = store.df(f"select {', '.join(_SCORES)} from scores where trace_id = ?", [row["trace_id"]])  # noqa: S608  # our own names
    inputs = store.df(
        "select input_trace_id from trace_inputs where trace_id = ? order by position", [row["trace_id"]]
    ).input_trace_id
    details = store.df(
        "select details_hash from cells where run_id = ? and design_id = ?", [run_id, row["design_id"]]
    ).details_hash
    last_call = calls.iloc[-1] if len(calls) else None
    own_costs = calls.cost_usd[~calls.cached.astype(bool)] if len(calls) else calls.cost_usd
    return StoredTrace(
        trace_id=row["trace_id"],
        run_id=run_id,
        step=row["step"],
        agent=row["agent"],
        model=_value(row["model"]),
        criteria_set=_value(row["criteria_set"]),
        replicate=int(row["replicate"]),
        status=row["status"],
        error=_value(row["error_message"]),
        duration_s=float(row["duration_s"]),
        record=rebuild_record(store, row["record_id"], row["record_hash"], details.iloc[0] if len(details) else ""),
        record_id=row["record_id"],
        messages=_messages(last_call.request) if last_call is not None else (),
        answer=_answer_text(last_call.response) if last_call is not None else None,
        output=_output(row, scores),
        scores=scores,
        calls=calls,
        attempts=int(row["attempts"]),
        cost_usd=None if own_costs.isna().any() else float(own_costs.sum()),
        inputs=tuple(inputs),
    )


def _which_problem(store: Store, run_id: str, which: str, frame: pd.DataFrame, conditions: Mapping[str, Any]) -> str:
    if len(frame):
        apart = [
            name for name in ("step", "criteria_set", "model", "replicate") if frame[name].nunique(dropna=False) > 1
        ]
        first = ", ".join(f"{name}={_plain(frame[name].iloc[0])!r}" for name in apart)
        return f"record `{which}` has {len(frame):,} answers in this run; write run.trace({which!r}, {first})."
    names = store.df("select distinct record_id from traces where run_id = ?", [run_id]).record_id
    if which in set(names):
        given = ", ".join(f"{name}={value!r}" for name, value in conditions.items() if value is not None)
        return f"record `{which}` has no answer with {given} in this run; run.traces() lists what there is."
    return f"this run has no trace and no record `{which}`; {nearest(which, list(names))}"


def _plain(value: Any) -> Any:
    return value.item() if hasattr(value, "item") else value


def _value(value: Any) -> Any:
    """The value, or None for a missing one."""
    import pandas as pd

    return None if pd.isna(value) else value


def _messages(request: Any) -> tuple[Mapping[str, Any], ...]:
    try:
        messages: Sequence[Any] = json.loads(request)["messages"]
    except (TypeError, ValueError, KeyError):
        return ()
    return tuple(message for message in messages if isinstance(message, dict))


def _answer_text(response: Any) -> str | None:
    """The model's text in a response; the response itself if it is in no form of a provider."""
    if not isinstance(response, str):
        return None
    try:
        answer = read_wire_answer(json.loads(response))
    except ValueError:
        return response
    return answer.text if answer is not None else response


def _output(row: Mapping[Any, Any], scores: pd.DataFrame) -> Any:
    if len(scores):
        return {score["criterion"]: _answer_of(score) for score in scores.to_dict("records")}
    output = _value(row["output"])
    kind = AgentBase.kinds.get(row["agent"])
    if output is None or row["status"] != "ok" or kind is None or not kind.output_is_json:
        return output
    try:
        return json.loads(output)
    except ValueError:
        return output


def _answer_of(score: Mapping[Any, Any]) -> Any:
    if score["status"] != "ok":
        return score["status"]
    return score["category"] if isinstance(score["category"], str) else score["value"]


def _text_of(message: Mapping[str, Any]) -> str:
    """The text of a message; images in it are named, not shown."""
    content = message.get("content")
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else []
    return " ".join(str(part.get("text") or f"[{part.get('type')}]") for part in parts if isinstance(part, dict))


def _shown(output: Any) -> str:
    """An output as text: data as JSON, an object as it describes itself."""
    return json.dumps(output, ensure_ascii=False, indent=1) if isinstance(output, dict | list | str) else repr(output)


def _preformatted(text: str) -> Markup:
    shown = text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]} ..."
    return Markup('<pre style="white-space:pre-wrap;max-width:60em">{}</pre>').format(shown)
