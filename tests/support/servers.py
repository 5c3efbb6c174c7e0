"""Fixtures: the servers on loopback that tests ask, with the keys and addresses that lead to them."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

import pytest
from aiohttp import web
from support.batch_server import BatchServer
from support.chat_server import ChatServer
from support.embedding_server import EmbeddingServer
from support.leaking_server import LeakingServer

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ChatServer]:
    """The chat server, at the address where `hosted_vllm/...` models are looked for."""
    with ChatServer() as server:
        monkeypatch.setenv("HOSTED_VLLM_API_BASE", server.base)
        monkeypatch.setenv("HOSTED_VLLM_API_KEY", "sk-planted-key-123")
        yield server


@pytest.fixture
def batch_server(monkeypatch: pytest.MonkeyPatch) -> Iterator[BatchServer]:
    """The batch server, and keys for both of its APIs."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-planted-openai-123")
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-ant-planted-123")
    with BatchServer() as server:
        yield server


@pytest.fixture
def embedding_server() -> Iterator[EmbeddingServer]:
    """The server of vectors."""
    with EmbeddingServer() as server:
        yield server


@pytest.fixture
def leaking_server(monkeypatch: pytest.MonkeyPatch) -> Iterator[LeakingServer]:
    """The server that repeats keys, at the address where `hosted_vllm/...` models are looked for."""
    with LeakingServer() as server:
        monkeypatch.setenv("HOSTED_VLLM_API_BASE", server.base)
        yield server


@contextlib.asynccontextmanager
async def _serve(routes: dict[str, Handler]) -> AsyncIterator[str]:
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
        connections = [handler.transport for handler in runner.server.connections] if runner.server else []
        await runner.cleanup()
        for connection in filter(None, connections):
            connection.abort()
        await asyncio.sleep(0)  # a connection that was aborted is closed in the next turn of the loop,
        await asyncio.sleep(0)  # and no turn may follow


@pytest.fixture
def serve_routes() -> Callable[[dict[str, Handler]], contextlib.AbstractAsyncContextManager[str]]:
    """Serve these routes (`GET /path`) on loopback, in the loop of the test; gives the address."""
    return _serve
