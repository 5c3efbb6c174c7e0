"""Who agrees with whom, how surely, and what does not follow."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings, strategies as st

import buttermilk_nb as bm
from buttermilk_nb.analysis.shared.bootstrap import unit_weights


def ratings(codes, **fields):
    """From coder -> codes of records 0, 1, ..."""
    rows = [
        {"record_id": f"r{i:03}", "criterion": "calm", "coder": coder, "category": code}
        for coder, given in codes.items()
        for i, code in enumerate(given)
    ]
    return pd.DataFrame(rows).assign(**fields)


def value(found, comparison, coefficient):
    return found[(found.comparison == comparison) & (found.coefficient == coefficient)].squeeze()


YES_NO = {"ana": list("yyynnnyynn") * 4, "ben": list("yyynnnnnny") * 4}


def test_a_pair_by_hand():
    found = bm.agreement(ratings(YES_NO), n_boot=200)
    assert found.comparison.unique().tolist() == ["ana ~ ben"]
    row = value(found, "ana ~ ben", "Percent agreement")
    assert row.value == pytest.approx(0.7)
    assert row[["n_units", "n_excluded", "n_coders", "n_codes", "n_clusters"]].tolist() == [40, 0, 2, 80, 40]
    # p_e = .5 * .4 + .5 * .6 = .5
    assert value(found, "ana ~ ben", "Cohen's kappa").value == pytest.approx((0.7 - 0.5) / (1 - 0.5))
    assert (found.low <= found.value).all()
    assert (found.value <= found.high).all()


def test_people_are_the_yardstick_and_a_judge_takes_each_one_s_place():
    codes = {**YES_NO, "chi": list("yyynnnyynn") * 4, "judge · toy": list("yyynnnyyyy") * 4}
    frame = ratings(codes)
    frame["kind"] = np.where(frame.coder.str.startswith("judge"), "instrument", "human")
    found = bm.agreement(frame, n_boot=50)
    names = found.comparison.unique().tolist()
    assert names[:2] == ["people", "all coders"]
    assert "people, with judge · toy for ben" in names
    assert set(found[found.comparison == "people"].comparison_type) == {"human-human"}
    assert set(found[found.comparison == "ana ~ judge · toy"].comparison_type) == {"judge-human"}


def test_the_paradox_is_named():
    codes = {"ana": ["no"] * 96 + ["yes"] * 2 + ["no"] * 2, "ben": ["no"] * 96 + ["no"] * 2 + ["yes"] * 2}
    row = value(bm.agreement(ratings(codes), n_boot=50), "ana ~ ben", "Krippendorff's alpha")
    assert row.value < 0
    assert "agree on 96%" in row.note
    assert "one code (`no`) is 98% of the data" in row.note
    assert "AC1" in row.note


def test_what_is_undefined_is_explained_and_not_a_number():
    row = value(
        bm.agreement(ratings({"ana": ["no"] * 40, "ben": ["no"] * 40}), n_boot=20), "ana ~ ben", "Cohen's kappa"
    )
    assert np.isnan(row.value)
    assert "one category in use" in row.note
    assert row.n_undefined == 20


def test_below_30_records_no_conclusion_follows():
    found = bm.agreement(ratings({name: codes[:29] for name, codes in YES_NO.items()}), n_boot=20)
    assert found.note.str.contains("no conclusion follows").all()
    enough = bm.agreement(ratings(YES_NO), n_boot=20)
    assert not enough[enough.category.isna()].note.str.contains("conclusion").any()
    assert enough[enough.n_units < 30].note.str.contains("conclusion").all()


def test_a_non_answer_is_left_out_and_counted():
    codes = {**YES_NO, "ben": [None, "cannot tell", *YES_NO["ben"][2:]]}
    row = value(bm.agreement(ratings(codes), n_boot=0), "ana ~ ben", "Percent agreement")
    assert (row.n_units, row.n_excluded) == (38, 2)


def test_replicates_are_averaged_or_reduced_to_their_mode_and_never_coders():
    people = ratings({"ana": list("yn") * 20}).assign(kind="human", replicate=0)
    runs = [list("yn") * 20, list("yy") * 20, list("yn") * 20]
    judged = [ratings({"judge · toy": run}).assign(kind="instrument", replicate=r) for r, run in enumerate(runs)]
    frame = pd.concat([people, *judged], ignore_index=True)
    each = value(bm.agreement(frame, n_boot=0), "ana ~ judge · toy", "Percent agreement")
    assert each.value == pytest.approx((1 + 0.5 + 1) / 3)
    assert each.n_coders == 2
    modal = value(
        bm.agreement(frame, replicate_mode="modal", n_boot=0), "ana ~ judge · toy (mode of 3)", "Percent agreement"
    )
    assert modal.value == 1
    with pytest.raises(bm.SetupError, match="bm.stability"):
        bm.agreement(pd.concat(judged))


def test_a_coder_who_was_not_blind_stays_out_of_what_is_pooled():
    frame = ratings({"ana": list("yn") * 20, "ben": list("yy") * 20, "judge · toy": list("yn") * 20})
    frame["kind"] = np.where(frame.coder.str.startswith("judge"), "instrument", "human")
    frame["blind"] = frame.coder.map({"ana": True, "ben": False})
    found = bm.agreement(frame, n_boot=0)
    assert not found.comparison.str.contains("all coders").any()
    pair = found[found.comparison == "ben ~ judge · toy"]
    assert pair.dependent.all()
    assert pair.note.str.contains("has seen the other's answers").all()
    assert not found[found.comparison == "ana ~ judge · toy"].dependent.any()


def test_whole_clusters_are_drawn():
    """Twenty authors who are each right or wrong throughout: forty records say little more than twenty."""
    codes = {"ana": ["y", "y"] * 10 + ["n", "n"] * 10, "ben": ["y", "y"] * 7 + ["n", "n"] * 3 + ["n", "n"] * 10}
    alone = value(bm.agreement(ratings(codes)), "ana ~ ben", "Krippendorff's alpha")
    frame = ratings(codes)
    frame["cluster"] = [f"author {int(name[1:]) // 2}" for name in frame.record_id]
    together = value(bm.agreement(frame), "ana ~ ben", "Krippendorff's alpha")
    assert (alone.value, alone.n_clusters, together.n_clusters) == (together.value, 40, 20)
    assert together.high - together.low > 1.2 * (alone.high - alone.low)


def test_an_ordinal_scale_counts_how_far_apart_codes_are():
    near = {"ana": list("12345123") * 5, "ben": list("21345124") * 5}
    far = {"ana": list("12345123") * 5, "ben": list("52341125") * 5}
    alphas = [
        value(
            bm.agreement(ratings(codes, scale="1-5", value=np.nan), n_boot=0), "ana ~ ben", "Krippendorff's alpha"
        ).value
        for codes in (near, far)
    ]
    assert alphas[0] > 0.85 > 0.3 > alphas[1]


def test_sets_and_numbers_have_coefficients_of_their_own():
    sets = {"ana": ['["a"]', '["a", "b"]'] * 20, "ben": ['["a"]', '["a"]'] * 20}
    found = bm.agreement(ratings(sets, scale="labels: a | b"), n_boot=0)
    assert found.coefficient.tolist() == ["Percent agreement", "Krippendorff's alpha, MASI distance"]
    frame = ratings({"ana": list("1234") * 10, "ben": list("1234") * 10}, scale="0..10")
    frame["value"] = frame.category.astype(float)
    frame["category"] = None  # as a continuous scale has it
    found = bm.agreement(frame, n_boot=0)
    assert found.value.tolist() == pytest.approx([1.0, 1.0])


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda frame: frame.drop(columns="coder"), "no column `coder`; run.ratings"),
        (lambda frame: pd.concat([frame, frame.head(1)]), "has two codes on `calm` for record `r000`"),
        (lambda frame: frame[frame.coder == "ana"], "agreement needs two coders"),
        (lambda frame: frame.head(0), "have no rows"),
        (lambda frame: frame.assign(coder=frame.coder.where(frame.coder == "ana")), "`coder` of the ratings is empty"),
        (lambda frame: frame.assign(cluster=frame.coder), "record `r000` is in two clusters"),
        (lambda frame: frame.assign(criteria_hash=["c1-a"] * 40 + ["c1-b"] * 40), "has answers under 2 wordings"),
    ],
)
def test_what_cannot_be_compared_is_a_sentence(change, sentence):
    with pytest.raises(bm.SetupError, match=sentence):
        bm.agreement(change(ratings(YES_NO)))


def test_criteria_are_never_pooled():
    both = pd.concat([ratings(YES_NO), ratings(YES_NO).assign(criterion="loud")])
    assert set(bm.agreement(both, n_boot=0).criterion) == {"calm", "loud"}
    with pytest.raises(bm.SetupError, match="criteria are never pooled"):
        bm.agreement(both, by=[])


def test_wordings_are_pooled_on_request():
    frame = ratings(YES_NO).assign(criteria_hash=["c1-a"] * 40 + ["c1-b"] * 40)
    found = bm.agreement(frame, pool=["criteria_hash"], n_boot=0)
    assert value(found, "ana ~ ben", "Percent agreement").value == pytest.approx(0.7)
    assert found.note.str.contains("different wordings").all()


def test_unknown_names_are_sentences():
    with pytest.raises(bm.SetupError, match="there is no `krippendorf_alpha`; did you mean `krippendorff_alpha`"):
        bm.agreement(ratings(YES_NO), coefficients=["krippendorf_alpha"])
    with pytest.raises(bm.SetupError, match="does not fit nominal answers"):
        bm.agreement(ratings(YES_NO), coefficients=["icc_2_1"])
    with pytest.raises(bm.SetupError, match="there is no coder `anna`; did you mean `ana`"):
        bm.agreement(ratings(YES_NO), coders=["anna", "ben"])


@settings(max_examples=25, deadline=None)
@given(st.lists(st.sampled_from(["y", "n", None]), min_size=12, max_size=12), st.randoms(use_true_random=False))
def test_the_order_of_rows_and_coders_does_not_matter(codes, random):
    frame = ratings({"ana": list("yynnyynnyynn"), "ben": codes, "chi": list("ynynynynynyn")})
    shuffled = frame.sample(frac=1, random_state=random.randint(0, 1000))
    pd.testing.assert_frame_equal(bm.agreement(frame, n_boot=30), bm.agreement(shuffled, n_boot=30))


def test_an_interval_covers_the_truth_about_as_often_as_it_says():
    """Two coders who agree with probability .8 on 150 records, many times over."""
    rng = np.random.default_rng(7)
    hits = 0
    for turn in range(120):
        same = rng.random(150) < 0.8
        first = rng.integers(0, 2, 150)
        second = np.where(same, first, 1 - first)
        frame = ratings({"ana": list(first.astype(str)), "ben": list(second.astype(str))})
        row = bm.agreement(frame, coefficients=["percent_agreement"], n_boot=300, seed=turn).iloc[0]
        hits += row.low <= 0.8 <= row.high
    assert 0.88 <= hits / 120 <= 1.0


def test_resamples_come_in_blocks_of_the_same_draws():
    clusters = np.arange(50)
    once = np.concatenate(list(unit_weights(clusters, 40, seed=3)))
    assert once.shape == (40, 50)
    assert (once.sum(axis=1) == 50).all()
    assert (once == np.concatenate(list(unit_weights(clusters, 40, seed=3)))).all()


@pytest.mark.parametrize(
    ("codes", "scale", "sentence"),
    [
        (["yes", "maybe"], "yes/no", "the answer `maybe` of `ana` on record `r001` .* is not on its scale `yes/no`"),
        (["1", "7"], "1-5", "the answer `7` of `ana` .* is not on its scale `1-5`"),
        (['["a"]', "a, c"], "labels: a | b", "the answer `a, c` of `ana` on record `r001` .* is not on its scale"),
        (["1", "much"], "0..10", "the answer `much` of `ana` on record `r001` .* is not on its scale `0..10`"),
    ],
)
def test_an_answer_that_its_scale_does_not_have_is_a_sentence(codes, scale, sentence):
    with pytest.raises(bm.SetupError, match=sentence):
        bm.agreement(ratings({"ana": codes * 20, "ben": [codes[0]] * 40}, scale=scale))


def test_numbers_without_a_scale_are_a_sentence():
    frame = ratings({"ana": [None] * 40, "ben": [None] * 40}, value=0.5)
    with pytest.raises(bm.SetupError, match="has numbers without categories"):
        bm.agreement(frame)


def test_numbers_may_stand_as_text():
    found = bm.agreement(ratings({"ana": list("1234") * 10, "ben": list("1234") * 10}, scale="0..10"), n_boot=0)
    assert found.value.tolist() == pytest.approx([1.0, 1.0])
