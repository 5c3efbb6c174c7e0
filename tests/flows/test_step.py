"""Flows in which steps read what other steps found."""

import asyncio
import json
import threading

import numpy as np
import pandas as pd
import pytest
from support.study import corpus, desk, flow, judge

import buttermilk_nb as bm
from buttermilk_nb import Step

PROMPT = "Length {{ inputs.length }}. {{ record.content }} {{ criteria }} {{ answer_format }}"


@bm.agent(version="1")
def length(record):
    return len(record.content)


@bm.agent(version="1")
def picky(record):
    if "vermin" in record.content:
        raise ValueError("this text is not for me")
    return "fine"


@bm.agent(version="1")
def after(record, inputs):
    return {"read": inputs["picky"]}


@bm.agent(version="1")
def last(record, inputs):
    return inputs["after"]


def outputs(run, step):
    traces = run.traces()
    found = traces[traces.step == step].sort_values("record_id")
    return [None if value is None else json.loads(value) for value in found.output]


def test_the_output_of_a_needed_step_stands_in_the_prompt(project):
    records = corpus(3)
    run = flow(length, Step(judge(prompt=PROMPT), needs="length")).run(records)
    assert run.counts == {"ok": 6}
    calls = run.calls().sort_values("record_id")
    for request, record in zip(calls.request, records, strict=True):
        assert f"Length {len(record.content)}." in request


def test_a_trace_names_the_traces_that_it_read(project):
    run = flow(length, Step(judge(prompt=PROMPT), needs="length")).run(corpus(2))
    joined = bm.sql(
        "select a.step as reader, b.step as read, a.record_id = b.record_id as same from trace_inputs i "
        "join traces a on a.trace_id = i.trace_id join traces b on b.trace_id = i.input_trace_id where a.run_id = ?",
        [run.run_id],
    )
    assert joined.values.tolist() == [["judge", "length", True]] * 2


def test_a_step_of_several_cells_is_read_as_a_list(project):
    seen = []

    @bm.agent(version="1")
    def count(record, inputs):
        seen.append(inputs["judge"])

    flow(judge(desk(), replicates=3), Step(count, needs="judge")).run(corpus(1))
    assert len(seen[0]) == 3


def test_a_failing_function_is_an_error_and_what_needs_it_is_skipped(project):
    run = flow(picky, Step(after, needs="picky"), Step(last, needs="after")).run(corpus(2))
    found = run.traces().set_index(["record_id", "step"])
    assert found.status.to_dict() == {
        ("r0", "picky"): "error", ("r0", "after"): "skipped", ("r0", "last"): "skipped",
        ("r1", "picky"): "ok", ("r1", "after"): "ok", ("r1", "last"): "ok",
    }  # fmt: skip
    assert found.error_message["r0", "picky"] == "this text is not for me"
    assert found.error_type["r0", "picky"] == "ValueError"
    assert "step `picky` has no finished answer" in found.error_message["r0", "after"]
    assert sum(run.counts.values()) == run.planned


def test_a_skipped_judge_has_scores_without_values_and_asks_nothing(project):
    run = flow(picky, Step(judge(), needs="picky")).run(corpus(2))
    assert run.scores().status.tolist() == ["skipped", "ok"]
    assert run.scores().flagged.isna().tolist() == [True, False]
    assert project.client.sent == 1


def test_a_step_starts_on_a_record_as_soon_as_what_it_needs_is_there(project):
    order = []

    @bm.agent(version="1")
    def first(record):
        order.append(f"first {record.record_id}")

    @bm.agent(version="1")
    def second(record, inputs):
        order.append(f"second {record.record_id}")

    flow(first, Step(second, needs="first")).run(corpus(2), concurrency=1)
    assert order == ["first r0", "second r0", "first r1", "second r1"]


def test_the_design_of_a_step_contains_the_designs_of_what_it_reads(project):
    @bm.agent(version="2", name="length")
    def other(record):
        return len(record.content)

    run = [flow(one, Step(judge(prompt=PROMPT), needs="length")).run(corpus(1)) for one in (length, other)]
    first, second = (set(one.scores().design_id) for one in run)
    assert not first & second


def test_functions_may_be_async(project):
    @bm.agent(version="1")
    async def slow(record, inputs):
        await asyncio.sleep(0.01)
        return [record.record_id]

    assert outputs(flow(slow).run(corpus(2)), "slow") == [["r0"], ["r1"]]


def test_functions_run_beside_each_other_and_not_in_the_loop(project):
    names = set()
    both = threading.Barrier(2, timeout=10)

    @bm.agent(version="1")
    def meet(record):
        names.add(threading.current_thread().name)
        both.wait()

    assert flow(meet).run(corpus(2)).counts == {"ok": 2}
    assert "buttermilk_nb-loop" not in names


@pytest.mark.parametrize("value", [None, 0, False, "", [], {}, {"ä": [1, 2.5, None]}])
def test_what_a_function_returns_is_stored_as_json_and_empty_values_stay(project, value):
    @bm.agent(version="1")
    def give(record):
        return value

    run = flow(give).run(corpus(1))
    assert json.loads(run.traces().output.item()) == value


@pytest.mark.parametrize("value", [object(), 1 + 2j, b"bytes"])
def test_what_cannot_be_kept_is_an_error_of_that_cell_and_named(project, value):
    @bm.agent(version="1")
    def give(record):
        return {"fields": [1, value]}

    run = flow(give).run(corpus(1))
    assert run.counts == {"error": 1}
    assert f"`fields[1]` of the output is of type {type(value).__name__}" in run.errors().error_message.item()


def test_numpys_values_and_missing_ones_are_kept(project):
    @bm.agent(version="1")
    def give(record):
        return {"n": np.int64(3), "share": float("nan"), "rows": pd.DataFrame({"a": [1.5]}), "set": {"x"}}

    run = flow(give).run(corpus(1))
    assert json.loads(run.traces().output.item()) == {"n": 3, "share": None, "rows": [{"a": 1.5}], "set": ["x"]}


def test_a_function_whose_next_finds_nothing_fails_instead_of_waiting_for_ever(project):
    @bm.agent(version="1")
    def find(record):
        return next(word for word in record.content.split() if word == "nowhere")

    run = flow(find).run(corpus(1))
    assert "`find` raised StopIteration" in run.errors().error_message.item()


def test_a_surrogate_in_an_error_message_costs_no_other_row(project):
    @bm.agent(version="1")
    def shout(record):
        raise ValueError("what is \ud800?")

    run = flow(shout, judge()).run(corpus(2))
    assert run.counts == {"ok": 2, "error": 2}
    assert set(run.errors().error_message) == {"what is \ufffd?"}


def test_changed_source_is_another_design(project):
    def made(body):
        @bm.agent(name="made", version=body)
        def one(record):
            return body

        return one

    first, same, second = (flow(made(body)).run(corpus(1)).traces().design_id.item() for body in ("a", "a", "b"))
    assert first == same != second


def test_a_function_without_readable_source_needs_a_version():
    made = {}
    exec("def hidden(record): return 1", made)
    with pytest.raises(bm.SetupError, match=r'give it a version: version="1"'):
        bm.agent(made["hidden"])


def test_a_misspelt_input_is_found_before_anything_is_sent(make_project):
    project = make_project()
    wrong = PROMPT.replace("inputs.length", "inputs.lenght")
    steps = flow(judge(name="first"), length, Step(judge(prompt=wrong), needs="length"))
    with pytest.raises(bm.SetupError, match="lenght"):
        steps.run(corpus(2), concurrency=1)
    assert project.client.sent == 0


def test_progress_hears_of_skipped_cells_too(project):
    from buttermilk_nb.events.event import ResultEvent

    heard = []
    project.bus.subscribe(lambda event: heard.append(event) if isinstance(event, ResultEvent) else None)
    run = flow(picky, Step(after, needs="picky")).run(corpus(2))
    assert len(heard) == run.planned
