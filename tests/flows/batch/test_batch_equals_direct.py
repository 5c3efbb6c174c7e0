"""A batch is a way to fill the cache: everything else is as without one."""

import json

import pytest
from support.batch_study import BOTH, DIRECT_USD, judging, texts

import buttermilk_nb as bm

ITS_OWN = [
    "call_id",
    "trace_id",
    "run_id",
    "asked_at",
    "answered_at",
    "request_id",
    "latency_s",
    "waited_s",
    "cost_usd",
]


def rows(run):
    calls = run.calls().sort_values("cache_key").reset_index(drop=True)
    return calls.drop(columns=[name for name in calls if name in ITS_OWN])


def answered(frame):
    """The stored responses, without the id that litellm makes up for some of them, and the time of reading."""
    return [{k: v for k, v in json.loads(text).items() if k not in ("id", "created")} for text in frame.response]


@BOTH
def test_the_rows_are_those_of_a_direct_run(model, batch_server, make_batch_project):
    make_batch_project("direct")
    direct = judging(model).run(texts())
    make_batch_project("batched")
    batched = judging(model).run(texts(), batch=True)
    assert len(batch_server.direct) == 4, "the batch asked nothing directly"
    assert direct.counts == batched.counts == {"ok": 4}
    assert (
        direct.scores()
        .drop(columns="run_id", errors="ignore")
        .equals(batched.scores().drop(columns="run_id", errors="ignore"))
    )
    told = ["record_id", "status", "output", "flagged", "error_type", "attempts", "design_id", "params"]
    assert batched.traces()[told].equals(direct.traces()[told])
    ours, theirs = rows(batched), rows(direct)
    assert answered(ours) == answered(theirs)
    unlike = [name for name in ("response", "response_hash") if name in ours]
    assert ours.drop(columns=unlike).equals(theirs.drop(columns=unlike))
    assert not ours.cached.any()


@BOTH
@pytest.mark.parametrize("fields", [{}, {"params": {"temperature": 0.5, "max_tokens": 77}}, {"replicates": 2}])
def test_a_batch_holds_what_a_direct_call_sends_to_the_letter(model, fields, batch_server, make_batch_project):
    make_batch_project("direct")
    judging(model, **fields).run(texts())
    make_batch_project("batched")
    judging(model, **fields).run(texts(), batch=True)
    assert sorted(map(json.dumps, batch_server.bodies)) == sorted(map(json.dumps, batch_server.direct))


def test_questions_that_are_asked_separately_go_separately(batch_server, make_batch_project):
    make_batch_project()
    two = bm.Criteria("two", criteria={"calm": {"question": "Is it calm?"}, "loud": {"question": "Is it loud?"}})
    flow = bm.Flow("apart", [bm.Judge("judge", criteria=two, models="gpt", ask="separately", reask=False)])
    flow.run(texts(2), batch=True)
    assert (len(batch_server.submitted), batch_server.direct) == (4, [])


def test_an_answer_that_cannot_be_read_is_asked_for_once_more_directly(batch_server, make_batch_project):
    make_batch_project()
    two = bm.Criteria("two", criteria={"calm": {"question": "Is it calm?"}, "loud": {"question": "Is it loud?"}})
    run = bm.Flow("again", [bm.Judge("judge", criteria=two, models="gpt")]).run(texts(2), batch=True)
    assert (len(batch_server.submitted), len(batch_server.direct)) == (2, 2)
    assert run.calls().cost_usd.tolist().count(DIRECT_USD) == 2


def test_the_form_of_the_answer_is_told_in_a_batch_too(batch_server, make_batch_project):
    extra = "  formed: {model: anthropic/claude-sonnet-4-5, api_base: ROOT, local: false}".replace(
        "ROOT", batch_server.root
    )
    make_batch_project("direct", extra)
    judging("formed").run(texts(2))
    make_batch_project("batched", extra)
    judging("formed").run(texts(2), batch=True)
    assert sorted(map(json.dumps, batch_server.bodies)) == sorted(map(json.dumps, batch_server.direct))
    assert all("output_format" in body or "tools" in body for body in batch_server.bodies)
    beta = {headers.get("anthropic-beta") for headers in batch_server.direct_headers}
    assert {batch_server.jobs[0].headers.get("anthropic-beta")} == beta


@BOTH
def test_an_answer_of_a_batch_costs_half_and_only_once(model, batch_server, make_batch_project):
    make_batch_project()
    run = judging(model).run(texts(), batch=True)
    assert run.calls().cost_usd.tolist() == pytest.approx([DIRECT_USD / 2] * 4)
    again = judging(model).run(texts(), batch=True)
    assert again.calls().cost_usd.tolist() == [0.0] * 4
    assert again.calls().saved_usd.tolist() == pytest.approx([DIRECT_USD / 2] * 4)
    assert len(batch_server.submitted) == 4


@BOTH
def test_an_answer_of_a_batch_has_no_latency(model, batch_server, make_batch_project):
    make_batch_project()
    assert judging(model).run(texts(2), batch=True).calls().latency_s.isna().all()


def test_the_run_says_that_half_the_price_was_counted(batch_server, make_batch_project):
    make_batch_project()
    assert "in a batch of `gpt`: 4 answers. The cost is counted at 50% of the usual price." in repr(
        judging().run(texts(), batch=True)
    )


def test_the_same_request_of_two_steps_goes_once(batch_server, make_batch_project):
    make_batch_project()
    flow = bm.Flow("twice", [bm.Agent(name, prompt="Say: {{ record.content }}", models="gpt") for name in ("a", "b")])
    run = flow.run(texts(3), batch=True)
    assert run.counts == {"ok": 6}
    assert len(batch_server.submitted) == 3
    assert run.cost_usd == pytest.approx(3 * DIRECT_USD / 2)


def test_what_is_cached_is_not_submitted(batch_server, make_batch_project):
    make_batch_project()
    judging().run(texts(2))
    judging().run(texts(4), batch=True)
    assert len(batch_server.submitted) == 2


def test_nothing_is_submitted_where_all_is_cached(batch_server, make_batch_project):
    make_batch_project()
    judging().run(texts(2))
    batch_server.paths.clear()
    assert judging().run(texts(2), batch=True).counts == {"ok": 2}
    assert batch_server.paths == []


def test_two_models_are_two_batches(batch_server, make_batch_project):
    make_batch_project()
    run = judging(["gpt", "claude"]).run(texts(3), batch=True)
    assert run.counts == {"ok": 6}
    assert sorted(len(job.requests) for job in batch_server.jobs) == [3, 3]
    assert batch_server.direct == []


def test_a_later_step_is_asked_directly(batch_server, make_batch_project):
    make_batch_project()
    first = bm.Agent("first", prompt="Say: {{ record.content }}", models="gpt")
    second = bm.Agent("second", prompt="Again: {{ inputs.first }} {{ record.content }}", models="gpt")
    run = bm.Flow("steps", [first, bm.Step(second, needs="first")]).run(texts(3), batch=True)
    assert run.counts == {"ok": 6}
    assert (len(batch_server.submitted), len(batch_server.direct)) == (3, 3)
    assert "step `second` needs other steps, so it calls `gpt` directly." in run.remarks


def test_a_model_without_a_batch_api_is_asked_directly(batch_server, make_batch_project):
    make_batch_project(extra=f'  own: {{model: hosted_vllm/toy, api_base: "{batch_server.root}/v1", local: true}}')
    run = judging("own").run(texts(2), batch=True)
    assert run.counts == {"ok": 2}
    assert len(batch_server.direct) == 2
    assert "`own` has no batch API here, so it is called directly." in run.remarks


def test_an_offline_model_needs_no_remark(batch_server, make_batch_project):
    make_batch_project()
    flow = bm.Flow(
        "both",
        [
            bm.Judge(
                "judge", criteria=bm.Criteria("calm", "Calm?", cues={"no": ["x"]}), models=["gpt", "offline/strict"]
            )
        ],
    )
    run = flow.run(texts(2), batch=True)
    assert not any("offline" in remark for remark in run.remarks)


@pytest.mark.parametrize("status", [404, 405])
def test_a_server_that_knows_no_batches_is_asked_directly(status, batch_server, make_batch_project):
    from aiohttp import web

    make_batch_project()
    batch_server.refuse = lambda request: web.Response(status=status) if "files" in request.path else None
    run = judging().run(texts(2), batch=True)
    assert run.counts == {"ok": 2}
    assert len(batch_server.direct) == 2
    assert any("has no batch API, so `gpt` is called directly" in remark for remark in run.remarks)


def test_an_offline_study_takes_the_word_and_sends_nothing(batch_server, make_batch_project):
    make_batch_project()
    calm = bm.Criteria("calm", "Is it calm?", cues={"no": ["number"]})
    run = bm.Flow("offline", [bm.Judge("judge", criteria=calm, models="offline/strict")]).run(texts(2), batch=True)
    assert (run.counts, run.remarks, batch_server.paths) == ({"ok": 2}, (), [])


def test_without_the_word_nothing_is_submitted(batch_server, make_batch_project):
    make_batch_project()
    judging().run(texts(2))
    assert batch_server.jobs == []


@pytest.mark.parametrize("mode", ["refresh", "off"])
def test_a_batch_needs_a_cache_that_is_read(mode, batch_server, make_batch_project):
    make_batch_project()
    with pytest.raises(bm.SetupError, match="batch=True puts answers into the cache"):
        judging().run(texts(2), batch=True, cache=mode)
    assert batch_server.paths == []
