"""A real HTTP server on loopback that speaks OpenAI's and Anthropic's APIs as published, direct calls and batches."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

from aiohttp import web
from support.loopback_server import LoopbackServer

VERDICT = {"reasons": ["It says so."], "conclusion": "Plain.", "answer": "no", "uncertainty": "low"}


def messages_text(body: dict[str, Any]) -> str:
    """The text of a request's messages."""
    return json.dumps(body["messages"], ensure_ascii=False)


def answer_of(body: dict[str, Any]) -> str:
    """The same answer to the same request, however it comes."""
    verdict = {**VERDICT, "answer": "yes" if "number 1" in messages_text(body) else "no"}
    return json.dumps({"criteria": {"calm": verdict}})


def openai_body(body: dict[str, Any]) -> dict[str, Any]:
    message = {"role": "assistant", "content": answer_of(body)}
    return {
        "id": "chatcmpl-1", "object": "chat.completion", "created": 1_700_000_000, "model": "toy-2026-11-01",
        "system_fingerprint": "fp_toy",
        "choices": [{"index": 0, "finish_reason": "stop", "message": message}],
        "usage": {"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100},
    }  # fmt: skip


def anthropic_body(body: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": "msg_1", "type": "message", "role": "assistant", "model": "toy-2026-11-01", "stop_reason": "end_turn",
        "stop_sequence": None, "content": [{"type": "text", "text": answer_of(body)}],
        "usage": {"input_tokens": 1000, "output_tokens": 100},
    }  # fmt: skip


class Job:
    """A batch that was handed in."""

    def __init__(self, name: str, requests: dict[str, dict[str, Any]], file: str = "") -> None:
        self.name = name
        self.requests = requests
        self.file = file
        self.looks = 0
        self.headers: dict[str, str] = {}


Lines = list[Any]


class BatchServer(LoopbackServer):
    """Answers every request. A test may change how many looks a batch takes, and each line of its results."""

    def __init__(self) -> None:
        super().__init__()
        self.looks = 1
        """How often a batch is looked at before it has ended."""
        self.status = "completed"
        """How OpenAI's batches end."""
        self.errors: list[dict[str, Any]] = []
        self.cancelled = False
        self.replace: Callable[[str, dict[str, Any], Any], Any] = lambda key, body, line: line
        """Returns what the results hold in place of a line; None leaves it out, bytes are sent as they are."""
        self.arrange: Callable[[Lines], Lines] = list
        self.refuse: Callable[[web.Request], web.Response | None] = lambda request: None
        self.page = 100
        """How many batches are listed at once."""
        self.hang_on = "nowhere"
        """Never answers an address with this in it."""
        self.lose_answer_to_submission = False
        """Takes the batch, and breaks the connection before it says so."""
        self.direct: list[dict[str, Any]] = []
        self.direct_headers: list[dict[str, str]] = []
        self.jobs: list[Job] = []
        self.files: dict[str, bytes] = {}
        self.paths: list[str] = []

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post("/v1/chat/completions", self._chat),
            web.post("/v1/files", self._upload),
            web.get("/v1/files/{name}/content", self._content),
            web.post("/v1/batches", self._create),
            web.get("/v1/batches", self._list),
            web.get("/v1/batches/{name}", self._look),
            web.post("/v1/messages", self._message),
            web.post("/v1/messages/batches", self._create_messages),
            web.get("/v1/messages/batches", self._list),
            web.get("/v1/messages/batches/{name}", self._look),
            web.get("/v1/messages/batches/{name}/results", self._results),
        ]

    def middlewares(self) -> list[Any]:
        return [self._first]

    @property
    def submitted(self) -> list[str]:
        """Every request that was ever handed in, by its id."""
        return [key for job in self.jobs for key in job.requests]

    @property
    def bodies(self) -> list[dict[str, Any]]:
        return [body for job in self.jobs for body in job.requests.values()]

    # --- direct calls

    async def _chat(self, request: web.Request) -> web.Response:
        return self._answered(request, await request.json(), openai_body, "x-request-id")

    async def _message(self, request: web.Request) -> web.Response:
        return self._answered(request, await request.json(), anthropic_body, "request-id")

    def _answered(self, request: web.Request, body: Any, make_body: Callable[[Any], Any], name: str) -> web.Response:
        self.direct.append(body)
        self.direct_headers.append(dict(request.headers))
        return web.json_response(make_body(body), headers={name: f"req_{len(self.direct)}"})

    # --- OpenAI's batches

    async def _upload(self, request: web.Request) -> web.Response:
        form = await request.post()
        assert form["purpose"] == "batch"
        name = f"file-{len(self.files)}"
        self.files[name] = form["file"].file.read()  # type: ignore[union-attr]
        return web.json_response({"id": name, "object": "file", "purpose": "batch"})

    async def _create(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        assert (body["endpoint"], body["completion_window"]) == ("/v1/chat/completions", "24h")
        written = self.files[body["input_file_id"]].decode()
        lines = [json.loads(line) for line in written.splitlines()]  # at every kind of line end, as some would
        assert {(line["method"], line["url"]) for line in lines} == {("POST", "/v1/chat/completions")}
        requests = {line["custom_id"]: line["body"] for line in lines}
        assert len(requests) == len(lines)
        return self._taken(request, Job(f"batch_{len(self.jobs)}", requests, body["input_file_id"]), self._openai)

    def _taken(self, request: web.Request, job: Job, describe: Callable[[Job], Any]) -> web.Response:
        job.headers = dict(request.headers)
        self.jobs.append(job)
        if self.lose_answer_to_submission:
            assert request.transport is not None
            request.transport.close()
        return web.json_response(describe(job))

    def _openai(self, job: Job) -> dict[str, Any]:
        ended = job.looks > self.looks
        status = self.status if ended else "in_progress"
        outputs = ended and self.status in ("completed", "expired", "cancelled")
        done = len(job.requests) if ended else 0
        return {
            "id": job.name, "object": "batch", "status": status, "input_file_id": job.file, "endpoint": "/v1/chat",
            "created_at": 4_000_000_000, "errors": {"object": "list", "data": self.errors} if self.errors else None,
            "output_file_id": f"out-{job.name}" if outputs else None,
            "error_file_id": f"err-{job.name}" if outputs else None,
            "request_counts": {"total": len(job.requests), "completed": done, "failed": 0},
        }  # fmt: skip

    def _job(self, name: str) -> Job:
        match = next((job for job in self.jobs if job.name == name), None)
        if match is None:
            raise web.HTTPNotFound(text=json.dumps({"error": {"message": "no such batch"}}))
        return match

    async def _look(self, request: web.Request) -> web.Response:
        job = self._job(request.match_info["name"])
        job.looks += 1
        return web.json_response(self._openai(job) if "chat" in self._kind(job) else self._anthropic(job))

    def _kind(self, job: Job) -> str:
        return "chat" if job.file else "messages"

    async def _list(self, request: web.Request) -> web.Response:
        describe = self._anthropic if "messages" in request.path else self._openai
        jobs = [job for job in reversed(self.jobs) if (self._kind(job) == "messages") == ("messages" in request.path)]
        after = request.query.get("after") or request.query.get("after_id")
        first = next((place for place, job in enumerate(jobs, 1) if job.name == after), 0)
        page = jobs[first : first + self.page]
        return web.json_response({"data": [describe(job) for job in page], "has_more": first + self.page < len(jobs)})

    async def _content(self, request: web.Request) -> web.Response:
        kind, _, name = request.match_info["name"].partition("-")
        lines = self._lines(self._job(name), self._openai_line)
        failed = [
            line for line in lines if isinstance(line, dict) and (line.get("response") or {}).get("status_code") != 200
        ]
        complete = [line for line in lines if not any(line is failure for failure in failed)]
        return self._jsonl(failed if kind == "err" else complete)

    def _openai_line(self, key: str, body: dict[str, Any]) -> dict[str, Any]:
        response = {"status_code": 200, "request_id": f"req_{key}", "body": openai_body(body)}
        return {"id": f"batch_req_{key}", "custom_id": key, "response": response, "error": None}

    # --- Anthropic's batches

    async def _create_messages(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        requests = {entry["custom_id"]: entry["params"] for entry in body["requests"]}
        assert len(requests) == len(body["requests"])
        assert all(len(key) <= 64 and key.replace("-", "").replace("_", "").isalnum() for key in requests)
        return self._taken(request, Job(f"msgbatch_{len(self.jobs)}", requests), self._anthropic)

    def _anthropic(self, job: Job) -> dict[str, Any]:
        ended, n = job.looks > self.looks, len(job.requests)
        counts = {
            "processing": 0 if ended else n,
            "succeeded": n if ended else 0,
            "errored": 0,
            "canceled": 0,
            "expired": 0,
        }
        if self.cancelled and ended:
            counts |= {"succeeded": n - 1, "canceled": 1}
        return {
            "id": job.name, "type": "message_batch", "processing_status": "ended" if ended else "in_progress",
            "request_counts": counts, "created_at": "2096-01-01T00:00:00Z", "expires_at": "2096-01-02T00:00:00Z",
            "results_url": "http://127.0.0.1:9/leads-elsewhere" if ended else None,
        }  # fmt: skip

    async def _results(self, request: web.Request) -> web.Response:
        return self._jsonl(self._lines(self._job(request.match_info["name"]), self._anthropic_line))

    def _anthropic_line(self, key: str, body: dict[str, Any]) -> dict[str, Any]:
        return {"custom_id": key, "result": {"type": "succeeded", "message": anthropic_body(body)}}

    # --- both

    def _lines(self, job: Job, make_line: Callable[[str, dict[str, Any]], Any]) -> Lines:
        lines = [self.replace(key, body, make_line(key, body)) for key, body in job.requests.items()]
        return self.arrange([line for line in lines if line is not None])

    def _jsonl(self, lines: Lines) -> web.Response:
        written = [line if isinstance(line, bytes) else json.dumps(line, ensure_ascii=False).encode() for line in lines]
        return web.Response(body=b"\n".join(written) + b"\n", content_type="application/binary")

    @web.middleware
    async def _first(self, request: web.Request, handler: Any) -> Any:
        self.paths.append(f"{request.method} {request.path}")
        if self.hang_on in request.path:
            await asyncio.sleep(3600)
        refused = self.refuse(request)
        return await handler(request) if refused is None else refused
