"""Numbers that are equal are one parameter: one key, one design, one instrument, however they are written."""

import json

import pytest

import buttermilk_nb as bm
from buttermilk_nb.llm import params
from buttermilk_nb.project.embed import embed

TEXTS = bm.Corpus([bm.Record(record_id=f"r{i}", content=f"Text {i}.") for i in range(3)])


def flow(**options):
    criteria = bm.Criteria("calm", "Is it calm?", flag="no")
    return bm.Flow("tone", [bm.Judge("judge", criteria=criteria, **options)])


def settings(number):
    return {"params": {"temperature": number, "logit_bias": {"7": number}, "stop": [number]}}


@pytest.mark.parametrize(("first", "second"), [(0, 0.0), (1.0, 1)])
def test_a_setting_is_asked_once_however_its_number_is_written(server, make_study, first, second):
    make_study(toy=settings(first))
    one = flow().run(TEXTS)
    make_study(toy=settings(second))
    two = flow().run(TEXTS)
    assert len(server.received) == 3
    assert two.counts == {"ok": 3}
    assert set(one.traces().design_id) == set(two.traces().design_id)


def test_two_names_for_one_model_that_differ_in_the_form_of_a_number_are_refused(server, make_study):
    twin = {"model": "hosted_vllm/toy", "api_base": server.base, **settings(0.0)}
    make_study(toy=settings(0), models={"twin": twin})
    with pytest.raises(bm.SetupError, match="the same model with the same parameters"):
        flow(models=["toy", "twin"]).run(TEXTS)


def test_an_answer_that_an_earlier_version_cached_is_read_and_put_under_the_new_key(server, make_study, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(params, "with_whole_numbers", dict)
        make_study(toy=settings(0.0))
        flow().run(TEXTS)
    assert json.loads(bm.last_run().calls().request.iloc[0])["temperature"] == 0.0
    project = make_study(toy=settings(0.0))
    assert flow().design(TEXTS).state.tolist() == ["cached"] * 3
    assert flow().estimate(TEXTS).cached == 3
    run = flow().run(TEXTS, cache="only")
    assert run.counts == {"ok": 3}
    assert len(server.received) == 3
    assert all(key in project.cache for key in run.calls().cache_key)


def test_so_is_a_vector(embedding_server, local_vec_project, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(params, "with_whole_numbers", dict)
        embed(local_vec_project, ["a text"], model="vec", params={"dimensions": 4.0})
    vector = embed(local_vec_project, ["a text"], model="vec", params={"dimensions": 4.0})
    assert len(embedding_server.received) == 1
    assert vector.tolist() == embed(local_vec_project, ["a text"], model="vec", params={"dimensions": 4}).tolist()
    assert len(embedding_server.received) == 2  # an earlier version's `4.0` is not known from `4`
