"""A model's own call, with a wire of ours in place of the network.

What a batch hands in must be, to the letter, what a direct call would have sent, and its answers must be read as a
direct call's would have been. Both hold because both are that very call: litellm is given a client whose wire keeps
the request and hands back a response that we have. The address is one that resolves nowhere, so that if litellm ever
went another way, nothing would leave.
"""

from __future__ import annotations

import asyncio
import importlib
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from ...errors import ModelError
from ..completion import Completion
from ..model import Request
from ..providers.litellm import LitellmModel
from ..providers.load_litellm import load_litellm

if TYPE_CHECKING:
    import httpx

_UNRESOLVABLE = "https://batch.invalid"  # reserved by RFC 2606: no such host will ever be
_EMPTY_RESPONSES: dict[str, dict[str, Any]] = {
    "openai": {
        "id": "none", "object": "chat.completion", "created": 0, "model": "none",
        "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": ""}}],
        "usage": {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0},
    },
    "anthropic": {
        "id": "none", "type": "message", "role": "assistant", "model": "none", "stop_reason": "end_turn",
        "stop_sequence": None, "content": [{"type": "text", "text": ""}],
        "usage": {"input_tokens": 0, "output_tokens": 0},
    },
}  # fmt: skip
"""Responses that say nothing, for calls of which only the request is wanted."""


class RecordedRequest(NamedTuple):
    """What a direct call would have sent."""

    body: bytes
    headers: dict[str, str]
    """Those that change what the provider does, and so must go with a batch too."""


class RecordingModel(LitellmModel):
    """A model whose calls go nowhere.

    Parameters
    ----------
    model
        The model as it is asked directly.
    path
        How the address of its calls ends; a call that goes elsewhere cannot be part of a batch.
    """

    def __init__(self, model: LitellmModel, path: str) -> None:
        super().__init__(model.name, model.settings)
        self.fingerprint = model.fingerprint
        self._path = path
        self._lock = asyncio.Lock()
        self._request: httpx.Request | None = None
        self._response: tuple[bytes, dict[str, str]] = (b"", {})
        self._client = self._make_client()

    async def _address_and_key(self, request: Request) -> dict[str, Any]:  # noqa: ARG002  # the same for every one
        base = f"{_UNRESOLVABLE}/v1" if self.provider == "openai" else _UNRESOLVABLE
        return {"api_base": base, "api_key": "none", "client": self._client}

    async def record(self, request: Request) -> RecordedRequest | None:
        """What a direct call would send; None where that is nothing that a batch can hold."""
        async with self._lock:
            self._set_response(_EMPTY_RESPONSES[self.provider], None)
            try:
                await self.complete(request)
            except ModelError:  # litellm went another way, or could not read an answer that says nothing
                if self._request is None:
                    return None
            made = self._request
        if made is None or not made.url.path.endswith(self._path):
            return None
        kept = {name: value for name, value in made.headers.items() if name.startswith("anthropic-")}
        return RecordedRequest(made.content, kept)

    async def read(self, request: Request, body: Mapping[str, Any], request_id: str | None) -> Completion:
        """The answer in a response, as a direct call would have read it.

        Raises
        ------
        ModelError
            It is no answer.
        """
        async with self._lock:
            self._set_response(body, request_id)
            return await self.complete(request)

    async def close(self) -> None:
        await self._client.close()

    def _set_response(self, body: Mapping[str, Any], request_id: str | None) -> None:
        ids = {"x-request-id": request_id, "request-id": request_id} if request_id else {}
        self._request = None
        self._response = (json.dumps(body).encode(), {"content-type": "application/json", **ids})

    def _make_client(self) -> Any:
        load_litellm()
        if self.provider == "openai":
            import openai

            http = importlib.import_module(openai.DefaultAsyncHttpxClient.__mro__[1].__module__.partition(".")[0])
            client = http.AsyncClient(transport=self._transport(http))  # httpx, or httpx2 from openai 3 on
            return openai.AsyncOpenAI(api_key="none", http_client=client, max_retries=0)
        import httpx
        from litellm.llms.custom_httpx.http_handler import AsyncHTTPHandler

        return AsyncHTTPHandler(transport=self._transport(httpx))

    def _transport(self, http: Any) -> Any:
        """A transport of that HTTP library that records each request and sends none."""
        model = self

        class RecordingTransport(http.AsyncBaseTransport):  # type: ignore[misc]  # of a library known at run time
            async def handle_async_request(self, request: Any) -> Any:
                await request.aread()
                model._request = request
                content, headers = model._response
                return http.Response(200, content=content, headers=headers, request=request)

        return RecordingTransport()
