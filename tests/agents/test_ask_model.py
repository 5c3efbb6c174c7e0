"""A second request where an answer cannot be read, another model where one fails, and the form told to providers."""

import json

import pytest
from support.chat_server import ANSWER

import buttermilk_nb as bm


def calm():
    return bm.Criteria("calm", "Is it calm?", flag="no")


def flow(**fields):
    return bm.Flow("tone", [bm.Judge("judge", criteria=calm(), **fields)])


def texts(n=1):
    return bm.Corpus([bm.Record(record_id=f"r{i:04}", content=f"Text {i}.") for i in range(n)])


def first_nonsense(server, text="I think it is rather calm."):
    def reply(body):
        again = len(body["messages"]) > 2 and body["messages"][-2]["role"] == "assistant"
        return server.answer(body) if again else server.answer(body, text=text)

    server.reply = reply


def test_an_answer_that_cannot_be_read_is_asked_for_once_more(server, make_study):
    first_nonsense(server)
    make_study()
    run = flow().run(texts())
    assert (run.counts, len(server.received)) == ({"ok": 1}, 2)
    assert server.received[1]["messages"][-2]["content"] == "I think it is rather calm."
    assert len(run.calls()) == 2
    assert run.traces().attempts.item() == 2


def test_the_second_answer_comes_from_the_cache_too(server, make_study):
    first_nonsense(server)
    make_study()
    flow().run(texts())
    run = flow().run(texts())
    assert (run.counts, len(server.received), run.calls().cached.tolist()) == ({"ok": 1}, 2, [True, True])


def test_an_answer_that_was_not_offered_is_asked_for_once_more_and_never_guessed(server, make_study):
    server.reply = lambda body: server.answer(
        body, text=json.dumps({"criteria": {"calm": {**ANSWER, "answer": "rather"}}})
    )
    make_study()
    run = flow().run(texts())
    assert (run.counts, len(server.received)) == ({"invalid": 1}, 2)


@pytest.mark.parametrize(
    ("text", "finish", "status"),
    [
        ("I'm sorry, but I can't help with that.", "stop", "refused"),
        ('{"criteria": {"calm": {"answer": "n', "length", "invalid"),
        ("", "content_filter", "filtered"),
    ],
)
def test_refusals_filters_and_cut_off_answers_are_not_asked_again(server, make_study, text, finish, status):
    server.reply = lambda body: server.answer(body, text=text, finish=finish)
    make_study()
    run = flow().run(texts())
    assert (run.counts, len(server.received)) == ({status: 1}, 1)


def test_asking_again_can_be_switched_off_and_is_another_design(server, make_study):
    first_nonsense(server)
    make_study()
    once = flow(reask=False).run(texts())
    assert (once.counts, len(server.received)) == ({"invalid": 1}, 1)
    assert flow().run(texts()).scores().design_id.item() != once.scores().design_id.item()
    assert bm.Flow.from_yaml(flow(reask=False).to_yaml()).steps[0].agent.reask is False


def test_another_model_answers_only_where_that_was_written_down(server, make_study):
    server.reply = lambda body: server.failure(500) if body["model"] == "toy" else server.answer(body)
    make_study(retries=1, models={"spare": {"model": "hosted_vllm/spare", "api_base": server.base}})
    assert flow().run(texts()).counts == {"error": 1}
    run = flow(fallback=["spare"]).run(texts())
    assert run.counts == {"ok": 1}
    assert run.scores().model.tolist() == ["spare"]
    assert run.judgements().model.tolist() == ["spare"]
    assert run.calls().model_requested.tolist() == ["hosted_vllm/toy", "hosted_vllm/toy", "hosted_vllm/spare"]
    assert bm.sql("select model from cells where run_id = ?", [run.run_id]).model.item() == "toy"
    assert bm.sql("select model from latest_scores where status = 'ok'").model.tolist() == ["spare"]


def test_a_fallback_is_seen_in_the_heat_map(server, make_study):
    server.reply = lambda body: server.failure(500) if body["model"] == "toy" else server.answer(body)
    make_study(retries=0, models={"spare": {"model": "hosted_vllm/spare", "api_base": server.base}})
    run = flow(fallback=["spare"]).run(texts())
    from buttermilk_nb.analysis.frames import heatmap

    assert heatmap.flag_shares(run.project.store, run.run_id).model.tolist() == ["spare"]


def test_a_fallback_re_runs_from_the_cache_alone(server, make_study):
    server.reply = lambda body: server.failure(500) if body["model"] == "toy" else server.answer(body)
    make_study(retries=0, models={"spare": {"model": "hosted_vllm/spare", "api_base": server.base}})
    flow(fallback=["spare"]).run(texts())
    before = len(server.received)
    assert flow(fallback=["spare"]).run(texts(), cache="only").scores().model.tolist() == ["spare"]
    assert len(server.received) == before


def test_a_filter_is_an_answer_and_no_other_model_is_asked(server, make_study):
    server.reply = lambda body: server.failure(400, "stopped by the filter", code="content_filter")
    make_study(models={"spare": {"model": "hosted_vllm/spare", "api_base": server.base}})
    assert flow(fallback=["spare"]).run(texts()).counts == {"filtered": 1}


def test_a_fallback_that_there_is_not_is_found_before_anything_is_sent(make_study):
    make_study()
    with pytest.raises(bm.SetupError, match="spear"):
        flow(fallback=["spear"]).check(texts())


def test_a_provider_that_takes_a_schema_is_told_the_form(server, make_study):
    make_study(toy={"json_schema": True})
    run = flow().run(texts())
    told = server.received[0]["response_format"]
    assert told["type"] == "json_schema"
    assert set(told["json_schema"]["schema"]["properties"]) == {"criteria"}
    assert told["json_schema"]["strict"] is True
    stored = json.loads(run.calls().request.item())
    assert stored["response_format"]["json_schema"].startswith("t1-")
    assert (
        bm.sql(
            "select count(*) as n from texts where text_hash = ?", [stored["response_format"]["json_schema"]]
        ).n.item()
        == 1
    )


def test_other_providers_are_asked_in_words_alone(server, make_study):
    make_study()
    flow().run(texts())
    assert "response_format" not in server.received[0]


def test_a_short_name_is_what_frames_show_and_the_full_name_is_what_is_asked(server, make_study):
    make_study(toy={"params": {"temperature": 0.7, "top_k": 3}})
    run = flow().run(texts())
    assert run.scores().model.tolist() == ["toy"]
    assert run.calls().model_requested.tolist() == ["hosted_vllm/toy"]
    assert (server.received[0]["temperature"], server.received[0]["top_k"]) == (0.7, 3)


def test_a_judge_s_own_parameters_come_before_the_model_s(server, make_study):
    make_study(toy={"params": {"temperature": 0.7, "max_tokens": 9}})
    flow(params={"temperature": 0.1}).run(texts())
    assert (server.received[0]["temperature"], server.received[0]["max_tokens"]) == (0.1, 9)


def test_renaming_a_model_costs_nothing(server, make_study):
    make_study()
    flow().run(texts())
    make_study(models={"other": {"model": "hosted_vllm/toy", "api_base": server.base}})
    assert flow(models="other").run(texts()).counts == {"ok": 1}
    assert len(server.received) == 1


def test_two_servers_do_not_share_answers_unless_they_serve_the_same(server, make_study):
    elsewhere = server.base.replace("127.0.0.1", "localhost")
    make_study(models={"second": {"model": "hosted_vllm/toy", "api_base": elsewhere}})
    flow().run(texts())
    flow(models="second").run(texts())
    assert len(server.received) == 2
    named = {"served_as": "toy 7B"}
    make_study(toy=named, models={"second": {"model": "hosted_vllm/toy", "api_base": elsewhere, **named}})
    flow().run(texts())
    flow(models="second").run(texts())
    assert len(server.received) == 3


def test_one_model_under_two_names_is_one_instrument(server, make_study):
    make_study(models={"again": {"model": "hosted_vllm/toy", "api_base": server.base}})
    with pytest.raises(bm.SetupError, match="same model with the same parameters"):
        flow(models=["toy", "again"]).check(texts())


def test_a_set_may_hold_short_names(server, make_study):
    make_study(sets={"judges": ["toy"], "cheap": ["toy", "offline/strict"]})
    assert bm.sql("select 1").shape == (1, 1)
    assert list(bm.Flow("t", [bm.Judge("j", criteria=calm(), models="cheap")]).check(texts()).slots.values()) == [2]


@pytest.mark.parametrize(
    ("entry", "match"),
    [
        ({"api_bas": "x"}, "did you mean `api_base`"),
        ({"model": "toy"}, "family/model"),
        ({"key": "sk-1234567890abcdef"}, "never the key itself"),
        ({"limits": {"requests_per_minute": 0}}, "requests_per_minute"),
        ({"prices": {"input": -1, "output": 0}}, "input"),
    ],
)
def test_a_mistake_in_the_models_is_one_sentence(make_study, entry, match):
    with pytest.raises(bm.SetupError, match=match):
        make_study(models={"other": {"model": "hosted_vllm/x", **entry}})
