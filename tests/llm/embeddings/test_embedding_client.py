"""Vectors over real HTTP, through litellm, from a server on loopback."""

from __future__ import annotations

import _thread
import asyncio
import hashlib
import json
import re
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
from support.embedding_server import EmbeddingServer, numbers

import buttermilk_nb as bm
from buttermilk_nb._internal import event_loop
from buttermilk_nb.config.model_settings import LOCAL_FAMILIES
from buttermilk_nb.llm.calls.run_scope import RunScope
from buttermilk_nb.llm.embeddings.embedding_client import embed as vectors_of
from buttermilk_nb.llm.embeddings.embedding_registry import make_embedder
from buttermilk_nb.project.embed import embed, embed_async

TEXTS = [f"Text number {i}, «ä» 判." for i in range(10)]


def corpus(n: int = 3, **fields) -> bm.Corpus:
    return bm.Corpus([bm.Record(record_id=f"r{i}", content=TEXTS[i], **fields) for i in range(n)])


def failing(status: int, message: str, **headers: str):
    return lambda _: (status, {"error": {"message": message, "type": "error", "code": None}}, headers)


def test_a_list_of_texts_gives_an_array_in_its_order(embedding_server, local_vec_project):
    found = embed(local_vec_project, TEXTS, model="vec")
    assert (found.dtype, found.shape) == (np.float32, (10, 4))
    assert found.tolist() == [numbers(text) for text in TEXTS]


def test_a_corpus_gives_a_table_whose_index_is_the_record_id(embedding_server, local_vec_project):
    found = embed(local_vec_project, corpus(), model="vec")
    assert found.index.tolist() == ["r0", "r1", "r2"]
    assert found.index.name == "record_id"
    assert found.to_numpy().dtype == np.float32
    assert found.loc["r1"].tolist() == numbers(TEXTS[1])


def test_the_second_time_nothing_is_sent(embedding_server, local_vec_project):
    first, again = embed(local_vec_project, TEXTS, model="vec"), embed(local_vec_project, TEXTS, model="vec")
    assert len(embedding_server.received) == 1
    assert first.tobytes() == again.tobytes()


def test_one_text_added_is_one_text_sent(embedding_server, local_vec_project):
    embed(local_vec_project, TEXTS[:9], model="vec")
    found = embed(local_vec_project, [TEXTS[9], *TEXTS[:9]], model="vec")
    assert embedding_server.received[1:] == [[TEXTS[9]]]
    assert found[0].tolist() == numbers(TEXTS[9])


def test_equal_texts_are_sent_once(embedding_server, local_vec_project):
    found = embed(local_vec_project, ["same", "other", "same", "same"], model="vec")
    assert embedding_server.texts == ["same", "other"]
    assert found[0].tolist() == found[2].tolist() == found[3].tolist() == numbers("same")


def test_a_request_holds_so_many_texts_and_no_more(embedding_server, local_vec_project):
    found = embed(local_vec_project, TEXTS, model="vec", texts_per_request=4)
    assert sorted(map(len, embedding_server.received)) == [2, 4, 4]
    assert found.tolist() == [numbers(text) for text in TEXTS], "whatever order the requests came back in"


def test_a_request_holds_so_many_tokens_and_a_longer_text_travels_alone(embedding_server, local_vec_project):
    embed(local_vec_project, ["a" * 40, "b" * 40, "c" * 4000, "d" * 40], model="vec", tokens_per_request=25)
    assert sorted([text[0] for text in texts] for texts in embedding_server.received) == [["a", "b"], ["c"], ["d"]]


def test_parameters_are_sent_and_belong_to_the_key(embedding_server, local_vec_project):
    embed(local_vec_project, TEXTS[:1], model="vec", params={"dimensions": 4})
    embed(local_vec_project, TEXTS[:1], model="vec")
    assert [body.get("dimensions") for body in embedding_server.bodies] == [4, None]


def test_an_address_does_not_belong_among_the_parameters(embedding_server, local_vec_project):
    with pytest.raises(bm.SetupError, match="api_key` does not belong in params"):
        embed(local_vec_project, TEXTS[:1], model="vec", params={"api_key": "x"})


def test_ollama_is_asked_in_its_own_form(embedding_server, make_embedding_project):
    project = make_embedding_project(
        f"models: {{nomic: {{model: ollama/nomic-embed-text, api_base: '{embedding_server.root}'}}}}"
    )
    found = embed(project, TEXTS[:2], model="nomic")
    assert found.tolist() == [numbers(text) for text in TEXTS[:2]]
    assert embedding_server.bodies[0]["model"] == "nomic-embed-text"


def test_an_openai_model_is_asked_with_its_key_which_is_in_no_artefact(
    embedding_server, make_embedding_project, monkeypatch
):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-planted-key-123")
    project = make_embedding_project(
        f"models: {{small: {{model: openai/text-embedding-3-small, api_base: '{embedding_server.base}', local: true}}}}"
    )
    assert embed(project, TEXTS[:1], model="small").shape == (1, 4)
    assert embedding_server.keys == ["Bearer sk-planted-key-123"]
    spent = bm.sql("select sum(cost_usd) as usd from calls").usd.item()
    assert spent == pytest.approx(10 * 0.02e-6), "litellm's list has its price"
    assert [f for f in project.folder.rglob("*") if f.is_file() and b"sk-planted-key-123" in f.read_bytes()] == []


def test_a_missing_key_is_found_before_anything_is_sent(make_embedding_project, monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    project = make_embedding_project("allow: [openai]")
    with pytest.raises(bm.SetupError, match="needs a key"):
        embed(project, TEXTS, model="openai/text-embedding-3-small")
    assert bm.sql("select count(*) as n from runs").n.item() == 0


# --- failures ---------------------------------------------------------------------------------


def test_too_many_requests_are_waited_out(embedding_server, local_vec_project):
    turns = iter([failing(429, "Rate limit reached", **{"retry-after": "0.05"}), embedding_server.answer])
    embedding_server.reply = lambda texts: next(turns)(texts)
    assert embed(local_vec_project, TEXTS[:2], model="vec").shape == (2, 4)
    assert embedding_server.received == [TEXTS[:2], TEXTS[:2]]
    calls = bm.sql("select status, attempt, error_code from calls order by attempt, request_hash")
    assert calls.status.tolist() == ["error", "error", "ok", "ok"], "a row for each text and attempt"
    assert bm.sql("select distinct attempts from traces").attempts.tolist() == [2]


@pytest.mark.parametrize(
    ("vectors", "sentence"),
    [
        ([[1.0, 2.0]], "sent 1 vectors for 2 texts"),
        ([[1.0, 2.0]] * 3, "sent 3 vectors for 2 texts"),
        ([[1.0, 2.0], [1.0, float("nan")]], r"texts\[1\] with NaN"),
        ([[1.0, 2.0], [1.0, 1e300]], r"texts\[1\] with NaN or infinity"),
        ([[1.0, 2.0], [1.0, None]], r"texts\[1\] with NaN"),
        ([[1.0, 2.0], [1.0]], r"for texts\[1\] has 1 numbers, and 2 were expected"),
        ([[1.0, 2.0], []], r"texts\[1\] that is not a list of numbers"),
        ([[1.0, 2.0], ["a", "b"]], r"texts\[1\] that is not a list of numbers"),
        ([[1.0, 2.0], [[1.0], [2.0]]], r"texts\[1\] that is not a list of numbers"),
    ],
)
def test_vectors_that_cannot_be_used_are_one_sentence_and_nothing_is_cached(
    embedding_server, local_vec_project, vectors, sentence
):
    embedding_server.reply = lambda texts: embedding_server.answer(texts, vectors)
    with pytest.raises(bm.errors.BadResponseError, match=sentence):
        embed(local_vec_project, TEXTS[:2], model="vec")
    assert len(embedding_server.received) == 1, "it would come back the same, and is not paid for twice"
    assert len(local_vec_project.cache) == 0
    assert bm.sql("select distinct status from calls").status.tolist() == ["error"]
    embedding_server.reply = embedding_server.answer
    assert embed(local_vec_project, TEXTS[:2], model="vec").tolist() == [numbers(text) for text in TEXTS[:2]]


def test_vectors_that_are_numbered_wrongly_are_refused(embedding_server, local_vec_project):
    def reply(texts):
        status, body, headers = embedding_server.answer(texts)
        return status, {**body, "data": [{**each, "index": 0} for each in body["data"]]}, headers

    embedding_server.reply = reply
    with pytest.raises(bm.errors.BadResponseError, match="with indices that do not match the texts"):
        embed(local_vec_project, TEXTS[:2], model="vec")


def test_another_model_behind_the_same_name_is_noticed(embedding_server, local_vec_project):
    embed(local_vec_project, TEXTS[:1], model="vec")
    embedding_server.reply = lambda texts: embedding_server.answer(texts, [numbers(text, 8) for text in texts])
    with pytest.raises(
        bm.errors.BadResponseError, match="has 8 numbers, and 4 were expected: the server runs another model"
    ):
        embed(local_vec_project, TEXTS[:2], model="vec")
    assert len(local_vec_project.cache) == 1


def test_a_failed_request_names_what_it_held_and_what_had_finished_is_kept(embedding_server, local_vec_project):
    def reply(texts):
        return (
            embedding_server.answer(texts)
            if TEXTS[9] not in texts
            else failing(400, "maximum context length is 5 tokens")(0)
        )

    embedding_server.reply = reply
    with pytest.raises(bm.errors.ContextTooLongError, match=r"one text, record `r9` \(\d+ characters\)"):
        embed(local_vec_project, corpus(10), model="vec", texts_per_request=3)
    assert bm.sql("select status, count(*) as n from traces group by all order by all").n.tolist() == [1, 9]
    assert bm.sql("select status from runs").status.tolist() == ["failed"]
    embedding_server.reply = embedding_server.answer
    embed(local_vec_project, corpus(10), model="vec", texts_per_request=3)
    assert embedding_server.received[-1] == [TEXTS[9]]


def test_a_server_that_is_not_there_says_so(make_embedding_project):
    project = make_embedding_project(
        "models: {vec: {model: hosted_vllm/toy, api_base: 'http://127.0.0.1:9/v1'}}",
    )
    with pytest.raises(bm.SetupError, match="nothing listens at http://127.0.0.1:9/v1, the address of `vec`"):
        embed(project, TEXTS[:1], model="vec")
    assert bm.sql("select count(*) as n from runs").n.item() == 0


def test_a_server_that_goes_away_says_so(embedding_server, local_vec_project):
    embedding_server.reply = lambda texts: embedding_server.refuse_connections() or failing(500, "going down")(texts)
    with pytest.raises(bm.errors.UnavailableError, match="The request contained one text"):
        embed(local_vec_project, TEXTS[:1], model="vec")


def test_a_damaged_vector_in_the_cache_is_asked_for_again(embedding_server, local_vec_project):
    embed(local_vec_project, TEXTS[:1], model="vec")
    (row,) = local_vec_project.cache.find(model="hosted_vllm/toy").itertuples()
    entry = json.loads(local_vec_project.cache.get(row.key))
    entry["completion"]["text"] = "not base64!"
    local_vec_project.cache.delete(row.key)
    local_vec_project.cache.rebuild([(row.key, json.dumps(entry))])
    assert embed(local_vec_project, TEXTS[:1], model="vec").tolist() == [numbers(TEXTS[0])]
    assert len(embedding_server.received) == 2


# --- modes of the cache -----------------------------------------------------------------------


def test_only_the_cache_sends_nothing_and_says_what_is_missing(embedding_server, local_vec_project):
    embed(local_vec_project, corpus(1), model="vec")
    assert embed(local_vec_project, corpus(1), model="vec", cache="only").shape == (1, 4)
    with pytest.raises(bm.CacheMiss, match="for record `r1`, record `r2` are not in the cache"):
        embed(local_vec_project, corpus(3), model="vec", cache="only")
    assert len(embedding_server.received) == 1


def test_refreshing_asks_again_and_off_keeps_nothing(embedding_server, local_vec_project):
    embed(local_vec_project, TEXTS[:1], model="vec", cache="off")
    assert len(local_vec_project.cache) == 0
    embed(local_vec_project, TEXTS[:1], model="vec")
    embedding_server.reply = lambda texts: embedding_server.answer(texts, [[0.5, 0.5, 0.5, 0.5]])
    assert embed(local_vec_project, TEXTS[:1], model="vec", cache="refresh").tolist() == [[0.5] * 4]
    assert embed(local_vec_project, TEXTS[:1], model="vec").tolist() == [[0.5] * 4]
    assert len(embedding_server.received) == 3


# --- consent, redaction, budget, evidence ------------------------------------------------------


def test_a_provider_that_nobody_has_allowed_gets_nothing(embedding_server, make_embedding_project):
    project = make_embedding_project(
        f"models: {{vec: {{model: hosted_vllm/toy, api_base: '{embedding_server.base}', local: false}}}}",
        "budget_usd: null",
    )
    with pytest.raises(bm.ConsentError, match="which is not allowed in this project yet"):
        embed(project, TEXTS, model="vec")
    assert embedding_server.received == []
    bm.allow("hosted_vllm")
    assert embed(project, TEXTS[:1], model="vec").shape == (1, 4)


def test_a_record_that_stays_local_is_never_sent(embedding_server, remote_vec_project):
    mixed = bm.Corpus([*corpus(2).records, bm.Record(record_id="mine", content="Between us.", local_only=True)])
    with pytest.raises(bm.ConsentError, match="record `mine` must stay on this machine"):
        embed(remote_vec_project, mixed, model="vec")
    assert embedding_server.received == []
    shared = mixed.filter(lambda record: not record.local_only)
    assert embed(remote_vec_project, shared, model="vec").index.tolist() == ["r0", "r1"]


def test_a_record_that_stays_local_may_go_to_a_server_on_this_machine(embedding_server, local_vec_project):
    assert embed(local_vec_project, corpus(1).mark_local_only(), model="vec").shape == (1, 4)


def test_a_project_that_stays_local_sends_nothing(embedding_server, make_embedding_project):
    project = make_embedding_project(
        f"models: {{vec: {{model: hosted_vllm/toy, api_base: '{embedding_server.base}', local: false}}}}",
        "local_only: true", "allow: [hosted_vllm]",
    )  # fmt: skip
    with pytest.raises(bm.ConsentError, match="this project is `local_only`"):
        embed(project, TEXTS, model="vec")
    assert embedding_server.received == []


def test_what_must_not_leave_is_taken_out_text_by_text(embedding_server, remote_vec_project):
    said = ["Call 0400 123 now.", "Or 0400 999, or 0400 123."]
    embed(remote_vec_project, said, model="vec")
    assert embedding_server.texts == ["Call [phone 1] now.", "Or [phone 1], or [phone 2]."]
    embed(remote_vec_project, said[1:], model="vec")
    assert len(embedding_server.received) == 1, "a text is redacted in the same way whatever travels with it"
    kept = bm.sql("select placeholder, original from redactions order by all")
    assert kept.original.tolist() == ["0400 123", "0400 999", "0400 123"]
    assert bm.sql("select distinct redaction from calls").redaction.item().startswith("phone (")


def test_a_server_of_ones_own_gets_the_texts_as_they_are(embedding_server, make_embedding_project):
    project = make_embedding_project(
        f"models: {{vec: {{model: hosted_vllm/toy, api_base: '{embedding_server.base}'}}}}",
        "redact: {phone: '\\d{4} \\d{3}'}",
    )
    embed(project, ["Call 0400 123."], model="vec")
    assert embedding_server.texts == ["Call 0400 123."]


def test_each_text_that_left_is_in_egress_with_its_record(embedding_server, remote_vec_project):
    embed(remote_vec_project, corpus(3), model="vec")
    embed(remote_vec_project, corpus(4), model="vec")
    left = bm.sql("select e.record_id, e.provider, t.body from egress e join texts t on t.text_hash = e.request_hash")
    assert sorted(left.record_id) == ["r0", "r1", "r2", "r3"], "what came from the cache did not leave again"
    assert [json.loads(body)["input"] for body in left.body] == [TEXTS[int(r[1])] for r in left.record_id]
    assert set(left.provider) == {"hosted_vllm"}
    assert bm.sql("select flow, status from runs").values.tolist() == [["embed", "finished"]] * 2


def test_tokens_and_cost_of_a_request_are_shared_out_and_add_up(embedding_server, remote_vec_project):
    embed(
        remote_vec_project,
        ["short", "a much longer text, of some more words " * 9, "mid-sized, so to say"],
        model="vec",
    )
    calls = bm.sql("select tokens_in, cost_usd, request_id, model_served from calls order by tokens_in")
    assert calls.tokens_in.sum() == 30
    assert calls.cost_usd.sum() == pytest.approx(30 * 100e-6)
    assert calls.cost_usd.is_monotonic_increasing
    assert set(calls.model_served) == {"toy-vectors-1"}
    assert bm.sql("select spent_usd from costs").spent_usd.item() == pytest.approx(30 * 100e-6)


def test_the_store_keeps_the_hash_of_a_vector_and_not_the_vector(embedding_server, local_vec_project):
    (vector,) = embed(local_vec_project, TEXTS[:1], model="vec")
    (kept,) = bm.sql("select response from calls_full").response
    assert json.loads(kept) == {"dimensions": 4, "sha256": hashlib.sha256(vector.tobytes()).hexdigest()}


@pytest.mark.parametrize("texts", [corpus(3), TEXTS[:3]], ids=["corpus", "list"])
def test_an_asking_is_a_run_whose_rows_can_be_verified(embedding_server, local_vec_project, texts):
    embed(local_vec_project, texts, model="vec")
    found = local_vec_project.evidence.verify()
    assert found.ok.all(), found[~found.ok].to_string()
    assert bm.sql("select count(*) as n from cells").n.item() == 3


def test_a_person_is_forgotten_with_the_vectors_that_were_asked_for(embedding_server, local_vec_project):
    embed(local_vec_project, corpus(2), model="vec")
    local_vec_project.evidence.forget(record_id="r0", reason="withdrew")
    assert [json.loads(body)["input"] for body in bm.sql("select body from texts where kind = 'request'").body] == [
        TEXTS[1]
    ]
    assert len(local_vec_project.cache) == 1
    with pytest.warns(UserWarning, match="1 record of this corpus had been forgotten in this project"):
        embed(local_vec_project, corpus(2), model="vec")
    assert embedding_server.texts == [TEXTS[0], TEXTS[1], TEXTS[0]]


def test_the_budget_stops_it_before_the_money_is_spent(embedding_server, make_embedding_project):
    project = make_embedding_project(
        "models:",
        f"  vec: {{model: hosted_vllm/toy, api_base: '{embedding_server.base}', local: false,",
        "        prices: {input: 9000, output: 0}}",
        "allow: [hosted_vllm]", "budget_usd: 0.3", "concurrency: 1",
    )  # fmt: skip
    with pytest.raises(bm.errors.BudgetReached, match="the project's budget"):
        embed(project, TEXTS, model="vec", texts_per_request=1)
    assert 0 < len(embedding_server.received) < 10
    assert project.spent_usd <= 0.3
    assert bm.sql("select status from runs").status.tolist() == ["over budget"]


def test_a_remote_model_without_a_price_is_remarked_upon(embedding_server, make_embedding_project):
    project = make_embedding_project(
        f"models: {{vec: {{model: hosted_vllm/toy, api_base: '{embedding_server.base}', local: false}}}}",
        "allow: [hosted_vllm]",
    )
    with pytest.raises(bm.SetupError, match="the price of `vec` is not known, so the budget cannot be kept"):
        embed(project, TEXTS[:1], model="vec")
    assert embedding_server.received == []
    with pytest.warns(UserWarning, match="the price of `vec` is not known"):
        embed(project, TEXTS[:1], model="vec", yes=True)


@pytest.mark.parametrize("name", ["custom_llm_provider", "aws_access_key_id", "aws_region_name", "model_list", "proxy"])
def test_no_parameter_leads_to_another_provider(embedding_server, local_vec_project, name):
    with pytest.raises(bm.SetupError, match=f"`{name}` is not a parameter of vectors"):
        embed(local_vec_project, TEXTS[:1], model="vec", params={name: "x"})
    assert embedding_server.received == []


def test_limits_a_minute_hold_for_vectors_too(embedding_server, make_embedding_project):
    limits = "limits: {requests_per_minute: 240}"
    project = make_embedding_project(
        f"models: {{vec: {{model: hosted_vllm/toy, api_base: '{embedding_server.base}', {limits}}}}}"
    )
    began = time.monotonic()
    embed(project, TEXTS + [f"more {i}" for i in range(20)], model="vec", texts_per_request=1)
    assert time.monotonic() - began > 1.0, "30 requests at 240 a minute, of which 24 may go at once"


# --- stopping ---------------------------------------------------------------------------------


def held_at_the_third(server):
    """From the third request on the server answers when this is set."""
    gate = threading.Event()

    def reply(texts):
        if len(server.received) > 2:
            gate.wait(10)
        return server.answer(texts)

    server.reply = reply
    return gate


def when_three_have_come(server, work):
    def wait():
        while len(server.received) < 3:
            time.sleep(0.01)
        work()

    thread = threading.Thread(target=wait, daemon=True)
    thread.start()
    return thread


def test_a_first_ctrl_c_waits_for_what_is_in_flight_and_keeps_it(embedding_server, sequential_vec_project):
    gate = held_at_the_third(embedding_server)

    def press():
        _thread.interrupt_main()
        time.sleep(0.5)
        gate.set()

    thread = when_three_have_come(embedding_server, press)
    with pytest.raises(bm.Interrupted, match="7 of 10 texts have no vector yet"):
        embed(sequential_vec_project, TEXTS, model="vec", texts_per_request=1)
    thread.join(10)
    assert len(sequential_vec_project.cache) == 3
    assert bm.sql("select status from runs").status.tolist() == ["interrupted"]
    embed(sequential_vec_project, TEXTS, model="vec")
    assert len(embedding_server.texts) == 10


def test_a_second_ctrl_c_cuts_it_off_and_keeps_the_rows(embedding_server, sequential_vec_project):
    gate = held_at_the_third(embedding_server)

    def press_twice():
        for _ in range(2):
            _thread.interrupt_main()
            time.sleep(0.5)

    thread = when_three_have_come(embedding_server, press_twice)
    with pytest.raises(bm.Interrupted, match="8 of 10 texts"):
        embed(sequential_vec_project, TEXTS, model="vec", texts_per_request=1)
    thread.join(10)
    gate.set()
    assert sorted(bm.sql("select status from traces").status) == ["cancelled", "ok", "ok"], "what was sent has a row"
    assert bm.sql("select status from runs").status.tolist() == ["interrupted"]


async def _awaited(project):
    return await embed_async(project, TEXTS[:2], model="vec")


def test_its_twin_can_be_awaited(embedding_server, local_vec_project):
    assert asyncio.run(_awaited(local_vec_project)).tolist() == [numbers(text) for text in TEXTS[:2]]


def test_an_agent_gets_vectors_with_the_calls_for_its_own_trace(embedding_server, local_vec_project):
    async def within_a_run():
        local_vec_project.cache.open()
        model = make_embedder("vec", local_vec_project.settings.models, local_vec_project.keys)
        return await vectors_of(local_vec_project.client, model, corpus(3).records, RunScope("run"), trace_id="trace")

    found = event_loop.submit(within_a_run()).result(30)
    assert found.vectors.tolist() == [numbers(text) for text in TEXTS[:3]]
    calls = [call for asked in found.call_results for call in asked.calls]
    assert [(call.run_id, call.trace_id, call.cached) for call in calls] == [("run", "trace", False)] * 3
    assert len({call.cache_key for call in calls}) == 3
    again = event_loop.submit(within_a_run()).result(30)
    assert again.call_results == ()
    assert again.vectors.tobytes() == found.vectors.tobytes()
    assert len(embedding_server.received) == 1


# --- what is asked wrongly --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("texts", "model", "sentence"),
    [
        ([], "vec", "there are no texts"),
        ("one text", "vec", "a list of texts or a corpus"),
        (["a", " \n", "c", ""], "vec", "texts[1], texts[3] are empty"),
        (["a", None], "vec", "texts[1] is a NoneType"),
        (["a"], "vecs", "`vecs` is not a model"),
        (["a"], "offline/strict", "answers questions and makes no vectors"),
        (["a"], "double/answer", "answers questions and makes no vectors"),
        (["a"], "offline/hashin", "did you mean `offline/hashing`"),
        (["a"], "offline/hashing?dim=3", "has no option `dim`; did you mean `dims`"),
        (["a"], "offline/hashing?dims=2.5", "dims must be a whole number from 8 to 16,384"),
        (["a"], "nosuchfamily/model", "there is no model family `nosuchfamily`"),
    ],
)
def test_what_is_asked_wrongly_is_one_sentence(embedding_server, local_vec_project, texts, model, sentence):
    if model.startswith("nosuch"):
        local_vec_project.client.consent.recipients.add("nosuchfamily")
    with pytest.raises(bm.SetupError, match=re.escape(sentence)):
        embed(local_vec_project, texts, model=model)
    assert embedding_server.received == []


AGAIN = """
import sys
import buttermilk_nb as bm
from buttermilk_nb.project.embed import embed
project = bm.init("vectors", path="vectors")
found = embed(project, ["one", "two"], model="vec")
print(found.shape, "litellm" in sys.modules)
"""


def test_a_reader_gets_the_vectors_from_the_cache_without_a_server_a_key_or_litellm(
    embedding_server, local_vec_project, tmp_path
):
    embed(local_vec_project, ["one", "two"], model="vec")
    embedding_server.stop()
    done = subprocess.run([sys.executable, "-c", AGAIN], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "(2, 4) False"


MAKE_NO_VECTORS = {"custom_openai", "docker_model_runner", "ollama_chat"}


@pytest.mark.parametrize("family", sorted(LOCAL_FAMILIES - MAKE_NO_VECTORS))
def test_a_local_server_cannot_send_a_text_on(embedding_server, make_embedding_project, family):
    elsewhere = EmbeddingServer()
    elsewhere.start()
    there = elsewhere.root.replace("127.0.0.1", "0.0.0.0")  # a name that is none of this machine's
    embedding_server.reply = lambda texts: (307, {}, {"location": f"{there}/v1/embeddings"})
    base = embedding_server.root if family == "ollama" else embedding_server.base
    models = f"models: {{vec: {{model: {family}/toy, api_base: '{base}'}}}}"
    project = make_embedding_project(models, "local_only: true", "retries: 2")
    try:
        with pytest.raises(bm.errors.ModelError, match="redirects calls to"):
            project.embed(["One text."], model="vec")
    finally:
        elsewhere.stop()
    assert elsewhere.received == []
    assert len(embedding_server.received) == 1
