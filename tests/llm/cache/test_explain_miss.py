"""Why an answer is not in the cache: the sentence names what differs from the nearest one."""

import time

import pytest
from support.study import corpus, flow

import buttermilk_nb as bm
from buttermilk_nb.project import session

PARTS = {
    "model": "a/one",
    "params": "kp1-0",
    "replicate": "0",
    "message 1 (system)": "km1-s",
    "message 2 (user)": "km1-u",
}


@pytest.fixture
def holds(put_entries, cache_entry):
    """Entries whose parts differ from PARTS as given; a part that is None is left out."""

    def fill(*others):
        for n, other in enumerate(others):
            parts = {name: value for name, value in {**PARTS, **other}.items() if value is not None}
            put_entries(**{f"k{n}": cache_entry(model=parts["model"]).replace(PLAIN, as_json(parts))})

    return fill


PLAIN = '"params":"kp1-0","message 1 (user)":"km1-0"'


def as_json(parts):
    return ",".join(f'"{name}":"{value}"' for name, value in parts.items() if name != "model")


def test_the_parts_that_differ_are_named(cache, holds):
    holds({"message 2 (user)": "km1-other", "params": "kp1-other"})
    assert cache.explain(PARTS) == (
        "The nearest cached answer differs in: params, message 2 (user: its text or wording)."
    )


def test_the_entry_with_the_most_equal_parts_is_the_nearest(cache, holds):
    holds(
        {"params": "kp1-1", "message 2 (user)": "km1-1"}, {"params": "kp1-2"}, {"message 1 (system)": "x", "params": ""}
    )
    assert cache.explain(PARTS) == "The nearest cached answer differs in: params."


def test_an_entry_of_the_same_model_is_nearer_than_any_of_another(cache, holds):
    holds({"model": "b/two"}, {"params": "kp1-1", "message 1 (system)": "x", "message 2 (user)": "x"})
    assert "differs in: params, message 1" in cache.explain(PARTS)


def test_of_two_as_near_the_newer_counts(cache, holds):
    holds({"params": "kp1-1"}, {"message 1 (system)": "km1-x"})
    assert cache.explain(PARTS) == "The nearest cached answer differs in: message 1 (system: its text or wording)."


def test_the_replicate_is_named_with_its_number(cache, holds):
    holds({"replicate": "4"})
    assert cache.explain(PARTS) == "The nearest cached answer differs in: replicate (here 0, cached 4)."


def test_parts_that_only_one_of_them_has_are_named(cache, holds):
    holds({"message 1 (system)": None, "cues": "q1-1"})
    assert cache.explain(PARTS) == (
        "The nearest cached answer differs in: message 1 (system) (only in this question), "
        "cues (only in the cached question)."
    )


def test_a_model_without_any_answer_is_said_with_the_models_that_have_some(cache, holds):
    holds({"model": "b/two"}, {"model": "c/three"})
    assert cache.explain(PARTS) == "Nothing is cached for this model; there are answers of `c/three`, `b/two`."


def test_an_empty_cache_is_said(cache):
    assert cache.explain(PARTS) == "Nothing is cached for this model."


def test_the_same_parts_under_another_key_are_said(cache, holds):
    holds({})
    assert "the same parts in another arrangement" in cache.explain(PARTS)


def test_damaged_and_hostile_entries_are_passed_over_and_shown_short(cache, holds, put_entries):
    put_entries(damaged="cut sho")
    holds({"x" * 500 + "\\u001b[31m": "1"})
    said = cache.explain(PARTS)
    assert said.endswith("x… (only in the cached question).")
    assert len(said) < 150


def test_no_more_than_the_newest_twenty_thousand_are_looked_at(cache, cache_entry, cache_key):
    old, new = cache_entry(model="a/old"), cache_entry()
    cache.rebuild([("k1-old", old), *((cache_key(n), new) for n in range(20_000))])
    began = time.perf_counter()
    assert cache.explain({**PARTS, "model": "a/old"}) == (
        "Nothing is cached for this model among the newest 20,000 answers; there are answers of `a/one`."
    )
    assert time.perf_counter() - began < 5


def test_a_run_that_may_only_read_says_what_has_changed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    session.close()
    bm.init("test", path=tmp_path / "project", models=["double/answer"])
    flow().run(corpus(1))
    with pytest.raises(bm.CacheMiss, match=r"differs in: .*message \d \(user: its text or wording\)"):
        flow().run(corpus(2), cache="only")
    session.close()
