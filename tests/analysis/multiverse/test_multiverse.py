"""The headline finding in every specification: each estimate is what one analysis alone would have found."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from buttermilk_nb.analysis.multiverse import multiverse, multiverse_summary
from buttermilk_nb.errors import SetupError

KEYS = ["models", "prompts", "rule", "threshold", "replicate_mode", "non_answers"]
OUTLETS = {f"r{i}": "Bell" if i < 4 else "Echo" for i in range(8)}
SAID = {"m1": "yyyynnnn", "m2": "yyn?nnny", "m3": "ynnnnyyn"}


def frame(said, prompt="judge", scale=None, flag="y", **columns):
    """The answers of each model are one string for each replicate; `?` is a refusal, and `-` was never asked."""
    rows = [
        {
            "record_id": f"r{i}", "criterion": "calm", "coder": f"{prompt} · {m}", "model": m,
            "judge": prompt.split()[0], "kind": "instrument", "replicate": r, "category": None if c == "?" else c,
            "status": "refused" if c == "?" else "ok", "flagged": None if c == "?" or flag is None else c in flag,
            "value": float(c) if c.isdigit() else float("nan"), "scale": scale,
        }
        for m, replicates in said.items()
        for r, codes in enumerate([replicates] if isinstance(replicates, str) else replicates)
        for i, c in enumerate(codes)
        if c != "-"
    ]  # fmt: skip
    return pd.DataFrame(rows).astype({"flagged": "boolean"}).assign(**columns)


def chosen(found, **words):
    """The one specification with these choices."""
    rows = found
    for name, value in words.items():
        rows = rows[rows[name] == value]
    assert len(rows) == 1, rows[KEYS]
    return rows.iloc[0]


def test_each_instrument_and_each_rule_is_worked_by_hand():
    found = multiverse(frame(SAID), n_boot=20)
    expected = {
        ("m1", "alone", "left out"): (4 / 8, 8),
        ("m1", "alone", "no"): (4 / 8, 8),
        ("m2", "alone", "left out"): (3 / 7, 7),
        ("m2", "alone", "no"): (3 / 8, 8),
        ("m3", "alone", "left out"): (3 / 8, 8),
        ("m3", "alone", "no"): (3 / 8, 8),
        # r0 yyy, r1 yyn, r2 ynn, r3 y?n, r4 nnn, r5 nny, r6 nny, r7 nyn: a tie on r3 is no majority
        ("all 3", "majority", "left out"): (2 / 8, 8),
        ("all 3", "majority", "no"): (2 / 8, 8),
        ("all 3", "any", "left out"): (7 / 8, 8),
        ("all 3", "any", "no"): (7 / 8, 8),
        ("all 3", "all", "left out"): (1 / 8, 8),
        ("all 3", "all", "no"): (1 / 8, 8),
    }
    made = {(row.models, row.rule, row.non_answers): (row.estimate, row.n) for row in found.itertuples()}
    assert made == {key: (pytest.approx(share), n) for key, (share, n) in expected.items()}
    assert found.estimate.is_monotonic_increasing
    assert found.specification.tolist() == list(range(1, 13))
    assert (found.n + found.n_excluded == 8).all()
    assert set(found.finding) == {"share flagged"}
    assert chosen(found, models="all 3", rule="any", non_answers="no").n_instruments == 3


def test_non_answers_change_a_vote():
    # r0: y and a refusal; r1: y, y
    found = multiverse(frame({"m1": "yy", "m2": "?y"}), non_answers=["left out", "no", "yes"], n_boot=0)
    both = found[found.models == "all 2"].set_index(["rule", "non_answers"]).estimate
    assert both.to_dict() == {
        ("all", "left out"): 1.0, ("all", "no"): 0.5, ("all", "yes"): 1.0,
        ("any", "left out"): 1.0, ("any", "no"): 1.0, ("any", "yes"): 1.0,
    }  # fmt: skip
    assert chosen(found, models="m2", non_answers="yes").estimate == 1.0


def test_of_two_instruments_a_majority_is_both_and_counts_once():
    found = multiverse(frame({"m1": "yyn", "m2": "ynn"}), n_boot=0)
    assert sorted(found.rule) == ["all", "alone", "alone", "any"]
    alone = multiverse(frame({"m1": "yyn", "m2": "ynn"}), rules="majority", n_boot=0)
    assert chosen(alone, models="all 2").estimate == pytest.approx(1 / 3)


def test_where_nothing_is_missing_non_answers_are_no_choice():
    assert set(multiverse(frame({"m1": "yynn"}), n_boot=0).non_answers) == {"left out"}
    tied = multiverse(frame({"m1": ["yynn", "ynnn"]}), replicate_mode="modal", n_boot=0)
    assert tied.set_index("non_answers").estimate.to_dict() == {"left out": pytest.approx(1 / 3), "no": 0.25}


def test_who_was_not_asked_about_a_record_gave_no_answer_that_could_count_as_no():
    found = multiverse(frame({"m1": "yy??", "m2": "yy--"}), non_answers="no", n_boot=0)
    assert chosen(found, models="m2").n == 2
    assert chosen(found, models="m1").n == 4


def test_prompts_are_what_a_name_says_beside_the_model():
    two = pd.concat([frame({"m1": "yynn", "m2": "ynnn"}), frame({"m1": "yyyn", "m2": "nnnn"}, prompt="judge (way 2)")])
    found = multiverse(two, n_boot=0, rules="any").set_index(["models", "prompts"]).estimate.to_dict()
    assert found == {
        ("m1", "judge"): 0.5, ("m2", "judge"): 0.25, ("m1", "judge (way 2)"): 0.75, ("m2", "judge (way 2)"): 0.0,
        ("m1", "all 2"): 0.75, ("m2", "all 2"): 0.25, ("all 2", "judge"): 0.5, ("all 2", "judge (way 2)"): 0.75,
        ("all 2", "all 2"): 0.75,
    }  # fmt: skip
    only = multiverse(two, n_boot=0, models="together", prompts="each", rules="any")
    assert only[["models", "prompts"]].to_numpy().tolist() == [["all 2", "judge"], ["all 2", "judge (way 2)"]]


def test_subsets_are_all_of_them_each_once():
    said = {f"m{i}": "yn" for i in range(4)}
    found = multiverse(frame(said), models=["each", "subsets"], rules="any", n_boot=0)
    assert len(found) == 15
    assert {"m0", "m0 + m1", "m1 + m2 + m3", "all 4"} <= set(found.models)


def test_a_frame_without_models_has_one_for_each_coder():
    bare = frame({"m1": "yynn", "m2": "ynnn"}).drop(columns=["model", "judge"])
    found = multiverse(bare, n_boot=0, rules="any")
    assert found.models.tolist() == ["judge · m2", "judge · m1", "all 2"]


def test_every_cut_of_an_ordinal_scale_is_tried_in_the_direction_of_the_flag():
    up = multiverse(frame({"m1": "12345543"}, scale="1-5", flag="45"), n_boot=0)
    assert up.set_index("threshold").estimate.to_dict() == {
        ">= 2": 7 / 8, ">= 3": 6 / 8, ">= 4 (flag)": 4 / 8, ">= 5": 2 / 8,
    }  # fmt: skip
    down = multiverse(frame({"m1": "12345543"}, scale="1-5", flag="12"), n_boot=0)
    assert down.set_index("threshold").estimate.to_dict() == {
        "<= 1": 1 / 8, "<= 2 (flag)": 2 / 8, "<= 3": 4 / 8, "<= 4": 6 / 8,
    }  # fmt: skip
    odd = multiverse(frame({"m1": "12345543"}, scale="1-5", flag="15"), n_boot=0)
    assert odd.set_index("threshold").estimate.to_dict() == {"flag": 3 / 8}
    assert len(multiverse(frame({"m1": "12345543"}, scale="1-5", flag=None), n_boot=0)) == 4


def test_thresholds_can_be_named_and_a_mean_meets_them_or_not():
    ratings = frame({"m1": "1355", "m2": "2442", "m3": "3331"}, scale="1-5", flag="45")
    found = multiverse(ratings, thresholds=["flag", "> 3", "<= 2"], rules=["mean", "majority"], n_boot=0)
    # means: 2, 10/3, 4, 8/3
    assert chosen(found, rule="mean", threshold="> 3 (flag)").estimate == 2 / 4
    assert chosen(found, rule="mean", threshold="<= 2").estimate == 1 / 4
    assert chosen(found, rule="majority", threshold="> 3 (flag)").estimate == 1 / 4
    assert chosen(found, rule="majority", threshold="flag").estimate == 1 / 4
    assert chosen(found, rule="majority", threshold="<= 2").estimate == 2 / 4
    assert not len(found[(found.rule == "mean") & (found.threshold == "flag")])


def test_numbers_on_a_continuous_scale_are_cut_where_it_is_said():
    ratings = frame({"m1": "1234"}, scale="0..9", flag=None).assign(category=None)
    found = multiverse(ratings, thresholds=[">= 2", ">= 2.5"], n_boot=0)
    assert found[["threshold", "estimate"]].to_numpy().tolist() == [[">= 2.5", 0.5], [">= 2", 0.75]]


def test_replicates_are_taken_together_or_each_alone():
    found = multiverse(frame({"m1": ["yyyn", "yynn", "ynnn"]}), n_boot=0).set_index("replicate_mode").estimate
    assert found.to_dict() == {"mode of 3": 0.5, "replicate 0": 0.75, "replicate 1": 0.5, "replicate 2": 0.25}
    once = multiverse(frame({"m1": ["yy", "yn"], "m2": "nn"}), replicate_mode="each", rules="any", n_boot=0)
    assert len(once[(once.models == "m2") & (once.replicate_mode == "replicate 1")]) == 0
    assert chosen(once, models="all 2", replicate_mode="replicate 1").estimate == 0.5


def test_a_difference_is_of_two_shares_of_the_records_that_have_a_value():
    ratings = frame(SAID)
    ratings["outlet"] = ratings.record_id.map(OUTLETS | {"r7": None})
    found = multiverse(ratings, groups="outlet", models="each", non_answers="left out", n_boot=50)
    assert chosen(found, models="m1").estimate == 1.0
    assert chosen(found, models="m2").estimate == pytest.approx(2 / 3)
    assert chosen(found, models="m3").estimate == pytest.approx(1 / 4 - 2 / 3)
    assert (chosen(found, models="m2").n, chosen(found, models="m2").n_excluded) == (6, 2)
    assert set(found.finding) == {"share flagged, outlet Bell less Echo"}
    turned = multiverse(ratings, groups="outlet", pair=("Echo", "Bell"), models="each", n_boot=0)
    assert turned.estimate.max() == pytest.approx(2 / 3 - 1 / 4)


def test_a_function_of_ones_own_sees_one_row_per_record():
    ratings = frame(SAID, cluster=None)
    ratings["outlet"] = ratings.record_id.map(OUTLETS)
    seen = []

    def in_bell(records):
        seen.append(records)
        return records[records.outlet == "Bell"].flagged.mean()

    found = multiverse(ratings, in_bell, models="each", non_answers="left out")
    assert found.set_index("models").estimate.to_dict() == {"m1": 1.0, "m2": pytest.approx(2 / 3), "m3": 0.25}
    assert set(found.finding) == {"in_bell"}
    assert found.low.isna().all()
    assert len(seen) == 3
    assert seen[1].columns.tolist() == ["record_id", "cluster", "outlet", "flagged"]
    assert seen[1].record_id.tolist() == ["r0", "r1", "r2", "r4", "r5", "r6", "r7"]
    share = multiverse(ratings, lambda records: records.flagged.mean(), n_boot=200, seed=3)
    same = multiverse(ratings, n_boot=200, seed=3)
    for name in ("estimate", "low", "high"):
        assert share[name].to_numpy() == pytest.approx(same[name].to_numpy())


def test_intervals_resample_whole_clusters_and_cover():
    rng = np.random.default_rng(5)
    shares = rng.beta(2, 3, 60)
    rows = [
        {"record_id": f"r{i}", "criterion": "calm", "coder": "judge", "kind": "instrument", "cluster": f"a{i // 5}",
         "flagged": bool(rng.random() < shares[i // 5])}
        for i in range(300)
    ]  # fmt: skip
    ratings = pd.DataFrame(rows)
    ratings["category"] = np.where(ratings.flagged, "y", "n")
    own = multiverse(ratings, n_boot=2000).iloc[0]
    alone = multiverse(ratings.assign(cluster=None), n_boot=2000).iloc[0]
    by_author = ratings.groupby("cluster").flagged.mean()
    assert (own.high - own.low) / 3.92 == pytest.approx(by_author.std() / np.sqrt(60), rel=0.1)
    assert (alone.high - alone.low) / 3.92 == pytest.approx(np.sqrt(own.estimate * (1 - own.estimate) / 300), rel=0.1)
    assert (own.n_clusters, alone.n_clusters) == (60, 300)
    narrower = multiverse(ratings, n_boot=2000, confidence=0.5).iloc[0]
    assert narrower.high - narrower.low < 0.5 * (own.high - own.low)


def test_the_same_seed_gives_the_same_intervals_whatever_the_order_of_the_rows():
    ratings = frame(SAID)
    pd.testing.assert_frame_equal(multiverse(ratings, n_boot=50), multiverse(ratings[::-1], n_boot=50))


def test_people_are_no_instruments_and_named_judges_alone_are_taken():
    people = frame({"kf": "yyyyyyyy"}, prompt="human").assign(kind="human")
    both = pd.concat([frame(SAID), people])
    assert len(multiverse(both, n_boot=0)) == len(multiverse(frame(SAID), n_boot=0))
    two = multiverse(both, judges=["judge · m1", "judge · m3"], n_boot=0)
    assert set(two.models) == {"m1", "m3", "all 2"}


def test_what_does_not_follow_stands_beside():
    found = multiverse(frame({"m1": "nnnn"}), n_boot=20).iloc[0]
    assert "This is based on 4 records" in found.note
    assert "the interval has no width" in found.note
    one = multiverse(frame({"m1": "ynnn"}, cluster="a"), n_boot=20).iloc[0]
    assert "All records are in one cluster" in one.note
    assert np.isnan(one.low)
    unequal = frame({"m1": "ynnn"}).assign(inclusion_p=[0.1, 0.1, 0.2, 0.2])
    assert "not weighted" in multiverse(unequal, n_boot=20).note.iloc[0]


CALM = frame(SAID)
TONE = frame({"m1": "1234"}, scale="1-5", flag="4")


@pytest.mark.parametrize(
    ("ratings", "words", "said"),
    [
        (pd.concat([CALM, CALM.assign(criterion="loud")]), {}, "there are 2; choose one, criterion='calm'"),
        (CALM, {"criterion": "clam"}, "there is no criterion `clam`; did you mean `calm`?"),
        (pd.concat([CALM.assign(criteria_hash=h, replicate=i) for i, h in enumerate("ab")]), {}, "2 wordings"),
        (CALM.assign(flagged=None), {}, "no flag is declared"),
        (CALM, {"thresholds": [">= 4"]}, "have no order"),
        (CALM, {"thresholds": []}, "thresholds: name at least one"),
        (TONE, {"thresholds": ["four"]}, "`four` is not a comparison"),
        (TONE.assign(flagged=None), {"thresholds": ["flag"]}, "no flag is declared, so it is not known"),
        (CALM, {"rules": "mean"}, "there is no `mean`"),
        (TONE, {"rules": "mean", "thresholds": "flag"}, "a `mean` needs a threshold"),
        (CALM, {"rules": "majorty"}, "did you mean `majority`?"),
        (CALM, {"models": "every"}, "models: there is no `every`"),
        (CALM, {"prompts": []}, "prompts: name at least one choice"),
        (CALM, {"replicate_mode": "first"}, "replicate_mode: there is no `first`"),
        (CALM, {"non_answers": "maybe"}, "non_answers: there is no `maybe`"),
        (CALM, {"judges": ["m1"]}, "has no coder `m1`"),
        (CALM.assign(kind="human"), {}, "no coder is of kind `instrument`"),
        (CALM, {"groups": "outlet"}, "there is no column `outlet`"),
        (CALM.assign(outlet=list("ab") * 12), {"groups": "model"}, "record `r0` has two values in `model`"),
        (CALM.assign(outlet="Bell"), {"groups": "outlet"}, "has 1 value \\(`Bell`"),
        (CALM.assign(outlet=CALM.record_id.map(OUTLETS)), {"groups": "outlet", "pair": ("Bell", "Tin")}, "never `Tin`"),
        (CALM.assign(outlet=CALM.record_id.map(OUTLETS)), {"groups": "outlet", "pair": ("Bell", "Bell")}, "two values"),
        (CALM, {"pair": ("a", "b")}, "name the column of the two values"),
        (CALM, {"finding": lambda records: "much"}, "returned str, and a finding is a number"),
        (CALM, {"finding": len, "groups": "outlet"}, "a function of your own compares groups itself"),
        (frame({f"m{i:02}": "yn" for i in range(14)}), {"models": "subsets"}, "20,000 is the most"),
    ],
)  # fmt: skip
def test_what_cannot_be_specified_is_a_sentence(ratings, words, said):
    with pytest.raises(SetupError, match=said):
        multiverse(ratings, **{"n_boot": 0} | words)


def test_one_of_several_criteria_is_never_pooled_with_another():
    both = pd.concat([CALM, frame({"m1": "nnnnnnnn"}).assign(criterion="loud")])
    assert multiverse(both, criterion="loud", n_boot=0).estimate.tolist() == [0.0]


def test_a_thousand_specifications_of_a_thousand_records_are_what_one_by_one_gives():
    rng = np.random.default_rng(2)
    said = {f"m{i}": ["".join(rng.choice(list("12345?"), 1000)) for _ in range(3)] for i in range(5)}
    ratings = frame(said, scale="1-5", flag="45")
    found = multiverse(ratings, models=["each", "subsets", "together"], n_boot=100)
    assert len(found) > 1000
    three = ratings[(ratings.replicate == 1) & ratings.model.isin(["m0", "m2", "m4"])]
    table = three.pivot_table(index="record_id", columns="model", values="value", dropna=False)
    votes = (table >= 3).where(table.notna())
    share = (votes.mean(axis=1) > 0.5)[votes.notna().any(axis=1)].mean()
    row = chosen(
        found,
        models="m0 + m2 + m4",
        rule="majority",
        threshold=">= 3",
        replicate_mode="replicate 1",
        non_answers="left out",
    )
    assert row.estimate == pytest.approx(share)
    assert row.low < share < row.high


# --- in a sentence ---------------------------------------------------------------------------------------------------


def summary(estimates, **columns):
    made = pd.DataFrame({"estimate": estimates, "finding": "share flagged", "low": np.nan, "high": np.nan})
    return made.assign(models=[f"m{i}" for i in range(len(estimates))]).assign(**columns)


def test_a_share_is_summed_up_by_its_range_median_and_what_moves_it():
    said = multiverse_summary(summary([0.1, 0.2, 0.3, 0.9], models=list("aabb"), rule=list("xyxy")))
    assert "In 4 specifications the finding (share flagged) goes from 0.10 to 0.90, with a median of 0.25" in said
    assert "above" not in said
    assert "changes it most is `models`: medians from 0.15 (a) to 0.60 (b)" in said


def test_a_difference_is_held_against_no_difference():
    found = summary([-0.1, 0.1, 0.2, np.nan], finding="share flagged, outlet a less b", low=[-0.2, -0.1, 0.1, np.nan],
                    high=[-0.05, 0.2, 0.3, np.nan])  # fmt: skip
    said = multiverse_summary(found)
    assert "In 3 specifications" in said
    assert "In 1 other it is undefined." in said
    assert "2 (67 %) are above 0, 1 of them with the whole interval; 1 is not, 1 with the whole interval below." in said


def test_without_intervals_a_summary_says_nothing_of_them():
    said = multiverse_summary(summary([0.1, 0.3]), above=0.2)
    assert "1 (50 %) is above 0.2; 1 is not." in said


def test_nothing_defined_is_said():
    assert multiverse_summary(summary([np.nan])) == "No specification has an estimate."


def test_more_subsets_than_there_may_be_specifications_are_refused_before_they_are_made():
    rows = [("r", "calm", f"judge · m{n}", f"m{n}", "yes", True) for n in range(40)]
    ratings = pd.DataFrame(rows, columns=["record_id", "criterion", "coder", "model", "category", "flagged"])
    with pytest.raises(SetupError, match="40 models have 1,099,511,627,775 subsets"):
        multiverse(ratings.assign(kind="instrument"), models="subsets")
