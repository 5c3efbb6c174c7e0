"""Records that hold two texts: made by hand, or drawn from a corpus."""

from collections import Counter

import pytest

import buttermilk_nb as bm


def corpus(n, **fields):
    return bm.Corpus([bm.Record(record_id=f"r{i}", content=f"Text {i}.", **fields) for i in range(n)])


def ids(made):
    return [frozenset((one.metadata["first_id"], one.metadata["second_id"])) for one in made]


def test_a_pair_knows_both_texts_and_whose_they_are():
    a, b = (bm.Record(record_id=i, content=f"Text {i}.", cluster="The Bell") for i in "ab")
    made = bm.Record.pair(a, b, content="Greet.", round=2, ground_truth={"kinder": "first"})
    assert made.record_id == "a | b"
    assert made.content == "Greet."
    known = {"first": "Text a.", "second": "Text b.", "first_id": "a", "second_id": "b", "round": 2}
    assert made.metadata == known
    assert made.cluster == "The Bell"
    assert made.truth_for("kinder") == "first"


def test_a_pair_of_two_clusters_has_none_and_stays_local_where_one_text_must():
    made = bm.Record.pair(bm.Record(content="x", cluster="p", local_only=True), bm.Record(content="y", cluster="q"))
    assert made.cluster is None
    assert made.local_only


def test_a_text_without_words_and_a_text_with_itself_are_refused():
    with pytest.raises(bm.SetupError, match="has no text to compare"):
        bm.Record.pair("One.", " ")
    with pytest.raises(bm.SetupError, match="with itself"):
        bm.Record.pair("One.", "One.")


def test_all_pairs_are_there_once():
    made = corpus(7).pairs()
    assert len(made) == len(set(ids(made))) == 21
    assert all(len(two) == 2 for two in ids(made))


def test_a_sample_is_drawn_without_repeats_and_the_same_with_the_same_seed():
    drawn = corpus(30).pairs(60, seed=3)
    assert len(set(ids(drawn))) == 60
    assert drawn == corpus(30).pairs(60, seed=3)
    assert drawn != corpus(30).pairs(60, seed=4)
    assert set(ids(drawn)) <= set(ids(corpus(30).pairs()))


def test_every_pair_is_as_likely():
    seen = Counter(two for seed in range(600) for two in ids(corpus(4).pairs(1, seed=seed)))
    assert len(seen) == 6
    assert min(seen.values()) > 60


def test_either_text_may_stand_first_and_where_does_not_depend_on_the_other_pairs():
    large, small = corpus(20).pairs(), corpus(10).pairs()
    first = [int(one.metadata["first_id"][1:]) < int(one.metadata["second_id"][1:]) for one in large]
    assert 60 < sum(first) < 130
    assert {one.record_id for one in small} <= {one.record_id for one in large}


def test_only_records_of_one_group_are_paired():
    records = [bm.Record(record_id=f"r{i}", content=f"Text {i}.", question="pq"[i % 2]) for i in range(6)]
    made = bm.Corpus([*records, bm.Record(record_id="x", content="Alone.")]).pairs(within="question")
    assert len(made) == 6
    assert {int(i[1]) % 2 for two in ids(made[:3]) for i in two} == {0}
    assert [one.metadata["question"] for one in made] == ["p"] * 3 + ["q"] * 3


def test_groups_may_be_clusters():
    records = [bm.Record(record_id=f"r{i}", content=f"Text {i}.", cluster="pq"[i % 2]) for i in range(4)]
    assert [one.cluster for one in bm.Corpus(records).pairs(within="cluster")] == ["p", "q"]


@pytest.mark.parametrize(
    ("n", "within", "why"),
    [(22, None, "there are 21 pairs"), (0, None, "there are 21"), (None, "outlett", "did you mean `outlet`")],
)
def test_what_cannot_be_drawn_is_said(n, within, why):
    with pytest.raises(bm.SetupError, match=why):
        corpus(7, outlet="The Bell").pairs(n, within=within)


def test_one_record_makes_no_pair_and_too_many_are_not_made_by_accident():
    with pytest.raises(bm.SetupError, match="no two records"):
        corpus(1).pairs()
    with pytest.raises(bm.SetupError, match="say how many to draw"):
        corpus(500).pairs()
    assert len(corpus(500).pairs(10)) == 10


def test_where_pairs_come_from_is_in_the_provenance():
    assert corpus(7).pairs(5, seed=2).provenance["pairs"] == {"n": 5, "of": 21, "seed": 2, "within": None}
