"""The alternative annotator test."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from buttermilk_nb.analysis.alt_test import alt_test, alt_test_coders
from buttermilk_nb.analysis.alt_test.advantage_probability import advantages
from buttermilk_nb.analysis.alt_test.hypothesis_test import t_test
from buttermilk_nb.analysis.coefficients import ReliabilityMatrix
from buttermilk_nb.errors import SetupError

JUDGE = "judge · m"


def frame(said, criterion="calm", **columns):
    """One row for each coder and record; a coder's answers are a list, None where there is no row."""
    rows = [
        {"record_id": f"r{i:03}", "criterion": criterion, "coder": who, "category": code}
        for who, codes in said.items()
        for i, code in enumerate(codes)
        if code is not None
    ]
    return pd.DataFrame(rows).assign(**columns)


def simulated(accuracy, n=120, categories=3, seed=5):
    """Coders who give the true category with a probability of their own, else any other."""
    rng = np.random.default_rng(seed)
    true = rng.integers(0, categories, n)
    said = {}
    for who, share in accuracy.items():
        other = (true + rng.integers(1, categories, n)) % categories
        said[who] = np.where(rng.random(n) < share, true, other).astype(str)
    return frame(said)


def by_loops(said, judge, people, near, epsilon):
    """The paper's definitions, one record after the other: rho of the judge and the person, and p, for each person."""
    found = {}
    for person in people:
        judges, persons = [], []
        for i, own in enumerate(said[person]):
            others = [said[one][i] for one in people if one != person and said[one][i] is not None]
            if own is None or said[judge][i] is None or not others:
                continue
            of_judge, of_person = near(said[judge][i], others), near(own, others)
            judges.append(float(of_judge >= of_person))
            persons.append(float(of_person >= of_judge))
        difference = np.array(persons) - np.array(judges)
        p = stats.ttest_1samp(difference, epsilon, alternative="less").pvalue
        found[person] = (np.mean(judges), np.mean(persons), p)
    return found


def accuracy(code, others):
    return np.mean([code == other for other in others])


def negative_rmse(code, others):
    return -np.sqrt(np.mean([(float(code) - float(other)) ** 2 for other in others]))


GOOD = {"ana": 0.7, "ben": 0.7, "eva": 0.7, JUDGE: 0.9}


def test_indicators_worked_by_hand():
    # r1: ana a, ben a, eva b, judge a. Without ana {a, b}: both 1/2, a tie. Without ben the same. Without eva {a, a}:
    # the judge 1, eva 0. r2: ana c, ben b, eva b, judge c. Without ana {b, b}: both 0, a tie. Without ben {c, b}: both
    # 1/2. Without eva the same
    found = advantages([ReliabilityMatrix.from_rows([["a", "a", "b"], ["c", "b", "b"]], "nominal")], [np.array([0, 2])])
    assert found.judge.tolist() == [[1, 1, 1], [1, 1, 1]]
    assert found.coder.tolist() == [[1, 1, 0], [1, 1, 1]]
    assert found.difference.tolist() == [[0, 0, -1], [0, 0, 0]]


def test_numbers_are_compared_by_their_root_mean_squared_distance():
    # 1, 2, 6 and the judge 3. Without 1: {2, 6}: judge sqrt(5), own sqrt(13). Without 2: {1, 6}: judge sqrt(6.5), own
    # sqrt(8.5). Without 6: {1, 2}: judge sqrt(2.5), own sqrt(20.5)
    codes = ReliabilityMatrix.from_rows([[1, 2, 6]], "interval", categories=[1, 2, 3, 6])
    assert advantages([codes], [np.array([2])]).difference.tolist() == [[-1, -1, -1]]
    # the judge 6: without 1 sqrt(8) < sqrt(13); without 2 sqrt(12.5) > sqrt(8.5); without 6 a tie
    assert advantages([codes], [np.array([3])]).difference.tolist() == [[-1, 1, 0]]


def test_rounding_breaks_no_tie():
    # without the first, {.1, .4}: the judge .2 and the first .3 are equally far, but not in binary
    codes = ReliabilityMatrix.from_rows([[0.3, 0.1, 0.4]], "interval", categories=[0.1, 0.2, 0.3, 0.4])
    assert (0.2 - 0.1) ** 2 + (0.4 - 0.2) ** 2 != (0.3 - 0.1) ** 2 + (0.4 - 0.3) ** 2
    assert advantages([codes], [np.array([1])]).difference[0, 0] == 0


def test_sets_are_compared_by_the_labels_they_share():
    rows = [['["a", "b"]', '["a"]', '["a", "b", "c"]', '["a", "c"]']]
    codes = ReliabilityMatrix.from_rows(rows, "set")
    people = ReliabilityMatrix(codes.matrix[:, :3], "set", codes.categories, None, codes.sets)
    # without {a}: others {a,b} and {a,b,c}: {a} has 1/2 + 1/3, the judge's {a,c} 1/3 + 2/3
    assert advantages([people], [codes.matrix[:, 3]]).difference[0, 1] == -1


def test_the_paper_s_definitions_give_the_same_numbers():
    ratings = simulated(GOOD)
    said = {who: list(part.category) for who, part in ratings.groupby("coder")}
    said["ana"][:40] = [None] * 40
    said[JUDGE][100:] = [None] * 20
    found = alt_test_coders(frame(said), judges=[JUDGE], epsilon=0.1).set_index("coder")
    for person, (rho_judge, rho_coder, p) in by_loops(said, JUDGE, ["ana", "ben", "eva"], accuracy, 0.1).items():
        assert found.rho_judge[person] == pytest.approx(rho_judge)
        assert found.rho_coder[person] == pytest.approx(rho_coder)
        assert found.difference[person] == pytest.approx(rho_judge - rho_coder)
        assert found.p[person] == pytest.approx(p)
    assert found.n.to_dict() == {"ana": 60, "ben": 100, "eva": 100}


@pytest.mark.parametrize("columns", [{"scale": "1-5"}, {"scale": "0..10"}])
def test_ordinal_and_continuous_answers_go_by_distance(columns):
    rng = np.random.default_rng(2)
    said = {who: rng.integers(1, 6, 50).astype(str).tolist() for who in ("ana", "ben", "eva", JUDGE)}
    found = alt_test_coders(frame(said, **columns), judges=[JUDGE]).set_index("coder")
    for person, (rho_judge, rho_coder, p) in by_loops(said, JUDGE, ["ana", "ben", "eva"], negative_rmse, 0.2).items():
        assert found.rho_judge[person] == pytest.approx(rho_judge)
        assert found.rho_coder[person] == pytest.approx(rho_coder)
        assert found.p[person] == pytest.approx(p)


def test_benjamini_and_yekutieli_by_hand():
    # three people: c = 1 + 1/2 + 1/3 = 11/6. Adjusted from the largest down: p3 c, min(that, 3/2 p2 c), min(, 3 p1 c)
    found = alt_test_coders(simulated({"ana": 0.8, "ben": 0.6, "eva": 0.75, JUDGE: 0.62}), judges=[JUDGE], epsilon=0.15)
    p = np.sort(found.p)
    third = p[2] * 11 / 6
    second = min(third, p[1] * 11 / 6 * 3 / 2)
    expected = np.minimum([min(second, p[0] * 11 / 6 * 3), second, third], 1)
    assert np.sort(found.p_adjusted) == pytest.approx(expected)
    assert (found.rejected == (found.p_adjusted <= 0.05)).all()


def test_a_judge_better_than_the_people_passes_and_a_random_one_fails():
    ratings = simulated(GOOD | {"random": 1 / 3})
    found = alt_test(ratings, judges=[JUDGE, "random"], coders=["ana", "ben", "eva"], n_boot=200).set_index("judge")
    assert found.omega.to_dict() == {JUDGE: 1.0, "random": 0.0}
    assert found.passes.to_dict() == {JUDGE: True, "random": False}
    assert found.rho[JUDGE] > 0.8 > 0.7 > found.rho["random"]
    assert (found.rho_low < found.rho).all()
    assert (found.rho < found.rho_high).all()
    assert found[["n_coders", "n_records", "n_excluded", "n_clusters"]].to_numpy().tolist() == [[3, 120, 0, 120]] * 2
    again = alt_test(ratings, judges=[JUDGE, "random"], n_boot=200).set_index("judge")
    pd.testing.assert_frame_equal(found, again)


def test_the_winning_rate_and_rho_are_those_of_the_coders():
    ratings = simulated({"ana": 0.85, "ben": 0.6, "eva": 0.7, "kim": 0.9, JUDGE: 0.7})
    one = alt_test(ratings, judges=[JUDGE], epsilon=0.1, n_boot=20).iloc[0]
    each = alt_test_coders(ratings, judges=[JUDGE], epsilon=0.1)
    assert one.omega == each.rejected.mean()
    assert one.passes == (one.omega >= 0.5)
    assert one.rho == pytest.approx(each.rho_judge.mean())
    assert (one.epsilon, one.alpha) == (0.1, 0.05)


def test_row_order_does_not_matter():
    ratings = simulated(GOOD).assign(cluster=lambda found: found.record_id.str[-2])
    mixed = ratings.sample(frac=1, random_state=3)
    for test in (alt_test, alt_test_coders):
        pd.testing.assert_frame_equal(test(ratings, judges=[JUDGE]), test(mixed, judges=[JUDGE]))


def test_each_criterion_is_a_test_of_its_own():
    ratings = pd.concat([simulated(GOOD), simulated(GOOD, seed=6).assign(criterion="loud")])
    found = alt_test(ratings, judges=[JUDGE], n_boot=20)
    assert found.criterion.tolist() == ["calm", "loud"]
    alone = alt_test(ratings[ratings.criterion == "loud"], judges=[JUDGE], n_boot=20)
    assert found.iloc[1].to_dict() == alone.iloc[0].to_dict()
    with pytest.raises(SetupError, match="criteria are never pooled"):
        alt_test(ratings, by=(), judges=[JUDGE])


def replicated(n=60):
    ratings = simulated(GOOD, n=n)
    judge = ratings[ratings.coder == JUDGE]
    wrong = judge.assign(category=simulated({JUDGE: 0.2}, n=n).category.to_numpy())
    judges = [judge.assign(replicate=0), judge.assign(replicate=1), wrong.assign(replicate=2)]
    ratings = pd.concat([ratings[ratings.coder != JUDGE].assign(replicate=0), *judges], ignore_index=True)
    return ratings.assign(kind=np.where(ratings.coder == JUDGE, "instrument", "human"))


def test_the_mode_of_replicates_is_another_instrument():
    ratings = replicated()
    found = alt_test(ratings, replicate_mode="modal", n_boot=20).iloc[0]
    assert found.judge == f"{JUDGE} (mode of 3)"
    first = alt_test(ratings[ratings.replicate == 0], n_boot=20).iloc[0]  # two of three replicates are the first
    assert found.rho == first.rho


def test_replicates_are_averaged_record_by_record():
    ratings = replicated()
    found = alt_test_coders(ratings, replicate_mode="each")
    alone = [
        alt_test_coders(ratings[(ratings.kind == "human") | (ratings.replicate == r)].assign(replicate=0))
        for r in range(3)
    ]
    assert found.judge.unique().tolist() == [JUDGE]
    assert found.rho_judge.to_numpy() == pytest.approx(np.mean([one.rho_judge for one in alone], axis=0))
    assert (found.n == 60).all()  # records, and not records x replicates
    assert "each of 3 replicates" in alt_test(ratings, replicate_mode="each", n_boot=20).note[0]


def test_a_tie_of_replicates_is_no_answer():
    ratings = replicated(n=240)
    found = alt_test(ratings[ratings.replicate != 1], replicate_mode="modal", n_boot=20).iloc[0]
    judge = ratings[ratings.coder == JUDGE].pivot(index="record_id", columns="replicate", values="category")
    assert found.n_records == (judge[0] == judge[2]).sum() < 240
    assert found.n_excluded == 240 - found.n_records
    assert found.rho_least < found.rho < found.rho_most


def test_non_answers_are_left_out_and_bound_rho():
    ratings = simulated(GOOD, n=60)
    silent = (ratings.coder == JUDGE) & (ratings.record_id < "r012")
    found = alt_test(ratings.assign(category=ratings.category.mask(silent, "cannot tell")), judges=[JUDGE]).iloc[0]
    assert (found.n_records, found.n_excluded) == (48, 12)
    assert found.rho_least == pytest.approx(found.rho * 48 / 60)
    assert found.rho_most == pytest.approx(found.rho * 48 / 60 + 12 / 60)
    never_asked = alt_test(ratings[~silent], judges=[JUDGE]).iloc[0]
    assert never_asked.n_excluded == 12
    assert never_asked.rho_least == never_asked.rho == never_asked.rho_most == found.rho


def test_clusters_widen_the_standard_error():
    d = np.array([1.0, 1.0, 0.0, 0.0, -1.0, -1.0, 0.0, 0.0])
    alone, _ = t_test(d, np.arange(8), 0.2)
    assert alone == pytest.approx(stats.ttest_1samp(d, 0.2, alternative="less").pvalue)
    # in pairs: the sums 2, 0, -2, 0, G / (G - 1) = 4/3, so the error is sqrt(4/3 x 8) / 8, with 3 degrees of freedom
    together, _ = t_test(d, np.arange(8) // 2, 0.2)
    assert together == pytest.approx(stats.t.cdf(-0.2 / (math.sqrt(32 / 3) / 8), 3))
    assert together > alone


def test_records_of_clusters_are_tested_as_such():
    ratings = simulated(GOOD).assign(cluster=lambda found: found.record_id.str[-2:-1])
    found = alt_test(ratings, judges=[JUDGE], n_boot=50).iloc[0]
    assert found.n_clusters == 10
    assert "10 clusters" in found.note
    plain = alt_test_coders(simulated(GOOD), judges=[JUDGE])
    assert not np.allclose(plain.p, alt_test_coders(ratings, judges=[JUDGE]).p)


def test_one_cluster_allows_no_test():
    ratings = simulated(GOOD).assign(cluster="one")
    found = alt_test(ratings, judges=[JUDGE], n_boot=20).iloc[0]
    assert math.isnan(found.omega)
    assert found.passes is pd.NA
    assert math.isnan(found.rho_low)
    assert found.n_coders == 0
    assert found.rho > 0.8
    assert "one cluster" in alt_test_coders(ratings, judges=[JUDGE]).note[0]


def test_no_spread_is_said():
    said = {who: ["yes", "no"] * 20 for who in ("ana", "ben", "eva", JUDGE)}
    found = alt_test_coders(frame(said), judges=[JUDGE])
    assert found.p.tolist() == [0, 0, 0]
    assert f"at most {0.8**40:.2g}" in found.note[0]  # no record with a difference of 1, had their share been 0.2
    assert "same on every record" in alt_test(frame(said), judges=[JUDGE], n_boot=20).note[0]
    said[JUDGE] = ["no", "yes"] * 20
    found = alt_test_coders(frame(said), judges=[JUDGE])
    assert found.p.tolist() == [1, 1, 1]
    assert found.rejected.tolist() == [False] * 3


def test_a_rare_finding_lets_a_judge_pass_who_says_one_thing():
    rng = np.random.default_rng(4)
    said = {who: np.where(rng.random(100) < 0.05, "yes", "no").tolist() for who in ("ana", "ben", "eva", JUDGE)}
    found = alt_test(frame(said), judges=[JUDGE], n_boot=20).iloc[0]
    assert found.passes
    assert "so would a judge that always says `no`" in found.note
    assert "always says" not in alt_test(simulated(GOOD), judges=[JUDGE], n_boot=20).note[0]


def test_who_coded_few_records_stays_among_the_others():
    ratings = simulated(GOOD | {"kim": 0.7}, n=60)
    ratings = ratings[(ratings.coder != "kim") | (ratings.record_id < "r020")]
    found = alt_test_coders(ratings, judges=[JUDGE]).set_index("coder")
    assert found.n["kim"] == 20
    assert math.isnan(found.p["kim"])
    assert found.rejected["kim"] is pd.NA
    assert "Not tested: 20 records" in found.note["kim"]
    one = alt_test(ratings, judges=[JUDGE], n_boot=20).iloc[0]
    assert one.n_coders == 3
    assert "Not tested against `kim`" in one.note
    assert one.rho == pytest.approx(found.rho_judge[["ana", "ben", "eva"]].mean())
    without = alt_test_coders(ratings[ratings.coder != "kim"], judges=[JUDGE]).set_index("coder")
    both = ["rho_judge", "rho_coder"]
    assert not np.allclose(found.loc[["ana", "ben", "eva"], both], without[both])


def test_truth_is_no_coder():
    ratings = simulated(GOOD | {"truth": 1.0})
    found = alt_test_coders(ratings, judges=[JUDGE])
    assert found.coder.tolist() == ["ana", "ben", "eva"]
    for words in ({"coders": ["ana", "ben", "truth"]}, {"judges": ["truth"]}):
        with pytest.raises(SetupError, match="`truth` is the code that came with the data"):
            alt_test(ratings, **{"judges": [JUDGE]} | words)


def test_who_saw_the_answers_is_left_out_unless_named():
    ratings = simulated(GOOD | {"kim": 0.7}).assign(blind=lambda found: found.coder != "kim")
    found = alt_test(ratings, judges=[JUDGE], n_boot=20).iloc[0]
    assert found.n_coders == 3
    assert "`kim` saw the judges' answers and is left out" in found.note
    named = alt_test(ratings, judges=[JUDGE], coders=["ana", "ben", "kim"], n_boot=20).iloc[0]
    assert "helps the judge" in named.note
    with pytest.raises(SetupError, match=r"there are 2 .*, not counting those who have seen the answers \(kim\)"):
        alt_test(ratings[ratings.coder != "eva"], judges=[JUDGE])


def test_instruments_are_the_judges_by_default():
    ratings = simulated(GOOD | {"other · m": 0.5})
    ratings["kind"] = np.where(ratings.coder.str.contains("·"), "instrument", "human")
    assert alt_test(ratings, n_boot=20).judge.tolist() == [JUDGE, "other · m"]
    assert alt_test_coders(ratings, judges=[JUDGE]).coder.tolist() == ["ana", "ben", "eva"]
    with pytest.raises(SetupError, match="`other · m` is a judge"):
        alt_test(ratings, coders=["ana", "ben", "other · m"])


def test_unequal_probabilities_are_said():
    ratings = simulated(GOOD).assign(inclusion_p=lambda found: np.where(found.record_id < "r050", 0.1, 0.5))
    assert "not weighted" in alt_test(ratings, judges=[JUDGE], n_boot=20).note[0]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({"judges": None}, r"it is not known who the judge is; name the judges: judges="),
        ({"judges": ["judge"]}, "judges: criterion `calm` has no coder `judge`; did you mean `judge · m`"),
        ({"judges": JUDGE}, r'write judges=\["judge · m"\]'),
        ({"coders": ["ana", "ben"]}, r"needs 3 human coders, .* and there are 2 \(`ana`, `ben`\)"),
        ({"coders": ["ana", "ben", "eve"]}, "coders: criterion `calm` has no coder `eve`"),
        ({"epsilon": 1}, "epsilon=1"),
        ({"significance": 0}, "significance=0"),
        ({"replicate_mode": "mode"}, 'write "each" or "modal"'),
        ({"n_boot": 0}, "n_boot=0"),
        ({"by": "criterium"}, "there is no column `criterium`"),
    ],
)
def test_what_cannot_be_is_said(words, message):
    with pytest.raises(SetupError, match=message):
        alt_test(simulated(GOOD), **{"judges": [JUDGE]} | words)


def test_too_few_records_are_refused():
    with pytest.raises(SetupError, match="needs 30 records that the judge and two people or more answered.*are 29"):
        alt_test(simulated(GOOD, n=29), judges=[JUDGE])
    assert alt_test(simulated(GOOD, n=30), judges=[JUDGE], n_boot=20).n_records[0] == 30
    ratings = simulated(GOOD, n=60)
    with pytest.raises(SetupError, match="3 people with 30 records each .*`ana` 20, `ben` 60, `eva` 60"):
        alt_test(ratings[(ratings.coder != "ana") | (ratings.record_id < "r020")], judges=[JUDGE])
    silent = ratings.assign(category=ratings.category.mask(ratings.coder == JUDGE, "not applicable"))
    with pytest.raises(SetupError, match="and there are 0"):
        alt_test(silent, judges=[JUDGE])


def test_numbers_need_a_scale():
    ratings = simulated(GOOD).assign(value=1.0)
    ratings.loc[0, "category"] = None
    with pytest.raises(SetupError, match="numbers without categories; add a column `scale`"):
        alt_test(ratings, judges=[JUDGE])
    said = {who: ["1", "2", "lots"] * 12 for who in ("ana", "ben", "eva", JUDGE)}
    with pytest.raises(SetupError, match=r"answer `lots` of `ana` on record `r002` .*is not on its scale `0\.\.10`"):
        alt_test(frame(said, scale="0..10"), judges=[JUDGE])
