"""What a provider brings back: in any order, in part, broken, hostile."""

import json
import random

import pytest
from aiohttp import web
from support.batch_server import anthropic_body, openai_body
from support.batch_study import BOTH, judging, texts

import buttermilk_nb as bm
from buttermilk_nb.events.event import WaitEvent
from buttermilk_nb.llm.batch import providers


def number(body):
    """Which text a request is about."""
    return next(n for n in range(100) if f"number {n}," in json.dumps(body["messages"], ensure_ascii=False))


def without(server, model, n, line):
    """Put another line in the place of that of text `n`."""

    def replaced(key, body, usual):
        return line(key, usual) if number(body) == n else usual

    server.replace = replaced


def errored(model):
    if model == "gpt":
        return lambda key, usual: {
            **usual,
            "response": {"status_code": 400, "body": {"error": {"message": "No.", "code": "invalid_value"}}},
        }
    error = {"type": "error", "error": {"type": "invalid_value", "message": "No."}}
    return lambda key, usual: {"custom_id": key, "result": {"type": "errored", "error": error}}


def expired(model):
    if model == "gpt":
        error = {"code": "batch_expired", "message": "This request could not be executed in time."}
        return lambda key, usual: {**usual, "response": None, "error": error}
    return lambda key, usual: {"custom_id": key, "result": {"type": "expired"}}


@BOTH
def test_results_may_come_in_any_order(model, batch_server, make_batch_project):
    make_batch_project()
    batch_server.arrange = lambda lines: random.Random(3).sample(lines, len(lines))
    scores = judging(model).run(texts(8), batch=True).scores().set_index("record_id")
    assert scores.category.to_dict() == {f"r{i:03d}": "yes" if i == 1 else "no" for i in range(8)}


@BOTH
@pytest.mark.parametrize("kind", [errored, expired])
def test_a_request_without_an_answer_is_asked_directly(model, kind, batch_server, make_batch_project):
    make_batch_project()
    without(batch_server, model, 2, kind(model))
    run = judging(model).run(texts(), batch=True)
    assert run.counts == {"ok": 4}
    assert [number(body) for body in batch_server.direct] == [2]
    why = {errored: "invalid_value: 1", expired: {"gpt": "batch_expired: 1", "claude": "expired: 1"}[model]}[kind]
    assert any(f"in a batch of `{model}`: 1 request without an answer ({why})" in r for r in run.remarks)
    cost = run.calls().set_index("record_id").cost_usd if "record_id" in run.calls() else run.calls().cost_usd
    assert sorted(cost)[-1] == pytest.approx(2 * sorted(cost)[0])


def test_what_the_provider_refuses_for_good_is_an_error_as_without_a_batch(batch_server, make_batch_project):
    make_batch_project()
    without(batch_server, "gpt", 2, errored("gpt"))
    refusal = web.Response(status=400, text='{"error": {"message": "No.", "code": "invalid_value"}}')
    batch_server.refuse = lambda request: refusal if request.path.endswith("completions") else None
    run = judging().run(texts(), batch=True)
    assert run.counts == {"error": 1, "ok": 3}
    assert "No." in run.errors().error_message.item()


def test_what_had_no_answer_is_submitted_again_by_the_next_run(batch_server, make_batch_project):
    make_batch_project()
    without(batch_server, "gpt", 2, errored("gpt"))
    batch_server.refuse = lambda r: web.Response(status=400, text="{}") if r.path.endswith("completions") else None
    judging().run(texts(), batch=True)
    batch_server.replace = lambda key, body, line: line
    assert judging().run(texts(), batch=True).counts == {"ok": 4}
    assert [len(job.requests) for job in batch_server.jobs] == [4, 1]


def test_an_expired_batch_keeps_what_was_answered(batch_server, make_batch_project):
    make_batch_project()
    batch_server.status = "expired"
    batch_server.replace = lambda key, body, line: line if number(body) < 2 else expired("gpt")(key, line)
    run = judging().run(texts(), batch=True)
    assert run.counts == {"ok": 4}
    assert sorted(number(body) for body in batch_server.direct) == [2, 3]


@BOTH
def test_hostile_lines_are_left_out_and_counted(model, batch_server, make_batch_project):
    make_batch_project()
    body = openai_body if model == "gpt" else anthropic_body
    stranger = "k1-" + "0" * 32
    foreign = {
        "gpt": {"custom_id": stranger, "response": {"status_code": 200, "body": body({"messages": "number 1,"})}},
        "claude": {"custom_id": stranger, "result": {"type": "succeeded", "message": body({"messages": "number 1,"})}},
    }[model]
    odd = [foreign, b"{broken", b"[1, 2]", b'"text"', b"\xff\xfe\x00", b"{" * 5000, b'{"custom_id": {"a": 1}}']
    batch_server.arrange = lambda lines: [*odd, b'{"custom_id": null, "result": 7}', *lines]
    project = make_batch_project()
    run = judging(model).run(texts(), batch=True)
    assert run.counts == {"ok": 4}
    assert batch_server.direct == []
    assert f"in a batch of `{model}`: 8 lines belong to no request, and were ignored." in run.remarks
    assert stranger not in project.cache


@BOTH
def test_a_result_that_is_no_answer_is_asked_directly(model, batch_server, make_batch_project):
    make_batch_project()
    good = "response" if model == "gpt" else "result"
    odd = {
        "gpt": {"status_code": 200, "body": {"choices": []}},
        "claude": {"type": "succeeded", "message": {"content": 7}},
    }
    without(batch_server, model, 0, lambda key, usual: {**usual, good: odd[model]})
    run = judging(model).run(texts(), batch=True)
    assert run.counts == {"ok": 4}
    assert [number(body) for body in batch_server.direct] == [0]


@BOTH
def test_a_result_that_comes_twice_counts_once(model, batch_server, make_batch_project):
    make_batch_project()

    def twice(lines):
        second = json.loads(json.dumps(lines[0]).replace('\\"no\\"', '\\"yes\\"'))
        return [*lines, second]

    batch_server.arrange = twice
    run = judging(model).run(texts(3), batch=True)
    assert run.scores().set_index("record_id").category.to_dict() == {"r000": "no", "r001": "yes", "r002": "no"}


@BOTH
def test_a_result_that_is_missing_is_asked_directly(model, batch_server, make_batch_project):
    make_batch_project()
    batch_server.replace = lambda key, body, line: None if number(body) == 3 else line
    run = judging(model).run(texts(), batch=True)
    assert run.counts == {"ok": 4}
    assert any("(not in the results: 1)" in remark for remark in run.remarks)


def test_a_line_end_inside_an_answer_is_not_the_end_of_a_line(batch_server, make_batch_project):
    make_batch_project()

    def spoken(key, body, line):
        line["response"]["body"]["choices"][0]["message"]["content"] = "one\u2028two\u0085three\n"
        return line

    batch_server.replace = spoken
    flow = bm.Flow("say", bm.Agent("say", prompt="Say: {{ record.content }}", models="gpt"))
    run = flow.run(texts(2), batch=True)
    assert run.traces().output.tolist() == ["one\u2028two\u0085three\n"] * 2


def test_no_address_that_a_server_names_is_followed(batch_server, make_batch_project):
    make_batch_project()
    assert judging("claude").run(texts(2), batch=True).counts == {"ok": 2}
    assert batch_server.paths[-1] == "GET /v1/messages/batches/msgbatch_0/results"


def test_a_batch_that_is_refused_as_a_whole_stops_the_run(batch_server, make_batch_project):
    project = make_batch_project()
    batch_server.status, batch_server.errors = (
        "failed",
        [{"code": "model_not_found", "message": "The model does not do batches."}],
    )
    with pytest.raises(
        bm.errors.RunStopped,
        match="`openai` refused the batch .* The model does not do batches. No request was answered",
    ):
        judging().run(texts(), batch=True)
    assert batch_server.direct == [], "to ask all of it directly was not what was wanted"
    assert bm.last_run().counts == {"pending": 4}
    batch_server.status, batch_server.errors = "completed", []
    assert judging().run(texts(), batch=True).counts == {"ok": 4}
    assert len(batch_server.jobs) == 2
    assert project.spending_limit().reserved_usd == pytest.approx(0)


def test_a_batch_that_was_cancelled_stops_the_run_and_keeps_its_answers(batch_server, make_batch_project):
    make_batch_project()
    batch_server.status = "cancelled"
    batch_server.replace = lambda key, body, line: line if number(body) < 3 else None
    with pytest.raises(bm.errors.RunStopped, match="was cancelled at `openai`, with 1 request unanswered"):
        judging().run(texts(), batch=True)
    batch_server.status = "completed"
    batch_server.replace = lambda key, body, line: line
    run = judging().run(texts(), batch=True)
    assert run.counts == {"ok": 4}
    assert [len(job.requests) for job in batch_server.jobs] == [4, 1]
    assert batch_server.direct == []


def test_a_cancelled_batch_at_anthropic_stops_the_run_too(batch_server, make_batch_project):
    make_batch_project()
    batch_server.cancelled = True
    batch_server.replace = lambda key, body, line: (
        line if number(body) else {"custom_id": key, "result": {"type": "canceled"}}
    )
    with pytest.raises(bm.errors.RunStopped, match="was cancelled at `anthropic`, with 1 request unanswered"):
        judging("claude").run(texts(), batch=True)
    assert batch_server.direct == []


# --- a server that fails -------------------------------------------------------------------------------


def failing(server, when, times, status=503):
    left = [times]

    def refuse(request):
        if left[0] and when(request):
            left[0] -= 1
            return web.Response(status=status, text='{"error": {"message": "Later."}}', content_type="application/json")
        return None

    server.refuse = refuse


@BOTH
@pytest.mark.parametrize("word", ["POST", "GET"])
@pytest.mark.parametrize("status", [429, 500, 529])
def test_a_failure_that_passes_is_asked_again(model, word, status, batch_server, make_batch_project):
    make_batch_project()
    failing(batch_server, lambda request: request.method == word, 2, status)
    assert judging(model).run(texts(), batch=True).counts == {"ok": 4}
    assert (len(batch_server.jobs), batch_server.direct) == (1, [])


@BOTH
def test_results_that_break_off_are_read_again(model, batch_server, make_batch_project):
    make_batch_project()
    results = ("results", "content")
    failing(batch_server, lambda request: request.path.endswith(results), 1)
    assert judging(model).run(texts(), batch=True).counts == {"ok": 4}
    assert batch_server.direct == []


def test_results_that_are_not_kept_any_more_are_asked_directly(batch_server, make_batch_project):
    make_batch_project()
    batch_server.refuse = lambda request: web.Response(status=404) if request.path.endswith("content") else None
    run = judging().run(texts(2), batch=True)
    assert (run.counts, len(batch_server.direct)) == ({"ok": 2}, 2)
    assert any("(no longer at the provider: 2)" in remark for remark in run.remarks)


def test_results_that_cannot_be_had_now_are_left_there(batch_server, make_batch_project):
    make_batch_project()
    failing(batch_server, lambda request: request.path.endswith("content"), 50)
    with pytest.raises(bm.errors.RunStopped, match="Later.* The batch `batch_0` is still at `openai`"):
        judging().run(texts(2), batch=True)
    batch_server.refuse = lambda request: None
    assert judging().run(texts(2), batch=True).counts == {"ok": 2}
    assert (len(batch_server.jobs), batch_server.direct) == (1, [])


def test_a_provider_that_cannot_be_reached_while_waiting_leaves_the_batch_there(batch_server, make_batch_project):
    make_batch_project()
    failing(batch_server, lambda request: request.method == "GET", 50)
    with pytest.raises(bm.errors.RunStopped, match="Later.* The batch `batch_0` is still at `openai`"):
        judging().run(texts(), batch=True)
    batch_server.refuse = lambda request: None
    assert judging().run(texts(), batch=True).counts == {"ok": 4}
    assert len(batch_server.jobs) == 1


@pytest.mark.parametrize(("status", "words"), [(401, "Is the key right"), (402, "Add credit"), (400, "Later")])
def test_a_provider_that_does_not_take_a_batch_stops_the_run(status, words, batch_server, make_batch_project):
    project = make_batch_project()
    failing(batch_server, lambda request: request.method == "POST", 50, status)
    with pytest.raises(bm.errors.RunStopped, match=f"does not accept the batch.*{words}"):
        judging().run(texts(), batch=True)
    assert batch_server.direct == []
    assert project.spending_limit().reserved_usd == pytest.approx(0)


def test_a_key_in_an_error_is_not_shown(batch_server, make_batch_project):
    make_batch_project()
    batch_server.refuse = lambda request: web.Response(
        status=401, text='{"error": {"message": "Incorrect API key provided: sk-planted-openai-123"}}'
    )
    with pytest.raises(bm.errors.RunStopped) as caught:
        judging().run(texts(), batch=True)
    assert "planted" not in str(caught.value)


# --- chunks --------------------------------------------------------------------------------------------


@BOTH
def test_more_requests_than_a_batch_holds_are_several_batches(model, batch_server, make_batch_project, monkeypatch):

    for api in (providers.OpenAIBatches, providers.AnthropicBatches):
        monkeypatch.setattr(api, "max_requests", 3)
    make_batch_project()
    assert judging(model).run(texts(8), batch=True).counts == {"ok": 8}
    assert [len(job.requests) for job in batch_server.jobs] == [3, 3, 2]
    assert batch_server.direct == []


def test_a_file_is_never_larger_than_a_batch_may_be(batch_server, make_batch_project, monkeypatch):

    monkeypatch.setattr(providers.OpenAIBatches, "max_bytes", 4000)
    make_batch_project()
    assert judging().run(texts(8), batch=True).counts == {"ok": 8}
    assert len(batch_server.jobs) > 2
    assert all(len(file) <= 4000 for file in batch_server.files.values())
    assert batch_server.direct == []


def test_a_request_that_no_batch_can_hold_is_asked_directly(batch_server, make_batch_project, monkeypatch):
    monkeypatch.setattr(providers.OpenAIBatches, "max_bytes", 100)
    make_batch_project()
    run = judging().run(texts(2), batch=True)
    assert run.counts == {"ok": 2}
    assert (batch_server.jobs, len(batch_server.direct)) == ([], 2)
    assert any("that do not fit into a batch are sent directly" in remark for remark in run.remarks)


def test_the_published_limits():
    from buttermilk_nb.llm.batch.providers import AnthropicBatches, OpenAIBatches

    assert (OpenAIBatches.max_requests, OpenAIBatches.max_bytes) == (50_000, 200_000_000)
    assert (AnthropicBatches.max_requests, AnthropicBatches.max_bytes) == (100_000, 256_000_000)


def test_a_call_that_litellm_sends_elsewhere_is_asked_directly_and_leaks_nothing(
    batch_server, make_batch_project, monkeypatch
):
    """litellm routes some models to another API, past the client that it was given."""
    make_batch_project(
        extra=f'  other: {{model: openai/responses/gpt-4o, api_base: "{batch_server.root}/v1", local: false}}'
    )
    run = judging("other").run(texts(2), batch=True, yes=True)
    assert batch_server.jobs == []
    assert any("that do not fit into a batch are sent directly" in remark for remark in run.remarks)


# --- progress ------------------------------------------------------------------------------------------


def test_how_far_a_batch_is_is_told_while_it_waits(batch_server, make_batch_project):
    project = make_batch_project()
    told = []
    project.bus.subscribe(lambda event: told.append(event.payload) if isinstance(event, WaitEvent) else None)
    batch_server.looks = 4
    run = judging().run(texts(), batch=True)
    assert [(p["run_id"], p["model"], p["done"], p["total"]) for p in told] == [(run.run_id, "gpt", 0, 4)] * 4
    assert [p["seconds"] <= limit for p, limit in zip(told, [0.05, 0.05, 0.1, 0.1], strict=True)] == [True] * 4
    assert told[0]["why"] == "at the provider as a batch, 0 of 4 done"
