"""Calls over real HTTP, through litellm, to servers on loopback."""

from __future__ import annotations

import json

import pytest
from aiohttp import web

import buttermilk_nb as bm

CALM = bm.Criteria("calm", "Is the text calm?", flag="no")


def texts(n: int) -> bm.Corpus:
    return bm.load(
        [{"id": f"r{i:03d}", "text": f"Text number {i}, «ä» 判."} for i in range(n)], content="text", record_id="id"
    )


def flow(**judge) -> bm.Flow:
    return bm.Flow("http", [bm.Judge("judge", criteria=CALM, **judge)])


def failing(status: int, message: str, kind: str = "error", code: str | None = None):
    body = {"error": {"message": message, "type": kind, "code": code}}
    return lambda _: web.Response(status=status, text=json.dumps(body), content_type="application/json")


def test_every_stored_call_holds_the_request_as_sent_and_the_answer_as_received(server, toy_project):
    run = flow(params={"temperature": 0.2, "max_tokens": 300}).run(texts(20))
    assert run.counts == {"ok": 20}
    calls = run.calls()
    stored = {json.dumps(json.loads(r)["messages"], sort_keys=True) for r in calls.request}
    assert stored == {json.dumps(body["messages"], sort_keys=True) for body in server.received}
    for request in calls.request.map(json.loads):
        assert request["model"] == "hosted_vllm/toy"
        assert (request["temperature"], request["max_tokens"]) == (0.2, 300)
    assert all(
        (body["model"], body["temperature"], body["max_tokens"]) == ("toy", 0.2, 300) for body in server.received
    )
    answers = {json.loads(text)["id"]: json.loads(text) for text in server.sent}
    for response in calls.response.map(json.loads):
        original = answers[response["id"]]
        assert response["choices"][0]["message"]["content"] == original["choices"][0]["message"]["content"]
        assert response["usage"]["prompt_tokens"] == 11


def test_what_was_served_is_recorded(server, toy_project):
    call = flow().run(texts(1)).calls().iloc[0]
    assert call.model_requested == "hosted_vllm/toy"
    assert call.model_served == "toy-2026-11-01"
    assert call.fingerprint == "fp_toy"
    assert call.request_id == "req-chatcmpl-1"
    assert (call.tokens_in, call.tokens_out, call.finish_reason) == (11, 7, "stop")
    assert call.latency_s > 0
    assert bm.sql("select cost_usd from calls").cost_usd.isna().all(), "a model without a price has no cost, not 0"


def test_the_second_run_sends_nothing(server, toy_project):
    first, again = flow().run(texts(10)), flow().run(texts(10))
    assert len(server.received) == 10
    assert first.scores().equals(again.scores())
    assert bm.sql("select count(distinct digest) as n from runs").n.item() == 1
    flow().run(texts(11))
    assert len(server.received) == 11, "one record added is one call"


def test_a_planted_key_is_in_no_artefact(server, toy_project):
    server.reply = failing(401, "Incorrect API key provided: sk-planted-key-123")
    run = flow().run(texts(2))
    assert run.counts == {"error": 2}
    found = [f for f in toy_project.folder.rglob("*") if f.is_file() and b"sk-planted-key-123" in f.read_bytes()]
    assert found == []


@pytest.mark.parametrize(
    ("reply", "status", "kind"),
    [
        (failing(401, "Incorrect API key provided"), "error", "AuthenticationError"),
        (failing(429, "Rate limit reached"), "error", "RateLimitError"),
        (failing(429, "You exceeded your current quota", code="insufficient_quota"), "error", "QuotaError"),
        (
            failing(400, "This model's maximum context length is 10 tokens", code="context_length_exceeded"),
            "error",
            "ContextTooLongError",
        ),
        (failing(400, "bad value"), "error", "BadRequestError"),
        (failing(404, "no such model"), "error", "BadRequestError"),
        (failing(500, "boom"), "error", "UnavailableError"),
        (failing(529, "Overloaded"), "error", "OverloadedError"),
        (lambda _: web.Response(text="<html>not json</html>", content_type="text/html"), "error", None),
        (lambda _: {"id": "x", "object": "chat.completion", "model": "t", "created": 1, "choices": []}, "error", None),
    ],
)  # fmt: skip
def test_failures_become_rows_that_say_what_happened(server, toy_project, reply, status, kind):
    server.reply = reply
    run = flow().run(texts(1))
    assert run.counts == {status: 1}
    error = run.errors().iloc[0]
    assert kind is None or error.error_type == kind
    assert "hosted_vllm/toy" in error.error_message or "server" in error.error_message
    assert run.scores().category.isna().all()
    server.reply = server.answer
    assert flow().run(texts(1)).counts == {"ok": 1}, "a failure is never cached"


@pytest.mark.parametrize(
    ("text", "finish", "status"),
    [
        ("I'm sorry, but I can't help with that.", "stop", "refused"),
        ("", "content_filter", "filtered"),
        ('{"criteria": {"calm": {"answer": "yes"', "length", "invalid"),
        ("It is rather calm.", "stop", "invalid"),
        ("", "stop", "invalid"),
        ('{"criteria": {"calm": {"answer": "perhaps"}}}', "stop", "invalid"),
        ('```json\n{"calm": {"answer": "YES."}}\n```', "stop", "ok"),
    ],
)
def test_answers_that_are_not_on_the_scale_are_kept_with_their_text(server, toy_project, text, finish, status):
    server.reply = lambda body: server.answer(body, text, finish)
    run = flow().run(texts(1))
    assert run.counts == {status: 1}
    if status != "ok":
        assert run.errors().raw_text.iloc[0] == text
        assert run.scores().status.tolist() == [status]
        asked = len(server.received)
        assert asked == (2 if finish == "stop" and status == "invalid" else 1)
        flow().run(texts(1))
        assert len(server.received) == asked, "a completed answer is cached, whatever it says"
        flow().run(texts(1), retry=[status])
        assert len(server.received) == asked + 1


def test_a_server_that_is_not_there_is_one_sentence_a_row(toy_project, monkeypatch):
    monkeypatch.setenv("HOSTED_VLLM_API_BASE", "http://127.0.0.1:9/v1")
    with pytest.raises(bm.SetupError, match="nothing listens at"):
        flow().run(texts(1))


def test_a_server_that_goes_away_is_one_sentence_a_row(server, toy_project, monkeypatch, tmp_path):
    (tmp_path / "gone").mkdir()
    (tmp_path / "gone" / "buttermilk.yaml").write_text(
        "name: gone\nbackoff_s: 0.01\nsets: {judges: [hosted_vllm/toy]}\n"
    )
    project = bm.init("gone", path=tmp_path / "gone")
    model = project.model("hosted_vllm/toy")
    monkeypatch.setattr(model, "unavailable_reasons", lambda wait_s: [])  # it was there a moment ago
    monkeypatch.setenv("HOSTED_VLLM_API_BASE", "http://127.0.0.1:9/v1")
    run = flow().run(texts(1))
    assert run.errors().error_type.tolist() == ["UnavailableError"]
    assert "is the server running" in run.errors().error_message.iloc[0].lower()


def test_a_hung_server_is_a_timeout(server, tmp_path):
    (tmp_path / "hung").mkdir()
    (tmp_path / "hung" / "buttermilk.yaml").write_text(
        "name: hung\ntimeout_s: 0.3\nbackoff_s: 0.02\nsets: {judges: [hosted_vllm/toy]}\n"
    )
    server.wait_s = 5
    bm.init("hung", path=tmp_path / "hung")
    run = flow().run(texts(1))
    assert run.counts == {"timeout": 1}
    assert "0.3 s" in run.errors().error_message.iloc[0]


def test_a_missing_key_is_found_before_anything_is_sent(toy_project, monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.delenv("OPENAI_API_BASE", raising=False)
    with pytest.raises(bm.SetupError, match="OPENAI_API_KEY"):
        flow(models="openai/gpt-4o-mini").run(texts(1))
    assert bm.sql("select count(*) as n from runs").n.item() == 0


def test_a_model_family_that_does_not_exist_names_the_nearest(toy_project):
    with pytest.raises(bm.SetupError, match="did you mean `anthropic`"):
        flow(models="antropic/some-model").check(texts(1))


def test_a_key_does_not_belong_in_the_parameters(toy_project):
    with pytest.raises(bm.SetupError, match="in the environment"):
        flow(params={"api_key": "sk-1"}).check(texts(1))


def test_parameters_that_the_model_ignores_are_said_and_stored(server, toy_project):
    made = flow(params={"temperature": 0, "warmth": 3})
    grid = made.check(texts(1))
    assert "ignores `warmth`" in repr(grid)
    call = made.run(texts(1)).calls().iloc[0]
    assert json.loads(call.params_dropped) == {"warmth": 3}
    assert "warmth" not in server.received[0]


@pytest.mark.proxy
def test_three_hundred_records_through_the_litellm_proxy(litellm_proxy, toy_project, monkeypatch):
    base, key = litellm_proxy
    monkeypatch.setenv("HOSTED_VLLM_API_BASE", base)
    monkeypatch.setenv("HOSTED_VLLM_API_KEY", key)
    run = flow().run(texts(300))
    assert run.counts == {"ok": 300}
    calls = run.calls()
    assert len(calls) == 300
    for record, request, response in zip(texts(300), calls.request, calls.response, strict=True):
        assert record.content in json.loads(request)["messages"][-1]["content"]
        assert "It says so." in json.loads(response)["choices"][0]["message"]["content"]
    sent = toy_project.client.sent
    flow().run(texts(300))
    assert toy_project.client.sent == sent == 300
