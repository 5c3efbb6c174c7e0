"""Read a response of litellm as a `Completion`."""

from __future__ import annotations

import json
import math
from typing import Any

from ..._internal.text import replace_surrogates
from ...schema import now
from ..completion import Completion
from .response_errors import filter_category, parse_body

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
    category = filter_category(parse_body(body)) if body else None
    finish_reason = "refusal" if (category or "").startswith("refusal") else choice.finish_reason
    provider_fields = getattr(message, "provider_specific_fields", None) or {}
    text = replace_surrogates(message.content or "")
    tokens_in, tokens_out = (token_count(response, kind) for kind in ("prompt_tokens", "completion_tokens"))
    hidden = getattr(response, "_hidden_params", None) or {}
    headers = hidden.get("additional_headers") or {}
    request_id = headers.get("llm_provider-x-request-id") or headers.get("llm_provider-request-id")
    return Completion(
        text=text,
        finish_reason=finish_reason,
        refusal=getattr(message, "refusal", None) or provider_fields.get("refusal"),
        category=category,
        model_served=response.model,
        fingerprint=getattr(response, "system_fingerprint", None),
        request_id=request_id or response.id,
        tokens_in=tokens_in,
        tokens_out=tokens_out if tokens_out or not text else None,  # a text of no tokens does not exist
        latency_s=latency_s,
        answered_at=now(),
        raw=json.dumps(response.model_dump(mode="json"), ensure_ascii=False, default=str),
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
