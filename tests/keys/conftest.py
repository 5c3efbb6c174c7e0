"""Planted keys, a keyring of the test's own, and a server that gives away whatever key it is shown."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import keyring
import keyring.backends.fail
import pytest
from aiohttp import web
from keyring.backend import KeyringBackend
from keyring.errors import PasswordDeleteError

from buttermilk_nb._internal import secret_redaction
from buttermilk_nb.config import key_sources
from buttermilk_nb.project import session

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@pytest.fixture(autouse=True)
def _nothing_of_this_machine(tmp_path, monkeypatch):
    """No key of whoever runs the tests is seen, and none that a test plants stays."""
    monkeypatch.chdir(tmp_path)
    for name in list(os.environ):
        if secret_redaction.is_secret_name(name) or name.endswith("_API_BASE"):
            monkeypatch.delenv(name)
    monkeypatch.setattr(key_sources, "_keys_in_memory", {})
    monkeypatch.setattr(secret_redaction, "_registered", set())
    monkeypatch.setattr(secret_redaction, "_read_at", float("-inf"))
    before = keyring.get_keyring()
    keyring.set_keyring(keyring.backends.fail.Keyring())
    session.close()
    yield
    session.close()
    keyring.set_keyring(before)
    secret_redaction._read_at = float("-inf")


class MemoryKeyring(KeyringBackend):
    """A keyring backend like any other, which keeps its entries in this process."""

    priority = 1

    def __init__(self) -> None:
        super().__init__()
        self.entries: dict[tuple[str, str], str] = {}
        self.asked: list[tuple[str, str]] = []

    def get_password(self, service: str, username: str) -> str | None:
        self.asked.append((service, username))
        return self.entries.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.entries[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        if (service, username) not in self.entries:
            raise PasswordDeleteError(username)
        del self.entries[service, username]


@pytest.fixture
def memory_keyring() -> MemoryKeyring:
    """A usable keyring, open and empty."""
    made = MemoryKeyring()
    keyring.set_keyring(made)
    return made


@pytest.fixture
def memory_keyring_class() -> type[MemoryKeyring]:
    return MemoryKeyring


@contextlib.asynccontextmanager
async def _serving(routes: dict[str, Handler]) -> AsyncIterator[str]:
    app = web.Application()
    for route, handler in routes.items():
        method, path = route.split()
        app.router.add_route(method, path, handler)
    runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@pytest.fixture
def serving() -> Callable[[dict[str, Handler]], contextlib.AbstractAsyncContextManager[str]]:
    """Serve these routes (`GET /path`) on loopback, in the loop of the test; gives the address."""
    return _serving


class Gossip:
    """An OpenAI-compatible server that repeats the key it was called with, in whichever way `how` says."""

    def __init__(self) -> None:
        self.shown: list[str] = []
        self.how = "answer"
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.base = ""

    async def chat(self, request: web.Request) -> web.Response:
        key = request.headers.get("Authorization", "").removeprefix("Bearer ")
        self.shown.append(key)
        await request.read()
        headers = {"x-request-id": f"req-{key}", "x-seen": key, "openai-organization": key}
        if self.how == "error":
            said = {"message": f"Incorrect API key provided: {key}. Sent as Bearer {key}.", "type": key, "code": key}
            return web.json_response({"error": said}, status=401, headers=headers)
        if self.how == "page":
            return web.Response(status=502, text=f"<html>upstream said no to {key}</html>", content_type="text/html")
        verdict = {"reasons": [f"The key is {key}."], "conclusion": key, "answer": "no", "uncertainty": "low"}
        text = json.dumps({"criteria": {"calm": verdict}}) if self.how == "answer" else f"I was called with {key}!"
        usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
        message = {"role": "assistant", "content": text, "reasoning_content": f"They sent {key}."}
        made = {
            "id": f"chatcmpl-{key}", "object": "chat.completion", "created": 1, "model": f"toy-{key}",
            "system_fingerprint": f"fp-{key}", "usage": usage,
            "choices": [{"index": 0, "finish_reason": "stop", "message": message}],
        }  # fmt: skip
        return web.json_response(made, headers=headers)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._serve())
        self._loop.close()

    async def _serve(self) -> None:
        self._stop = asyncio.Event()
        async with _serving({"POST /v1/chat/completions": self.chat}) as base:
            self.base = f"{base}/v1"
            self._ready.set()
            await self._stop.wait()

    def start(self) -> None:
        self._thread.start()
        assert self._ready.wait(10)

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)


@pytest.fixture
def gossip(monkeypatch) -> Any:
    """The server, at the address where `hosted_vllm/...` models are looked for."""
    made = Gossip()
    made.start()
    monkeypatch.setenv("HOSTED_VLLM_API_BASE", made.base)
    yield made
    made.stop()
