"""Corrected estimates: what is refused, and what is said beside a number."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from buttermilk_nb.analysis.bias_correction import corrected_estimate, sample_size
from buttermilk_nb.errors import SetupError


def study(n=200, coded=60, criterion="calm"):
    """The judge finds every second record, the coder every fourth, of the first `coded`."""
    rows = [(f"r{i:03}", "judge", "instrument", "yes" if i % 2 else "no") for i in range(n)]
    rows += [(f"r{i:03}", "truth", "human", "yes" if i % 4 == 1 else "no") for i in range(coded)]
    frame = pd.DataFrame(rows, columns=["record_id", "coder", "kind", "category"]).assign(criterion=criterion)
    frame["flagged"] = (frame.category == "yes").astype("boolean")
    frame["inclusion_p"] = np.where(frame.coder == "truth", coded / n, math.nan)
    return frame


def estimates(frame, **asked):
    return corrected_estimate(frame, judge="judge", **asked).set_index("estimator")


def changed(frame, where, **columns):
    frame = frame.copy()
    for name, value in columns.items():
        frame.loc[where, name] = value
    return frame


COVARIATES = pd.DataFrame({"week": range(200)}, index=[f"r{i:03}" for i in range(200)])


def of_coder(frame):
    return frame.coder == "truth"


def test_no_probability_sample_no_correction():
    frame = study().drop(columns="inclusion_p")
    with pytest.raises(SetupError, match=r"only a probability sample corrects a judge.*corpus.sample.*simple random"):
        estimates(frame)
    with pytest.raises(SetupError, match="only a probability sample"):
        sample_size(frame, judge="judge")
    assert "as a simple random sample, as `sampled` states" in estimates(frame, sampled="simple random").note["ppi"]


REFUSED = {
    "with the codes of other records": (
        lambda f: pd.concat([f, f[of_coder(f)].assign(record_id=lambda g: "x" + g.record_id)]),
        {},
        r"60 of 120 records coded by `truth` were not judged by `judge` \(such as `xr000`\)",
    ),
    "with few codes": (lambda f: f[~of_coder(f) | (f.record_id < "r029")], {}, "29 records have a usable code"),
    "with few usable codes": (
        lambda f: changed(f, of_coder(f) & (f.record_id > "r028"), category="cannot tell"),
        {},
        "29 records have a usable code by `truth`. A correction needs at least 30",
    ),
    "with some probabilities": (
        lambda f: changed(f, f.record_id == "r003", inclusion_p=math.nan),
        {},
        "1 of 60 records coded by `truth` have no `inclusion_p`",
    ),
    "with a probability above 1": (lambda f: f.assign(inclusion_p=1.5), {}, "`inclusion_p` is 1.5"),
    "with a probability of 0": (lambda f: f.assign(inclusion_p=0.0), {}, "`inclusion_p` is 0"),
    "with unequal probabilities said to be equal": (
        lambda f: changed(f, f.record_id < "r009", inclusion_p=0.9),
        {"sampled": "simple random"},
        "goes from 0.3 to 0.9",
    ),
    "with another word": (lambda f: f, {"sampled": "yes"}, 'sampled: write "simple random"'),
    "without a flag": (lambda f: f.assign(flagged=None), {}, "have no `flagged`.*which answer is the finding"),
    "without numbers": (lambda f: f, {"of": "mean"}, "have no numbers; give the ratings a column `value`"),
    "with a mean of names": (lambda f: f.assign(scale="yes/no"), {"of": "mean"}, "answers on a nominal scale"),
    "with no answer": (lambda f: changed(f, ~of_coder(f), category=None, flagged=pd.NA), {}, "has no usable answer"),
    "with an unknown coder": (lambda f: f, {"coder": "trut"}, "there is no coder `trut`"),
    "with itself": (lambda f: f, {"coder": "judge"}, "judge and coder are both"),
    "with an instrument for a person": (lambda f: f.assign(kind="instrument"), {}, "`truth` is an instrument"),
    "with replicates of a person": (
        lambda f: pd.concat([f.assign(replicate=0), f[of_coder(f)].assign(replicate=1)]),
        {},
        "coded records in several replicates",
    ),
    "with two wordings": (lambda f: f.assign(criteria_hash=np.where(of_coder(f), "a", "b")), {}, "under 2 wordings"),
    "with two criteria": (lambda f: pd.concat([f, f.assign(criterion="fair")]), {"by": ()}, "criteria are never"),
    "by what the judge alone has": (
        lambda f: changed(f.assign(model=None), ~of_coder(f), model="m"),
        {"by": ["criterion", "model"]},
        "0 records have a usable code.*leave out of `by` the columns that only the judge's rows",
    ),
    "of something else": (lambda f: f, {"of": "median"}, "of: write `prevalence` or `mean` or `regression`"),
    "at a level of 95": (lambda f: f, {"confidence": 95}, "confidence=95"),
    "with a power that is none": (lambda f: f, {"power": math.nan}, "power=nan"),
    "with other replicates": (lambda f: f, {"replicate_mode": "mean"}, 'replicate_mode: write "each" or "modal"'),
    "without covariates": (lambda f: f, {"of": "regression"}, "a regression needs a DataFrame"),
    "with a covariate of names": (
        lambda f: f,
        {"of": "regression", "covariates": COVARIATES.assign(issue="ferry")},
        r"`issue` has no numbers.*get_dummies",
    ),
    "with too few covariates": (
        lambda f: f,
        {"of": "regression", "covariates": COVARIATES[:-3]},
        r"3 of 200 judged records lack a covariate \(such as `r197`\)",
    ),
    "with a constant covariate": (
        lambda f: f,
        {"of": "regression", "covariates": COVARIATES.assign(one=1)},
        "covariate `one` is constant",
    ),
    "with a covariate twice": (
        lambda f: f,
        {"of": "regression", "covariates": COVARIATES.assign(more=COVARIATES.week * 2)},
        "covariate `more` is constant, or a sum of others",
    ),
    "with a record twice": (
        lambda f: f,
        {"of": "regression", "covariates": pd.concat([COVARIATES, COVARIATES[:1]])},
        "record `r000` has two rows",
    ),
    "with an intercept": (
        lambda f: f,
        {"of": "regression", "covariates": COVARIATES.assign(intercept=1)},
        "not `intercept`",
    ),
    "with another kind": (
        lambda f: f,
        {"of": "regression", "covariates": COVARIATES, "kind": "probit"},
        "kind: write `logistic` or `linear`",
    ),
}


@pytest.mark.parametrize("why", REFUSED)
def test_it_is_refused(why):
    change, asked, said = REFUSED[why]
    with pytest.raises(SetupError, match=said):
        estimates(change(study()), **asked)


def test_groups_are_estimated_apart_and_come_in_order():
    both = pd.concat([study(criterion="fair", coded=50), study(criterion="calm")], ignore_index=True)
    found = corrected_estimate(both, judge="judge", by="criterion")
    assert found.criterion.tolist() == ["calm"] * 5 + ["fair"] * 5
    assert found.n_coded.tolist() == [60] * 5 + [50] * 5
    one = corrected_estimate(study(), judge="judge")
    pd.testing.assert_frame_equal(found[:5], one)


def test_a_frame_of_ones_own_needs_few_columns():
    assert estimates(study().drop(columns="kind")).value.round(4).tolist() == [0.5, 0.25, 0.25, 0.25, 0.25]


def test_records_without_an_answer_of_the_judge_count_in_the_corrected_estimate():
    frame = study()
    # the judge answers none of the records of which all are findings
    lost = changed(frame, ~of_coder(frame) & frame.record_id.isin([f"r{i:03}" for i in range(1, 200, 4)]),
                   category=None, flagged=pd.NA, status="refused")  # fmt: skip
    lost["status"] = lost.status.fillna("ok")
    found = estimates(lost)
    assert found.value.round(4).tolist() == [0.3333, 0.25, 0.25, 0.25, 0.25]
    assert found.n_judged.tolist() == [150] * 5
    assert found.n_excluded.tolist() == [50, 0, 0, 0, 0]
    assert "which are left out" in found.note["naive"]
    assert "50 of 200 records; its mean answer replaces them, and the 15 of them that are coded" in found.note["dsl"]


def test_chosen_records_without_a_code_are_counted_and_the_others_stand_for_them():
    frame = study()
    lost = changed(frame, of_coder(frame) & (frame.record_id >= "r048"), category="cannot tell", flagged=pd.NA)
    found = estimates(lost)
    assert found.n_excluded.tolist() == [0, 12, 12, 12, 12]
    assert found.value.round(4).tolist() == [0.5, 0.25, 0.25, 0.25, 0.25]
    assert "12 of 60 drawn records have no usable code" in found.note["ppi"]
    assert "chosen" not in found.note["naive"]


NOTED = {
    "seen": (lambda f: f.assign(blind=np.where(of_coder(f), False, None)), "60 codes were given after seeing answers"),
    "rare": (lambda f: changed(f, of_coder(f) & (f.record_id > "r020"), flagged=False), "There are 5 findings among"),
    "few errors": (
        lambda f: changed(f, of_coder(f) & (f.record_id > "r020"), flagged=f.record_id.str[-1].isin(list("13579"))),
        "Judge and coder differ on only 5 coded records",
    ),
    "no error": (
        lambda f: changed(f, of_coder(f), flagged=f.record_id.str[-1].isin(list("13579"))),
        "agree on every coded record",
    ),
    "one cluster": (lambda f: f.assign(cluster="all"), "All records are in one cluster, so there is no interval."),
    "a judge of one word": (lambda f: changed(f, ~of_coder(f), flagged=True), "add nothing here \\(power 0\\)"),
}


@pytest.mark.parametrize("what", NOTED)
def test_a_note_says_when_a_number_is_rough(what):
    change, said = NOTED[what]
    found = estimates(change(study()))
    assert pd.Series([found.note["ppi++"]]).str.contains(said).all()


def test_one_cluster_has_a_value_and_no_interval():
    found = estimates(study().assign(cluster="all"))
    assert found.value.notna().all()
    assert found[["low", "high", "se"]].isna().all(axis=None)


def test_an_interval_of_a_share_is_kept_within_0_and_1():
    frame = study()
    found = estimates(changed(frame, of_coder(frame) & (frame.record_id > "r002"), flagged=False))
    assert found.value["human sample"] == pytest.approx(1 / 60)
    assert found.low["human sample"] == 0


def test_an_impossible_share_is_said_and_has_no_interval():
    frame = study()
    # in the sample the judge finds far more than elsewhere
    frame = changed(frame, ~of_coder(frame), flagged=frame.record_id < "r040")
    found = estimates(changed(frame, of_coder(frame), flagged=False))
    assert found.value["ppi"] < 0
    assert found.loc["ppi", ["low", "high"]].isna().all()
    assert "not a possible share" in found.note["ppi"]


def test_a_coefficient_that_does_not_exist_is_nan_and_says_why():
    frame = study()
    x = pd.DataFrame({"odd": [i % 2 for i in range(200)]}, index=COVARIATES.index)
    found = corrected_estimate(frame, judge="judge", of="regression", covariates=x)
    assert found.value.isna().all()
    assert found.note.str.contains("separation").all()
    linear = corrected_estimate(frame, judge="judge", of="regression", kind="linear", covariates=x)
    assert linear.value.round(4).tolist() == [0, 1, 0, 0.5, 0, 0.5]


def test_coded_records_in_which_a_covariate_is_constant_have_no_coefficient():
    x = pd.DataFrame({"late": [int(i >= 100) + 0.001 * (i == 150) for i in range(200)]}, index=COVARIATES.index)
    found = corrected_estimate(study(), judge="judge", of="regression", kind="linear", covariates=x)
    human = found[found.estimator == "human sample"]
    assert human.value.isna().all()
    assert human.note.str.contains("collinear or constant").all()
