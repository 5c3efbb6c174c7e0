"""The base of the HTTP servers that tests ask: a real server on 127.0.0.1, in a thread of its own."""

from __future__ import annotations

import asyncio
import socket
import threading
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from typing import Any, Self

from aiohttp import web


def free_port() -> int:
    """A port that no program of this machine listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class LoopbackServer(ABC):
    """Serves `routes()` between `start` and `stop`, or as long as a `with` block lasts.

    The port is bound when the server is made, so that its address is known before it starts and nobody else takes it.
    Until then connections are refused.
    """

    def __init__(self) -> None:
        self._socket = socket.socket()
        self._socket.bind(("127.0.0.1", 0))
        self.port = int(self._socket.getsockname()[1])
        self.refuses = False
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)

    @abstractmethod
    def routes(self) -> Iterable[web.AbstractRouteDef]:
        """What is served, as aiohttp's route definitions."""

    def middlewares(self) -> Sequence[Any]:
        """Aiohttp's middlewares that every request passes."""
        return ()

    @property
    def root(self) -> str:
        """The address without a path."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def base(self) -> str:
        """The address as OpenAI's clients want it."""
        return f"{self.root}/v1"

    def start(self) -> None:
        self._thread.start()
        assert self._ready.wait(10)

    def stop(self) -> None:
        """Stop serving; a server that was stopped already stays so."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(10)

    def refuse_connections(self) -> None:
        """Answer the requests that have arrived, and refuse connections from now on."""
        self.refuses = True
        asyncio.run_coroutine_threadsafe(self._site.stop(), self._loop).result(10)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        app = web.Application(middlewares=self.middlewares(), client_max_size=1_000_000_000)
        app.add_routes(self.routes())
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        self._loop.run_until_complete(runner.setup())
        self._site = web.SockSite(runner, self._socket)
        self._loop.run_until_complete(self._site.start())
        self._ready.set()
        self._loop.run_forever()
        self._loop.run_until_complete(runner.cleanup())
        self._loop.run_until_complete(self._cancel_open_requests())
        self._loop.run_until_complete(self._loop.shutdown_default_executor())
        self._loop.close()

    async def _cancel_open_requests(self) -> None:
        tasks = asyncio.all_tasks(self._loop) - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
