"""Read a response of litellm as a `Completion`; what the provider sent decides where it says something."""

from __future__ import annotations

import json
import math
from typing import Any

from ..._internal.text import replace_surrogates
from ...schema import now
from ..completion import Completion
from .exception_details import FailedCall
from .response_errors import filter_category, parse_body
from .wire_answer import WireAnswer, read_wire_answer

_MOST_TOKENS = 1e9


def read_response(response: Any, latency_s: float, body: str | None = None) -> Completion:
    """Read litellm's response as a Completion without cost; the model adds the cost.

    Parameters
    ----------
    response
        A response for which `empty_answer_error` returned None.
    latency_s
        Seconds that the call took.
    body
        The provider's own response, which alone says why a filter stopped an answer.
    """
    choice = response.choices[0]
    message = choice.message
    data = parse_body(body)
    category = filter_category(data)
    sent = read_wire_answer(data) or _summed_up(response)
    provider_fields = getattr(message, "provider_specific_fields", None) or {}
    content = message.content if isinstance(message.content, str) else None
    hidden = getattr(response, "_hidden_params", None) or {}
    headers = hidden.get("additional_headers") or {}
    request_id = headers.get("llm_provider-x-request-id") or headers.get("llm_provider-request-id")
    return Completion(
        text=replace_surrogates(content or sent.text or ""),
        finish_reason="refusal" if (category or "").startswith("refusal") else sent.finish_reason,
        refusal=getattr(message, "refusal", None) or provider_fields.get("refusal") or sent.refusal,
        category=category,
        model_served=response.model,
        fingerprint=getattr(response, "system_fingerprint", None),
        request_id=request_id or response.id,
        tokens_in=sent.tokens_in,
        tokens_out=sent.tokens_out,
        n_reasoning=sent.n_reasoning or None,
        latency_s=latency_s,
        answered_at=now(),
        raw=json.dumps(response.model_dump(mode="json"), ensure_ascii=False, default=str),
    )


def read_rejected_answer(error: BaseException, latency_s: float, body: str | None) -> Completion | None:
    """Read an answer that litellm rejected because of its form, such as a list of parts; None if it is none.

    Parameters
    ----------
    error
        What litellm raised.
    latency_s
        Seconds that the call took.
    body
        The provider's own response.
    """
    data = parse_body(body)
    sent = read_wire_answer(data) if FailedCall(error, body).unparseable else None
    if sent is None or not sent.text or sent.ending not in ("finished", "cut off", "tool call"):
        return None
    return Completion(
        text=replace_surrogates(sent.text),
        finish_reason=sent.finish_reason,
        refusal=sent.refusal,
        model_served=data.get("model") if isinstance(data.get("model"), str) else None,
        request_id=data.get("id") if isinstance(data.get("id"), str) else None,
        tokens_in=sent.tokens_in,
        tokens_out=sent.tokens_out,
        n_reasoning=sent.n_reasoning or None,
        latency_s=latency_s,
        answered_at=now(),
        raw=body or "",
    )


def has_tokens(response: Any, completion: Completion) -> bool:
    """Whether litellm counts the tokens of a response as the completion does, so that its cost is right."""
    own = token_count(response, "prompt_tokens"), token_count(response, "completion_tokens")
    return own == (completion.tokens_in, completion.tokens_out)


def listed_cost(response: Any) -> float | None:
    """The cost that litellm computes from its list of prices, which counts cached tokens correctly."""
    hidden = getattr(response, "_hidden_params", None) or {}
    cost: float | None = hidden.get("response_cost")
    return cost


def _summed_up(response: Any) -> WireAnswer:
    """Litellm's own summary, for a response in none of the documented forms."""
    message = response.choices[0].message
    reasoning = getattr(message, "reasoning_content", None)
    tokens_in, tokens_out = (token_count(response, kind) for kind in ("prompt_tokens", "completion_tokens"))
    return WireAnswer(
        text=message.content if isinstance(message.content, str) else None,
        reason=response.choices[0].finish_reason,
        n_reasoning=len(reasoning) if isinstance(reasoning, str) else 0,
        tokens_in=tokens_in or None,
        tokens_out=tokens_out or None,
    )


def token_count(response: Any, kind: str) -> int | None:
    """The number of tokens of a kind, such as `prompt_tokens`; None if the server gives none that can be true.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> usage = SimpleNamespace(prompt_tokens=12, completion_tokens=-1)
    >>> [token_count(SimpleNamespace(usage=usage), kind) for kind in ("prompt_tokens", "completion_tokens", "others")]
    [12, None, None]
    """
    count = getattr(getattr(response, "usage", None), kind, None)
    if isinstance(count, bool) or not isinstance(count, int | float) or not 0 <= count < _MOST_TOKENS:
        return None
    return math.ceil(count)
