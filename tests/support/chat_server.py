"""A real HTTP server on loopback that speaks OpenAI's chat API, keeps what it received, and misbehaves on request."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

from aiohttp import web
from support.loopback_server import LoopbackServer

ANSWER = {"reasons": ["It says so."], "conclusion": "Plain.", "answer": "no", "uncertainty": "low"}
HANG = "hang"
CLOSE = "close"
CLOSE_HALFWAY = "close halfway"


def messages_text(body: dict[str, Any]) -> str:
    """The text of a request's messages."""
    return "\n".join(str(message["content"]) for message in body["messages"])


class ChatServer(LoopbackServer):
    """Answers every chat request through `reply(body)`: a response, a body, HANG, CLOSE or CLOSE_HALFWAY.

    Keeps what it received and sent.
    """

    def __init__(self) -> None:
        super().__init__()
        self.received: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.times: list[float] = []
        self.sent: list[str] = []
        self.reply: Callable[[dict[str, Any]], Any] = self.answer
        self.wait_s = 0.0
        self.open = 0
        self.most_open = 0

    def routes(self) -> list[web.RouteDef]:
        paths = ("/v1/chat/completions", "/api/chat", "/api/generate", "/v1/api/chat")
        return [web.post(path, self._chat) for path in paths]

    def answer(
        self, body: dict[str, Any], text: str | None = None, finish: str = "stop", name: str = "calm", tokens: int = 7
    ) -> dict[str, Any]:
        content = json.dumps({"criteria": {name: ANSWER}}) if text is None else text
        return {
            "id": f"chatcmpl-{len(self.received)}", "object": "chat.completion", "created": 1_700_000_000,
            "model": "toy-2026-11-01", "system_fingerprint": "fp_toy",
            "choices": [{"index": 0, "finish_reason": finish, "message": {"role": "assistant", "content": content}}],
            "usage": {"prompt_tokens": 11, "completion_tokens": tokens, "total_tokens": 11 + tokens},
        }  # fmt: skip

    def failure(
        self, status: int, message: str = "no", *, code: str | None = None, headers: dict[str, str] | None = None
    ) -> web.Response:
        text = json.dumps({"error": {"message": message, "type": code, "code": code}})
        return web.Response(status=status, text=text, content_type="application/json", headers=headers)

    async def _chat(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        self.received.append(body)
        self.headers.append(dict(request.headers))
        self.times.append(self._loop.time())
        self.open += 1
        self.most_open = max(self.open, self.most_open)
        try:
            return await self._replied(request, body)
        finally:
            self.open -= 1

    async def _replied(self, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        if self.wait_s:
            await asyncio.sleep(self.wait_s)
        reply = self.reply(body)
        if reply == HANG:
            await asyncio.sleep(3600)
        if reply in (CLOSE, CLOSE_HALFWAY):
            half = web.StreamResponse(headers={"Content-Length": "900"})
            if reply == CLOSE_HALFWAY:
                await half.prepare(request)
                await half.write(b'{"id": "chatcmpl-1", "choices": [')
            assert request.transport is not None
            request.transport.close()
            return half
        if isinstance(reply, web.Response):
            return reply
        text = json.dumps(reply)
        self.sent.append(text)
        return web.Response(text=text, content_type="application/json", headers={"x-request-id": f"req-{reply['id']}"})
