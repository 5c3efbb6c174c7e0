"""Arguments of a wrong kind at any place of a public function: a sentence that names the argument."""

import numpy as np
import pandas as pd
import pytest

import buttermilk_nb as bm

CALM = bm.Criteria("calm", "Is it calm?", flag="no", cues={"no": ["row"]})


@pytest.fixture
def texts(offline_project):
    labels = {"ana": {"calm": "no"}, "ben": {"calm": "yes"}}
    return bm.Corpus(
        [
            bm.Record(record_id=f"r{n}", content=f"A row {n}.", labels=labels, ground_truth={"calm": "no"})
            for n in range(6)
        ]
    )


@pytest.fixture
def flow():
    return bm.Flow("tone", [bm.Judge("judge", criteria=CALM)])


@pytest.fixture
def run(flow, texts):
    return flow.run(texts)


CALLS = {
    "budget_usd as a text": lambda run, flow, texts: flow.run(texts, budget_usd="2"),
    "budget_usd as a truth": lambda run, flow, texts: flow.run(texts, budget_usd=True),
    "time_limit_s as a text": lambda run, flow, texts: flow.run(texts, time_limit_s="5"),
    "time_limit_s missing": lambda run, flow, texts: flow.run(texts, time_limit_s=pd.NA),
    "cache as a number": lambda run, flow, texts: flow.run(texts, cache=5),
    "coder as a number": lambda run, flow, texts: bm.coding_sheet(texts, CALM, coder=5),
    "coder as nothing": lambda run, flow, texts: bm.coding_sheet(texts, CALM, coder=None),
    "path as a number": lambda run, flow, texts: bm.coding_sheet(texts, CALM, coder="kf", path=5),
    "sample as a truth": lambda run, flow, texts: bm.coding_sheet(texts, CALM, coder="kf", sample=True),
    "sample missing": lambda run, flow, texts: bm.coding_sheet(texts, CALM, coder="kf", sample=pd.NA),
    "truth as nothing": lambda run, flow, texts: bm.metrics(run.ratings(), truth=None),
    "by as nothing": lambda run, flow, texts: bm.confusion(run.ratings(), by=None),
    "judge as nothing": lambda run, flow, texts: bm.corrected_estimate(run.ratings(), judge=None),
    "n_boot as a text": lambda run, flow, texts: bm.agreement(run.ratings(), n_boot="10"),
    "n_boot missing": lambda run, flow, texts: bm.agreement(run.ratings(), n_boot=pd.NA),
    "n as a fraction": lambda run, flow, texts: bm.draw_sample(texts, 2.0, seed=1),
    "method as nothing": lambda run, flow, texts: bm.draw_sample(texts, 2, seed=1, method=None),
    "a list of numbers as coders": lambda run, flow, texts: bm.labels(coder=5),
    "by missing": lambda run, flow, texts: texts.segment(pd.NA),
    "bytes as an id": lambda run, flow, texts: bm.project.session.current().evidence.forget(record_id=b"r1"),
    "a number as an id": lambda run, flow, texts: bm.project.session.current().evidence.forget(record_id=1),
    "a number as a coder": lambda run, flow, texts: bm.project.session.current().evidence.forget(coder=1),
    "a number as a day": lambda run, flow, texts: bm.project.session.current().evidence.purge(before=10**12),
    "tables as a number": lambda run, flow, texts: bm.project.session.current().evidence.export("x", tables=5),
    "run_ids as a number": lambda run, flow, texts: bm.project.session.current().evidence.export("x", run_ids=5),
    "a folder as a number": lambda run, flow, texts: bm.project.session.current().evidence.snapshot(5),
    "a file as a number": lambda run, flow, texts: bm.project.session.current().evidence.export(5),
    "values as a list": lambda run, flow, texts: bm.import_labels(
        pd.DataFrame({"record_id": ["r1"], "a": ["no"]}), texts, CALM, coder="a", values=[("a", "b")]
    ),
    "content as a number": lambda run, flow, texts: bm.load([{"t": "a"}], content=5),
    "a model as a number": lambda run, flow, texts: bm.project.session.current().embed(["a"], model=5),
    "texts as a number": lambda run, flow, texts: bm.project.session.current().embed(5, model="local/hashing"),
    "params as a number": lambda run, flow, texts: bm.project.session.current().embed(
        ["a"], model="local/hashing", params=5
    ),
    "models as a number": lambda run, flow, texts: bm.init("p", models=5),
    "the path of a project as a number": lambda run, flow, texts: bm.init("p", path=5),
    "scripted as a number": lambda run, flow, texts: bm.init("p", scripted=5),
    "a project of 300 letters": lambda run, flow, texts: bm.init("x" * 300),
    "timeout_s as a text": lambda run, flow, texts: bm.sql("select 1", timeout_s="3"),
    "timeout_s as nothing": lambda run, flow, texts: bm.sql("select 1", timeout_s=None),
    "half a letter in a query": lambda run, flow, texts: bm.sql("select '\ud800'"),
    "criteria as a number": lambda run, flow, texts: bm.Criteria("c", "Q?", criteria=3),
    "fallback as a number": lambda run, flow, texts: bm.Judge("judge", criteria=CALM, fallback=3),
    "of as a number": lambda run, flow, texts: bm.Differences("d", of=3),
}


@pytest.mark.parametrize("call", CALLS)
def test_a_value_of_a_wrong_kind_is_a_sentence(run, flow, texts, call):
    with pytest.raises(bm.errors.ButtermilkError) as caught:
        CALLS[call](run, flow, texts)
    assert str(caught.value).rstrip()[-1] in ".?)"
    assert "Error:" not in str(caught.value)


def test_numbers_of_numpy_are_numbers(texts):
    drawn = bm.draw_sample(texts, np.int64(2), seed=np.int64(3))
    assert len(drawn) == 2
    assert set(bm.assign_coders(texts, ["a", "b"], seed=np.int64(3)).coder) == {"a", "b"}


def test_a_long_name_of_a_coder_makes_a_file(texts):
    assert bm.coding_sheet(texts, CALM, coder="x" * 5_000).is_file()
