"""How many more codes: a projection that is held against what comes of them."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from buttermilk_nb.analysis.bias_correction import corrected_estimate, sample_size
from buttermilk_nb.errors import SetupError

NAMES = ["human sample", "ppi++", "dsl"]


def study(seed=1, n=600, coded=100, clusters=False, unequal=False):
    rng = np.random.default_rng(seed)
    effect = rng.normal(0, 1, n // 6).repeat(6) if clusters else 0.0
    true = rng.random(n) < 1 / (1 + np.exp(1 - effect))
    said = np.where(rng.random(n) < 0.15, ~true, true)
    chance = np.where(said, 1.5, 0.75) * coded / n if unequal else np.full(n, coded / n)
    chosen = rng.random(n) < chance if unequal else rng.permutation(n) < coded
    parts = [("judge", said, np.ones(n, bool)), ("truth", true, chosen)]
    frame = pd.concat(
        pd.DataFrame({"record_id": np.arange(n)[kept], "coder": who, "flagged": answers[kept],
                      "inclusion_p": chance[kept] if who == "truth" else math.nan,
                      "cluster": np.arange(n)[kept] // 6 if clusters else None})
        for who, answers, kept in parts
    )  # fmt: skip
    return frame.assign(criterion="calm", category=frame.flagged.map({True: "yes", False: "no"}))


def test_a_projection_by_hand():
    # 100 of 600 coded, 40 findings: .24 is divided by 100, 200 and 600
    frame = study()
    frame.loc[frame.coder == "truth", "flagged"] = [i < 40 for i in range(100)]
    found = sample_size(frame, judge="judge", additional=[100, 500])
    human = found[found.estimator == "human sample"]
    assert human.additional.tolist() == [0, 100, 500]
    assert human.n_coded.tolist() == [100, 200, 600]
    # the factor n / (n - 1) of now stays in the part that does not shrink, .24 / 99 - .24 / 120
    stays, codes = 0.24 / 99 - 0.24 * (1 / 100 - 1 / 600), 0.24 * np.array([1 / 100 - 1 / 600, 1 / 200 - 1 / 600, 0])
    assert human.se.tolist() == pytest.approx(np.sqrt(stays + codes).tolist())
    assert human.width.tolist() == pytest.approx((2 * human.half_width).tolist())
    assert human.note.iloc[0] == ""
    assert human.note[1:].str.startswith("A projection").all()


@pytest.mark.parametrize("options", [{}, {"clusters": True}, {"unequal": True}])
def test_now_is_what_the_estimate_has(options):
    frame = study(**options)
    now = sample_size(frame, judge="judge").query("additional == 0").set_index("estimator")
    found = corrected_estimate(frame, judge="judge").set_index("estimator")
    assert now.index.tolist() == NAMES
    for name in NAMES:
        assert now.se[name] == pytest.approx(found.se[name])
        assert now.half_width[name] == pytest.approx((found.high[name] - found.low[name]) / 2)


@pytest.mark.parametrize("options", [{}, {"clusters": True}, {"unequal": True}])
def test_what_is_projected_comes_about_when_so_many_are_coded(options):
    projected, then = [], []
    for seed in range(30):
        few = sample_size(study(seed, **options), judge="judge", additional=[150])
        projected.append(few.query("additional == 150").set_index("estimator").se)
        then.append(
            corrected_estimate(study(100 + seed, coded=250, **options), judge="judge").set_index("estimator").se
        )
    projected, then = pd.concat(projected, axis=1).mean(axis=1), pd.concat(then, axis=1).mean(axis=1)
    for name in NAMES:
        assert projected[name] == pytest.approx(then[name], rel=0.06)


@pytest.mark.parametrize("options", [{}, {"clusters": True}, {"unequal": True}])
def test_more_codes_never_widen_and_the_judge_helps(options):
    found = sample_size(study(**options), judge="judge", additional=[10, 50, 250])
    for _, part in found.groupby("estimator"):
        assert (part.half_width.diff()[1:] < 0).all()
    at = found[found.additional == 50].set_index("estimator").half_width
    assert at["ppi++"] < at["human sample"]


def test_the_least_number_that_reaches_a_wanted_half_width():
    frame = study()
    wanted = (
        sample_size(frame, judge="judge", additional=[], width=0.06)
        .dropna(subset="target_half_width")
        .set_index("estimator")
    )
    for name in NAMES:
        number = int(wanted.additional[name])
        near = sample_size(frame, judge="judge", additional=[number - 1, number]).query("estimator == @name").half_width
        assert near.iloc[2] <= 0.06 < near.iloc[1]
        assert wanted.n_coded[name] == 100 + number
    assert wanted.additional["ppi++"] < wanted.additional["human sample"]


def test_a_width_that_is_there_already_needs_none():
    found = sample_size(study(), judge="judge", width=0.5).dropna(subset="target_half_width")
    assert found.additional.tolist() == [0, 0, 0]
    assert (found.note == "The present sample reaches it.").all()


def test_what_all_records_cannot_reach_is_nan_and_says_so():
    found = sample_size(study(), judge="judge", additional=[400, 600], width=0.01)
    assert found.half_width.isna().tolist() == [False, False, True, True] * 3
    assert found[found.additional == 600].note.str.contains("Only 500 records are left").all()
    assert found[found.target_half_width.notna()].note.str.startswith("Even with all 500 other records coded").all()


def test_where_judge_and_coder_never_differ_nothing_is_projected_to_shrink_to_nothing():
    frame = study()
    judged = frame[frame.coder == "judge"].set_index("record_id").flagged
    coder = frame.coder == "truth"
    frame.loc[coder, "flagged"] = judged.reindex(frame.record_id[coder]).to_numpy()
    found = sample_size(frame, judge="judge").query("estimator == 'dsl'")
    assert found.se.nunique() == 1
    assert found.se.gt(0).all()


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"additional": [0]}, "additional: 0 is not a number"),
        ({"additional": [2.5]}, "additional: 2.5 is not a number"),
        ({"width": 0}, "width=0"),
        ({"of": "regression"}, "of: write `prevalence` or `mean`"),
        ({"of": "mean"}, "answers have no numbers"),
        ({"confidence": 1}, "confidence=1"),
    ],
)
def test_it_is_refused(asked, said):
    with pytest.raises(SetupError, match=said):
        sample_size(study(), judge="judge", **asked)
