"""`Completion`: a model's finished answer; `CacheEntry`: its form in the cache."""

from __future__ import annotations

import datetime as dt
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationInfo

from .._internal.secret_redaction import redact_known
from ..schema import Clean


def _remove_keys(value: str, info: ValidationInfo) -> str:
    return value if info.context is FROM_DISK else redact_known(value)


FROM_DISK = object()
"""Validation context for answers from disk, whose keys were removed before they were written."""


WithoutKeys = Annotated[Clean, AfterValidator(_remove_keys)]
"""A text from a server, with any known API key in it redacted."""


class DiskCompletion(BaseModel):
    """A finished answer (also a refusal or a filtered one) as it is on disk, where no key is in it.

    Parameters
    ----------
    text
        The answer's text.
    finish_reason
        Why the model stopped: `stop`, `length`, `content_filter`, ...
    refusal
        The provider's own refusal text, if it has a field for one.
    model_served
        The model that answered, according to the provider.
    fingerprint
        The provider's fingerprint of the model version, or the facts about a local server.
    request_id
        The provider's id of the request.
    tokens_in, tokens_out
        Tokens read and written.
    cost_usd
        The cost of the call, in US dollars; None if the price is not known.
    latency_s
        Seconds from the request to the response.
    answered_at
        The time of the answer, in UTC.
    raw
        The whole response as received.
    category
        The category of the provider's filter that stopped the answer, if there is one.
    n_reasoning
        Characters of the model's reasoning outside the answer; None if there is none.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    text: str
    finish_reason: str | None = None
    refusal: str | None = None
    model_served: str | None = None
    fingerprint: str | None = None
    request_id: str | None = None
    tokens_in: int | None = None
    tokens_out: int | None = None
    cost_usd: float | None = None
    latency_s: float | None = None
    answered_at: dt.datetime
    raw: str
    category: str | None = None
    n_reasoning: int | None = None


class Completion(DiskCompletion):
    """A finished answer, with the provider's data about the call; keys in its texts are redacted when it is made."""

    text: WithoutKeys
    finish_reason: WithoutKeys | None = None
    refusal: WithoutKeys | None = None
    model_served: WithoutKeys | None = None
    fingerprint: WithoutKeys | None = None
    request_id: WithoutKeys | None = None
    raw: WithoutKeys
    category: WithoutKeys | None = None


class CacheEntry(BaseModel):
    """A completion in the cache, with the named hashes of its key's parts, so that a miss can be explained."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    tag: str = "e1"
    parts: dict[str, str]
    completion: Completion


class DiskEntry(BaseModel):
    """An entry as it is on disk: of the same form as a `CacheEntry`, and faster to read by the thousand."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    tag: str = "e1"
    parts: dict[str, str]
    completion: DiskCompletion
