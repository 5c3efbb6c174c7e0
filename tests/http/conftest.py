"""Real HTTP servers on loopback that speak OpenAI's chat API: one of ours that can misbehave, and litellm's proxy."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import socket
import subprocess
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

import buttermilk_nb as bm
from buttermilk_nb import project as projects

PROXY_KEY = "sk-" + "0123456789abcdef" * 4  # of a server that lives for one test
ANSWER = {"reasons": ["It says so."], "conclusion": "Plain.", "answer": "no", "uncertainty": "low"}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class ChatServer:
    """Answers every chat request through `reply(body) -> web.Response | dict`; keeps what it received and sent."""

    def __init__(self) -> None:
        self.received: list[dict[str, Any]] = []
        self.sent: list[str] = []
        self.reply: Callable[[dict[str, Any]], Any] = self.answer
        self.wait_s = 0.0
        self.port = free_port()
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def answer(self, body: dict[str, Any], text: str | None = None, finish: str = "stop") -> dict[str, Any]:
        given = json.dumps({"criteria": {"calm": ANSWER}}) if text is None else text
        return {
            "id": f"chatcmpl-{len(self.received)}", "object": "chat.completion", "created": 1_700_000_000,
            "model": "toy-2026-11-01", "system_fingerprint": "fp_toy",
            "choices": [{"index": 0, "finish_reason": finish, "message": {"role": "assistant", "content": given}}],
            "usage": {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18},
        }  # fmt: skip

    async def _chat(self, request: web.Request) -> web.Response:
        body = await request.json()
        self.received.append(body)
        if self.wait_s:
            await asyncio.sleep(self.wait_s)
        made = self.reply(body)
        if isinstance(made, web.Response):
            return made
        text = json.dumps(made)
        self.sent.append(text)
        return web.Response(text=text, content_type="application/json", headers={"x-request-id": f"req-{made['id']}"})

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        app = web.Application()
        app.router.add_post("/v1/chat/completions", self._chat)
        runner = web.AppRunner(app, access_log=None)
        self._loop.run_until_complete(runner.setup())
        self._loop.run_until_complete(web.TCPSite(runner, "127.0.0.1", self.port).start())
        self._ready.set()
        self._loop.run_forever()
        self._loop.run_until_complete(runner.cleanup())
        self._loop.close()

    def start(self) -> None:
        self._thread.start()
        assert self._ready.wait(10)

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ChatServer]:
    made = ChatServer()
    made.start()
    monkeypatch.setenv("HOSTED_VLLM_API_BASE", made.base)
    monkeypatch.setenv("HOSTED_VLLM_API_KEY", "sk-planted-key-123")
    yield made
    made.stop()


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[projects.Project]:
    monkeypatch.chdir(tmp_path)
    yield bm.init("study", path=tmp_path / "study", models=["hosted_vllm/toy"])
    projects.close()


@pytest.fixture(scope="session")
def proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """litellm's own proxy, in its own environment: an OpenAI-compatible server that nobody here wrote."""
    command = os.environ.get("BUTTERMILK_NB_PROXY", "")
    if not shutil.which(command or "-"):
        pytest.skip(
            "no litellm proxy here; uv venv .venv-proxy && uv pip install --python .venv-proxy 'litellm[proxy]', "
            "then set BUTTERMILK_NB_PROXY to its bin/litellm"
        )
    folder = tmp_path_factory.mktemp("proxy")
    reply = json.dumps({"criteria": {"calm": ANSWER}})
    config = {
        "model_list": [
            {
                "model_name": "toy",
                "litellm_params": {"model": "openai/toy", "api_key": "none", "mock_response": reply},
            }
        ]
    }
    (folder / "config.yaml").write_text(json.dumps(config))
    port = free_port()
    log = (folder / "proxy.log").open("w")
    env = {
        **os.environ,
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        "LITELLM_TELEMETRY": "False",
        "LITELLM_MASTER_KEY": PROXY_KEY,
    }
    env.pop("PYTEST_ADDOPTS", None)
    process = subprocess.Popen(
        [command, "--config", str(folder / "config.yaml"), "--host", "127.0.0.1", "--port", str(port)],
        stdout=log, stderr=subprocess.STDOUT, env=env, cwd=folder,
    )  # fmt: skip
    try:
        _wait_for(f"http://127.0.0.1:{port}/health/liveliness", process, folder / "proxy.log")
        yield f"http://127.0.0.1:{port}", PROXY_KEY
    finally:
        process.terminate()
        process.wait(timeout=20)
        log.close()


def _wait_for(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline:
        if process.poll() is not None:
            pytest.fail(f"the proxy ended: {log.read_text()[-2000:]}")
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except OSError:
            time.sleep(0.3)
    pytest.fail(f"the proxy did not start: {log.read_text()[-2000:]}")
