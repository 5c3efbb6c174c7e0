"""A real HTTP server on loopback that speaks OpenAI's embeddings API, counts what it receives and can misbehave."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Callable
from typing import Any

from aiohttp import web
from support.loopback_server import LoopbackServer

Reply = tuple[int, dict[str, Any], dict[str, str]]


def numbers(text: str, dims: int = 4) -> list[float]:
    """The vector that this server gives a text: its hash, as numbers that float32 holds exactly."""
    return [byte / 256 for byte in hashlib.sha256(text.encode()).digest()[:dims]]


class EmbeddingServer(LoopbackServer):
    """Answers through `reply(texts) -> (status, body, headers)`; keeps the texts of every request."""

    def __init__(self) -> None:
        super().__init__()
        self.received: list[list[str]] = []
        self.bodies: list[dict[str, Any]] = []
        self.keys: list[str | None] = []
        self.other_paths: list[str] = []
        """The paths of requests for anything but vectors."""
        self.reply: Callable[[list[str]], Reply] = self.answer

    def routes(self) -> list[web.RouteDef]:
        return [web.post("/{path:.*}", self._embed)]

    @property
    def texts(self) -> list[str]:
        """Every text that came, in order of arrival."""
        return [text for texts in self.received for text in texts]

    def answer(self, texts: list[str], vectors: list[Any] | None = None) -> Reply:
        values = [numbers(text) for text in texts] if vectors is None else vectors
        data = [{"object": "embedding", "index": place, "embedding": vector} for place, vector in enumerate(values)]
        usage = {"prompt_tokens": 10 * len(texts), "total_tokens": 10 * len(texts)}
        return 200, {"object": "list", "model": "toy-vectors-1", "data": data[::-1], "usage": usage}, {}

    async def _embed(self, request: web.Request) -> web.Response:
        body = await request.json()
        if "input" not in body:  # a question about the server itself
            self.other_paths.append(request.path)
            raise web.HTTPNotFound
        texts = [body["input"]] if isinstance(body["input"], str) else body["input"]
        self.received.append(texts)
        self.bodies.append(body)
        self.keys.append(request.headers.get("authorization"))
        if request.path == "/api/embed" and self.reply == self.answer:  # Ollama's own form
            vectors = {"model": body["model"], "embeddings": [numbers(text) for text in texts]}
            return web.json_response({**vectors, "prompt_eval_count": len(texts)}, headers={"x-request-id": "req-7"})
        status, reply, headers = await asyncio.to_thread(self.reply, texts)  # a test's reply may wait
        headers = {"content-type": "application/json", "x-request-id": "req-7", **headers}
        response = web.Response(status=status, body=json.dumps(reply).encode(), headers=headers)
        if self.refuses:
            response.force_close()  # so that the next request needs a connection of its own
        return response
