"""Read a provider's own response: its error, its code, and the category of its filter.

The shapes are those of OpenAI, Azure, Anthropic, Google and compatible servers. litellm does not pass everything on: it
drops the category of a filter, and a blocked prompt without token counts becomes a KeyError. So `RawResponse` records
the body as received. Nothing in a body is trusted: any field may be missing or of another type, and is then ignored.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from ..._internal.secret_redaction import redact

_MAX_CHARACTERS = 4_000_000  # characters of a body that are parsed
_GOOGLE_REASONS = ("SAFETY", "RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "MODEL_ARMOR")
"""Google's reasons for an answer that a filter stopped; the reasons for images have these as endings."""


class RawResponse:
    """Records the body of a provider's response as received; litellm calls it as `logger_fn`.

    Examples
    --------
    >>> received = RawResponse()
    >>> received({"log_event_type": "post_api_call", "original_response": '{"candidates": []}'})
    >>> received.text
    '{"candidates": []}'
    """

    def __init__(self) -> None:
        self.text: str | None = None

    @property
    def length(self) -> int:
        """The number of its characters."""
        return len(self.text or "")

    def __call__(self, details: Mapping[str, Any]) -> None:
        """Called by litellm before and after the request."""
        body = details.get("original_response")
        is_body = isinstance(body, str) and body.lstrip("\ufeff \r\n").startswith(("{", "[", "<"))
        if details.get("log_event_type") == "post_api_call" and is_body:  # else it is litellm's own sentence
            self.text = body


def parse_body(text: str | None) -> Any:
    r"""Parse a body as JSON, and allow raw line breaks in its strings; None if it is not JSON.

    Examples
    --------
    >>> parse_body('{"message": "two\nlines"}')
    {'message': 'two\nlines'}
    """
    if not text or len(text) > _MAX_CHARACTERS:
        return None
    try:
        return json.loads(text, strict=False)
    except (ValueError, RecursionError):
        return None


def error_in(data: Any) -> dict[str, Any]:
    """The error in a body; `{}` if there is none.

    Examples
    --------
    >>> error_in([{"error": {"code": 503, "status": "UNAVAILABLE"}}])
    {'code': 503, 'status': 'UNAVAILABLE'}
    >>> error_in({"error": "no such model"})
    {'message': 'no such model'}
    """
    data = data[0] if isinstance(data, list) and data else data
    if not isinstance(data, dict):
        return {}
    error = data.get("error") or _first_item(data, "choices").get("error") or _base_error(data)
    if isinstance(error, dict):
        return error
    if isinstance(error, str) and error:
        return {"message": error}
    message = next((data[key] for key in ("message", "detail") if isinstance(data.get(key), str)), None)
    return {**data, "message": message} if message is not None or isinstance(data.get("code"), str) else {}


_BASE_CODES = {
    1002: "rate_limit", 1004: "authentication", 1008: "insufficient_balance", 1026: "content_filter",
    1027: "content_filter", 1039: "rate_limit", 2013: "invalid_params", 2049: "authentication",
}  # fmt: skip
"""The documented codes in MiniMax's `base_resp`; 0 is no error."""


def _base_error(data: Mapping[str, Any]) -> dict[str, Any]:
    base = data.get("base_resp")
    if not isinstance(base, dict) or not isinstance(code := base.get("status_code"), int) or not code:
        return {}
    word = _BASE_CODES.get(code, f"base_resp_{code}")
    return {"code": word, "message": f"{base.get('status_msg') or 'no message'} ({word.replace('_', ' ')})"}


def code_in(error: Mapping[str, Any]) -> str | None:
    """The provider's own code, which is a word, not the HTTP status; None if there is none.

    Examples
    --------
    >>> code_in({"code": 429, "status": "RESOURCE_EXHAUSTED"})
    'RESOURCE_EXHAUSTED'
    """
    for key in ("code", "type", "status"):
        value = error.get(key)
        if isinstance(value, str) and value.strip() and not value.strip().isdigit():
            return re.sub(r"[^\w.:+-]+", "_", redact(value.strip()))[:80]
    return None


def filter_category(data: Any) -> str | None:
    """Why a provider's filter stopped a prompt or an answer, with the category if it is given; None if it did not.

    Examples
    --------
    >>> filter_category({"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}})
    'content_filter:prohibited_content'
    >>> filter_category({"stop_reason": "refusal", "stop_details": {"category": "cyber"}})
    'refusal:cyber'
    >>> filter_category({"candidates": [{"finishReason": "STOP"}]}) is None
    True
    """
    if not isinstance(data, dict):
        return None
    if data.get("stop_reason") == "refusal":
        details = data.get("stop_details")
        return _join_categories("refusal", [details.get("category")] if isinstance(details, dict) else [])
    if (reason := _google_reason(data)) is not None:
        return _join_categories("content_filter", _google_categories(data) or [reason])
    error, choice = error_in(data), _first_item(data, "choices")
    if choice.get("finish_reason") == "content_filter" or "content_filter" in (error.get("code"), error.get("type")):
        return _join_categories("content_filter", _azure_categories(data))
    return None


def find_all(data: Any, key: str, depth: int = 12) -> Iterator[Any]:
    """Every value of a key, at any level down to `depth`.

    Examples
    --------
    >>> list(find_all({"details": [{"quotaId": "a"}, {"quotaId": "b"}]}, "quotaId"))
    ['a', 'b']
    """
    if isinstance(data, dict) and key in data:
        yield data[key]
    children = data.values() if isinstance(data, dict) else data if isinstance(data, list) else ()
    for value in children if depth else ():
        yield from find_all(value, key, depth - 1)


def _google_reason(data: dict[str, Any]) -> str | None:
    feedback = data.get("promptFeedback")
    reason = feedback.get("blockReason") if isinstance(feedback, dict) else None
    if isinstance(reason, str) and reason:
        return reason
    finish = _first_item(data, "candidates").get("finishReason")
    return finish if isinstance(finish, str) and finish.endswith(_GOOGLE_REASONS) else None


def _google_categories(data: Any) -> list[Any]:
    """Google's categories that blocked the answer, else the categories with a high probability."""
    lists = [ratings for ratings in find_all(data, "safetyRatings") if isinstance(ratings, list)]
    ratings = [rating for items in lists for rating in items if isinstance(rating, dict)]
    blocking = [rating for rating in ratings if rating.get("blocked") is True]
    blocking = blocking or [rating for rating in ratings if rating.get("probability") == "HIGH"]
    return [rating.get("category") for rating in blocking]


def _azure_categories(data: Any) -> list[Any]:
    """Azure's categories that were filtered."""
    results = [*find_all(data, "content_filter_result"), *find_all(data, "content_filter_results")]
    pairs = [pair for result in results if isinstance(result, dict) for pair in result.items()]
    return [name for name, verdict in pairs if isinstance(verdict, dict) and verdict.get("filtered") is True]


def _join_categories(prefix: str, names: list[Any]) -> str:
    plain_names = [str(name).removeprefix("HARM_CATEGORY_").lower() for name in names if name]
    categories = dict.fromkeys(re.sub(r"\W+", "_", name)[:40] for name in plain_names)
    return f"{prefix}:{'+'.join(categories)}" if categories else prefix


def _first_item(data: dict[str, Any], key: str) -> dict[str, Any]:
    items = data.get(key)
    first = items[0] if isinstance(items, list) and items else None
    return first if isinstance(first, dict) else {}
