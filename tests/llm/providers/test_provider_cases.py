"""Replies of servers in forms that are easily misread, over real HTTP: each has its status and its row."""

from __future__ import annotations

import json

import pytest
from aiohttp import web
from support.paths import TESTS

import buttermilk_nb as bm

CALM = bm.Criteria("calm", "Is the text calm?", flag="no")
ENTRY = {"reasons": ["It says so."], "conclusion": "Plain.", "answer": "yes", "uncertainty": "low"}
VERDICT = json.dumps({"criteria": {"calm": ENTRY}})
TEXTS = bm.Corpus([bm.Record(record_id="r0", content="A quiet room.")])


def flow(**judge):
    return bm.Flow("http", [bm.Judge("judge", criteria=CALM, **judge)])


def numbered(n):
    return bm.Corpus([bm.Record(record_id=f"r{i}", content=f"This is record {i}.") for i in range(n)])


def test_a_filter_of_one_record_in_twelve_gives_up_the_model_in_no_run(server, make_study):
    make_study()
    refused = {"error": {"message": "Content violates usage guidelines.", "code": "403"}}

    def reply(body):
        if "record 3." in str(body["messages"]):
            return web.Response(status=403, text=json.dumps(refused), content_type="application/json")
        return server.answer(body, VERDICT)

    server.reply = reply
    run = flow().run(numbered(12))
    assert run.counts == {"ok": 11, "filtered": 1}
    assert run.errors().error_type.tolist() == ["ContentFilterError"]
    assert "key" not in run.errors().error_message.item()
    assert flow().run(numbered(12)).counts == {"ok": 11, "filtered": 1}
    again = flow().run(numbered(13))
    assert again.counts == {"ok": 12, "filtered": 1}
    assert "record 12." in str(server.received[-1]["messages"] + server.received[-2]["messages"])


@pytest.mark.parametrize(
    "choice",
    [
        {"finish_reason": "error", "error": {"code": 502, "message": "Provider returned error"}},
        {"finish_reason": "insufficient_system_resource"},
        {"finish_reason": "abort"},
    ],
    ids=str,
)
def test_an_answer_that_always_ends_in_an_error_is_an_error_and_a_later_run_asks_again(server, make_study, choice):
    make_study(retries=2)

    def reply(body):
        answer = server.answer(body, VERDICT)
        answer["choices"][0].update(choice)
        return answer

    server.reply = reply
    run = flow().run(TEXTS)
    assert run.counts == {"error": 1}
    assert run.scores().category.isna().all()
    assert (run.calls().waited_s > 0).tolist()[1:] == [True, True]  # the first may have waited for a busy machine
    server.reply = lambda body: server.answer(body, VERDICT)
    assert flow().run(TEXTS).counts == {"ok": 1}
    assert len(server.received) == 4, "three attempts, and no cached answer"


@pytest.mark.parametrize("usage", [None, {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}])
def test_a_cost_that_is_not_known_is_on_the_card_of_the_run_and_fills_the_budget(server, make_study, usage):
    priced = {"local": False, "prices": {"input": 1_000, "output": 1_000}, "params": {"max_tokens": 20}}
    project = make_study(toy=priced, allow=["hosted_vllm"], budget_usd=1.0)
    server.reply = lambda body: {**server.answer(body, VERDICT), "usage": usage}
    run = flow().run(TEXTS)
    assert "The cost of 1 call is not known" in repr(run)
    assert "The cost of 1 call is not known" in run._repr_html_()
    assert run.cost_usd is None
    assert 0.2 < project.spent_usd < 1.0
    with pytest.raises(bm.errors.BudgetReached):
        flow().run(numbered(12))
    assert 1 < len(server.received) < 5


@pytest.mark.parametrize(
    "text",
    [
        f"<seed:think>Perhaps {VERDICT} But then",
        f"<mm:think>Perhaps {VERDICT} But then",
        f"<|channel|>analysis<|message|>Perhaps {VERDICT} But then",
        f"Let me see. <think>Perhaps {VERDICT} But then",
    ],
)
def test_a_draft_in_thinking_that_never_ends_is_invalid(server, toy_project, text):
    server.reply = lambda body: server.answer(body, text)
    run = flow(reask=False).run(TEXTS)
    assert run.counts == {"invalid": 1}
    assert run.scores().category.isna().all()
    assert "its thinking never ended" in run.errors().error_message.item()


def test_the_guide_says_how_to_raise_the_window_of_a_local_server():
    notebooks = sorted((TESTS.parent / "notebooks").glob("*.ipynb"))
    pages = [TESTS.parent / "README.md", *notebooks]
    assert len(notebooks) > 3
    assert any("num_ctx" in page.read_text(encoding="utf-8") for page in pages)


@pytest.mark.parametrize(
    "words",
    [
        "This model's maximum context length is 4096 tokens. However, you requested 9000 tokens.",
        "prompt is too long: 210000 tokens > 200000 maximum",
        "Input tokens exceed the configured limit of 8192 tokens.",
        "Your input exceeds the context window of this model.",
        "Please reduce the length of the messages.",
        "Range of input length should be [1, 30720]",
        "Too many input tokens: 9000 > 8192",
    ],
)
def test_a_text_that_is_too_long_in_any_wording_is_answered_by_the_fallback(server, make_study, words):
    make_study(models={"spare": {"model": "hosted_vllm/spare", "api_base": server.base}})
    server.reply = lambda body: server.failure(400, words) if body["model"] == "toy" else server.answer(body, VERDICT)
    alone = flow().run(TEXTS)
    assert alone.counts == {"error": 1}
    assert alone.errors().error_type.tolist() == ["ContextTooLongError"]
    run = flow(fallback=["spare"]).run(TEXTS)
    assert run.counts == {"ok": 1}
    assert run.scores().model.tolist() == ["spare"]
    assert [body["model"] for body in server.received] == ["toy", "toy", "spare"]


@pytest.mark.parametrize(
    ("status", "code", "words"),
    [
        (400, None, "The guardrail intervened."),
        (400, "guardrail_intervened", "Stopped."),
        (400, None, "Sensitive content detected."),
        (400, "SensitiveContentDetected", "Stopped."),
        (400, "sensitive_content_detected", "Stopped."),
        (403, None, "Sensitive content detected in the prompt."),
        (403, None, "Your prompt was flagged."),
        (403, None, "The prompt contains disallowed content."),
        (403, None, "This content may violate our policies."),
        (403, None, "It violates our terms of use."),
        (403, "PROHIBITED_CONTENT", "Stopped."),
        (403, None, "Moderation failed for input."),
    ],
)
def test_a_filter_in_other_words_and_codes_is_filtered(server, toy_project, status, code, words):
    server.reply = lambda body: server.failure(status, words, code=code)
    run = flow().run(TEXTS)
    assert run.counts == {"filtered": 1}
    assert len(server.received) == 1
    assert "model's name" not in run.errors().error_message.item()


@pytest.mark.parametrize(
    "words",
    ["Your account has been suspended for violating our usage policies.", "This organization is disabled: policy."],
)
def test_an_account_that_is_closed_is_no_filter_of_one_text(server, toy_project, words):
    server.reply = lambda body: server.failure(403, words)
    assert flow().run(TEXTS).counts == {"error": 1}


@pytest.mark.parametrize("answer", ["isn't hateful", "no hateful words", "hardly hateful"])
def test_a_negated_label_is_invalid_and_asked_for_once_more(server, toy_project, answer):
    tone = bm.Criteria("tone", "Is it hateful?", scale="hateful | not hateful")
    server.reply = lambda body: server.answer(body, json.dumps({"criteria": {"tone": {**ENTRY, "answer": answer}}}))
    run = bm.Flow("http", [bm.Judge("judge", criteria=tone)]).run(TEXTS)
    assert run.counts == {"invalid": 1}
    assert run.scores().category.isna().all()
    assert len(server.received) == 2


OTHER_PARAMS = [
    {"temperature": 0}, {"temperature": 0.1}, {"temperature": 1}, {"top_p": 1}, {"top_p": 0.5}, {"seed": 1},
    {"seed": 2}, {"max_tokens": 100}, {"max_tokens": 200}, {"stop": ["x"]}, {"stop": ["y"]}, {"presence_penalty": 0.5},
    {"frequency_penalty": 0.5}, {"logit_bias": {"7": 1}}, {"logprobs": True}, {"logprobs": True, "top_logprobs": 2},
    {"response_format": {"type": "json_object"}}, {"reasoning_effort": "low"}, {"extra_body": {"top_k": 4}},
]  # fmt: skip


def test_each_other_difference_of_parameters_is_asked_anew_but_the_name_of_a_user(server, make_study):
    make_study()
    designs = [flow(params={}).run(TEXTS).traces().design_id.item()]
    for params in OTHER_PARAMS:
        designs.append(flow(params=params).run(TEXTS).traces().design_id.item())
        assert len(server.received) == len(designs), params
    assert len(set(designs)) == len(OTHER_PARAMS) + 1 == 20
    for name in ("ana", "ben"):
        assert flow(params={"user": name}).run(TEXTS).traces().design_id.item() == designs[0]
    assert len(server.received) == 20


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"temperature": 0}, {"temperature": 0.0}), ({"top_p": 1}, {"top_p": 1.0}), ({"seed": 1}, {"seed": 1.0}),
        ({"max_tokens": 20}, {"max_tokens": 20.0}), ({"extra_body": {"top_k": 4}}, {"extra_body": {"top_k": 4.0}}),
        ({"logit_bias": {"7": 1}}, {"logit_bias": {"7": 1.0}}),
    ],
)  # fmt: skip
def test_equal_numbers_of_any_parameter_of_a_judge_are_one_key_and_one_design(server, make_study, first, second):
    make_study()
    one, two = flow(params=first).run(TEXTS), flow(params=second).run(TEXTS)
    assert len(server.received) == 1
    assert one.traces().design_id.item() == two.traces().design_id.item()
    assert one.calls().cache_key.item() == two.calls().cache_key.item()
