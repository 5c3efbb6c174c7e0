"""Answers as models really send them: recorded completions and responses, and broken JSON."""

from __future__ import annotations

import asyncio
import collections
import datetime as dt
import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from aiohttp import web
from support.paths import SHARED

from buttermilk_nb.errors import InvalidAnswer
from buttermilk_nb.llm.answers.parse_json import is_refusal, parse_json
from buttermilk_nb.llm.completion import Completion
from buttermilk_nb.llm.providers.load_litellm import load_litellm


def needs(folder: str) -> Path:
    if not (SHARED / folder).is_dir():
        pytest.skip(f"../shared/data/{folder} is not here; it is used for checking with real answers only")
    return SHARED / folder


def completion(text: str, finish: str | None = None) -> Completion:
    return Completion(text=text, finish_reason=finish, raw=text, answered_at=dt.datetime(2026, 1, 1, tzinfo=dt.UTC))


def outcome(text: str, finish: str | None = None, *wanted: str) -> Any:
    """What is read, or what is said about it."""
    try:
        return parse_json(completion(text, finish), wanted)
    except InvalidAnswer as error:
        return str(error)


def repaired(case: dict[str, Any]) -> Any:
    value = json.loads(case["expected_repr"])
    if isinstance(value, str) and value and not case["kwargs"].get("return_objects"):
        value = json.loads(value)
    return value[0] if case["kwargs"].get("logging") else value


def test_broken_json_is_read_as_it_was_repaired_elsewhere_and_what_was_cut_off_is_flagged():
    lines = (needs("llm_output_json") / "json_repair_cases.jsonl").read_text(encoding="utf-8").splitlines()
    cases = [(case["raw"], repaired(case)) for case in map(json.loads, lines)]
    counts: collections.Counter[str] = collections.Counter()
    others = []
    for raw, expected in cases:
        found = outcome(raw)
        if not (isinstance(expected, dict) and expected):
            counts["no object there, or several, none read" if isinstance(found, str) else "one object of several"] += 1
        elif found == expected:
            counts["same"] += 1
        elif isinstance(found, str):
            is_cut_off = "was cut off" in found
            assert is_cut_off != raw.rstrip().endswith("}")
            counts["cut off" if is_cut_off else "an exponent without digits, an object inside a text"] += 1
        elif raw.count("\n") == 1 or json_of(raw) == found:
            counts["strict JSON, whose line break is kept"] += 1
        else:
            others.append(raw)
    assert counts == {
        "same": 153,
        "an exponent without digits, an object inside a text": 2,
        "strict JSON, whose line break is kept": 23,
        "cut off": 14,
        "no object there, or several, none read": 64,
        "one object of several": 7,
    }
    assert len(others) == 3, "a doubly escaped text, and two that go on behind their last bracket"
    assert len(cases) == 266


def json_of(raw: str) -> Any:
    try:
        return json.loads(raw, strict=False)
    except ValueError:
        return None


def said(value: Any) -> Iterator[tuple[str, str]]:
    """The completions in a recorded result, each with its finish reason."""
    if isinstance(value, list) and len(value) == 2 and all(isinstance(item, str) for item in value):
        yield value[0], value[1]
    elif isinstance(value, dict | list):
        for inside in value.values() if isinstance(value, dict) else value:
            yield from said(inside)


def test_recorded_judgements_in_words_are_no_json_and_no_refusals_and_empty_ones_are_told_apart():
    folder = needs("llmbar_natural") / "Natural" / "evaluators"
    counts: collections.Counter[str] = collections.Counter()
    for path in sorted(folder.glob("*/*/result.json")):
        for row in json.loads(path.read_text(encoding="utf-8")):
            for text, finish in said(row["results"]):
                found = outcome(text, finish or None)
                assert isinstance(found, str)
                assert not is_refusal(completion(text, finish or None)), text
                counts["empty" if "empty answer" in found else "no JSON" if "no JSON" in found else found] += 1
    assert counts == {"no JSON": 2794, "empty": 6}


def bodies(folder: Path) -> Iterator[tuple[str, str]]:
    """Recorded response bodies with the address that was asked."""
    for path in sorted(folder.rglob("*.yaml")):
        for exchange in yaml.safe_load(path.read_text(encoding="utf-8"))["interactions"]:
            body = exchange["response"]["body"]["string"]
            body = gzip.decompress(body) if isinstance(body, bytes) and body[:2] == b"\x1f\x8b" else body
            yield exchange["request"]["uri"], body if isinstance(body, str) else body.decode("utf-8", "replace")


def openais(folder: Path) -> list[dict[str, Any]]:
    """Those that were not streamed."""
    return [json.loads(body) for uri, body in bodies(folder) if uri.endswith("chat/completions") and body[:1] == "{"]


def anthropics(folder: Path) -> list[dict[str, Any]]:
    """Streams put together to the message that they make."""
    made = []
    for uri, body in bodies(folder):
        events = [json.loads(line[6:]) for line in body.splitlines() if line.startswith("data: ")]
        if not uri.endswith("/messages"):
            continue
        message = next(event["message"] for event in events if event["type"] == "message_start")
        texts = [event["delta"].get("text", "") for event in events if event["type"] == "content_block_delta"]
        ends = [event for event in events if event["type"] == "message_delta"]
        usage = {**message["usage"], **ends[-1]["usage"]}
        text = {"content": [{"type": "text", "text": "".join(texts)}], "usage": usage}
        made.append({**message, **text, "stop_reason": ends[-1]["delta"]["stop_reason"]})
    return made


def googles(folder: Path) -> list[dict[str, Any]]:
    """Streams put together to the response that they make."""
    made = []
    for uri, body in bodies(folder):
        if "streamGenerateContent" not in uri:
            continue
        chunks = json.loads(body)
        parts = [
            part for chunk in chunks for c in chunk["candidates"] for part in c.get("content", {}).get("parts", [])
        ]
        texts = [part["text"] for part in parts if "text" in part and not part.get("thought")]
        candidate = {**chunks[-1]["candidates"][0], "content": {"role": "model", "parts": [{"text": "".join(texts)}]}}
        made.append({**chunks[-1], "candidates": [candidate]})
    return made


RECORDED = {
    "simonw_llm": ("openai/gpt-4o-mini", "/v1", openais, {"no JSON": 1, "nothing": 2}),
    "simonw_llm_anthropic": ("anthropic/claude-sonnet-4-5", "", anthropics, {"read": 3, "no JSON": 20, "nothing": 4}),
    "simonw_llm_gemini": ("gemini/gemini-2.0-flash", "/v1beta", googles, {"read": 5, "no JSON": 6, "nothing": 4}),
}


@pytest.mark.parametrize("source", list(RECORDED))
def test_recorded_responses_come_through_litellm_as_answers_that_can_be_read_or_not(source, monkeypatch):
    model, base, assembled, expected = RECORDED[source]
    responses = assembled(needs("cassettes") / source)
    for name in ("OPENAI", "ANTHROPIC", "GEMINI"):
        monkeypatch.setenv(f"{name}_API_KEY", "sk-planted-key-123")
    counts: collections.Counter[str] = collections.Counter()
    for choice in asyncio.run(served(model, base, responses)):
        found = outcome(choice.message.content or "", choice.finish_reason)
        assert not is_refusal(completion(choice.message.content or ""))
        counts["read" if isinstance(found, dict) else "no JSON" if "no JSON" in found else "nothing"] += 1
    assert counts == expected


async def served(model: str, base: str, responses: list[dict[str, Any]]) -> list[Any]:
    """Each response sent by a server on loopback, and what litellm makes of it."""
    left = iter(responses)

    async def reply(request: web.Request) -> web.Response:
        await request.read()
        return web.json_response(next(left))

    app = web.Application()
    app.router.add_post("/{path:.*}", reply)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    address = f"http://127.0.0.1:{site._server.sockets[0].getsockname()[1]}{base}"
    asked = {"model": model, "messages": [{"role": "user", "content": "?"}], "api_base": address, "timeout": 10}
    litellm = load_litellm()
    try:
        made = [await litellm.acompletion(**asked, max_retries=0, num_retries=0) for _ in responses]
    finally:
        await litellm.close_litellm_async_clients()
        await runner.cleanup()
    return [response.choices[0] for response in made]
