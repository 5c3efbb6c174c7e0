"""Agreement of one instrument with itself."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings, strategies as st

from buttermilk_nb.analysis.coefficients import COEFFICIENTS, ReliabilityMatrix
from buttermilk_nb.analysis.shared.bootstrap import unit_weights
from buttermilk_nb.analysis.shared.modes import row_modes
from buttermilk_nb.analysis.stability import replicate_answers, stability
from buttermilk_nb.errors import SetupError

SAID = {"r1": "aaa", "r2": "aab", "r3": "bbb", "r4": "bb-"}
WORDS = {"a": "yes", "b": "no", "-": None, "?": "cannot tell", "!": "not applicable"}


def ratings(said, criterion="calm", coder="judge · m", **columns):
    """One row per character; a record's characters are its replicates."""
    rows = [
        {"record_id": record, "criterion": criterion, "coder": coder, "replicate": i, "category": WORDS.get(one, one)}
        for record, codes in said.items()
        for i, one in enumerate(codes)
    ]
    return pd.DataFrame(rows).assign(**columns)


def only(frame):
    assert len(frame) == 1
    return frame.iloc[0]


def test_a_small_case_worked_by_hand():
    # flips: r2 of 4; off the mode 0, 1/3, 0, 0. Alpha: 11 codes, 5 yes and 6 no are 4 and 7: yes is 3 + 2 = 5, no is
    # 1 + 3 + 2 = 6; observed 2 x 2 / 2 = 2; expected (121 - 25 - 36) / 10 = 6
    found = only(stability(ratings(SAID)))
    assert found.flip_rate == 1 / 4
    assert found.off_mode_share == pytest.approx(1 / 12)
    assert found.modal_share == pytest.approx(11 / 12)
    assert found.intra_judge_alpha == pytest.approx(1 - 2 / 6)
    assert (found.n, found.n_excluded, found.n_answers_excluded) == (4, 0, 1)
    assert (found.repeats_min, found.repeats_max, found.n_clusters) == (2, 3, 4)


def test_bounds_take_the_missing_answers_as_alike_or_as_different():
    # r2 flips for sure; r4 (one answer missing) and r5 (one answer) might have flipped, r6 too
    found = only(stability(ratings(SAID | {"r5": "a--", "r6": "-?!"})))
    assert found.flip_rate == 1 / 4
    assert (found.flip_rate_least, found.flip_rate_most) == (pytest.approx(1 / 6), pytest.approx(4 / 6))
    assert (found.n, found.n_excluded, found.n_answers_excluded) == (4, 2, 6)


def test_non_answers_and_failed_answers_are_left_out():
    plain = ratings({"r1": "ab?", "r2": "bb!", "r3": "aab"})
    found = only(stability(plain))
    assert (found.flip_rate, found.repeats_min, found.repeats_max) == (pytest.approx(2 / 3), 2, 3)
    failed = plain.assign(status=["ok", "invalid", *["ok"] * 7])  # r1 keeps one answer
    found = only(stability(failed))
    assert (found.flip_rate, found.n, found.n_excluded, found.n_answers_excluded) == (1 / 2, 2, 1, 3)


def test_ordinal_alpha_weighs_far_flips_more():
    near, far = ({"r1": "12", "r2": "33", "r3": "55", "r4": "44"}, {"r1": "15", "r2": "33", "r3": "55", "r4": "44"})
    found = [only(stability(ratings(said, scale="1-5"))) for said in (near, far)]
    assert found[0].intra_judge_alpha > found[1].intra_judge_alpha
    assert found[0].flip_rate == found[1].flip_rate == 1 / 4
    assert found[0].scale_level == "ordinal"
    expected = ReliabilityMatrix.from_rows([list(codes) for codes in far.values()], "ordinal", list("12345"))
    assert found[1].intra_judge_alpha == COEFFICIENTS["krippendorff_alpha"].estimate(expected)[0]


def test_numbers_without_categories_are_answers_on_a_continuous_scale():
    frame = ratings({f"r{i}": "--" for i in range(4)}, scale="0..1", value=[0.1, 0.1, 0.5, 0.6, 0.9, 0.9, 0.3, 0.2])
    found = only(stability(frame))
    expected = ReliabilityMatrix.from_rows([[0.1, 0.1], [0.5, 0.6], [0.9, 0.9], [0.3, 0.2]], "interval")
    assert found.intra_judge_alpha == pytest.approx(COEFFICIENTS["krippendorff_alpha"].estimate(expected)[0])
    assert (found.flip_rate, found.scale_level) == (1 / 2, "interval")
    assert replicate_answers(frame).answers.iloc[0] == ("0.5", "0.6")


def test_sets_of_labels_are_compared_with_the_masi_distance():
    rows = [['["a", "b"]', '["a"]'], ['["b"]', '["b"]'], ["[]", "[]"]]
    frame = ratings({f"r{i}": row for i, row in enumerate(rows)}, scale="labels: a | b")
    expected = COEFFICIENTS["krippendorff_alpha_masi"].estimate(ReliabilityMatrix.from_rows(rows, "set"))[0]
    found = only(stability(frame))
    assert (found.scale_level, found.intra_judge_alpha) == ("set", pytest.approx(expected))


def test_one_answer_alone_leaves_alpha_undefined_and_says_so():
    found = only(stability(ratings({f"r{i}": "aaa" for i in range(40)})))
    assert found.flip_rate == 0
    assert math.isnan(found.intra_judge_alpha)
    assert math.isnan(found.intra_judge_alpha_low)
    assert found.n_undefined == 1000
    assert "Every code is `yes`" in found.note
    assert "0.075" in found.note  # 3 / 40


def test_no_record_with_two_answers_is_a_row_that_says_so():
    found = only(stability(ratings({"r1": "a?", "r2": "-b"})))
    assert math.isnan(found.flip_rate)
    assert math.isnan(found.intra_judge_alpha)
    assert (found.n, found.n_excluded) == (0, 2)
    assert found.note == "No record was answered twice."


def test_groups_do_not_depend_on_each_other():
    calm, fair = ratings(SAID), ratings({"r1": "ab", "r2": "bb", "r3": "aa"}, criterion="fair")
    both = stability(pd.concat([fair, calm]))
    assert both.criterion.tolist() == ["calm", "fair"]
    for name, alone in (("calm", calm), ("fair", fair)):
        pd.testing.assert_frame_equal(
            both[both.criterion == name].reset_index(drop=True), stability(alone), check_dtype=False
        )


def test_a_person_who_coded_once_has_no_row_and_a_judge_asked_once_has_one():
    judge = ratings(SAID, kind="instrument")
    person = ratings({"r1": "a", "r2": "b"}, coder="ana", kind="human")
    once = ratings({"r1": "a", "r2": "b"}, coder="other · m", kind="instrument")
    found = stability(pd.concat([judge, person, once])).set_index("coder")
    assert found.index.tolist() == ["judge · m", "other · m"]
    assert math.isnan(found.loc["other · m", "flip_rate"])
    assert "only one `replicate`" in found.loc["other · m", "note"]


def test_a_person_who_coded_twice_has_a_row():
    assert stability(ratings(SAID, coder="ana", kind="human")).coder.tolist() == ["ana"]


def test_over_prompts_is_computed_in_each_replicate_and_averaged():
    # replicate 0: r1 yes/no, r2 yes/yes; replicate 1: r1 yes/yes, r2 yes/yes, r3 no/yes and r3 once in replicate 0
    parts = [
        ratings({"r1": "aa", "r2": "aa", "r3": "bb"}, prompt="short"),
        ratings({"r1": "ba", "r2": "aa", "r3": "-a"}, prompt="long"),
    ]
    found = only(stability(pd.concat(parts), over="prompt"))
    assert found.flip_rate == pytest.approx((1 / 2 + 1 / 3) / 2)
    assert found.off_mode_share == pytest.approx((1 / 4 + 1 / 6) / 2)
    alphas = [
        COEFFICIENTS["krippendorff_alpha"].estimate(ReliabilityMatrix.from_rows(rows, "nominal"))[0]
        for rows in ([["a", "b"], ["a", "a"], ["b", None]], [["a", "a"], ["a", "a"], ["b", "a"]])
    ]
    assert found.intra_judge_alpha == pytest.approx(np.mean(alphas))
    assert "within each of 2 replicates" in found.note
    each = stability(pd.concat(parts), by=["criterion", "coder", "replicate"], over="prompt")
    assert each.flip_rate.tolist() == [1 / 2, pytest.approx(1 / 3)]
    listed = replicate_answers(pd.concat(parts), over="prompt")
    assert listed[["record_id", "replicate", "answers"]].iloc[0].tolist() == ["r1", 0, ("no", "yes")]


def test_the_interval_resamples_clusters():
    # in each cluster all flip or none: as many independent records would give a narrower interval
    said = {f"r{i:02}": "ab" if i < 20 else ("aa" if i % 2 else "bb") for i in range(40)}
    free, tied = ratings(said), ratings(said)
    tied["cluster"] = [f"c{int(name[1:]) // 10}" for name in tied.record_id]
    free, tied = only(stability(free)), only(stability(tied))
    assert (free.n_clusters, tied.n_clusters) == (40, 4)
    assert tied.flip_rate_high - tied.flip_rate_low > free.flip_rate_high - free.flip_rate_low
    assert free.flip_rate_low < 0.5 < free.flip_rate_high
    assert "4 clusters" in tied.note


def test_a_resample_is_the_records_of_the_clusters_drawn():
    frame = ratings({"r1": "12", "r2": "33", "r3": "45", "r4": "1-", "r5": "22", "r6": "52"}, scale="1-5")
    frame["cluster"] = frame.record_id.map({"r1": "x", "r2": "x", "r3": "y", "r4": "y", "r5": "z"})
    found = only(stability(frame, n_boot=1, seed=3))
    ((often,),) = unit_weights(np.array([0, 0, 1, 2, 3]), 1, 3)  # r4 has no pair
    copies = [
        frame[frame.record_id == name].assign(record_id=f"{name} {i}", cluster=None)
        for name, times in zip(["r1", "r2", "r3", "r5", "r6"], often, strict=True)
        for i in range(int(times))
    ]
    again = only(stability(pd.concat(copies), n_boot=1))
    assert found.flip_rate_low == found.flip_rate_high == pytest.approx(again.flip_rate)
    assert found.intra_judge_alpha_low == pytest.approx(again.intra_judge_alpha)
    assert found.intra_judge_alpha_low != found.intra_judge_alpha


def test_one_cluster_gives_no_interval():
    found = only(stability(ratings(SAID, cluster="outlet")))
    assert found.n_clusters == 1
    assert math.isnan(found.flip_rate_low)
    assert "one cluster" in found.note


def test_a_record_of_a_clusters_name_is_not_in_it():
    frame = ratings(SAID)
    frame["cluster"] = frame.record_id.map({"r1": "r2"})
    assert only(stability(frame)).n_clusters == 4


def test_the_interval_of_alpha_is_about_that_of_repeated_samples():
    rng = np.random.default_rng(5)
    inside = 0
    for seed in range(60):
        truth = rng.integers(0, 2, 60)
        codes = np.where(rng.random((60, 3)) < 0.1, 1 - truth[:, None], truth[:, None])
        frame = ratings({f"r{i:02}": "".join("ab"[one] for one in row) for i, row in enumerate(codes)})
        found = only(stability(frame, n_boot=200, seed=seed))
        inside += found.intra_judge_alpha_low <= 0.64 <= found.intra_judge_alpha_high  # 1 - 2 x 0.1 x 0.9 / 0.5
    assert 51 <= inside <= 60


def test_verdicts_show_the_least_stable_first():
    found = replicate_answers(ratings(SAID | {"r5": "ab?", "r6": "b--"}))
    assert found.record_id.tolist() == ["r5", "r2", "r1", "r3", "r4", "r6"]
    assert found["mode"].fillna("-").tolist() == ["-", "yes", "yes", "no", "no", "no"]
    assert found.tie.tolist() == [True, *[False] * 5]
    assert found.n_repeats.tolist() == [2, 3, 3, 3, 2, 1]
    assert found.mode_share.iloc[:2].tolist() == [1 / 2, 2 / 3]
    assert math.isnan(found.mode_share.iloc[-1])
    assert found.answers.iloc[[0, 1, 4]].tolist() == [
        ("yes", "no", "cannot tell"),
        ("yes", "yes", "no"),
        ("no", "no", None),
    ]


def test_verdicts_as_divided_are_ordered_by_how_far_apart_their_numbers_are():
    found = replicate_answers(ratings({"r1": "12", "r2": "15", "r3": "33", "r4": "24"}, scale="1-5"))
    assert found.record_id.tolist() == ["r2", "r4", "r1", "r3"]


def test_answers_stand_in_the_order_of_the_replicates_as_numbers():
    said = {"r1": "a" * 10 + "bb"}
    frame = ratings(said).sample(frac=1, random_state=1)
    assert only(replicate_answers(frame)).answers == ("yes",) * 10 + ("no",) * 2


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(st.integers(-1, 3), min_size=4, max_size=4), min_size=1, max_size=6))
def test_modes_are_those_of_counting(rows):
    found = row_modes(np.array(rows, np.intp))
    for i, row in enumerate(rows):
        given = [one for one in row if one >= 0]
        counts = {one: given.count(one) for one in given}
        best = [one for one, n in counts.items() if n == max(counts.values())]
        assert found.n_codes[i] == len(given)
        assert found.n_mode[i] == (max(counts.values()) if counts else 0)
        assert found.is_tie[i] == (len(best) > 1)
        assert found.mode[i] == (best[0] if len(best) == 1 else -1)


@settings(max_examples=15, deadline=None)
@given(st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_nothing(random):
    frame = ratings(SAID | {"r5": "ab?", "r6": "b--"})
    rows = list(range(len(frame)))
    random.shuffle(rows)
    pd.testing.assert_frame_equal(stability(frame.iloc[rows], n_boot=50), stability(frame, n_boot=50))
    pd.testing.assert_frame_equal(replicate_answers(frame.iloc[rows]), replicate_answers(frame))


def test_the_names_of_answers_and_replicates_do_not_matter():
    frame = ratings(SAID)
    renamed = frame.assign(category=frame.category.map({"yes": "z", "no": "y"}), replicate=7 - frame.replicate)
    pd.testing.assert_frame_equal(stability(renamed), stability(frame))


def test_the_seed_decides_the_interval():
    frame = ratings({f"r{i}": "ab" if i % 3 else "bb" for i in range(40)})
    first, again, other = (only(stability(frame, n_boot=100, seed=seed)) for seed in (1, 1, 2))
    assert first.intra_judge_alpha_low == again.intra_judge_alpha_low
    assert first.intra_judge_alpha_low != other.intra_judge_alpha_low
    assert first.intra_judge_alpha == other.intra_judge_alpha


@pytest.mark.parametrize(
    ("frame", "arguments", "said"),
    [
        (ratings({"r1": "a", "r2": "b"}), {}, "replicates=3"),
        (ratings(SAID).drop(columns="replicate").drop_duplicates("record_id"), {}, "replicates=3"),
        (ratings(SAID).drop(columns="coder"), {}, "no column `coder`"),
        (ratings(SAID).iloc[:0], {}, "no rows"),
        (ratings(SAID), {"over": "promt"}, "no column `promt`"),
        (ratings(SAID), {"by": ["criterion", "model"]}, "no column `model`"),
        (ratings(SAID, prompt="p"), {"over": "prompt"}, "one value, `p`"),
        (ratings(SAID), {"over": "coder"}, "not repeats of each other"),
        (ratings(SAID), {"over": "category"}, "belongs to the answers"),
        (ratings(SAID), {"over": "criterion"}, "in `by` and in `over`"),
        (ratings(SAID), {"n_boot": 0}, "n_boot=0"),
        (ratings(SAID), {"confidence": 95}, "confidence=95"),
        (ratings(SAID, scale="1-5"), {}, "criterion `calm`: the answer `yes` of .* is not on its scale `1-5`"),
        (pd.concat([ratings(SAID)] * 2), {}, "record `r1` has 2 answers"),
        (pd.concat([ratings(SAID, judge="j"), ratings(SAID, judge="k")]), {}, "put `judge` into `by`"),
        (pd.concat([ratings(SAID), ratings(SAID, "fair")]), {"by": "coder"}, "criteria are never pooled"),
        (
            ratings(SAID).assign(criteria_hash=["h1"] * 6 + ["h2"] * 6),
            {},
            r"2 wordings \(`criteria_hash`: `h1`, `h2`\)",
        ),
        (ratings(SAID).assign(cluster=[*"ab", *[None] * 10]), {}, "in two clusters"),
        (ratings(SAID, coder=None), {}, "column `coder` of the ratings is empty in row 0"),
        (ratings({"r1": "--"}, value=0.5), {}, "add a column `scale`"),
    ],
)
def test_what_cannot_be_computed_is_one_clear_sentence(frame, arguments, said):
    with pytest.raises(SetupError, match=said):
        stability(frame, **arguments)


def test_prompts_that_change_with_the_coder_are_named():
    parts = [ratings({"r1": "a", "r2": "b"}, coder=f"judge {p}", prompt=p) for p in ("p", "q")]
    with pytest.raises(SetupError, match="leave out of by="):
        stability(pd.concat(parts), over="prompt")
    assert only(stability(pd.concat(parts), by="criterion", over="prompt")).flip_rate == 0


def test_wordings_are_compared_on_request_and_marked():
    parts = [ratings({"r1": "a", "r2": one}, criteria_hash=h) for one, h in (("b", "h1"), ("a", "h2"))]
    found = only(stability(pd.concat(parts), over="criteria_hash"))
    assert found.flip_rate == 1 / 2
    assert "different wordings" in found.note
