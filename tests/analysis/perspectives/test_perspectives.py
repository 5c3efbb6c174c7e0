"""A judge beside groups of people, and the distribution of their codes."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from buttermilk_nb.analysis.coefficients import COEFFICIENTS, ReliabilityMatrix
from buttermilk_nb.analysis.perspectives import perspectives, soft_labels
from buttermilk_nb.errors import SetupError

JUDGE = "judge · m"
TOWNS = {"ana": "Graz", "ben": "Graz", "eva": "Wien", "kim": "Wien"}
SAID = {"ana": "yyyn", "ben": "yynn", "eva": "ynnn", "kim": "nnn-", JUDGE: "yyyn"}
WORDS = {"y": "yes", "n": "no", "-": None, "?": "cannot tell"}


def frame(said, **columns):
    """One row for each coder and record; a coder's answers are characters."""
    rows = [
        {"record_id": f"r{i:03}", "criterion": "calm", "coder": who, "category": WORDS.get(code, code)}
        for who, codes in said.items()
        for i, code in enumerate(codes)
    ]
    return pd.DataFrame(rows).assign(**columns)


def alpha(*rows):
    return COEFFICIENTS["krippendorff_alpha"].estimate(
        ReliabilityMatrix.from_rows([list(row) for row in zip(*rows, strict=True)], "nominal")
    )[0]


def sides(ratings, groups=None, **words):
    return perspectives(ratings, groups=groups or TOWNS, **{"judges": [JUDGE], "n_boot": 50} | words).set_index("group")


def test_a_small_case_worked_by_hand():
    # the judge with ana 4/4, with ben 3/4; with eva 2/4, with kim 0/3
    found = sides(frame(SAID))
    assert found.agreement.to_dict() == {"Graz": pytest.approx(7 / 8), "Wien": pytest.approx(1 / 4)}
    assert found.alpha["Graz"] == pytest.approx((1 + alpha("yyyn", "yynn")) / 2)
    assert found.alpha["Wien"] == pytest.approx((alpha("yyyn", "ynnn") + alpha("yyy", "nnn")) / 2)
    assert found.within_agreement.to_dict() == {"Graz": 3 / 4, "Wien": pytest.approx(2 / 3)}
    assert found.within_alpha["Wien"] == pytest.approx(alpha("ynn", "nnn"))
    assert found.difference.to_dict() == {"Graz": pytest.approx(5 / 8), "Wien": pytest.approx(-5 / 8)}
    assert found.alpha_difference["Graz"] == pytest.approx(found.alpha["Graz"] - found.alpha["Wien"])
    assert found[["n_coders", "n_records", "n_excluded", "n_clusters"]].to_numpy().tolist() == [[2, 4, 0, 4]] * 2
    assert "below 30 no conclusion follows" in found.note["Graz"]


def test_intervals_are_of_the_same_resamples():
    rng = np.random.default_rng(1)
    true = rng.integers(0, 2, 80)
    noisy = {who: np.where(rng.random(80) < share, true, 1 - true) for who, share in
             {"ana": 0.9, "ben": 0.9, "eva": 0.6, "kim": 0.6, JUDGE: 0.95}.items()}  # fmt: skip
    ratings = frame({who: ["ny"[code] for code in codes] for who, codes in noisy.items()})
    found = sides(ratings, n_boot=300)
    for name in ("agreement", "alpha", "within_agreement", "within_alpha", "difference", "alpha_difference"):
        assert (found[f"{name}_low"] < found[name]).all()
        assert (found[name] < found[f"{name}_high"]).all()
    assert found.difference_low["Graz"] > 0 > found.difference_high["Wien"]
    assert found.difference_low["Graz"] == -found.difference_high["Wien"]
    again = sides(ratings.sample(frac=1, random_state=2), n_boot=300)
    pd.testing.assert_frame_equal(found, again)
    clustered = sides(ratings.assign(cluster=ratings.record_id.str[-1]), n_boot=300)
    assert (clustered.n_clusters == 10).all()
    assert clustered.agreement.equals(found.agreement)
    assert not clustered.agreement_low.equals(found.agreement_low)


def test_with_three_groups_each_is_compared_with_the_mean_of_the_others():
    found = sides(frame(SAID), TOWNS | {"ben": "Linz"})
    assert found.agreement.to_dict() == {"Graz": 1.0, "Linz": 0.75, "Wien": 0.25}
    assert found.difference.to_dict() == {"Graz": 0.5, "Linz": 0.125, "Wien": pytest.approx(-0.625)}
    assert math.isnan(found.within_alpha["Linz"])
    assert "one person" in found.note["Linz"]


def test_one_group_has_no_difference():
    found = sides(frame(SAID), {"ana": "Graz", "ben": "Graz"})
    assert math.isnan(found.difference["Graz"])
    assert "only one group" in found.note["Graz"]


def test_a_column_may_hold_the_groups():
    ratings = frame(SAID)
    ratings["town"] = ratings.coder.map(TOWNS)
    pd.testing.assert_frame_equal(sides(ratings, "town"), sides(frame(SAID)))
    ratings.loc[0, "town"] = "Wien"
    with pytest.raises(SetupError, match="column `town` puts coder `ana` into two groups"):
        sides(ratings, "town")


def test_replicates_are_averaged():
    ratings = frame(SAID, kind="human")
    ratings.loc[ratings.coder == JUDGE, "kind"] = "instrument"
    second = frame({JUDGE: "nnnn"}, kind="instrument", replicate=1)
    found = sides(pd.concat([ratings.assign(replicate=0), second]), judges=None)
    # the second: with ana 1/4, with ben 2/4; with eva 3/4, with kim 1
    assert found.agreement.to_dict() == {
        "Graz": pytest.approx((7 / 8 + 3 / 8) / 2),
        "Wien": pytest.approx((2 / 8 + 7 / 8) / 2),
    }
    assert "each of 2 replicates" in found.note["Graz"]


def test_unanswered_records_bound_the_agreement():
    found = sides(frame(SAID | {JUDGE: "yy?n"}))
    # ana 3 of 3, of 4: 3 to 4; ben 3 of 3, of 4: 3 to 4; eva 2 of 3, of 4: 2 to 3; kim 0 of 2, of 3: 0 to 1
    assert found.agreement.to_dict() == {"Graz": 1.0, "Wien": pytest.approx(1 / 3)}
    assert found.agreement_least.to_dict() == {"Graz": 3 / 4, "Wien": 1 / 4}
    assert found.agreement_most.to_dict() == {"Graz": 1.0, "Wien": pytest.approx((3 / 4 + 1 / 3) / 2)}
    assert found.n_excluded.tolist() == [1, 1]


def test_groups_that_coded_other_records_are_marked():
    found = sides(frame({"ana": "ynyn--", "eva": "--ynyn", JUDGE: "ynynyn"}), {"ana": "Graz", "eva": "Wien"})
    assert "Not on the same records as `Wien`" in found.note["Graz"]
    assert found.n_records.tolist() == [4, 4]


def test_who_saw_the_answers_is_left_out():
    ratings = frame(SAID).assign(blind=lambda found: found.coder != "ana")
    found = sides(ratings)
    assert found.agreement["Graz"] == 3 / 4
    assert found.n_coders["Graz"] == 1
    assert "Left out, because they saw the judges' answers: `ana`" in found.note["Graz"]


def test_alpha_that_is_undefined_says_why():
    found = sides(frame({"ana": "yyyy", "eva": "yyny", JUDGE: "yyyy"}), {"ana": "Graz", "eva": "Wien"})
    assert math.isnan(found.alpha["Graz"])
    assert math.isnan(found.alpha_low["Graz"])
    assert found.n_undefined["Graz"] == 50
    assert "Every code is `yes`" in found.note["Graz"]


def test_the_level_of_the_scale_decides_on_alpha():
    said = {"ana": "1234", "eva": "1243", JUDGE: "1235"}
    found = sides(frame(said, scale="1-5"), {"ana": "Graz", "eva": "Wien"})
    codes = ReliabilityMatrix.from_rows(
        [list(row) for row in zip("1234", "1235", strict=True)], "ordinal", list("12345")
    )
    assert found.alpha["Graz"] == pytest.approx(COEFFICIENTS["krippendorff_alpha"].estimate(codes)[0])


@pytest.mark.parametrize(
    ("groups", "words", "message"),
    [
        ({"anna": "Graz"}, {}, "groups: there is no coder `anna`; did you mean `ana`"),
        ("coders", {}, "groups: there is no column `coders`; did you mean `coder`"),
        ({JUDGE: "Graz"}, {}, "`judge · m` is a judge"),
        (TOWNS, {"judges": None}, "it is not known who the judge is"),
        (TOWNS, {"by": ["town"]}, "there is no column `town`"),
        (TOWNS, {"confidence": 2}, "confidence=2"),
    ],
)
def test_what_cannot_be_is_said(groups, words, message):
    with pytest.raises(SetupError, match=message):
        sides(frame(SAID), groups, **words)


def test_a_group_that_did_not_code_a_criterion_has_a_row_that_says_so():
    other = frame({"ana": "yyyn", JUDGE: "yynn"}).assign(criterion="loud")
    found = perspectives(pd.concat([frame(SAID), other]), groups=TOWNS, judges=[JUDGE], n_boot=20)
    row = found[(found.criterion == "loud") & (found.group == "Wien")].iloc[0]
    assert math.isnan(row.agreement)
    assert (row.n_coders, row.n_records) == (0, 0)
    assert "No member of the group coded these records" in row.note


def test_soft_labels_worked_by_hand():
    found = soft_labels(frame(SAID | {"truth": "yyyy"}), judge=JUDGE).set_index("record_id")
    assert found.share_yes.to_dict() == {"r000": 3 / 4, "r001": 2 / 4, "r002": 1 / 4, "r003": 0}
    assert found.share_no["r003"] == 1
    quarter = -(0.25 * math.log2(0.25) + 0.75 * math.log2(0.75))
    assert found.entropy.tolist() == pytest.approx([quarter, 1, quarter, 0])
    assert found.n_coders.tolist() == [4, 4, 4, 3]
    assert found.n_excluded.tolist() == [0, 0, 0, 1]
    assert found.judge_answer.tolist() == ["yes", "yes", "yes", "no"]
    assert found.judge_share.tolist() == [3 / 4, 2 / 4, 1 / 4, 1]


def test_divergence_worked_by_hand():
    people = frame({"ana": "yy", "ben": "yn", "eva": "yn", "kim": "yn"}, replicate=0)
    judge = [frame({JUDGE: codes}, replicate=r) for r, codes in enumerate(("yy", "yn", "yn", "ny"))]
    found = soft_labels(pd.concat([people, *judge]), judge=JUDGE, divergence=True, smoothing=0)
    # r0: people (1, 0), judge (3/4, 1/4). r1: people (1/4, 3/4), judge (1/2, 1/2)
    assert found.cross_entropy.tolist() == pytest.approx([-math.log2(3 / 4), 1])
    assert found.brier.tolist() == pytest.approx([2 / 16, 2 / 16])
    assert found.n_replicates.tolist() == [4, 4]
    assert found.judge_answer.isna().tolist() == [False, True]
    assert found.note.tolist() == ["", "The judge's replicates tie."]
    smooth = soft_labels(pd.concat([people, *judge]), judge=JUDGE, divergence=True)
    assert smooth.cross_entropy.tolist() == pytest.approx([-math.log2(3.5 / 5), 1])
    assert smooth.brier.equals(found.brier)


def test_what_the_judge_never_says_is_infinitely_far_without_smoothing():
    ratings = frame({"ana": "y", "ben": "n", JUDGE: "y"})
    found = [soft_labels(ratings, judge=JUDGE, divergence=True, smoothing=s).cross_entropy[0] for s in (0, 0.5)]
    assert found[0] == math.inf
    assert found[1] == pytest.approx(-(math.log2(1.5 / 2) + math.log2(0.5 / 2)) / 2)


def test_replicates_of_a_person_count_once():
    ratings = pd.concat([frame({"ana": "y", "ben": "n"}, replicate=0), frame({"ana": "n"}, replicate=1)])
    found = soft_labels(ratings)
    assert (found.share_yes[0], found.share_no[0], found.n_coders[0]) == (1 / 4, 3 / 4, 2)


def test_declared_categories_that_nobody_gave_have_a_share_of_nothing():
    ratings = frame({"ana": "13", "ben": "1-"}, scale="1-3")
    found = soft_labels(ratings)
    shares = [name for name in found if name.startswith("share_")]
    assert shares == ["share_1", "share_2", "share_3"]
    assert found[shares].to_numpy().tolist() == [[1, 0, 0], [0, 0, 1]]


def test_each_group_has_a_distribution_of_its_own():
    found = soft_labels(frame(SAID), group=TOWNS).set_index(["group", "record_id"])
    assert found.share_yes["Graz"].tolist() == [1, 1, 0.5, 0]
    assert found.share_yes["Wien"].tolist() == [0.5, 0, 0, 0]
    assert found.n_coders["Wien"].tolist() == [2, 2, 2, 1]


def test_criteria_keep_their_categories_apart():
    other = frame({"ana": "ab", "ben": "aa"}).assign(criterion="tone")
    found = soft_labels(pd.concat([frame(SAID), other]), judge=None)
    assert found.columns[:2].tolist() == ["criterion", "record_id"]
    assert found.share_yes[found.criterion == "tone"].isna().all()
    assert found.share_a[found.criterion == "tone"].tolist() == [1, 0.5]


def test_records_that_nobody_coded_are_kept_and_said():
    found = soft_labels(frame({"ana": "y?", JUDGE: "?y"}), judge=JUDGE, divergence=True)
    assert math.isnan(found.share_yes[1])
    assert math.isnan(found.entropy[1])
    assert found[["cross_entropy", "brier"]].isna().all(axis=None)
    assert found.note.tolist() == ["The judge has no answer.", "No person has coded this record."]
    assert found.n_excluded.tolist() == [0, 1]


def test_codes_that_were_not_blind_are_marked_beside_a_judge():
    ratings = frame(SAID).assign(blind=lambda found: found.coder != "kim")
    assert soft_labels(ratings).note.tolist() == [""] * 4
    seen = "One of the people saw the judges' answers."
    assert soft_labels(ratings, judge=JUDGE).note.tolist() == [seen] * 3 + [""]


def test_soft_labels_do_not_depend_on_row_order():
    ratings = frame(SAID)
    words = {"judge": JUDGE, "divergence": True}
    pd.testing.assert_frame_equal(soft_labels(ratings, **words), soft_labels(ratings[::-1], **words))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({"divergence": True}, 'it needs a judge; name one, judge="..."'),
        ({"judge": "judge"}, "has no coder `judge`; did you mean `judge · m`"),
        ({"judge": "ana", "group": TOWNS}, "group: `ana` is the judge"),
        ({"smoothing": -1}, "smoothing=-1"),
        ({"group": {"anna": "x"}}, "group: there is no coder `anna`"),
        ({"group": {}}, "no coder is in a group"),
    ],
)
def test_what_cannot_be_a_soft_label_is_said(words, message):
    with pytest.raises(SetupError, match=message):
        soft_labels(frame(SAID), **words)


def test_numbers_have_no_shares():
    with pytest.raises(SetupError, match="criterion `calm` is answered with numbers, which have no shares"):
        soft_labels(frame({"ana": "12", "ben": "13"}, scale="0..10"))
