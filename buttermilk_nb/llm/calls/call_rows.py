"""Make the `Call` rows of requests: one per attempt, with its result or error."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from ..._internal.ids import uuid7
from ...schema import Call, RedactionRow, Status, TextRow
from ..completion import Completion, DiskCompletion
from ..model import Request
from .attempt import Attempt


def answer_row(
    request: Request,
    completion: Completion,
    answer: TextRow,
    trace_id: str,
    run_id: str,
    asked_at: dt.datetime,
    *,
    shared: bool,
    max_cost_usd: float | None = None,
) -> Call:
    """The row of an answer.

    `shared` means that the answer is from the cache or from a call that is paid already. `max_cost_usd` is the most
    that an answer of a batch can have cost, in case the answer does not say what it did cost.
    """
    return Call(
        **_shared_columns(request, trace_id, run_id, asked_at),
        model_served=completion.model_served,
        fingerprint=completion.fingerprint,
        request_id=completion.request_id,
        cached=shared,
        answered_at=completion.answered_at,
        response_hash=answer.text_hash,
        finish_reason=completion.finish_reason,
        tokens_in=completion.tokens_in,
        tokens_out=completion.tokens_out,
        cost_usd=0.0 if shared else completion.cost_usd,
        saved_usd=completion.cost_usd if shared else 0.0,
        latency_s=completion.latency_s,
        status=answer_status(completion),
        error_code=completion.category,
        max_cost_usd=(max_cost_usd or None) if completion.cost_usd is None else None,
    )


def add_attempts(call: Call, attempts: Sequence[Attempt]) -> Call:
    """The row of an answer, with what the attempts of its request say: their number, the last wait, an unknown cost."""
    last = attempts[-1]
    update = {"attempt": len(attempts), "waited_s": round(last.waited_s, 3), "max_cost_usd": last.max_cost_usd}
    return call.model_copy(update=update)


def failure_row(request: Request, attempt: Attempt, trace_id: str, run_id: str, *, number: int, shared: bool) -> Call:
    """The row of a failed attempt; `number` counts the attempts of a request from 1."""
    assert attempt.error is not None
    return Call(
        **_shared_columns(request, trace_id, run_id, attempt.asked_at),
        cached=shared,
        attempt=number,
        waited_s=round(attempt.waited_s, 3),
        latency_s=round(attempt.took_s, 3),
        status=attempt.error.status,
        error_message=str(attempt.error),
        error_code=getattr(attempt.error, "code", None),
        max_cost_usd=attempt.max_cost_usd,
    )


def redacted_rows(request: Request) -> tuple[RedactionRow, ...]:
    """The rows of the redacted texts of a request, with their placeholders."""
    return tuple(
        RedactionRow(request_hash=request.body.text_hash, placeholder=placeholder, original=original)
        for placeholder, original in request.redacted.items()
    )


def _shared_columns(request: Request, trace_id: str, run_id: str, asked_at: dt.datetime) -> dict[str, Any]:
    return {
        "call_id": uuid7(),
        "trace_id": trace_id,
        "run_id": run_id,
        "model_requested": request.model.full_name,
        "cache_key": request.key,
        "asked_at": asked_at,
        "params_sent": request.params.sent_json,
        "params_dropped": request.params.dropped_json,
        "request_hash": request.body.text_hash,
        "provider": request.model.provider,
        "remote": request.remote,
        "redaction": request.redaction.policy_hash if request.redaction else None,
    }


def answer_status(completion: DiskCompletion) -> Status:
    """The status of a call that was answered: answered, refused, or stopped by a filter."""
    if completion.finish_reason == "content_filter":
        return "filtered"
    return "refused" if completion.refusal or completion.finish_reason == "refusal" else "ok"
