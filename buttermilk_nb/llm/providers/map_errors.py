"""Map exceptions from litellm, its clients and the network to this package's errors, with advice.

Some distinctions matter, because the call path acts on them. An empty account or a daily quota is a QuotaError,
although it comes as HTTP 429 with a time to wait: a retry after that time is useless. A limit per minute is a
RateLimitError, although Google's message reads like an empty account. And the response of a proxy or a login page never
counts as the provider's statement about the key.
"""

from __future__ import annotations

import re
import ssl
from typing import Any

from ..._internal.text import shorten
from ...errors import (
    AuthenticationError,
    BadRequestError,
    BadResponseError,
    CallTimeout,
    ConnectionLostError,
    ContentFilterError,
    ContextTooLongError,
    ModelError,
    OverloadedError,
    QuotaError,
    RateLimitError,
    UnavailableError,
)
from .exception_details import FailedCall
from .response_errors import error_in, filter_category, parse_body
from .wire_answer import read_wire_answer

Diagnosis = tuple[type[ModelError], str]
"""A class of error, and advice."""

_RUN_LATER = "Run the notebook cell again later: finished answers are stored."
_FILTER_WORDS = re.compile(
    r"content[_ ](?:filter|policy|moderation)|content management policy|responsibleaipolicy|"
    r"violat\w+ (?:\w+ ){0,4}(?:guidelines?|polic(?:y|ies)|rules?|terms)\b|"
    r"safety (?:system|filter|check)|flagged (?:as|by|for)|(?:was|been|is) flagged|data_inspection_failed|"
    r"content exists risk|moderation (?:failed|flagged|error|blocked)|"
    r"guardrails?\b[^.]{0,40}\b(?:intervened|blocked|triggered|violation)|"
    r"(?:blocked|rejected|stopped) by (?:a |the |our )?(?:\w+ )?(?:guardrail|moderation|safety)|"
    r"(?:sensitive|inappropriate|unsafe|prohibited|disallowed|harmful|risky) content|input_moderation|"
    r"content (?:was |has been )?(?:blocked|flagged|rejected|censored)|"
    r"sensitive ?(?:information|content)|new_sensitive|敏感|不安全|违规",
    re.IGNORECASE,
)
_ACCOUNT_WORDS = re.compile(
    r"\b(?:account|organi[sz]ation|project|api key|subscription)\b[^.]{0,60}\b(?:suspended|disabled|banned|deactivated|"
    r"terminated|restricted|blocked|violat)",
    re.IGNORECASE,
)
"""A refusal of everything that an account asks for, and not of one text."""
_TOO_LONG_WORDS = re.compile(
    r"context_length_exceeded|exceed_context_size|maximum context|"
    r"context (?:length|window|size) (?:of|is|exceeded|limit)|"
    r"(?:prompt|input|request|message|text)s?\b[^.]{0,40} (?:is|are|was) too (?:long|large)|"
    r"(?:prompt|input|request)_too_(?:long|large)|request too large|too many (?:input |prompt )?tokens|"
    r"string_above_max_length|input token count|(?:input|prompt) (?:tokens?|length)\b[^.]{0,60}\bexceed|"
    r"exceed\w*[^.]{0,40}\b(?:context|max_model_len)|longer than the (?:model'?s? |maximum )?(?:context|model)|"
    r"reduce (?:the |your )?(?:length|prompt|input)|range of input length should be|"
    r"maximum (?:allowed )?(?:input|prompt) (?:length|tokens)|n_keep\b.{0,40}\bn_ctx|"
    r"(?:greater|larger) than the context|(?:prompt|input) exceeds (?:the )?max|exceeded model token limit",
    re.IGNORECASE,
)
_NO_CREDIT_WORDS = re.compile(
    r"insufficient[_ ](?:quota|balance|credits?|funds)|credit[_ ]balance|no credits|exceeded your current quota|"
    r"billing_(?:hard_limit|not_active)|check your billing|api usage limits|payment required|spending limit",
    re.IGNORECASE,
)
_DAILY_QUOTA_WORDS = re.compile(r"free-models-per-day|daily (?:free )?quota", re.IGNORECASE)
_OVERLOADED_WORDS = re.compile(r"overloaded|capacity exceeded|no capacity", re.IGNORECASE)
_TIMEOUT_STATUSES = frozenset({408, 504, 524})
_CONNECT_ERRORS = frozenset({"ConnectError", "ConnectTimeout", "ClientConnectorError"})
_NETWORK_ERRORS = frozenset({"OSError", "TransportError", "RequestError", "ClientError"})


def map_error(error: Any, name: str, *, provider: str = "", body: str | None = None) -> ModelError:
    """Map an exception to a ModelError.

    Parameters
    ----------
    error
        The exception.
    name
        The model's name, for the message.
    provider
        The provider, for advice about its key; by default the family in the name.
    body
        The response as received, if `RawResponse` recorded it; litellm drops some responses when it raises.

    Examples
    --------
    >>> map_error(TimeoutError(), "openai/some-model").transient
    True
    """
    if isinstance(error, ModelError):
        return error
    failure = FailedCall(error, body)
    kind, hint = _diagnose(failure, name, provider or name.partition("/")[0])
    message = shorten(failure.message, 300).rstrip(" .")
    return kind(
        f"`{name}` failed: {f'{message}. ' if message else ''}{hint}",
        code=failure.code,
        retry_after_s=failure.retry_after_s if kind.transient else None,
    )


def empty_answer_error(response: Any, name: str, *, provider: str = "", body: str | None = None) -> ModelError | None:
    """The error if a response that litellm accepted has no answer; None if it has one, even an empty or filtered one.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> blocked = '{"promptFeedback": {"blockReason": "SAFETY"}}'
    >>> error = empty_answer_error(SimpleNamespace(choices=[]), "gemini/some-model", body=blocked)
    >>> type(error).__name__, error.code
    ('ContentFilterError', 'content_filter:safety')
    """
    data = parse_body(body)
    blocked = (
        isinstance(data, dict) and "promptFeedback" in data and not data.get("candidates") and filter_category(data)
    )
    if getattr(response, "choices", None) and not blocked:
        return None
    message = "the prompt was blocked" if blocked else "the server sent a response without an answer"
    return map_error(ValueError(message), name, provider=provider, body=body)


def failed_answer_error(name: str, *, provider: str = "", body: str | None = None) -> ModelError:
    """The error of a response that looks like an answer and says that it failed.

    Gateways answer HTTP 200 if the model behind them broke off.

    Examples
    --------
    >>> body = '{"choices": [{"finish_reason": "error", "error": {"message": "Provider overloaded"}, "message": {}}]}'
    >>> type(failed_answer_error("openrouter/some-model", body=body)).__name__
    'OverloadedError'
    """
    data = parse_body(body)
    if error_in(data):
        return map_error(ValueError("the answer ended with an error"), name, provider=provider, body=body)
    answer = read_wire_answer(data)
    reason = answer.reason if answer else "error"
    return UnavailableError(f"`{name}` failed: the answer ended with `{reason}`. {_RUN_LATER}")


def _diagnose(failure: FailedCall, name: str, provider: str) -> Diagnosis:
    return (
        _no_response(failure)
        or _web_page(failure)
        or _filtered(failure)
        or _limit_exceeded(failure, name)
        or _rejected(failure, name, provider)
        or _server_error(failure)
    )


def _no_response(failure: FailedCall) -> Diagnosis | None:
    """There was no response."""
    if failure.response is not None or failure.text:
        return None
    if failure.exception_names & {"TimeoutError", "Timeout", "TimeoutException", "APITimeoutError"}:
        return CallTimeout, "Raise `timeout_s` in buttermilk.yaml, or lower `max_tokens` in the judge's params."
    if any(isinstance(link, ssl.SSLError) for link in failure.chain):
        return UnavailableError, (
            "The secure connection failed: is `https://` in `api_base` right? Behind the proxy of a university or "
            "company, set the environment variable SSL_CERT_FILE to its certificate."
        )
    if "gaierror" in failure.exception_names:
        return UnavailableError, "Is this computer online, and is the host in `api_base` spelled right?"
    if "ConnectionRefusedError" in failure.exception_names:
        return UnavailableError, "Nothing listens at this address: is the server running, and is `api_base` right?"
    if "TooManyRedirects" in failure.exception_names:
        return BadRequestError, "The address redirects in a circle: check `api_base`."
    if not failure.exception_names & _NETWORK_ERRORS:
        return None
    is_sent = not failure.exception_names & _CONNECT_ERRORS
    return ConnectionLostError if is_sent else UnavailableError, f"The connection broke. {_RUN_LATER}"


def _web_page(failure: FailedCall) -> Diagnosis | None:
    """The response is a web page, from a gateway, a proxy, a firewall or a login."""
    status = failure.status or 200
    if not failure.is_page:
        return None
    if status == 429 or status >= 500:
        kind = RateLimitError if status == 429 else _unavailable(status)
        return kind, f"A gateway answered instead of the server. {_RUN_LATER}"
    hint = "Did a proxy, a firewall or a login page answer instead of the server, or is `api_base` wrong?"
    return (BadRequestError if status >= 400 else BadResponseError), hint


def _filtered(failure: FailedCall) -> Diagnosis | None:
    """A filter stopped the prompt or the answer."""
    is_named = (failure.code or "").startswith("content_filter")
    is_named = is_named or "ContentPolicyViolationError" in failure.exception_names
    text = failure.searched_text
    words = f"{text}\n{text.replace('_', ' ')}"
    is_said = bool(_FILTER_WORDS.search(words)) and not _ACCOUNT_WORDS.search(words)
    if is_named or (failure.status in (400, 403, 422, 451) and is_said):
        return ContentFilterError, (
            "The provider's filter stopped it. The answer is marked `filtered`; another model may judge this text."
        )
    return None


def _limit_exceeded(failure: FailedCall, name: str) -> Diagnosis | None:
    """A limit was exceeded: length, daily quota, credit, requests per minute, or capacity."""
    status, text = failure.status, failure.searched_text
    if "ContextWindowExceededError" in failure.exception_names or status == 413 or _TOO_LONG_WORDS.search(text):
        return ContextTooLongError, "Cut the text into segments, or use a model that reads longer texts."
    has_daily_quota = _DAILY_QUOTA_WORDS.search(text) or any("perday" in quota.lower() for quota in failure.quotas)
    if status in (403, 429) and has_daily_quota:
        return QuotaError, "The daily quota is used up: run the notebook cell again tomorrow, or turn on billing there."
    if status == 402 or (_NO_CREDIT_WORDS.search(text) and not _is_minute_quota(failure)):
        return QuotaError, (
            "Add credit or raise the limit on the provider's billing page, then run the notebook cell again."
        )
    if status == 429 or "rate_limit" in (failure.code or ""):
        return RateLimitError, (
            f"Write `limits: {{requests_per_minute: ...}}` under `models: {name}:` in buttermilk.yaml, or run the "
            "notebook cell again later: finished answers are stored."
        )
    return (OverloadedError, _RUN_LATER) if status == 529 or _OVERLOADED_WORDS.search(text) else None


def _is_minute_quota(failure: FailedCall) -> bool:
    """Whether Google means a limit per minute: it names a quota that is not the daily one, or a time to wait."""
    return failure.code == "RESOURCE_EXHAUSTED" and (bool(failure.quotas) or failure.retry_after_s is not None)


def _rejected(failure: FailedCall, name: str, provider: str) -> Diagnosis | None:
    """The provider rejects the request: its key, model, address or parameters."""
    status = 0 if failure.unparseable and not failure.error else failure.status or 0
    if status in (401, 403, 407) or failure.exception_names & {"AuthenticationError", "PermissionDeniedError"}:
        return (
            AuthenticationError,
            f'Is the key right, and may it use this model? `bm.set_key("{provider}")` sets another key.',
        )
    if "ImportError" in failure.exception_names:
        return BadRequestError, "Install the package that the message names, then restart the kernel."
    if 300 <= status < 400:
        return BadRequestError, "The server redirects calls to another address; if it is right, write it in `api_base`."
    is_rejected = 400 <= status < 500 and status != 408
    return (BadRequestError, f"Check the model's name (`{name}`) and its `params`.") if is_rejected else None


def _server_error(failure: FailedCall) -> Diagnosis:
    status = failure.status or 0
    if status == 408 or status >= 500:
        return _unavailable(status), _RUN_LATER
    return BadResponseError, f"Is `api_base` the address of a model? {_RUN_LATER}"


def _unavailable(status: int) -> type[UnavailableError]:
    """The error of a status: a gateway that did not wait for the answer does not stop the server, which may charge."""
    return ConnectionLostError if status in _TIMEOUT_STATUSES else UnavailableError
