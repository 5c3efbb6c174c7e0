"""How servers say that an answer is not whole, or that there is none: each word decides, over real HTTP."""

from __future__ import annotations

import json

import pytest
from aiohttp import web

import buttermilk_nb as bm
from buttermilk_nb.llm.providers.wire_answer import read_wire_answer

CALM = bm.Criteria("calm", "Is the text calm?", flag="no")
ENTRY = {"reasons": ["It says so."], "conclusion": "Plain.", "answer": "yes", "uncertainty": "low"}
VERDICT = json.dumps({"criteria": {"calm": ENTRY}})
TEXTS = bm.Corpus([bm.Record(record_id="r0", content="A quiet room.")])


def judged(**options):
    return bm.Flow("http", [bm.Judge("judge", criteria=CALM, reask=False)]).run(TEXTS, **options)


def told():
    return bm.Flow("http", [bm.Agent("gist", prompt="In a word: {{ record.content }}")]).run(TEXTS)


def replied(server, text=VERDICT, finish="stop", message=None, choice=None, **fields):
    def reply(body):
        answer = server.answer(body, text, finish)
        answer["choices"][0]["message"].update(message or {})
        answer["choices"][0].update(choice or {})
        answer.update(fields)
        return answer

    return reply


@pytest.mark.parametrize("finish", [None, ""])
def test_an_ending_that_a_server_does_not_name_is_unknown(server, toy_project, finish):
    server.reply = replied(server, choice={"finish_reason": finish})
    run = judged()
    assert run.counts == {"ok": 1}
    assert run.calls().finish_reason.isna().all()


@pytest.mark.parametrize("finish", ["stop", None])
@pytest.mark.parametrize(
    ("native", "status"),
    [("MAX_TOKENS", "invalid"), ("SAFETY", "filtered"), ("MALFORMED_FUNCTION_CALL", "error"), ("STOP", "ok")],
)
def test_the_provider_behind_a_gateway_has_the_last_word(server, toy_project, finish, native, status):
    server.reply = replied(server, choice={"finish_reason": finish, "native_finish_reason": native})
    assert judged().counts == {status: 1}


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("malformed_model_output", "error"), ("MALFORMED_RESPONSE", "error"), ("OTHER", "error"),
        ("pause_turn", "invalid"), ("FINISH_REASON_MAX_TOKENS", "invalid"), ("FINISH_REASON_SAFETY", "filtered"),
        ("contextLengthReached", "invalid"),
    ],
)  # fmt: skip
def test_other_words_for_an_answer_that_is_not_whole(server, toy_project, word, status):
    server.reply = replied(server, finish=word)
    assert judged().counts == {status: 1}


@pytest.mark.parametrize("refusal", [{"finish": "refusal"}, {"message": {"refusal": "I will not judge this person."}}])
def test_a_refusal_with_a_verdict_beside_it_is_a_refusal(server, toy_project, refusal):
    server.reply = replied(server, **refusal)
    run = judged()
    assert run.counts == {"refused": 1}
    assert run.scores().category.isna().all()


def test_an_answer_that_declines_in_its_reasons_is_a_refusal(server, toy_project):
    declined = {
        **ENTRY, "answer": "no", "reasons": ["I'm sorry, but I can't assist with that."],
        "conclusion": "I cannot provide an assessment of this text.",
    }  # fmt: skip
    server.reply = replied(server, text=json.dumps({"criteria": {"calm": declined}}))
    run = bm.Flow("http", [bm.Judge("judge", criteria=CALM)]).run(TEXTS)
    assert run.counts == {"refused": 1}
    assert len(server.received) == 1, "a refusal is not asked again"


@pytest.mark.parametrize("content", [None, "", "  \n"])
def test_a_free_text_of_nothing_is_no_answer(server, toy_project, content):
    server.reply = replied(server, message={"content": content})
    run = told()
    assert run.counts == {"invalid": 1}
    assert "empty answer" in run.errors().error_message.item()


@pytest.mark.parametrize(
    ("code", "message", "status", "error"),
    [
        (1026, "input new_sensitive", "filtered", None), (1008, "insufficient balance", "error", "QuotaError"),
        (1002, "rate limit", "error", "RateLimitError"), (2013, "invalid params", "error", None),
    ],
)  # fmt: skip
def test_an_error_in_the_form_of_minimax_is_what_it_says(server, make_study, code, message, status, error):
    make_study(toy={"retries": 0})
    server.reply = replied(server, choices=None, base_resp={"status_code": code, "status_msg": message})
    run = judged(on_error="keep")
    assert run.counts == {status: 1}
    assert error is None or run.errors().error_type.item() == error
    assert message in run.errors().error_message.item()


def test_a_content_that_is_an_object_is_read(server, toy_project):
    server.reply = replied(server, message={"content": json.loads(VERDICT)})
    assert judged().scores().category.tolist() == ["yes"]


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (400, {"error": {"code": "1301", "message": "系统检测到输入或生成内容可能包含不安全或敏感内容"}}, "filtered"),
        (400, {"error": {"code": "SensitiveContentDetected", "message": "it has sensitive information"}}, "filtered"),
        (400, {"error": "Cannot truncate prompt with n_keep (15028) >= n_ctx (7424)"}, "ContextTooLongError"),
        (400, {"error": "The number of tokens to keep is greater than the context length"}, "ContextTooLongError"),
        (400, {"error": {"code": "1261", "message": "Prompt exceeds max length"}}, "ContextTooLongError"),
        (400, {"error": {"message": "Your request exceeded model token limit: 8192"}}, "ContextTooLongError"),
    ],
)  # fmt: skip
def test_rejections_in_other_words(server, toy_project, status, body, kind):
    server.reply = lambda _: web.Response(status=status, text=json.dumps(body), content_type="application/json")
    run = judged()
    assert len(server.received) == 1
    assert run.counts == ({"filtered": 1} if kind == "filtered" else {"error": 1})
    assert kind == "filtered" or run.errors().error_type.item() == kind


@pytest.mark.parametrize(
    "usage", [{"cache_read_input_tokens": 21_000}, {"prompt_tokens_details": {"cached_tokens": 21_000}}]
)
def test_tokens_from_a_cache_that_are_counted_apart_are_part_of_the_prompt(server, toy_project, usage):
    counts = {"prompt_tokens": 44, "completion_tokens": 9, "total_tokens": 53, **usage}
    server.reply = replied(server, usage=counts)
    long_text = bm.Corpus([bm.Record(record_id="r", content="word " * 3_000)])
    run = bm.Flow("http", [bm.Judge("judge", criteria=CALM)]).run(long_text)
    assert run.counts == {"ok": 1}
    assert run.calls().tokens_in.tolist() == [21_044]


@pytest.mark.parametrize(
    ("reason", "ending"),
    [("COMPLETE", "finished"), ("MAX_TOKENS", "cut off"), ("ERROR", "failed"), ("TIMEOUT", "failed"),
     ("ERROR_TOXIC", "filtered")],
)  # fmt: skip
def test_the_form_of_cohere_is_read(reason, ending):
    body = {
        "id": "c", "finish_reason": reason,
        "message": {"role": "assistant", "content": [{"type": "text", "text": "Half"}]},
        "usage": {"billed_units": {"input_tokens": 5}, "tokens": {"input_tokens": 71, "output_tokens": 3}},
    }  # fmt: skip
    answer = read_wire_answer(body)
    assert (answer.ending, answer.text, answer.tokens_in, answer.tokens_out) == (ending, "Half", 71, 3)


def test_an_answer_of_ollama_that_is_not_done_is_cut_off():
    body = {"message": {"role": "assistant", "content": "Half"}, "done": False}
    assert read_wire_answer(body).ending == "cut off"
