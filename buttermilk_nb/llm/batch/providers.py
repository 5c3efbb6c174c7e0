"""The batch APIs of OpenAI and Anthropic: answers within a day, at half the price.

Both are called over plain HTTP. litellm 1.106 cannot create Anthropic's batches, and when it polls one of OpenAI's it
downloads the answers to compute their price. Azure's batches are not supported: they need a separate kind of
deployment, which does not answer direct calls.
"""

from __future__ import annotations

import datetime as dt
import io
import json
import os
from collections.abc import AsyncGenerator, Collection, Mapping, Sequence
from contextlib import aclosing
from typing import Any, Literal
from urllib.parse import quote

from ..model import Model
from ..providers.litellm import LitellmModel
from ..providers.response_errors import code_in, error_in
from .api import BatchApi, BatchResult, BatchStatus, refusal_reasons, request_counts, whole_number

BATCH_PRICE = 0.5
"""The price of a batch as a share of the usual price: half, at both providers."""
_LINE_ENDS = {b"\n": b" ", **{end.encode(): b"\\u%04x" % ord(end) for end in "\u0085\u2028\u2029"}}
"""Characters that may count as the end of a line, and the same JSON without them."""


class OpenAIBatches(BatchApi):
    """A file of requests, a batch of that file, and a file of results."""

    provider = "openai"
    path = "/chat/completions"
    max_requests = 50_000
    max_bytes = 200_000_000
    base_variables = ("OPENAI_BASE_URL", "OPENAI_API_BASE")
    default_base = "https://api.openai.com/v1"

    def headers(self, key: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {key}"}

    def request_line(self, key: str, body: bytes) -> bytes:
        head = {"custom_id": key, "method": "POST", "url": f"/v1{self.path}"}
        for line_end, replacement in _LINE_ENDS.items():
            body = body.replace(line_end, replacement)
        return json.dumps(head).encode()[:-1] + b', "body": ' + body + b"}"

    async def prepare(self, lines: Sequence[bytes]) -> str:
        file = ("requests.jsonl", io.BytesIO(b"\n".join(lines) + b"\n"), "application/jsonl")
        form = {"purpose": "batch"}
        return self.read_id(await self.request_json("POST", f"{self.base}/files", data=form, files={"file": file}))

    async def submit(self, submission_id: str, lines: Sequence[bytes], headers: Mapping[str, str]) -> str:  # noqa: ARG002
        batch = {"input_file_id": submission_id, "endpoint": f"/v1{self.path}", "completion_window": "24h"}
        return self.read_id(await self.request_json("POST", f"{self.base}/batches", json=batch))

    async def find(self, submission_id: str, since: dt.datetime, n: int, known_ids: Collection[str]) -> str | None:  # noqa: ARG002
        async for entry in self.list_batches(f"{self.base}/batches", since, "after"):
            if entry.get("input_file_id") == submission_id:
                return self.read_id(entry)
        return None

    async def poll(self, batch_id: str) -> BatchStatus:
        data = await self.request_json("GET", f"{self.base}/batches/{quote(batch_id, safe='')}")
        status, counts = data.get("status"), request_counts(data)
        done, total = counts["completed"] + counts["failed"], counts["total"]
        if status == "failed":
            return BatchStatus("failed", done, total, refusal_reasons(data.get("errors")))
        files = tuple(name for key in ("output_file_id", "error_file_id") if isinstance(name := data.get(key), str))
        ended = status in ("completed", "expired", "cancelled")
        return BatchStatus("ended" if ended else "working", done, total, "", status == "cancelled", files)

    async def results(self, batch_id: str, status: BatchStatus) -> AsyncGenerator[BatchResult | None, None]:  # noqa: ARG002
        for file in status.files:
            async with aclosing(self.result_lines(f"{self.base}/files/{quote(file, safe='')}/content")) as lines:
                async for line in lines:
                    yield None if line is None else self._read_result(line)

    def _read_result(self, line: dict[str, Any]) -> BatchResult | None:
        response, key = line.get("response"), line.get("custom_id")
        if not isinstance(key, str):
            return None
        response = response if isinstance(response, dict) else {}
        body, status, request_id = response.get("body"), response.get("status_code"), response.get("request_id")
        if status == 200 and isinstance(body, dict):
            return BatchResult(key, body, request_id if isinstance(request_id, str) else None)
        return BatchResult(
            key, None, reason=code_in(error_in(line)) or code_in(error_in(body)) or f"HTTP {whole_number(status)}"
        )


class AnthropicBatches(BatchApi):
    """One request that contains all requests of a batch, and one address for all results."""

    provider = "anthropic"
    path = "/v1/messages"
    max_requests = 100_000
    max_bytes = 256_000_000
    base_variables = ("ANTHROPIC_API_BASE", "ANTHROPIC_BASE_URL")
    default_base = "https://api.anthropic.com"

    def headers(self, key: str) -> dict[str, str]:
        return {"x-api-key": key, "anthropic-version": "2023-06-01"}

    @property
    def _url(self) -> str:
        return f"{self.base.removesuffix(self.path)}{self.path}/batches"

    def request_line(self, key: str, body: bytes) -> bytes:
        return b'{"custom_id": ' + json.dumps(key).encode() + b', "params": ' + body + b"}"

    async def submit(self, submission_id: str, lines: Sequence[bytes], headers: Mapping[str, str]) -> str:  # noqa: ARG002
        content = b'{"requests": [' + b", ".join(lines) + b"]}"
        all_headers = {**headers, "content-type": "application/json"}
        return self.read_id(await self.request_json("POST", self._url, content=content, headers=all_headers))

    async def find(self, submission_id: str, since: dt.datetime, n: int, known_ids: Collection[str]) -> str | None:  # noqa: ARG002
        """Find a batch by its time and size, because this provider does not store a submission id."""
        async for entry in self.list_batches(self._url, since, "after_id"):
            if sum(request_counts(entry).values()) == n and entry.get("id") not in known_ids:
                return self.read_id(entry)
        return None

    async def poll(self, batch_id: str) -> BatchStatus:
        data = await self.request_json("GET", f"{self._url}/{quote(batch_id, safe='')}")
        counts = request_counts(data)
        total = sum(counts.values())
        state: Literal["ended", "working"] = "ended" if data.get("processing_status") == "ended" else "working"
        return BatchStatus(state, total - counts["processing"], total, "", bool(counts["canceled"]))

    async def results(self, batch_id: str, status: BatchStatus) -> AsyncGenerator[BatchResult | None, None]:  # noqa: ARG002
        async with aclosing(self.result_lines(f"{self._url}/{quote(batch_id, safe='')}/results")) as lines:
            async for line in lines:
                yield None if line is None else self._read_result(line)

    def _read_result(self, line: dict[str, Any]) -> BatchResult | None:
        result, key = line.get("result"), line.get("custom_id")
        if not isinstance(key, str) or not isinstance(result, dict):
            return None
        message = result.get("message")
        if result.get("type") == "succeeded" and isinstance(message, dict):
            return BatchResult(key, message)
        return BatchResult(key, None, reason=code_in(error_in(result.get("error"))) or code_in(result) or "no answer")


_APIS: dict[str, type[BatchApi]] = {api.provider: api for api in (OpenAIBatches, AnthropicBatches)}


def batch_api(model: Model) -> type[BatchApi] | None:
    """The batch API of a model's provider; None if the provider has none.

    Examples
    --------
    >>> batch_api(LitellmModel("anthropic/some-model")).__name__
    'AnthropicBatches'
    >>> print(batch_api(LitellmModel("ollama_chat/some-model")))
    None
    """
    return _APIS.get(model.provider) if isinstance(model, LitellmModel) else None


def open_batch_api(model: LitellmModel, *, timeout_s: float) -> BatchApi:
    """Open the batch API of a model, with its address and key; the key may come from a slow keyring.

    Raises
    ------
    SetupError
        There is no key.
    """
    api = _APIS[model.provider]
    addresses = (value for name in api.base_variables if (value := os.environ.get(name)))
    base = model.settings.api_base or next(addresses, api.default_base)
    key = model.key()
    return api(model.name, base, key.value if key else "none", timeout_s=timeout_s)
