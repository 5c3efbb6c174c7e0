"""What counts as a new call when many calls to remote models want a yes."""

import pytest

import buttermilk_nb as bm

PRICED = {"local": False, "prices": {"input": 1.0, "output": 1.0}}


def desk():
    return bm.Criteria(
        "desk",
        "What the editors ask.",
        criteria={name: {"question": f"Is it {name}?", "flag": "no"} for name in ("calm", "fair", "clear")},
    )


def flow(criteria=None, **fields):
    asked = criteria or bm.Criteria("calm", "Is it calm?", flag="no")
    return bm.Flow("tone", [bm.Judge("judge", criteria=asked, **fields)])


def texts(n):
    return bm.Corpus([bm.Record(record_id=f"r{i:04}", content=f"Text {i}.") for i in range(n)])


@pytest.mark.parametrize("mode", ["refresh", "off"])
def test_calls_that_pass_over_the_cache_are_new_calls(server, make_study, mode):
    make_study(toy=PRICED, allow=["hosted_vllm"], confirm_above=3)
    flow().run(texts(4), yes=True)
    with pytest.raises(bm.errors.UnconfirmedError, match="4 calls: 0 cached, 4 new"):
        flow().run(texts(4), cache=mode)
    assert len(server.received) == 4
    assert flow().run(texts(4), cache=mode, yes=True).counts == {"ok": 4}
    assert len(server.received) == 8


def test_the_project_s_mode_counts_too_and_a_run_that_reads_the_cache_is_not_asked_about(server, make_study):
    make_study(toy=PRICED, allow=["hosted_vllm"], confirm_above=3)
    flow().run(texts(4), yes=True)
    project = make_study(toy=PRICED, allow=["hosted_vllm"], confirm_above=3)
    project.cache_mode = "refresh"
    with pytest.raises(bm.errors.UnconfirmedError, match="0 cached, 4 new"):
        flow().run(texts(4))
    assert flow().run(texts(4), cache="use").counts == {"ok": 4}
    assert len(server.received) == 4


def test_what_is_counted_is_calls_not_cells(server, make_study):
    make_study(toy=PRICED, allow=["hosted_vllm"], confirm_above=5)
    with pytest.raises(bm.errors.UnconfirmedError, match="6 calls: 0 cached, 6 new"):
        flow(desk(), ask="separately").run(texts(2))
    assert server.received == []
    flow(desk()).run(texts(5))  # five calls of three questions each
    assert len(server.received) > 0
