"""`RecordingModel`: a litellm model with a transport that records each request and sends nothing.

The requests of a batch must be exactly those of direct calls, and their answers must be read in exactly the same way.
So both go through the same call: litellm gets a client with a transport that records the request and returns a response
from memory. The address cannot be resolved, so that nothing would leave if litellm used another client.
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

_UNRESOLVABLE = "https://batch.invalid"  # RFC 2606 reserves it: this host will never exist
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
"""Empty responses, for calls that only record a request."""


class RecordedRequest(NamedTuple):
    """The request of a direct call."""

    body: bytes
    headers: dict[str, str]
    """The headers that change the provider's behaviour, so that a batch needs them, too."""


class RecordingModel(LitellmModel):
    """A model that sends nothing.

    Parameters
    ----------
    model
        The model for direct calls.
    path
        The end of the address of its calls; a call to another address cannot be part of a batch.
    """

    def __init__(self, model: LitellmModel, path: str) -> None:
        super().__init__(model.name, model.settings)
        self.fingerprint = model.fingerprint
        self._path = path
        self._lock = asyncio.Lock()
        self._request: httpx.Request | None = None
        self._response: tuple[bytes, dict[str, str]] = (b"", {})
        self._client = self._make_client()

    async def _address_and_key(self, request: Request) -> dict[str, Any]:  # noqa: ARG002  # the same for every request
        base = f"{_UNRESOLVABLE}/v1" if self.provider == "openai" else _UNRESOLVABLE
        return {"api_base": base, "api_key": "none", "client": self._client}

    async def record(self, request: Request) -> RecordedRequest | None:
        """The request that a direct call would send; None if it cannot be part of a batch."""
        async with self._lock:
            self._set_response(_EMPTY_RESPONSES[self.provider], None)
            try:
                await self.complete(request)
            except ModelError:  # litellm used another client, or could not read the empty response
                if self._request is None:
                    return None
            recorded = self._request
        if recorded is None or not recorded.url.path.endswith(self._path):
            return None
        headers = {name: value for name, value in recorded.headers.items() if name.startswith("anthropic-")}
        return RecordedRequest(recorded.content, headers)

    async def read(self, request: Request, body: Mapping[str, Any], request_id: str | None) -> Completion:
        """Read the answer in a response as a direct call would read it.

        Parameters
        ----------
        request
            The request.
        body
            The body of its response in the batch.
        request_id
            The provider's id of the request, if there is one.

        Raises
        ------
        ModelError
            The response is not an answer.
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

        class RecordingTransport(http.AsyncBaseTransport):  # type: ignore[misc]  # the library is chosen at run time
            async def handle_async_request(self, request: Any) -> Any:
                await request.aread()
                model._request = request
                content, headers = model._response
                return http.Response(200, content=content, headers=headers, request=request)

        return RecordingTransport()
