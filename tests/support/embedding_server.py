"""A real HTTP server on loopback that speaks OpenAI's embeddings API, counts what it receives and can misbehave."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Reply = tuple[int, dict[str, Any], dict[str, str]]


def numbers(text: str, dims: int = 4) -> list[float]:
    """What this server's model makes of a text: its hash, as numbers that float32 holds exactly."""
    return [byte / 256 for byte in hashlib.sha256(text.encode()).digest()[:dims]]


class EmbeddingServer:
    """Answers through `reply(texts) -> (status, body, headers)`; keeps the texts of every request."""

    def __init__(self) -> None:
        self.received: list[list[str]] = []
        self.bodies: list[dict[str, Any]] = []
        self.keys: list[str | None] = []
        self.others: list[str] = []
        """The addresses that were asked for something else than vectors."""
        self.reply: Callable[[list[str]], Reply] = self.answer
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, args=[0.02], daemon=True)

    @property
    def root(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def base(self) -> str:
        return f"{self.root}/v1"

    @property
    def texts(self) -> list[str]:
        """Every text that came, in order of arrival."""
        return [text for texts in self.received for text in texts]

    def answer(self, texts: list[str], vectors: list[Any] | None = None) -> Reply:
        made = [numbers(text) for text in texts] if vectors is None else vectors
        data = [{"object": "embedding", "index": place, "embedding": vector} for place, vector in enumerate(made)]
        usage = {"prompt_tokens": 10 * len(texts), "total_tokens": 10 * len(texts)}
        return 200, {"object": "list", "model": "toy-vectors-1", "data": data[::-1], "usage": usage}, {}

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(10)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                if "input" not in body:  # what a server is asked about itself
                    server.others.append(self.path)
                    self.send_error(404)
                    return
                texts = [body["input"]] if isinstance(body["input"], str) else body["input"]
                server.received.append(texts)
                server.bodies.append(body)
                server.keys.append(self.headers.get("authorization"))
                if self.path == "/api/embed" and server.reply == server.answer:  # Ollama's own form
                    made = {"model": body["model"], "embeddings": [numbers(text) for text in texts]}
                    status, found, headers = 200, {**made, "prompt_eval_count": len(texts)}, {}
                else:
                    status, found, headers = server.reply(texts)
                data = json.dumps(found).encode()
                self.send_response(status)
                for name, value in {"content-type": "application/json", "x-request-id": "req-7", **headers}.items():
                    self.send_header(name, value)
                self.send_header("content-length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *args: object) -> None:
                pass

        return Handler
