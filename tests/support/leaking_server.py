"""A real HTTP server on loopback that speaks OpenAI's chat API and repeats the key it was called with."""

from __future__ import annotations

import json

from aiohttp import web
from support.loopback_server import LoopbackServer


class LeakingServer(LoopbackServer):
    """Repeats the key in the way that `how` names: in an answer, in text, in an error or on a page."""

    def __init__(self) -> None:
        super().__init__()
        self.shown: list[str] = []
        self.how = "answer"

    def routes(self) -> list[web.RouteDef]:
        return [web.post("/v1/chat/completions", self.chat)]

    async def chat(self, request: web.Request) -> web.Response:
        key = request.headers.get("Authorization", "").removeprefix("Bearer ")
        self.shown.append(key)
        await request.read()
        headers = {"x-request-id": f"req-{key}", "x-seen": key, "openai-organization": key}
        if self.how == "error":
            error = {"message": f"Incorrect API key provided: {key}. Sent as Bearer {key}.", "type": key, "code": key}
            return web.json_response({"error": error}, status=401, headers=headers)
        if self.how == "page":
            return web.Response(status=502, text=f"<html>upstream said no to {key}</html>", content_type="text/html")
        verdict = {"reasons": [f"The key is {key}."], "conclusion": key, "answer": "no", "uncertainty": "low"}
        text = json.dumps({"criteria": {"calm": verdict}}) if self.how == "answer" else f"I was called with {key}!"
        usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
        message = {"role": "assistant", "content": text, "reasoning_content": f"They sent {key}."}
        body = {
            "id": f"chatcmpl-{key}", "object": "chat.completion", "created": 1, "model": f"toy-{key}",
            "system_fingerprint": f"fp-{key}", "usage": usage,
            "choices": [{"index": 0, "finish_reason": "stop", "message": message}],
        }  # fmt: skip
        return web.json_response(body, headers=headers)
