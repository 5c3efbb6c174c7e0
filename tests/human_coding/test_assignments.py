"""Sharing the work: equal shares, the overlap that was asked for, the same shares again."""

from collections import Counter

import pytest
from hypothesis import given, strategies as st
from support.study import corpus

import buttermilk_nb as bm
from buttermilk_nb.human_coding.assignments import _shares, assign_coders
from buttermilk_nb.human_coding.labels import keep_labels, make_label

NAMES = ["ab", "cd", "ef", "gh"]


def test_everybody_gets_as_much_and_what_overlaps_goes_to_all(project):
    found = assign_coders(corpus(20), NAMES, overlap=0.2)
    assert list(found.columns) == ["record_id", "coder", "position", "overlap", "sample_id"]
    assert found.coder.value_counts().to_dict() == dict.fromkeys(NAMES, 8)
    times = found.record_id.value_counts()
    assert sorted(times) == [1] * 16 + [4] * 4
    assert set(found[found.overlap].record_id) == set(times[times == 4].index)
    for coder in NAMES:
        assert found[found.coder == coder].position.tolist() == list(range(1, 9))


def test_what_overlaps_can_go_to_a_few(project):
    found = assign_coders(corpus(40), NAMES, overlap=0.5, per_record=2)
    times = found.record_id.value_counts()
    assert Counter(times) == {2: 20, 1: 20}
    pairs = {frozenset(part.coder) for _, part in found[found.overlap].groupby("record_id")}
    assert len(pairs) == 6, "any two coders have records in common"


def test_what_overlaps_stands_among_the_rest(project):
    found = assign_coders(corpus(100), ["ab", "cd"], overlap=0.2)
    places = found[(found.coder == "ab") & found.overlap].position
    assert places.max() > 30


@given(n=st.integers(1, 60), k=st.integers(1, 7), overlap=st.floats(0, 1), data=st.data(), name=st.text(max_size=5))
def test_shares_differ_by_one_record_at_most_and_every_record_is_given(n, k, overlap, data, name):
    coders = [f"c{place}" for place in range(k)]
    several = data.draw(st.integers(min(2, k), k))
    piles = _shares(corpus(n), coders, overlap, several, name)
    sizes = [len(pile) for pile in piles.values()]
    assert max(sizes) - min(sizes) <= 1
    given_to = Counter(record_id for pile in piles.values() for record_id, _ in pile)
    assert set(given_to) == {record.record_id for record in corpus(n)}
    shared = round(overlap * n) if k > 1 else 0
    assert Counter(given_to.values()) == +Counter({several: shared}) + +Counter({1: n - shared})
    assert all(len(pile) == len({record_id for record_id, _ in pile}) for pile in piles.values())


def test_the_same_call_gives_the_same_shares_and_keeps_them_once(project):
    first = assign_coders(corpus(10), NAMES, seed=3)
    again = assign_coders(corpus(10), NAMES, seed=3)
    assert first.equals(again)
    assert len(project.store.df("select * from samples")) == len(first)
    other = assign_coders(corpus(10), NAMES, seed=4)
    assert set(other.sample_id) != set(first.sample_id)
    assert len(project.store.df("select * from samples")) == len(first) + len(other)


def test_an_assignment_is_kept_as_a_sample_that_is_no_probability_sample(project):
    found = assign_coders(corpus(5), ["ab"], overlap=0, name="pilot", seed=9)
    rows = project.store.df("select * from samples order by position")
    assert rows.record_id.tolist() == found.record_id.tolist()
    assert rows[["name", "method", "seed", "coder"]].drop_duplicates().values.tolist() == [
        ["pilot", "assigned", 9, "ab"]
    ]
    assert rows.inclusion_p.isna().all()
    hashes = {record.record_id: record.record_hash for record in corpus(5)}
    assert rows.record_hash.tolist() == [hashes[name] for name in rows.record_id]
    assert project.store.df("select coder from coders").coder.tolist() == ["ab"]
    assert len(project.store.df("select * from records")) == 5


def test_a_name_belongs_to_one_assignment(project):
    assign_coders(corpus(5), NAMES, name="pilot")
    assign_coders(corpus(5), NAMES, name="pilot")
    with pytest.raises(bm.SetupError, match="another assignment is called `pilot`"):
        assign_coders(corpus(6), NAMES, name="pilot")


def test_a_corpus_that_has_changed_is_assigned_anew(project):
    first = assign_coders(corpus(5), NAMES)
    changed = bm.Corpus([record.model_copy(update={"content": "Other."}) for record in corpus(5)])
    assert set(assign_coders(changed, NAMES).sample_id) != set(first.sample_id)


def test_a_known_coder_is_not_met_again(project):
    criteria = bm.Criteria("respect", "Is it respectful?")
    label = make_label(criteria["respect"], criteria, corpus(1)["r0"], coder="ab", answer="no", source="form")
    keep_labels(project, [label], records=list(corpus(1)), documents=[criteria])
    assign_coders(corpus(5), ["ab", "cd"])
    assert project.store.df("select coder from coders order by 1").coder.tolist() == ["ab", "cd"]


@pytest.mark.parametrize(
    ("coders", "options", "message"),
    [
        ("kf", {}, r"write a list of names, coders=\['kf', \.\.\.\]"),
        ([], {}, "name the coders"),
        (["kf", " "], {}, "name the coders"),
        (["kf", "kf "], {}, "coder `kf` is named twice"),
        (["kf", "ab"], {"overlap": 1.2}, "overlap=1.2"),
        (["kf", "ab"], {"overlap": float("nan")}, "overlap=nan"),
        (["kf", "ab"], {"per_record": 3}, "per_record=3: with 2 coders, it must be a number from 2 to 2"),
        (["kf", "ab"], {"per_record": 1}, "per_record=1"),
    ],
)
def test_what_does_not_fit_is_said_before_anything_is_kept(project, coders, options, message):
    with pytest.raises(bm.SetupError, match=message):
        assign_coders(corpus(5), coders, **options)
    assert len(project.store.df("select * from samples")) == 0


def test_an_empty_corpus_is_not_assigned(project):
    with pytest.raises(bm.SetupError, match="no records to assign"):
        assign_coders(bm.Corpus([]), ["kf"])
