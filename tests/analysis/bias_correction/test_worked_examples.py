"""Corrected estimates: small cases worked by hand, and what must hold between estimators."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings, strategies as st

from buttermilk_nb.analysis.bias_correction import corrected_estimate
from buttermilk_nb.analysis.bias_correction.regressions import SEPARATION, regression

NAMES = ["naive", "human sample", "ppi", "ppi++", "dsl"]


def ratings(said, coded, inclusion=None, clusters=None, numbers=False):
    """`said`: the judge's answer per record. `coded`: record number to the human's. Both 0/1, or numbers."""
    rows = [(i, "judge", "instrument", answer, None) for i, answer in enumerate(said)]
    rows += [(i, "truth", "human", answer, (inclusion or {}).get(i)) for i, answer in coded.items()]
    frame = pd.DataFrame(rows, columns=["record_id", "coder", "kind", "value", "inclusion_p"])
    frame = frame.astype({"value": "float64", "inclusion_p": "float64"}).assign(criterion="calm")
    if numbers:
        frame["category"] = None
    else:
        frame["category"] = frame.value.map({1.0: "yes", 0.0: "no"})
        frame["flagged"] = (frame.value == 1).astype("boolean").where(frame.value.notna())
    if clusters is not None:
        frame["cluster"] = frame.record_id.map(dict(enumerate(clusters)))
    return frame


def estimates(frame, **asked):
    return corrected_estimate(frame, judge="judge", **asked).set_index("estimator")


def forty_of_hundred():
    """100 records, 50 found by the judge; of 40 coded it found 20, of which 12 are right, and missed 4 of the rest."""
    said = [1] * 50 + [0] * 50
    coded = {i: int(i < 12) for i in range(20)} | {50 + i: int(i < 4) for i in range(20)}
    return said, coded


def test_a_small_case_worked_by_hand():
    found = estimates(ratings(*forty_of_hundred()), sampled="simple random")
    # the judge: 50 of 100. The sample: 16 of 40. In it the judge has 20 of 40, so the correction is -4 / 40
    assert found.value.round(10).to_dict() == dict(zip(NAMES, [0.5, 0.4, 0.4, 0.4, 0.4], strict=True))
    # naive: sqrt(.25 / 99); human: sqrt(.24 / 39)
    assert found.se["naive"] == pytest.approx(math.sqrt(0.25 / 99))
    assert found.se["human sample"] == pytest.approx(math.sqrt(0.24 / 39))
    # in the sample cov(code, judge) = 12/40 - .4 x .5 = .1 and var(judge) = .25: power .4
    assert found.power["ppi++"] == pytest.approx(0.4)
    # ppi: code - judge is -1 (8 of 40), 1 (4), 0 (28): variance .3 - .01 = .29, by coding .29 x (1/40 - 1/100), and
    # what all 100 vary by: the variance of a code, .24 / 100; together times 40 / 39
    assert found.se["ppi"] ** 2 == pytest.approx((0.29 * (1 / 40 - 1 / 100) + 0.24 / 100) * 40 / 39)
    # ppi++: what is left is .24 - .1 x .1 / .25 = .2
    assert found.se["ppi++"] ** 2 == pytest.approx((0.2 * (1 / 40 - 1 / 100) + 0.24 / 100) * 40 / 39)
    assert found.n_judged.tolist() == [100] * 5
    assert found.n_coded.tolist() == [40] * 5
    assert found.n_clusters.tolist() == [100, 40, 40, 40, 40]
    assert found.n_excluded.tolist() == [0] * 5
    assert found.term.isna().all()


def test_unequal_inclusion_worked_by_hand():
    # every record that the judge found is coded (30, 24 right), of the other 300 every tenth (30, 3 missed)
    said = [1] * 30 + [0] * 300
    coded = {i: int(i < 24) for i in range(30)} | {30 + i: int(i < 3) for i in range(30)}
    frame = ratings(said, coded, {i: 1.0 if i < 30 else 0.1 for i in coded})
    found = estimates(frame)
    wanted = (24 + 3 * 10) / 330
    assert found.value["naive"] == pytest.approx(30 / 330)
    for name in NAMES[1:]:
        assert found.value[name] == pytest.approx(wanted)
    adjusted = np.r_[np.ones(24), np.zeros(6), [10.0] * 3, np.zeros(297)]
    assert found.se["dsl"] ** 2 == pytest.approx(adjusted.var() / 330 * 60 / 59)


def test_the_interval_is_by_students_t_over_coded_clusters():
    from scipy.stats import t

    found = estimates(ratings(*forty_of_hundred()), sampled="simple random", confidence=0.9)
    reach = t.ppf(0.95, 39) * found.se["ppi"]
    assert (found.low["ppi"], found.high["ppi"]) == (pytest.approx(0.4 - reach), pytest.approx(0.4 + reach))


def test_clusters_widen_intervals():
    said, coded = forty_of_hundred()
    alone = estimates(ratings(said, coded), sampled="simple random")
    # records that are alike lie together
    together = estimates(ratings(said, coded, clusters=[i // 4 for i in range(100)]), sampled="simple random")
    assert together.value.tolist() == pytest.approx(alone.value.tolist())
    assert (together.se > 1.3 * alone.se).all()
    assert together.n_clusters.tolist() == [25, 11, 11, 11, 11]
    assert together.note.str.contains("clusters the interval is rough").all()


def test_clusters_of_copies_are_worth_one_record_each():
    said, coded = forty_of_hundred()
    once = estimates(ratings(said, coded), sampled="simple random")
    twice = {2 * i + k: code for i, code in coded.items() for k in (0, 1)}
    copies = ratings([s for s in said for _ in "ab"], twice, clusters=[i // 2 for i in range(200)])
    found = estimates(copies, sampled="simple random")
    assert found.se.tolist() == pytest.approx(once.se.tolist())


def random_study(seed, unequal=True, numbers=False):
    rng = np.random.default_rng(seed)
    said = rng.normal(3, 1, 120) if numbers else (rng.random(120) < 0.4).astype(float)
    true = said + rng.normal(0.3, 0.5, 120) if numbers else np.where(rng.random(120) < 0.2, 1 - said, said)
    chance = np.where(said > np.median(said), 0.8, 0.5) if unequal else np.full(120, 0.6)
    coded = {i: true[i] for i in range(120) if rng.random() < chance[i]}
    return ratings(said, coded, {i: chance[i] for i in coded}, rng.integers(0, 40, 120), numbers)


@given(seed=st.integers(0, 10_000), numbers=st.booleans())
@settings(max_examples=12, deadline=None)
def test_power_0_is_the_human_sample_and_power_1_is_ppi(seed, numbers):
    frame, of = random_study(seed, numbers=numbers), "mean" if numbers else "prevalence"
    none, whole, tuned = (estimates(frame, of=of, power=power) for power in (0, 1, None))
    for column in ("value", "low", "high", "se"):
        assert none[column]["ppi++"] == pytest.approx(none[column]["human sample"])
        assert whole[column]["ppi++"] == pytest.approx(whole[column]["ppi"])
    assert tuned.se["ppi++"] <= min(tuned.se["human sample"], tuned.se["ppi"]) * (1 + 1e-12)


def test_a_judge_that_says_the_opposite_is_as_good_as_one_that_is_right():
    frame = random_study(3)
    turned = frame.copy()
    judge = turned.coder == "judge"
    turned.loc[judge, "flagged"] = ~turned.loc[judge, "flagged"]
    right, wrong = estimates(frame), estimates(turned)
    assert wrong.value["ppi++"] == pytest.approx(right.value["ppi++"])
    assert wrong.power["ppi++"] == pytest.approx(-right.power["ppi++"])
    assert "The judge errs too often to help" in wrong.note["ppi"]


def test_dsl_is_ppi_where_the_share_coded_is_the_probability():
    found = estimates(ratings(*forty_of_hundred()), sampled="simple random")
    assert found.value["dsl"] == pytest.approx(found.value["ppi"])
    # dsl has the square of the mean error in its variance, -.1 here, as if the number of codes were left to chance
    assert found.se["dsl"] ** 2 - found.se["ppi"] ** 2 == pytest.approx(0.01 * (1 / 40 - 1 / 100) * 40 / 39)


def all_coded(numbers=False):
    rng = np.random.default_rng(5)
    x = pd.DataFrame({"ferry": rng.random(90) < 0.5, "year": 2000 + rng.integers(0, 20, 90)}, index=range(90))
    true = rng.normal(x.ferry + 0.1 * x.year, 1) if numbers else rng.random(90) < 0.3 + 0.4 * x.ferry
    said = rng.permutation(true)
    return ratings(said.astype(float), dict(enumerate(true.astype(float))), numbers=numbers), x, true


@pytest.mark.parametrize("numbers", [False, True])
def test_where_everything_is_coded_dsl_is_the_plain_regression(numbers):
    frame, x, _ = all_coded(numbers)
    found = corrected_estimate(frame, judge="judge", of="regression", covariates=x)
    human, dsl = (found[found.estimator == name] for name in ("human sample", "dsl"))
    for column in ("value", "low", "high", "se"):
        assert dsl[column].tolist() == pytest.approx(human[column].tolist())
    assert dsl.term.tolist() == ["intercept", "ferry", "year"]
    assert dsl.note.str.startswith("Every record is coded").all()


def test_a_linear_regression_is_least_squares_with_hc1():
    frame, x, true = all_coded(numbers=True)
    found = corrected_estimate(frame, judge="judge", of="regression", covariates=x)
    found = found[found.estimator == "human sample"]
    design = np.column_stack([np.ones(90), x.ferry, x.year]).astype(float)
    wanted, *_ = np.linalg.lstsq(design, true)
    bread = np.linalg.pinv(design.T @ design)
    meat = design.T @ (design * ((true - design @ wanted) ** 2)[:, None])
    assert found.value.tolist() == pytest.approx(wanted.tolist(), rel=1e-6)
    assert found.se.tolist() == pytest.approx(np.sqrt(np.diag(bread @ meat @ bread) * 90 / 87).tolist(), rel=1e-4)


def test_a_logistic_regression_on_a_yes_and_no_is_that_of_the_table():
    # weighted counts: at 0 10 of 40, at 1 30 of 40; the log odds ratio is log 9, and each odds has its own variance
    x = np.repeat([[1.0, 0.0], [1.0, 1.0]], 40, axis=0)
    y = np.r_[np.ones(10), np.zeros(30), np.ones(30), np.zeros(10)]
    found = regression(x, y, np.full(80, 2.5), "logistic", np.ones(80, bool))
    assert found.values.tolist() == pytest.approx([math.log(1 / 3), math.log(9)])
    squares = (found.influence**2).sum(axis=0)
    assert squares.tolist() == pytest.approx([1 / 10 + 1 / 30, 2 * (1 / 10 + 1 / 30)])


@pytest.mark.parametrize("odd", [False, True])
def test_separation_is_said_and_not_a_large_number(odd):
    x = np.repeat([[1.0, 0.0], [1.0, 1.0]], 20, axis=0)
    y = np.r_[np.zeros(20), np.ones(10), np.zeros(10)] - odd * np.r_[np.full(20, 0.1), np.zeros(20)]
    found = regression(x, y, np.ones(40), "logistic", np.ones(40, bool))
    assert np.isnan(found.values).all()
    assert found.undefined_reason == SEPARATION


def test_replicates_are_averaged_or_their_mode_is_taken():
    said, coded = forty_of_hundred()
    frame = ratings(said, coded)
    own = frame[frame.coder == "judge"]
    flipped = own.assign(flagged=~own.flagged, category=own.category.map({"yes": "no", "no": "yes"}))
    parts = [frame.assign(replicate=0), own.assign(replicate=1), flipped.assign(replicate=2)]
    three = pd.concat(parts, ignore_index=True)
    each = estimates(three, sampled="simple random")
    modal = estimates(three, sampled="simple random", replicate_mode="modal")
    single = estimates(frame, sampled="simple random")
    turned = estimates(pd.concat([flipped, frame[frame.coder == "truth"]], ignore_index=True), sampled="simple random")
    for name in ("naive", "ppi", "dsl"):
        assert each.value[name] == pytest.approx((2 * single.value[name] + turned.value[name]) / 3)
    assert modal.se.tolist() == pytest.approx(single.se.tolist())


def test_a_mean_of_an_ordinal_scale_reads_its_categories():
    frame = ratings([1, 5] * 60, {i: 1 + 4 * (i % 2) for i in range(40)}, numbers=True)
    frame = frame.assign(category=frame.value.map("{:.0f}".format), value=math.nan, scale="1-5")
    found = estimates(frame, of="mean", sampled="simple random")
    assert found.value["ppi"] == pytest.approx(3)
    assert found.note.str.contains("The scale is ordinal").all()
