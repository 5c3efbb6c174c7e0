"""`FailedCall`: details of a failed call, from its chain of exceptions and the provider's response.

litellm's own classes and statuses are the last resort: it turns Anthropic's 529 into a 500, an empty account into a
rate limit, and a web page into a bad request. The response itself is further down in the chain of exceptions.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cached_property
from typing import Any

from ..._internal.secret_redaction import redact
from ..._internal.text import shorten
from .response_errors import code_in, error_in, filter_category, find_all, parse_body
from .retry_after import retry_after_s

_PREFIX = re.compile(r"^(?:litellm\.)?[A-Za-z_]*(?:Error|Exception|Timeout)\b(?: [A-Za-z]+Error)?\s*[:\-]\s*")
_UNPARSEABLE_PHRASES = (
    "Error converting to valid response",
    "Empty or invalid response",
    "Unable to get json",
    "Invalid response",
)
"""litellm's messages about a response that it cannot parse."""


class FailedCall:
    """A failed call and what its exceptions and its response say about it.

    Parameters
    ----------
    error
        The exception that was raised.
    body
        The response as received, if a `RawResponse` recorded it.

    Examples
    --------
    >>> failure = FailedCall(ValueError("odd"), '{"error": {"type": "overloaded_error", "message": "Overloaded"}}')
    >>> failure.code, failure.message
    ('overloaded_error', 'Overloaded')
    """

    def __init__(self, error: BaseException, body: str | None = None) -> None:
        self.chain = _exception_chain(error)
        self.exception_names = {kind.__name__ for link in self.chain for kind in type(link).__mro__}
        self.response = next((r for r in map(_server_response, reversed(self.chain)) if r is not None), None)
        self._body = body

    @cached_property
    def text(self) -> str:
        """The body of the response, from the exceptions or from `body`."""
        undecoded = (link.doc for link in self.chain if isinstance(link, json.JSONDecodeError))
        return (_response_text(self.response) or self._body or next(undecoded, "") or "").strip()

    @cached_property
    def data(self) -> Any:
        """The body as parsed JSON; None if it is not JSON."""
        data = parse_body(self.text)
        bodies = (getattr(link, "body", None) for link in self.chain)
        return data if data is not None else next((body for body in bodies if isinstance(body, dict)), None)

    @cached_property
    def error(self) -> dict[str, Any]:
        """The error object in the body; empty if there is none."""
        return error_in(self.data)

    @cached_property
    def status(self) -> int | None:
        """The HTTP status from the server, from an error in the body of a 200, or from litellm."""
        if self.response is not None and self.response.status_code >= 300:
            return int(self.response.status_code)
        stated = self.error.get("code")
        if isinstance(stated, int) and 400 <= stated <= 599:
            return stated
        statuses = [getattr(link, "status_code", None) for link in reversed(self.chain)]
        return None if self.unparseable else next((status for status in statuses if isinstance(status, int)), None)

    @cached_property
    def code(self) -> str | None:
        """The provider's code with the category of its filter, else the HTTP status."""
        sent = str(self.status) if self.response is not None and self.status else ""
        return redact(filter_category(self.data) or code_in(self.error) or self._stream_code or sent) or None

    @cached_property
    def message(self) -> str:
        """The provider's message, else the body, else litellm's message without prefixes and tracebacks."""
        if self.is_page:
            return f"the response is a web page, not an answer (HTTP {self.status or 200})"
        stated = self.error.get("message")
        if isinstance(stated, str) and stated.strip():
            return redact(stated.strip())
        if self.text:
            body = shorten(redact(self.text[:2000]), 200)
            return f"the response could not be read as an answer: {body}" if self.unparseable else body
        return redact(self._exception_message.strip())

    @cached_property
    def searched_text(self) -> str:
        """Code, type and message as one text, in which `map_errors` searches for phrases."""
        return f"{self.code or ''} {self.error.get('type') or ''} {self.message}"[:4000]

    @property
    def retry_after_s(self) -> float | None:
        """Seconds that the provider asks to wait before the next attempt; None if it does not say."""
        headers = getattr(self.response, "headers", None)
        return retry_after_s(headers if isinstance(headers, Mapping) else {}, self.data, self.message)

    @property
    def quotas(self) -> list[str]:
        """The used-up quotas, if Google names them."""
        return [value for value in find_all(self.data, "quotaId") if isinstance(value, str)]

    @property
    def is_page(self) -> bool:
        """Whether the response is a web page."""
        return self.text[:200].lstrip("\ufeff \n").lower().startswith(("<!doctype", "<html", "<head", "<body"))

    @cached_property
    def unparseable(self) -> bool:
        """Whether there was a response that litellm could not read as an answer."""
        first = self.chain[0]
        message = str(getattr(first, "message", ""))
        is_parse_error = isinstance(first, ValueError | TypeError | LookupError | AttributeError)
        is_parse_error = is_parse_error or "JSONDecodeError" in self.exception_names
        has_traceback = "Traceback (most recent call last)" in message
        has_phrase = any(phrase in message for phrase in _UNPARSEABLE_PHRASES)
        return self.response is None and (is_parse_error or has_traceback or has_phrase)

    @property
    def _stream_code(self) -> str | None:
        """The last error code in a stream of events, which is not one JSON text."""
        codes = re.findall(r'"type":\s*"(\w+_error)"', self.text[-4000:]) if self.data is None else []
        return codes[-1] if codes else None

    @property
    def _exception_message(self) -> str:
        texts = [str(getattr(link, "message", "") or link) for link in self.chain]
        text = next((t for t in texts if t.strip()), type(self.chain[0]).__name__)
        if text.rstrip(".").endswith("Connection error"):  # the reason is deeper in the chain
            text = next((t for t in reversed(texts) if t.strip()), text)
        text = re.sub(r" ssl:<[^>]*>", "", text.partition("Traceback (most recent call last)")[0].strip())
        while (shorter := _PREFIX.sub("", text, count=1)) not in (text, ""):
            text = shorter
        return re.sub(r"\.? Handle with `litellm.*", "", text)


def _exception_chain(error: BaseException) -> list[BaseException]:
    chain: list[BaseException] = []
    link: BaseException | None = error
    while link is not None and link not in chain:
        chain.append(link)
        link = link.__cause__ or link.__context__
    return chain


def _server_response(link: BaseException) -> Any:
    """The server's response in an exception; None if litellm made the response up, which then has no headers."""
    response = getattr(link, "response", None)
    is_real = bool(getattr(response, "headers", None)) and isinstance(getattr(response, "status_code", None), int)
    return response if is_real else None


def _response_text(response: Any) -> str:
    try:
        return str(getattr(response, "text", "") or "")
    except (RuntimeError, ValueError, LookupError):  # a stream that was never read, or an unknown encoding
        return ""
