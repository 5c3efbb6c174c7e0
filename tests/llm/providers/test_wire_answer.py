"""What a server sent decides: how an answer ended, its tokens, its text. Over real HTTP, through litellm."""

from __future__ import annotations

import json

import pandas as pd
import pytest
from aiohttp import web

import buttermilk_nb as bm
from buttermilk_nb.llm.providers.wire_answer import ENDINGS, WireAnswer, read_wire_answer

CALM = bm.Criteria("calm", "Is the text calm?", flag="no")
ENTRY = {"reasons": ["It says so."], "conclusion": "Plain.", "answer": "yes", "uncertainty": "low"}
VERDICT = json.dumps({"criteria": {"calm": ENTRY}})
TEXTS = bm.Corpus([bm.Record(record_id="r0", content="A quiet room.")])


def flow(**judge) -> bm.Flow:
    return bm.Flow("http", [bm.Judge("judge", criteria=CALM, **judge)])


def message(server, body, finish="stop", usage=None, choice=None, **fields):
    """An answer in OpenAI's form, with other fields in its message, and another count of tokens."""
    answer = server.answer(body, VERDICT, finish)
    answer["choices"][0]["message"].update(fields)
    answer["choices"][0].update(choice or {})
    if usage is not None:
        answer["usage"] = usage
    return answer


def test_a_row_says_that_an_answer_was_read_with_a_decimal_comma(server, toy_project):
    share = bm.Criteria("share", "How much of the text is calm?", scale="0..1")
    answers = iter(["0,5", "0.5"])
    server.reply = lambda body: server.answer(
        body, json.dumps({"criteria": {"share": {**ENTRY, "answer": next(answers)}}})
    )
    run = bm.Flow("http", [bm.Judge("judge", criteria=share, replicates=2)]).run(TEXTS)
    scores = run.scores()
    assert scores.value.tolist() == [0.5, 0.5]
    assert sorted(scores.answer_note.fillna("")) == ["", "`0,5` was read with a decimal comma"]
    assert toy_project.evidence.verify().ok.all()


PRICED = {"local": False, "prices": {"input": 1_000, "output": 1_000}}


@pytest.mark.parametrize(
    "choice",
    [
        {"finish_reason": "error", "error": {"code": 502, "message": "Provider returned error"}},
        {"finish_reason": "error"},
        {"finish_reason": "insufficient_system_resource"},
        {"finish_reason": "abort"},
        {"finish_reason": "network_error"},
    ],
    ids=str,
)
def test_an_answer_that_ended_in_an_error_is_asked_again_and_never_cached(server, toy_project, choice):
    sent = []

    def reply(body):
        sent.append(1)
        return message(server, body, choice=choice) if len(sent) <= 2 else server.answer(body, VERDICT)

    server.reply = reply
    run = flow().run(TEXTS)
    assert run.counts == {"ok": 1}
    assert run.calls().status.tolist() == ["error", "error", "ok"]
    assert len(sent) == 3
    flow().run(TEXTS)
    assert len(sent) == 3


@pytest.mark.parametrize(
    "usage", ["missing", None, {}, {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}]
)
def test_tokens_that_a_server_does_not_count_are_unknown_and_so_is_the_cost(server, make_study, usage, capsys):
    project = make_study(toy=PRICED, allow=["hosted_vllm"], budget_usd=100.0)

    def reply(body):
        answer = message(server, body)
        answer.pop("usage")
        return answer if usage == "missing" else {**answer, "usage": usage}

    server.reply = reply
    run = flow().run(TEXTS)
    call = run.calls().iloc[0]
    assert (call.status, call.finish_reason) == ("ok", "stop")
    for column in ("tokens_in", "tokens_out", "cost_usd"):
        assert pd.isna(call[column]), column
    assert call.max_cost_usd > 0, "the budget counts what it can have cost at most"
    assert "The cost of 1 call is not known" in repr(run)
    assert "cost of 1 call not known" in capsys.readouterr().err
    assert project.store.select("select unknown_usd from costs").unknown_usd.item() > 0


def test_reasoning_that_is_counted_apart_is_paid_too(server, make_study):
    make_study(toy=PRICED, allow=["hosted_vllm"], budget_usd=100.0)
    usage = {"prompt_tokens": 50, "completion_tokens": 100, "total_tokens": 3_150,
             "completion_tokens_details": {"reasoning_tokens": 3_000}}  # fmt: skip
    server.reply = lambda body: message(server, body, usage=usage)
    call = flow().run(TEXTS).calls().iloc[0]
    assert (call.tokens_in, call.tokens_out) == (50, 3_100)
    assert call.cost_usd == pytest.approx(3_150 * 1000 / 1e6)


def test_a_content_in_parts_is_joined_and_thinking_is_no_part_of_it(server, toy_project):
    parts = [{"type": "thinking", "thinking": "Perhaps not."}, {"type": "text", "text": VERDICT[:20]},
             {"type": "text", "text": VERDICT[20:]}]  # fmt: skip
    server.reply = lambda body: message(server, body, content=parts)
    run = flow().run(TEXTS)
    assert run.scores().category.tolist() == ["yes"]
    assert len(server.received) == 1


def test_an_answer_in_a_tool_call_is_read(server, toy_project):
    call = {"id": "c1", "type": "function", "function": {"name": "answer", "arguments": VERDICT}}
    server.reply = lambda body: message(server, body, "tool_calls", content=None, tool_calls=[call])
    assert flow().run(TEXTS).scores().category.tolist() == ["yes"]


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning"])
def test_what_stands_in_the_reasoning_is_not_the_answer_and_the_row_says_so(server, toy_project, field):
    server.reply = lambda body: message(server, body, content=None, **{field: VERDICT})
    run = flow(reask=False).run(TEXTS)
    assert run.counts == {"invalid": 1}
    assert f"{len(VERDICT):,} characters of reasoning and an empty answer" in run.errors().error_message.iloc[0]


def test_a_refusal_in_its_own_field_is_shown(server, toy_project):
    server.reply = lambda body: message(server, body, content=None, refusal="I will not judge this person.")
    run = flow().run(TEXTS)
    assert run.counts == {"refused": 1}
    assert run.errors().error_message.iloc[0].endswith("the model declined: I will not judge this person.")


def test_a_server_that_cuts_the_prompt_is_an_error_and_a_fallback_answers(server, tmp_path):
    (tmp_path / "buttermilk.yaml").write_text(
        f"name: study\nsets: {{judges: [small]}}\nmodels:\n"
        f"  small: {{model: hosted_vllm/small, api_base: '{server.base}'}}\n"
        f"  large: {{model: hosted_vllm/large, api_base: '{server.base}'}}\n",
        encoding="utf-8",
    )
    bm.init("study", path=tmp_path)
    long = bm.Corpus([bm.Record(record_id="r0", content="A quiet room and a long day. " * 2_500)])
    tokens = {"small": 2_050, "large": 22_000}
    server.reply = lambda body: message(
        server, body, usage={"prompt_tokens": tokens[body["model"]], "completion_tokens": 9, "total_tokens": 0}
    )
    run = flow().run(long)
    assert run.counts == {"error": 1}
    error = run.errors().iloc[0]
    assert error.error_type == "PromptCutError"
    assert "read 2,050 tokens of a prompt of 17,7" in error.error_message
    assert "num_ctx" in error.error_message
    assert len(server.received) == 1
    again = flow(fallback=["large"]).run(long, retry=["error"])
    assert again.counts == {"ok": 1}
    assert again.calls().status.tolist() == ["error", "ok"]


def test_a_short_text_and_an_unknown_count_are_not_taken_for_a_cut_prompt(server, toy_project):
    usage = {"prompt_tokens": 3, "completion_tokens": 9, "total_tokens": 12}
    server.reply = lambda body: message(server, body, usage=usage)
    assert flow().run(TEXTS).counts == {"ok": 1}


def test_a_text_that_names_no_ending_that_is_documented_is_an_answer_and_the_word_is_kept(server, toy_project):
    server.reply = lambda body: message(server, body, "moonlight")
    run = flow().run(TEXTS)
    assert run.counts == {"ok": 1}
    assert run.calls().finish_reason.tolist() == ["moonlight"]


@pytest.mark.parametrize("word", ["SAFETY", "content_filter", "guardrail_intervened", "sensitive"])
def test_an_ending_of_a_filter_is_filtered(server, toy_project, word):
    server.reply = lambda body: message(server, body, word, content="")
    assert flow().run(TEXTS).counts == {"filtered": 1}


@pytest.mark.parametrize("word", ["length", "max_tokens", "MAX_TOKENS", "model_length", "token_limit"])
def test_an_answer_that_was_cut_off_is_invalid_whatever_the_word_for_it(server, toy_project, word):
    server.reply = lambda body: message(server, body, word)
    run = flow().run(TEXTS)
    assert run.counts == {"invalid": 1}
    assert "cut off at the length limit" in run.errors().error_message.iloc[0]


def test_a_filter_that_names_one_record_stops_that_record_alone(server, toy_project):
    refused = {"error": "Content violates usage guidelines. Failed check: SAFETY_CHECK", "code": "content"}

    def reply(body):
        if "record 3" in str(body["messages"]):
            return web.Response(status=403, text=json.dumps(refused), content_type="application/json")
        return server.answer(body, VERDICT)

    server.reply = reply
    corpus = bm.Corpus([bm.Record(record_id=f"r{n}", content=f"This is record {n}.") for n in range(8)])
    assert flow().run(corpus).counts == {"ok": 7, "filtered": 1}


BODIES = {
    "openai": {"choices": [{"finish_reason": "stop", "message": {"content": "x"}}],
               "usage": {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7}},
    "anthropic": {"type": "message", "content": [{"type": "thinking", "thinking": "ab"}, {"type": "text", "text": "x"}],
                  "stop_reason": "end_turn",
                  "usage": {"input_tokens": 2, "cache_read_input_tokens": 3, "output_tokens": 2}},
    "google": {"candidates": [{"finishReason": "STOP",
                               "content": {"parts": [{"text": "ab", "thought": True}, {"text": "x"}]}}],
               "usageMetadata": {"promptTokenCount": 5, "candidatesTokenCount": 1, "thoughtsTokenCount": 1}},
    "ollama": {"done": True, "done_reason": "stop", "message": {"content": "x"}, "prompt_eval_count": 5,
               "eval_count": 2},
}  # fmt: skip


@pytest.mark.parametrize("form", BODIES)
def test_each_documented_form_is_read(form):
    answer = read_wire_answer(BODIES[form])
    assert (answer.text, answer.ending, answer.tokens_in, answer.tokens_out) == ("x", "finished", 5, 2)


@pytest.mark.parametrize("form", BODIES)
@pytest.mark.parametrize("field", ["usage", "usageMetadata", "prompt_eval_count"])
def test_a_form_without_counts_has_none(form, field):
    body = {key: value for key, value in BODIES[form].items() if key != field}
    answer = read_wire_answer(body)
    assert answer.tokens_in == (None if field in BODIES[form] else 5)


def test_other_forms_are_not_guessed():
    for data in (None, [], "text", {}, {"choices": "x"}, {"type": "message"}, {"output": [{"text": "x"}]}):
        assert read_wire_answer(data) is None
    assert WireAnswer(reason=None).finish_reason is None
    assert all(word == word.lower() for word in ENDINGS)


def test_a_free_text_that_was_cut_off_is_no_answer_and_the_next_step_does_not_read_it(server, toy_project):
    half = "The room is quiet, and the"
    server.reply = lambda body: server.answer(body, half, "length")
    gist = bm.Agent("gist", prompt="In short: {{ record.content }}")
    title = bm.Step(bm.Agent("title", prompt="A title for: {{ inputs.gist }}"), needs="gist")
    run = bm.Flow("two", [gist, title]).run(TEXTS)
    assert run.counts == {"invalid": 1, "skipped": 1}
    assert len(server.received) == 1
    errors = run.errors().set_index("step")
    assert errors.error_message["gist"].startswith("the answer was cut off at the length limit")
    assert errors.raw_text["gist"] == half
