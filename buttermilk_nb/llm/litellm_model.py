"""Any model that litellm names. litellm is loaded when the first such model is used, not before.

litellm takes 1.7 s to import and calls out for a price list unless it is told not to; both are dealt
with here. Its own retries are switched off, because the call path is ours, and its timeouts are given.
Keys are checked before the first call, because litellm reports a missing one as a server error.
"""

from __future__ import annotations

import json
import os
import re
import threading
import time
import warnings
from collections.abc import Mapping
from functools import cached_property
from typing import Any

from .._secrets import redact, redact_known
from .._text import clean, shorten
from ..criteria import Criteria
from ..errors import (
    AuthenticationError,
    BadRequestError,
    BadResponseError,
    CallTimeout,
    ContentFilterError,
    ContextTooLongError,
    ModelError,
    OverloadedError,
    QuotaError,
    RateLimitError,
    SetupError,
    UnavailableError,
    nearest,
)
from ..traces import now
from .base import Completion, Model, Request

_lock = threading.Lock()
_loaded: Any = None
_NOT_SAMPLING = frozenset(
    {"api_key", "api_base", "base_url", "api_version", "extra_headers", "organization", "vertex_credentials"}
)
"""Whom to ask and with which key: never part of a stored request."""


def load_litellm() -> Any:
    """litellm, quiet and without a network call of its own."""
    global _loaded
    with _lock:
        if _loaded is None:
            os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
            os.environ.setdefault("LITELLM_MODE", "PRODUCTION")
            # litellm's own types make pydantic warn in the middle of a call, into the reader's notebook
            warnings.filterwarnings("ignore", message="Item '.*' on TypedDict class", category=UserWarning)
            import litellm

            litellm.suppress_debug_info = True
            litellm.telemetry = False
            litellm.drop_params = False
            _loaded = litellm
        return _loaded


class LitellmModel(Model):
    """A remote or local model behind litellm.

    Parameters
    ----------
    name
        litellm's name for it: `anthropic/...`, `openai/...`, `hosted_vllm/...`, `ollama_chat/...`.
    """

    about = "called through litellm"

    def warm(self) -> None:
        threading.Thread(target=load_litellm, name="buttermilk_nb-litellm", daemon=True).start()

    def problems(self, criteria: Criteria | None) -> list[str]:  # noqa: ARG002  # remote models read no cues
        litellm = load_litellm()
        family = self.name.partition("/")[0]
        try:
            litellm.get_llm_provider(self.name)
        except litellm.exceptions.BadRequestError:
            providers = [str(getattr(p, "value", p)) for p in litellm.provider_list]
            return [
                f"there is no model family `{family}` (of `{self.name}`); {nearest(family, ['offline', *providers])}"
            ]
        missing = litellm.validate_environment(self.name).get("missing_keys") or []
        keys = [key for key in missing if key.endswith(("KEY", "TOKEN", "SECRET")) and not os.environ.get(key)]
        if keys and not _has_base(family):
            return [
                f"model `{self.name}` needs a key: set the environment variable {' or '.join(keys)} and start again."
            ]
        return []

    def split_params(self, params: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        misplaced = sorted(_NOT_SAMPLING & set(params))
        if misplaced:
            family = self.name.partition("/")[0].upper()
            raise SetupError(
                f"`{misplaced[0]}` does not belong in params, which are stored; set it in the environment, for example "
                f"{family}_API_BASE or {family}_API_KEY."
            )
        litellm = load_litellm()
        supported = set(litellm.get_supported_openai_params(self.name) or ())
        sent = {key: value for key, value in params.items() if key in supported and self._takes(key, value)}
        return sent, {key: value for key, value in params.items() if key not in sent}

    def _takes(self, key: str, value: Any) -> bool:
        """Whether the model takes this value; some take a parameter at its default only (temperature)."""
        litellm = load_litellm()
        try:
            model, provider, _, _ = litellm.get_llm_provider(self.name)
            litellm.utils.get_optional_params(model=model, custom_llm_provider=provider, **{key: value})
        except litellm.exceptions.UnsupportedParamsError:
            return False
        except Exception:  # noqa: BLE001  # whatever else is wrong with it, the provider will say
            return True
        return True

    def price(self) -> tuple[float, float] | None:
        return self._price

    @cached_property
    def _price(self) -> tuple[float, float] | None:
        try:
            entry = load_litellm().get_model_info(self.name)
        except Exception:  # noqa: BLE001  # litellm's way to say that it knows no price
            return None
        reads, writes = entry.get("input_cost_per_token"), entry.get("output_cost_per_token")
        return None if reads is None or writes is None else (float(reads), float(writes))

    async def complete(self, request: Request) -> Completion:
        litellm = load_litellm()
        started = time.perf_counter()
        try:
            response = await litellm.acompletion(
                model=self.name,
                messages=[message.as_dict() for message in request.messages],
                max_retries=0,
                num_retries=0,
                **request.params.sent,
            )
            return _completion(response, time.perf_counter() - started, priced=self._price is not None)
        except ModelError:
            raise
        except Exception as error:  # on a malformed response litellm may raise anything; the cell becomes a row
            raise _mapped(error, self.name) from error


def _has_base(family: str) -> bool:
    return bool(os.environ.get(f"{family.upper()}_API_BASE"))


def _completion(response: Any, latency_s: float, *, priced: bool) -> Completion:
    choices = getattr(response, "choices", None)
    if not choices:
        raise BadResponseError("the server sent a response without an answer (no choices).")
    choice = choices[0]
    message = choice.message
    usage = getattr(response, "usage", None)
    hidden = getattr(response, "_hidden_params", None) or {}
    headers = hidden.get("additional_headers") or {}
    request_id = headers.get("llm_provider-x-request-id") or headers.get("llm_provider-request-id")
    return Completion(
        text=clean(message.content or ""),
        finish_reason=choice.finish_reason,
        refusal=getattr(message, "refusal", None),
        model_served=response.model,
        fingerprint=getattr(response, "system_fingerprint", None),
        request_id=request_id or response.id,
        tokens_in=getattr(usage, "prompt_tokens", None),
        tokens_out=getattr(usage, "completion_tokens", None),
        cost_usd=hidden.get("response_cost") if priced else None,  # litellm worked it out already
        latency_s=latency_s,
        answered_at=now(),
        raw=redact_known(clean(json.dumps(response.model_dump(mode="json"), ensure_ascii=False, default=str))),
    )


def _mapped(error: Any, name: str) -> ModelError:
    """Litellm's error as one of ours, with a hint."""
    kind = type(error).__name__
    said = re.sub(r" ssl:<[^>]*>", "", str(getattr(error, "message", error)))  # an address in memory
    said = shorten(redact(said), 300)
    status = getattr(error, "status_code", None)
    code = str(getattr(error, "code", None) or status or "") or None
    lower = said.lower()
    family = name.partition("/")[0]
    made: tuple[type[ModelError], str]
    if kind == "ContextWindowExceededError":
        made = (ContextTooLongError, "Cut the text into segments, or name a model that reads longer ones.")
    elif kind == "ContentPolicyViolationError":
        made = (ContentFilterError, "The provider's filter stopped it; the row says so.")
    elif kind == "Timeout" or status == 408:
        made = (CallTimeout, "Raise `timeout_s` in buttermilk.yaml, or try again later.")
    elif kind == "AuthenticationError" or kind == "PermissionDeniedError" or status in (401, 403):
        made = (AuthenticationError, f"Check the key for `{family}`.")
    elif "insufficient_quota" in lower or "credit balance" in lower or status == 402:
        made = (QuotaError, "The account has no credit left.")
    elif kind == "RateLimitError" or status == 429:
        made = (RateLimitError, "Lower `concurrency`, or run the cell again later: finished answers are kept.")
    elif status == 529 or "overloaded" in lower:
        made = (OverloadedError, "Run the cell again later: finished answers are kept.")
    elif status in (400, 404, 405, 413, 422) or kind in (
        "BadRequestError",
        "NotFoundError",
        "UnprocessableEntityError",
    ):
        made = (BadRequestError, f"Check the model's name (`{name}`) and its parameters.")
    elif kind in ("APIResponseValidationError", "JSONSchemaValidationError"):
        made = (BadResponseError, "The server sent something that is not an answer.")
    else:
        made = (UnavailableError, "Is the server running and reachable? Run the cell again later.")
    return made[0](f"`{name}` failed: {said} {made[1]}", code=code)
