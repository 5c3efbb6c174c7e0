"""Whether a factor changes the answers to the same records."""

from __future__ import annotations

import math
from itertools import product

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings, strategies as st
from scipy.stats import binom, permutation_test

from buttermilk_nb.analysis.comparison import compare_levels, flips
from buttermilk_nb.analysis.comparison.paired_tests import N_RANDOM_FLIPS, mcnemar_test, sign_flip_test
from buttermilk_nb.analysis.shared.bootstrap import unit_weights
from buttermilk_nb.analysis.shared.multiple_testing import holm_adjusted
from buttermilk_nb.errors import SetupError

WORDS = {"a": "yes", "b": "no", "-": None, "?": "cannot tell"}


def ratings(said, criterion="calm", flag=None, **columns):
    """One row per character: `said` has a text of answers per model, one character per record."""
    rows = [
        {"record_id": f"r{i:03}", "criterion": criterion, "coder": f"judge · {model}", "model": model,
         "category": WORDS.get(one, one)}
        for model, codes in said.items()
        for i, one in enumerate(codes)
    ]  # fmt: skip
    frame = pd.DataFrame(rows).assign(**columns)
    if flag:
        frame["flagged"] = (frame.category == flag).where(frame.category.isin(["yes", "no"])).astype("boolean")
    return frame


def replicated(*said, **columns):
    parts = [ratings(one, **columns).assign(replicate=i) for i, one in enumerate(said)]
    return pd.concat(parts, ignore_index=True)


def only(frame):
    assert len(frame) == 1
    return frame.iloc[0]


def test_a_small_case_worked_by_hand():
    # 10 records: both yes 2, m1 alone 6, m2 alone 1, neither 1; p = 2 x (1 + 7) / 2 ** 7
    found = only(compare_levels(ratings({"m1": "aaaaaaaabb", "m2": "aabbbbbbab"}, flag="yes"), factor="model"))
    assert (found.factor, found.a, found.b, found.measure) == ("model", "m1", "m2", "flagged share")
    assert (found.at_a, found.at_b, found.difference) == (0.8, pytest.approx(0.3), pytest.approx(-0.5))
    assert (found.only_a, found.only_b, found.n_changed) == (6, 1, 7)
    assert (found.test, found.p, found.p_adjusted) == ("McNemar, exact", pytest.approx(0.125), pytest.approx(0.125))
    assert (found.n, found.n_excluded, found.n_clusters, found.n_tests) == (10, 0, 10, 1)
    assert math.isnan(found.p_clustered)
    assert found.difference_low < -0.5 < found.difference_high


@pytest.mark.parametrize(("b", "c"), [(1, 8), (3, 3), (0, 5), (12, 25), (121, 59)])
def test_mcnemar_is_the_exact_binomial_of_the_textbook(b, c):
    tail = binom.cdf(min(b, c), b + c, 0.5)
    assert mcnemar_test(b, c).p == pytest.approx(min(1.0, 2 * tail))
    assert mcnemar_test(b, c) == mcnemar_test(c, b)


def test_flipping_the_signs_of_records_is_mcnemars_test():
    for b, c in [(1, 6), (4, 4), (0, 9)]:
        assert sign_flip_test(np.array([1.0] * b + [-1.0] * c), 1, "records").p == pytest.approx(mcnemar_test(b, c).p)


def test_all_sign_flips_are_those_of_a_loop_and_of_scipy():
    sums = np.array([0.3, -0.1, 0.8, 0.2, 0.5, -0.4, 0.7])
    flipped = [abs(np.dot(signs, sums)) for signs in product([1, -1], repeat=len(sums))]
    expected = np.mean([one >= abs(sums.sum()) - 1e-9 for one in flipped])
    found = sign_flip_test(sums, 1, "records")
    assert (found.p, found.test, found.n_changed) == (pytest.approx(expected), "sign flips of records, exact", 7)
    scipys = permutation_test((sums,), lambda x: x.sum(), permutation_type="samples", n_resamples=np.inf)
    assert found.p == pytest.approx(scipys.pvalue)


def test_drawn_sign_flips_are_near_the_exact_ones_and_go_by_the_seed():
    sums = np.array([1.0] * 5 + [-1.0] * 13)
    first, again, other = (sign_flip_test(sums, seed, "records") for seed in (1, 1, 2))
    assert first == again != other
    assert first.test == f"sign flips of records, {N_RANDOM_FLIPS:,} draws"
    assert first.p == pytest.approx(mcnemar_test(5, 13).p, abs=0.015)


def test_holm_by_hand():
    # sorted 0.005, 0.01, 0.03, 0.04 times 4, 3, 2, 1: 0.02, 0.03, 0.06, 0.04, and never falling
    assert holm_adjusted(np.array([0.01, 0.04, 0.03, 0.005])).tolist() == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm_adjusted(np.array([0.6, 0.7])).tolist() == [1.0, 1.0]
    assert holm_adjusted(np.array([np.nan, 0.03])).tolist()[1] == 0.03
    assert len(holm_adjusted(np.array([]))) == 0


def test_holm_goes_over_all_rows_of_the_call():
    calm = ratings({"m1": "a" * 30, "m2": "a" * 10 + "b" * 20, "m3": "a" * 24 + "b" * 6}, flag="yes")
    fair = ratings({"m1": "a" * 30, "m2": "a" * 25 + "b" * 5}, flag="yes", criterion="fair")
    found = compare_levels(pd.concat([calm, fair]), factor="model", n_boot=20)
    pairs = found[["criterion", "a", "b"]].values.tolist()
    assert pairs == [["calm", "m1", "m2"], ["calm", "m1", "m3"], ["calm", "m2", "m3"], ["fair", "m1", "m2"]]
    assert found.n_tests.tolist() == [4] * 4
    assert found.p_adjusted.tolist() == holm_adjusted(found.p.to_numpy()).tolist()
    assert (found.p_adjusted > found.p).sum() == 3


def test_a_baseline_is_a_and_only_its_pairs_are_made():
    frame = ratings({"m1": "aabb", "m2": "abbb", "m3": "bbbb"}, flag="yes")
    found = compare_levels(frame, factor="model", baseline="m2", n_boot=20)
    assert found[["a", "b"]].values.tolist() == [["m2", "m1"], ["m2", "m3"]]
    assert found.difference.tolist() == [0.25, -0.25]


def test_swapping_the_levels_turns_the_sign():
    said = {"m1": "aabbabbbaab", "m2": "abbbbbabbab"}
    one = only(compare_levels(ratings(said, flag="yes"), factor="model"))
    two = only(compare_levels(ratings(said, flag="yes"), factor="model", baseline="m2"))
    assert one.difference == -two.difference
    assert (one.difference_low, one.difference_high) == (pytest.approx(-two.difference_high), -two.difference_low)
    assert (one.only_a, one.only_b, one.p) == (two.only_b, two.only_a, two.p)


def test_bounds_take_the_missing_answers_as_they_would_matter_most():
    # records: both yes, only m1 yes, m2 missing, m1 `cannot tell`. Least: (0, -1, -1, 0), most: (0, -1, 0, 1)
    found = only(compare_levels(ratings({"m1": "aaa?", "m2": "ab-a"}, flag="yes"), factor="model"))
    assert (found.n, found.n_excluded) == (2, 2)
    assert (found.difference_least, found.difference_most) == (-2 / 4, 0.0)


def test_ordinal_answers_are_compared_by_their_mean_and_sign_flips():
    # differences 1, 1, 2, 0, -1: sum 3; |sum| of all 16 sign flips reaches 3 in 6
    found = only(compare_levels(ratings({"m1": "12343", "m2": "23542"}, scale="1-5"), factor="model"))
    assert (found.measure, found.at_a, found.at_b, found.difference) == ("mean", 2.6, 3.2, pytest.approx(0.6))
    assert (found.only_a, found.only_b, found.n_changed) == (1, 3, 4)
    sums = np.array([1, 1, 2, -1])
    expected = np.mean([abs(np.dot(signs, sums)) >= 3 for signs in product([1, -1], repeat=4)])
    assert (found.p, found.test) == (expected, "sign flips of records, exact")
    assert math.isnan(found.p_clustered)
    assert (found.difference_least, found.difference_most) == (pytest.approx(0.6), pytest.approx(0.6))


def test_a_missing_ordinal_answer_may_be_either_end_of_the_scale():
    found = only(compare_levels(ratings({"m1": "12-", "m2": "234"}, scale="1-5"), factor="model"))
    assert (found.difference_least, found.difference_most) == (pytest.approx(1 / 3), pytest.approx(5 / 3))


def test_numbers_on_a_continuous_scale_are_averaged_over_replicates():
    frame = replicated({"m1": "--", "m2": "--"}, {"m1": "--", "m2": "--"}, scale="0..1")
    frame["value"] = [0.2, 0.4, 0.5, 0.5, 0.4, 0.4, 0.7, np.nan]
    found = only(compare_levels(frame, factor="model"))
    assert (found.at_a, found.at_b) == (pytest.approx(0.35), pytest.approx(0.55))
    assert "replicates tie" not in found.note


def test_names_without_order_are_compared_by_the_share_of_the_most_frequent():
    # c: m1 4 of 6, m2 2 of 6, 6 of 12 in all; only_a is r0, r1, r5 and only_b r4; r3 changes from d to e
    frame = ratings({"m1": "cccdec", "m2": "ddcecd"})
    found = only(compare_levels(frame, factor="model"))
    assert found.measure == "share of `c`"
    assert (found.at_a, found.at_b) == (pytest.approx(4 / 6), pytest.approx(2 / 6))
    assert (found.only_a, found.only_b, found.n_changed) == (3, 1, 5)
    assert found.p == pytest.approx(mcnemar_test(3, 1).p)
    assert "`c` with all other answers" in found.note


def test_of_categories_as_frequent_the_first_on_the_scale_is_shown():
    frame = ratings({"m1": "ab", "m2": "ba"}, scale="yes/no")
    assert only(compare_levels(frame, factor="model")).measure == "share of `yes`"
    assert only(compare_levels(ratings({"m1": "ab", "m2": "ba"}), factor="model")).measure == "share of `no`"


def test_replicates_are_reduced_to_their_mode():
    # modes: m1 yes yes no, m2 no yes and a tie
    frame = replicated({"m1": "aab", "m2": "baa"}, {"m1": "aab", "m2": "bab"}, {"m1": "bab", "m2": "aa?"}, flag="yes")
    found = only(compare_levels(frame, factor="model"))
    assert (found.n, found.n_excluded, found.only_a, found.only_b) == (2, 1, 1, 0)
    assert (found.at_a, found.at_b) == (1.0, 0.5)
    assert "because their replicates tie: 1." in found.note


def test_ordinal_ties_are_the_mean_of_those_tied():
    frame = replicated({"m1": "14", "m2": "22"}, {"m1": "25", "m2": "22"}, {"m1": "15", "m2": "52"}, scale="1-5")
    found = only(compare_levels(frame, factor="model"))
    assert (found.at_a, found.at_b) == (3.0, 2.0)
    frame = frame[frame.replicate < 2]
    assert only(compare_levels(frame, factor="model")).at_a == pytest.approx((1.5 + 4.5) / 2)


def test_each_replicate_is_compared_and_averaged():
    # replicate 0: yes yes no / no yes yes; replicate 1: yes no no / no no (no answer)
    frame = replicated({"m1": "aab", "m2": "baa"}, {"m1": "abb", "m2": "bb-"}, flag="yes")
    found = only(compare_levels(frame, factor="model", replicate_mode="each"))
    assert (found.at_a, found.at_b) == (pytest.approx((2 / 3 + 1 / 2) / 2), pytest.approx((2 / 3 + 0) / 2))
    assert (found.only_a, found.only_b) == (1.0, 0.5)
    # what each record adds: -(1/3 + 1/2) / 2, 0, (1/3) / 2
    assert found.p == pytest.approx(sign_flip_test(np.array([-5 / 12, 1 / 6]), 1, "records").p)
    assert found.test == "sign flips of records, exact"
    assert "within each of 2 replicates" in found.note


def test_a_person_is_compared_with_each_replicate_of_a_judge():
    frame = replicated({"m1": "aab"}, {"m1": "abb"}, flag="yes")
    person = ratings({"ana": "aaa"}, flag="yes").assign(replicate=0, model=None, coder="ana")
    found = only(compare_levels(pd.concat([frame, person]), factor="coder", replicate_mode="each"))
    assert (found.a, found.at_a, found.at_b) == ("ana", 1.0, pytest.approx((2 / 3 + 1 / 3) / 2))
    with pytest.raises(SetupError, match="one value, `m1`"):
        compare_levels(pd.concat([frame, person]), factor="model")


def test_four_columns_are_enough():
    frame = ratings({"m1": "aabb", "m2": "abbb"})[["record_id", "criterion", "coder", "category"]]
    found = only(compare_levels(frame, factor="coder"))
    assert (found.measure, found.at_a, found.at_b, found.n) == ("share of `no`", 0.5, 0.75, 4)
    assert flips(frame, factor="coder", a="judge · m1", b="judge · m2").record_id.tolist() == ["r001"]


def test_a_missing_replicate_is_the_first():
    frame = ratings({"m1": "aabb", "m2": "abbb"}).assign(replicate=[0.0] * 4 + [np.nan] * 4)
    assert only(compare_levels(frame, factor="model", replicate_mode="each")).difference == 0.25


@pytest.mark.parametrize("replicates", ["modal", "each"])
def test_a_resample_is_the_records_of_the_clusters_drawn(replicates):
    said = {"m1": "aabbabaabb", "m2": "abb-bbabaa"}
    frame = pd.concat([clustered(said, 2, flag="yes").assign(replicate=i) for i in (0, 1)])
    frame.loc[(frame.replicate == 1) & (frame.record_id == "r005"), ["category", "flagged"]] = None
    found = only(compare_levels(frame, factor="model", replicate_mode=replicates, n_boot=1, seed=7))
    clusters = np.array([0, 0, 1, 2, 2, 3, 3, 4, 4])  # r003 has no pair
    ((often,),) = unit_weights(clusters, 1, 7)
    kept = [name for name in frame.record_id.unique() if name != "r003"]
    copies = [
        frame[frame.record_id == name].assign(record_id=f"{name} {i}", cluster=None)
        for name, times in zip(kept, often, strict=True)
        for i in range(int(times))
    ]
    assert found.difference_low == found.difference_high
    again = only(compare_levels(pd.concat(copies), factor="model", replicate_mode=replicates, n_boot=1))
    assert found.difference_low == pytest.approx(again.difference)


def test_replicates_without_a_partner_are_counted():
    frame = replicated({"m1": "ab", "m2": "ab"}, {"m1": "ab", "m2": "ab"}, {"m1": "ab"}, flag="yes")
    found = only(compare_levels(frame, factor="model", replicate_mode="each"))
    assert "without one of the same number at the other level: 1." in found.note


def clustered(said, size, **columns):
    frame = ratings(said, **columns)
    return frame.assign(cluster=[f"outlet {int(name[1:]) // size}" for name in frame.record_id])


def test_in_clusters_the_permutation_stands_beside_mcnemars_test():
    # all that changes is in two of eight outlets: ten records for McNemar, two sums for the permutation
    frame = clustered({"m1": "a" * 40, "m2": "b" * 10 + "a" * 30}, 5, flag="yes")
    found = only(compare_levels(frame, factor="model"))
    assert found.p == pytest.approx(2 / 2**10)
    assert found.p_clustered == 0.5
    assert found.p_clustered_adjusted == 0.5
    assert (found.n, found.n_clusters) == (40, 8)
    assert "treats the 40 records as independent" in found.note
    assert "2 clusters differ, so p_clustered cannot be below 0.5" in found.note
    free = only(compare_levels(frame.drop(columns="cluster"), factor="model"))
    assert found.difference_high - found.difference_low > free.difference_high - free.difference_low


def test_means_are_permuted_over_clusters():
    found = only(compare_levels(clustered({"m1": "1122", "m2": "2233"}, 2, scale="1-5"), factor="model"))
    assert (found.p, found.p_clustered, found.test) == (0.5, 0.5, "sign flips of clusters, exact")


def test_one_cluster_gives_no_interval_and_no_test_but_mcnemars():
    found = only(compare_levels(clustered({"m1": "aaab", "m2": "bbbb"}, 4, flag="yes"), factor="model"))
    assert math.isnan(found.difference_low)
    assert math.isnan(found.p_clustered)
    assert found.p == 0.25
    assert (
        "No record differs; that" in only(compare_levels(clustered({"m1": "ab", "m2": "ab"}, 4), factor="model")).note
    )
    found = only(compare_levels(clustered({"m1": "1222", "m2": "2233"}, 4, scale="1-5"), factor="model"))
    assert math.isnan(found.p)
    assert "there is no test" in found.note
    assert found.n_tests == 0


def test_no_difference_is_said_to_show_nothing():
    found = only(compare_levels(ratings({"m1": "aab", "m2": "aab"}, flag="yes"), factor="model"))
    assert (found.p, found.difference, found.difference_low) == (1.0, 0.0, 0.0)
    assert "does not show that the levels are alike" in found.note


def test_nothing_answered_at_both_levels_is_a_row_that_says_so():
    found = only(compare_levels(ratings({"m1": "a-", "m2": "-b"}, flag="yes"), factor="model"))
    assert (found.n, found.n_excluded, found.n_tests) == (0, 2, 0)
    assert math.isnan(found.difference)
    assert math.isnan(found.p)
    assert math.isnan(found.p_adjusted)
    assert (found.difference_least, found.difference_most) == (-1.0, 0.0)  # a is 1, then b is 0
    assert found.note == "No record was answered at both levels."


def test_a_criterion_without_any_answer_is_a_row_that_says_so():
    found = only(compare_levels(ratings({"m1": "--", "m2": "-?"}), factor="model"))
    assert (found.n, found.note) == (0, "No record was answered at both levels.")


def test_wordings_are_compared_on_request_and_marked():
    frame = ratings({"m1": "aab", "m2": "abb"}, flag="yes")
    frame["criteria_hash"] = frame.model.map({"m1": "h1", "m2": "h2"})
    assert "different wordings" in only(compare_levels(frame, factor="criteria_hash")).note
    with pytest.raises(SetupError, match=r"2 wordings \(`criteria_hash`: `h1`, `h2`\)"):
        compare_levels(frame, factor="model")


@settings(max_examples=15, deadline=None)
@given(st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_nothing(random):
    frame = clustered({"m1": "aabb-ab?aabb", "m2": "abbbbab?abba"}, 3, flag="yes")
    rows = list(range(len(frame)))
    random.shuffle(rows)
    pd.testing.assert_frame_equal(
        compare_levels(frame.iloc[rows], factor="model", n_boot=50), compare_levels(frame, factor="model", n_boot=50)
    )
    pd.testing.assert_frame_equal(
        flips(frame.iloc[rows], factor="model", a="m1", b="m2"), flips(frame, factor="model", a="m1", b="m2")
    )


def test_the_names_of_levels_and_answers_do_not_matter():
    frame = ratings({"m1": "cccdec", "m2": "ddcecd"})
    renamed = frame.assign(model=frame.model.map({"m1": "x", "m2": "y"}), category="z" + frame.category)
    found, other = compare_levels(frame, factor="model"), compare_levels(renamed, factor="model")
    named = ["a", "b", "measure", "note"]
    pd.testing.assert_frame_equal(found.drop(columns=named), other.drop(columns=named))


def test_frames_of_other_kinds_give_the_same():
    frame = clustered({"m1": "1234345?", "m2": "25424412"}, 2, scale="1-5")
    frame["value"] = pd.to_numeric(frame.category, errors="coerce")
    frame["flagged"] = (frame.value >= 4).where(frame.value.notna()).astype("boolean")
    expected = compare_levels(frame, factor="model")
    other = frame.assign(
        category=frame.category.map(lambda one: int(one) if one.isdigit() else one),
        value=frame.value.astype("Float64"),
        flagged=frame.flagged.astype(object).where(frame.flagged.notna(), None),
        model=frame.model.astype("category"),
        criterion=frame.criterion.astype("category"),
        reasons="unread",
    ).set_index("record_id", drop=False)
    pd.testing.assert_frame_equal(
        compare_levels(other, factor="model"), expected, check_dtype=False, check_categorical=False
    )
    flags = frame.assign(flagged=frame.flagged.astype("Float64").to_numpy(float, na_value=np.nan))
    pd.testing.assert_frame_equal(compare_levels(flags, factor="model"), expected)


def test_unequal_samples_are_not_weighted_and_it_is_said():
    frame = ratings({"m1": "aabb", "m2": "abbb"}, flag="yes").assign(inclusion_p=[0.1, 0.1, 0.5, 0.5] * 2)
    assert "drawn with unequal probabilities" in only(compare_levels(frame, factor="model")).note
    assert "unequal" not in only(compare_levels(frame.assign(inclusion_p=0.1), factor="model")).note


def test_numbers_are_levels_in_their_order():
    frame = ratings({"m1": "ab", "m2": "ab", "m3": "bb"}, flag="yes")
    frame["temperature"] = frame.model.map({"m1": 0.0, "m2": 10.0, "m3": 2.0})
    assert compare_levels(frame, factor="temperature", n_boot=20).a.tolist() == [0.0, 0.0, 2.0]


def simulated(rng, records, size, level):
    """Two levels with the same distribution; records of one cluster change together."""
    truth = rng.normal(size=records)
    pulled = rng.normal(size=(records // size, 2)).repeat(size, axis=0) * (0.8 if size > 1 else 0)
    latent = truth[:, None] + pulled + rng.normal(size=(records, 2))
    if level == "ordinal":
        codes = np.clip(np.round(latent + 3), 1, 5).astype(int).astype(str)
    else:
        codes = np.where(latent > 0, "a", "b")
    said = {f"m{i}": list(codes[:, i]) for i in (0, 1)}
    return clustered(said, size, **({"scale": "1-5"} if level == "ordinal" else {"flag": "yes"}))


@pytest.mark.parametrize(
    ("size", "level", "name"),
    [(1, "yes/no", "p"), (1, "ordinal", "p"), (4, "yes/no", "p_clustered"), (4, "ordinal", "p")],
)
def test_where_nothing_differs_few_tests_reject(size, level, name):
    rng = np.random.default_rng(11)
    runs = 120
    studies = [simulated(rng, 48, size, level).assign(criterion=f"study {i}") for i in range(runs)]
    p = compare_levels(pd.concat(studies), factor="model", n_boot=1)[name]
    assert len(p) == runs
    assert (p <= 0.05).sum() <= binom.ppf(0.999, runs, 0.05)
    assert (p <= 0.5).sum() >= 0.3 * runs  # and they are not silent


def test_sign_flips_reject_as_often_as_they_say():
    rng = np.random.default_rng(2)
    p = np.array([sign_flip_test(sums, 1, "records").p for sums in rng.normal(size=(1500, 9))])
    for level in (0.05, 0.25):
        low, high = binom.ppf([0.001, 0.999], len(p), level)
        assert low <= (p <= level).sum() <= high


def test_the_interval_covers_a_true_difference():
    rng = np.random.default_rng(3)
    studies = []
    for i in range(80):
        a = rng.random(80) < 0.6
        b = np.where(rng.random(80) < 0.25, False, a)  # the true difference is -0.15
        said = {"m1": "".join(np.where(a, "a", "b")), "m2": "".join(np.where(b, "a", "b"))}
        studies.append(ratings(said, flag="yes", criterion=f"study {i}"))
    found = compare_levels(pd.concat(studies), factor="model", n_boot=200, seed=3)
    assert len(found) == 80
    assert 69 <= found.difference_low.le(-0.15).mul(found.difference_high.ge(-0.15)).sum() <= 80


def test_flips_are_the_records_that_change_with_all_their_answers():
    frame = replicated(
        {"m1": "aabb", "m2": "abba"}, {"m1": "aab?", "m2": "abba"}, {"m1": "bab-", "m2": "aabb"}, flag="yes"
    )
    found = flips(frame, factor="model", a="m1", b="m2")
    assert found.record_id.tolist() == ["r001", "r003"]
    assert found[["answer_a", "answer_b"]].values.tolist() == [["yes", "no"], ["no", "yes"]]
    assert found[["flagged_a", "flagged_b"]].values.tolist() == [[True, False], [False, True]]
    assert found.answers_a.tolist() == [("yes", "yes", "yes"), ("no", "cannot tell", None)]
    assert found.difference.tolist() == [-1.0, 1.0]
    turned = flips(frame, factor="model", a="m2", b="m1")
    assert turned.answer_a.tolist() == found.answer_b.tolist()


def test_flips_of_numbers_are_those_furthest_apart_first():
    found = flips(ratings({"m1": "1234", "m2": "2254"}, scale="1-5"), factor="model", a="m1", b="m2")
    assert found[["record_id", "answer_a", "answer_b"]].values.tolist() == [["r002", "3", "5"], ["r000", "1", "2"]]
    assert found.flagged_a.isna().all()


def test_flips_are_as_many_as_compare_counts():
    for columns in ({}, {"flag": "yes"}):
        frame = ratings({"m1": "aabba?ba", "m2": "abba-aba"}, **columns)
        assert (
            len(flips(frame, factor="model", a="m1", b="m2")) == only(compare_levels(frame, factor="model")).n_changed
        )


def test_no_flips_are_no_rows():
    found = flips(ratings({"m1": "ab", "m2": "ab"}), factor="model", a="m1", b="m2")
    assert len(found) == 0
    assert "answers_b" in found


@pytest.mark.parametrize(
    ("frame", "arguments", "said"),
    [
        (ratings({"m1": "ab"}), {"factor": "model"}, "one value, `m1`"),
        (ratings({"m1": "ab", "m2": "ab"}), {"factor": "modle"}, "did you mean `model`"),
        (ratings({"m1": "ab", "m2": "ab"}), {"factor": "replicate"}, "bm.stability"),
        (ratings({"m1": "ab", "m2": "ab"}), {"factor": "flagged"}, "belongs to the answers"),
        (ratings({"m1": "ab", "m2": "ab"}), {"factor": "model", "by": ["model"]}, "in `by` and in `factor`"),
        (ratings({"m1": "ab", "m2": "ab"}), {"factor": "model", "baseline": "m3"}, "did you mean `m1`|`m2`"),
        (ratings({"m1": "ab", "m2": "ab"}), {"factor": "model", "by": ["coder"]}, "one value in each group"),
        (ratings({"m1": "ab", "m2": "ab"}), {"factor": "model", "replicate_mode": "mode"}, 'write "each" or "modal"'),
        (ratings({"m1": "ab", "m2": "ab"}), {"factor": "model", "n_boot": 0}, "n_boot=0"),
        (
            pd.concat([ratings({"m1": "ab", "m2": "ab"}), ratings({"m1": "ab"}, criterion="fair")]),
            {"factor": "model", "by": []},
            "criteria are never pooled",
        ),
        (
            pd.concat([ratings({"m1": "ab", "m2": "ab"}, judge=judge) for judge in "jk"]),
            {"factor": "model"},
            "put `judge` into `by`",
        ),
        (
            pd.concat([ratings({"m1": "12"}, scale="1-5"), ratings({"m2": "12"}, scale="1-7")]),
            {"factor": "model"},
            "2 scales",
        ),
    ],
)
def test_what_cannot_be_compared_is_one_clear_sentence(frame, arguments, said):
    with pytest.raises(SetupError, match=said):
        compare_levels(frame, **arguments)


def test_flips_between_unknown_or_equal_levels_are_refused():
    frame = ratings({"m1": "ab", "m2": "ab"})
    with pytest.raises(SetupError, match="a: `model` is never `m9`"):
        flips(frame, factor="model", a="m9", b="m2")
    with pytest.raises(SetupError, match="both `m1`"):
        flips(frame, factor="model", a="m1", b="m1")
    with pytest.raises(SetupError, match="no column `modle`"):
        flips(frame, factor="modle", a="m1", b="m2")
