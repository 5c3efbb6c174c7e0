"""A real HTTP server on loopback that speaks OpenAI's chat API, keeps what it received, and misbehaves on request."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from collections.abc import Callable
from typing import Any

from aiohttp import web

ANSWER = {"reasons": ["It says so."], "conclusion": "Plain.", "answer": "no", "uncertainty": "low"}
HANG = "hang"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def said(body: dict[str, Any]) -> str:
    """What a request's messages say."""
    return "\n".join(str(message["content"]) for message in body["messages"])


class ChatServer:
    """Answers every chat request through `reply(body)`: a response, a body or HANG. Keeps what it received and sent."""

    def __init__(self) -> None:
        self.received: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.times: list[float] = []
        self.sent: list[str] = []
        self.reply: Callable[[dict[str, Any]], Any] = self.answer
        self.wait_s = 0.0
        self.open = 0
        self.most_open = 0
        self.port = free_port()
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def answer(
        self, body: dict[str, Any], text: str | None = None, finish: str = "stop", name: str = "calm", tokens: int = 7
    ) -> dict[str, Any]:
        given = json.dumps({"criteria": {name: ANSWER}}) if text is None else text
        return {
            "id": f"chatcmpl-{len(self.received)}", "object": "chat.completion", "created": 1_700_000_000,
            "model": "toy-2026-11-01", "system_fingerprint": "fp_toy",
            "choices": [{"index": 0, "finish_reason": finish, "message": {"role": "assistant", "content": given}}],
            "usage": {"prompt_tokens": 11, "completion_tokens": tokens, "total_tokens": 11 + tokens},
        }  # fmt: skip

    def failure(
        self, status: int, message: str = "no", *, code: str | None = None, headers: dict[str, str] | None = None
    ) -> web.Response:
        text = json.dumps({"error": {"message": message, "type": code, "code": code}})
        return web.Response(status=status, text=text, content_type="application/json", headers=headers)

    async def _chat(self, request: web.Request) -> web.Response:
        body = await request.json()
        self.received.append(body)
        self.headers.append(dict(request.headers))
        self.times.append(self._loop.time())
        self.open += 1
        self.most_open = max(self.open, self.most_open)
        try:
            return await self._replied(body)
        finally:
            self.open -= 1

    async def _replied(self, body: dict[str, Any]) -> web.Response:
        if self.wait_s:
            await asyncio.sleep(self.wait_s)
        made = self.reply(body)
        if made == HANG:
            await asyncio.sleep(3600)
        if isinstance(made, web.Response):
            return made
        text = json.dumps(made)
        self.sent.append(text)
        return web.Response(text=text, content_type="application/json", headers={"x-request-id": f"req-{made['id']}"})

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        app = web.Application()
        for path in ("/v1/chat/completions", "/api/chat", "/api/generate", "/v1/api/chat"):
            app.router.add_post(path, self._chat)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        self._loop.run_until_complete(runner.setup())
        self._loop.run_until_complete(web.TCPSite(runner, "127.0.0.1", self.port).start())
        self._ready.set()
        self._loop.run_forever()
        self._loop.run_until_complete(runner.cleanup())
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.close()

    def start(self) -> None:
        self._thread.start()
        assert self._ready.wait(10)

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
