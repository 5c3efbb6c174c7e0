"""`run.trace`: one answer with all that led to it, in this process and in another."""

from __future__ import annotations

import json

import pytest

import buttermilk_nb as bm
from buttermilk_nb.project import session

CALM = bm.Criteria("calm", "Is it calm?", flag="no")
HOSTILE = "<script>alert(1)</script> & more"
TEXTS = bm.Corpus(
    [
        bm.Record(record_id="r0", content=HOSTILE, metadata={"outlet": "The Bell"}, ground_truth={"calm": "yes"}),
        bm.Record(record_id="r1", content="They shout."),
    ]
)


def flow(*steps):
    return bm.Flow("study", [bm.Judge("judge", criteria=CALM), *steps])


def test_it_holds_what_was_sent_what_came_and_what_was_read(server, toy_project):
    run = flow().run(TEXTS)
    trace = run.trace("r0")
    assert trace.record == TEXTS[0]
    (sent,) = [body["messages"] for body in server.received if HOSTILE in json.dumps(body)]
    assert [dict(message) for message in trace.messages] == sent
    assert json.loads(trace.answer)["criteria"]["calm"]["answer"] == "no"
    assert trace.output == {"calm": "no"}
    assert (trace.status, trace.attempts, trace.model, trace.criteria_set) == ("ok", 1, "hosted_vllm/toy", "calm")
    assert run.trace(trace.trace_id).trace_id == trace.trace_id
    assert trace.scores.criterion.tolist() == ["calm"]
    assert len(trace.calls) == 1


def test_a_later_process_finds_the_same(server, toy_project):
    run = flow().run(TEXTS)
    folder, first = toy_project.folder, run.trace("r1")
    session.close()
    bm.init("test" if toy_project.name == "test" else toy_project.name, path=folder)
    again = bm.run("latest").trace("r1")
    assert (again.record, again.messages, again.answer) == (first.record, first.messages, first.answer)


def test_its_text_and_its_html_show_all_of_it_and_run_nothing(server, toy_project):
    trace = flow().run(TEXTS).trace("r0")
    assert "judge · calm · hosted_vllm/toy on record r0, ok" in repr(trace)
    assert "reply: " in repr(trace)
    assert "parameters: temperature=0" in repr(trace)
    html = trace._repr_html_()
    assert "<script>" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html


def test_several_answers_are_told_apart(server, toy_project):
    run = bm.Flow("study", [bm.Judge("judge", criteria=CALM, replicates=2, params={"temperature": 1})]).run(TEXTS)
    with pytest.raises(bm.SetupError, match=r"2 answers in this run; write run.trace\('r0', replicate=0\)"):
        run.trace("r0")
    assert run.trace("r0", replicate=1).replicate == 1
    with pytest.raises(bm.SetupError, match="no answer with replicate=7"):
        run.trace("r0", replicate=7)
    with pytest.raises(bm.SetupError, match="no trace and no record `r00`; did you mean `r0`"):
        run.trace("r00")


def test_a_function_and_a_step_that_reads_answers(offline_project):
    @bm.agent(version="1")
    def length(record):
        return {"n": len(record.content)}

    @bm.agent(version="1")
    def double(record, inputs):
        return inputs["length"]["n"] * 2

    run = bm.Flow("study", [length, bm.Step(double, needs="length")]).run(TEXTS)
    trace = run.trace("r1", step="double")
    assert (trace.output, trace.messages, trace.answer, trace.cost_usd) == (22, (), None, 0.0)
    assert trace.inputs == (run.trace("r1", step="length").trace_id,)


def test_an_answer_that_failed_says_why(server, make_study):
    make_study(toy={"retries": 0})
    server.reply = lambda body: server.failure(500, "out of order")
    trace = flow().run(TEXTS).trace("r0")
    assert (trace.status, trace.output) == ("error", {"calm": "error"})
    assert "out of order" in trace.error
    assert "out of order" in trace._repr_html_()


def test_a_record_that_was_changed_behind_the_store_is_said(server, toy_project):
    run = flow().run(TEXTS)
    with toy_project.store.writing() as con:
        con.execute("update records set content = 'Another text.' where record_id = 'r0'")
    with pytest.raises(bm.errors.StoreError, match="stored with another text"):
        run.trace("r0")


def test_a_forgotten_record_is_missing(server, toy_project):
    run = flow().run(TEXTS)
    trace_id = run.trace("r0").trace_id
    toy_project.evidence.forget(record_id="r0", reason="asked to")
    assert run.trace(trace_id).record is None
