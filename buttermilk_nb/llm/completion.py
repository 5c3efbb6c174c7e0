"""`Completion`: a model's finished answer, and the entry that the cache keeps of it."""

from __future__ import annotations

import datetime as dt
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationInfo

from .._internal.secret_redaction import redact_known
from ..schema import Clean


def _remove_keys(value: str, info: ValidationInfo) -> str:
    return value if info.context is FROM_DISK else redact_known(value)


FROM_DISK = object()
"""The context in which answers are read that were looked through before they were written."""


WithoutKeys = Annotated[Clean, AfterValidator(_remove_keys)]
"""What a server sent: without the key it was asked with, whichever model brought it."""


class Completion(BaseModel):
    """A completed answer: text, refusal or filtered, with what is known of how it came about.

    Parameters
    ----------
    text
        The answer's text.
    finish_reason
        Why the model stopped: `stop`, `length`, `content_filter`, ...
    refusal
        The provider's own refusal text, where it has a field for one.
    cost_usd
        What it cost when it was asked; None where the price is not known.
    raw
        The whole response as received.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    text: WithoutKeys
    finish_reason: WithoutKeys | None = None
    refusal: WithoutKeys | None = None
    model_served: WithoutKeys | None = None
    fingerprint: WithoutKeys | None = None
    request_id: WithoutKeys | None = None
    tokens_in: int | None = None
    tokens_out: int | None = None
    cost_usd: float | None = None
    latency_s: float | None = None
    answered_at: dt.datetime
    raw: WithoutKeys
    category: WithoutKeys | None = None
    """Why a provider's filter stopped it, where it says so."""


class CacheEntry(BaseModel):
    """A Completion on disk, with the named hashes of its key's parts, so that a miss can be explained."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    tag: str = "e1"
    parts: dict[str, str]
    completion: Completion
