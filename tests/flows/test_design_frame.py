"""`flow.design`: the planned grid before anything runs, and the same counts as the estimate."""

from __future__ import annotations

import pandas as pd
import pytest

import buttermilk_nb as bm

CALM = bm.Criteria("calm", "Is it calm?", flag="no", cues={"no": ["shout"]})
TEXTS = bm.Corpus([bm.Record(record_id=f"r{n}", content=f"Text {n}.") for n in range(3)])


def flow(**options):
    return bm.Flow("study", [bm.Judge("judge", criteria=CALM, **options)])


@pytest.fixture
def priced(make_study):
    return make_study(toy={"local": False, "prices": {"input": 1_000, "output": 1_000}})


def test_each_planned_answer_is_a_row_and_nothing_is_sent(server, toy_project):
    design = flow(replicates=2).design(TEXTS)
    assert server.received == []
    assert design[["record_id", "replicate"]].values.tolist() == [[f"r{n}", k] for n in range(3) for k in range(2)]
    assert set(design.state) == {"new"}
    assert (design.tokens_in > 0).all()
    assert design.design_id.is_unique


def test_what_is_cached_is_said_and_counts_are_those_of_the_estimate(server, toy_project):
    flow().run(TEXTS.head(2))
    design, estimate = flow().design(TEXTS), flow().estimate(TEXTS)
    assert design.state.tolist() == ["cached", "cached", "new"]
    assert (design.calls.sum(), design.new_calls.sum()) == (estimate.calls, estimate.new)
    assert design.tokens_in.sum() == sum(model.tokens_in for model in estimate.models)
    assert design.tokens_in.tolist()[:2] == [0, 0]


def test_the_designs_are_those_of_the_run(server, toy_project):
    design = flow().design(TEXTS)
    assert sorted(design.design_id) == sorted(flow().run(TEXTS).traces().design_id)


def test_costs_are_those_of_the_estimate_and_unknown_ones_are_missing(server, priced, make_study):
    bm.allow("hosted_vllm")
    design, estimate = flow().design(TEXTS), flow().estimate(TEXTS)
    assert design.cost_usd.sum() == pytest.approx(estimate.cost_usd)
    assert estimate.cost_usd > 0


def test_every_state_is_shown(offline_project):
    @bm.agent(version="1")
    def length(record):
        return len(record.content)

    same = bm.Corpus([bm.Record(record_id=name, content="They shout.") for name in "ab"])
    total = bm.Agent("sum", prompt="{{ inputs.length }}", models="offline/strict")
    judge = bm.Judge("judge", criteria=CALM, models="offline/strict")
    steps = [length, judge, bm.Step(total, needs="length")]
    design = bm.Flow("study", steps).design(same)
    assert dict(zip(design.step, design.state, strict=True)) == {"length": "no call", "judge": "new", "sum": "later"}
    assert pd.isna(design.model[0])


def test_a_limit_and_a_frame_are_taken(offline_project):
    frame = pd.DataFrame({"text": ["They shout.", "Hush."]})
    assert len(flow(models="offline/strict").design(frame, limit=1)) == 1
