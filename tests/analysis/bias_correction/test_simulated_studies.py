"""Corrected estimates over many simulated studies: what they find, and how often their intervals cover it.

The judge finds the finding more easily in one kind of record than in the other, so that its share and its coefficient
are both off.
"""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from support.paths import DATA

from buttermilk_nb.analysis.bias_correction import corrected_estimate

STUDIES, RECORDS, PER_CLUSTER = 200, 300, 5
CORRECTED = ["human sample", "ppi", "ppi++", "dsl"]
FOLDER = DATA / "posts_400"


def logistic(x):
    return 1 / (1 + np.exp(-x))


def simulated(seed, *, unequal=False, clusters=False):
    """Many studies of 300 records in one frame, their covariate, and the true share and log odds ratio."""
    rng = np.random.default_rng(seed)
    n = STUDIES * RECORDS
    of_kind = rng.random(n) < 0.5
    effect = rng.normal(0, 1, n // PER_CLUSTER).repeat(PER_CLUSTER) if clusters else 0.0
    true = rng.random(n) < logistic(-1 + of_kind + effect)
    said = np.where(true, rng.random(n) < 0.85, rng.random(n) < np.where(of_kind, 0.35, 0.05))
    chance = np.where(said, 0.5, 0.25) if unequal else np.full(n, 1 / 3)
    coded = rng.random(n) < chance
    if not unequal:  # a simple random sample in each study
        order = rng.random((STUDIES, RECORDS)).argsort(axis=1)
        coded = (order < RECORDS // 3).ravel()
    at = np.arange(n)
    judged = pd.DataFrame({"record_id": at, "coder": "judge", "kind": "instrument", "flagged": said})
    human = pd.DataFrame({"record_id": at, "coder": "truth", "kind": "human", "flagged": true, "inclusion_p": chance})
    frame = pd.concat([judged, human[coded]], ignore_index=True)
    frame = frame.assign(criterion="calm", category=frame.flagged.map({True: "yes", False: "no"}))
    frame["study"] = frame.record_id // RECORDS
    frame["cluster"] = "c" + (frame.record_id // PER_CLUSTER).astype(str) if clusters else None
    steps = np.linspace(-5, 5, 2001)
    weights = np.exp(-(steps**2) / 2) / np.exp(-(steps**2) / 2).sum() if clusters else (steps == 0) * 1.0
    shares = [float((weights * logistic(-1 + kind + steps)).sum()) for kind in (0, 1)]
    ratio = math.log(shares[1] / (1 - shares[1])) - math.log(shares[0] / (1 - shares[0]))
    return frame, pd.DataFrame({"kind": of_kind}, index=at), sum(shares) / 2, ratio


def summed_up(found, truth):
    """By estimator: the mean, the standard deviation, the mean standard error, and how often the interval covers."""
    covers = (found.low <= truth) & (truth <= found.high)
    parts = found.assign(covers=covers).groupby("estimator", sort=False)
    return parts.agg(mean=("value", "mean"), sd=("value", "std"), se=("se", "mean"), covers=("covers", "mean"))


@pytest.mark.parametrize(("unequal", "clusters"), [(False, False), (True, False), (False, True)])
def test_a_share_is_recovered_and_covered_where_the_judge_alone_is_off(unequal, clusters):
    frame, _, truth, _ = simulated(1, unequal=unequal, clusters=clusters)
    found = summed_up(corrected_estimate(frame, judge="judge", by=["criterion", "study"]), truth)
    assert abs(found["mean"]["naive"] - truth) > 0.04
    assert found.covers["naive"] < 0.75
    for name in CORRECTED:
        assert found["mean"][name] == pytest.approx(truth, abs=0.008)
        assert 0.91 <= found.covers[name] <= 0.99
        assert found.se[name] == pytest.approx(found.sd[name], rel=0.12)
    assert found.se["ppi++"] < 0.9 * found.se["human sample"]


@pytest.mark.parametrize(("unequal", "clusters"), [(False, False), (True, True)])
def test_a_log_odds_ratio_is_recovered_and_covered_where_the_judge_alone_is_off(unequal, clusters):
    frame, x, _, truth = simulated(2, unequal=unequal, clusters=clusters)
    rows = corrected_estimate(frame, judge="judge", by=["criterion", "study"], of="regression", covariates=x)
    found = summed_up(rows[rows.term == "kind"], truth)
    assert abs(found["mean"]["naive"] - truth) > 0.3
    assert found.covers["naive"] < 0.75
    for name in ("human sample", "dsl"):
        assert found["mean"][name] == pytest.approx(truth, abs=0.08)
        assert 0.91 <= found.covers[name] <= 0.99
        assert found.se[name] == pytest.approx(found.sd[name], rel=0.15)
    assert found.se["dsl"] < found.se["human sample"]


def corpus(generate, seed, n_coded):
    """One corpus: `ben` in the place of a judge, and a simple random sample with the truth."""
    people = generate.authors(seed)
    posts = generate.true_posts(seed, people)
    codes = generate.codes(seed, "ben", posts, people)
    chosen = np.random.default_rng(seed).choice(len(posts), n_coded, replace=False)
    given = [("ben", "instrument", i, code and code["hostile"]) for i, code in enumerate(codes)]
    given += [("truth", "human", i, posts[i]["ground_truth"]["hostile"]) for i in chosen]
    frame = pd.DataFrame(given, columns=["coder", "kind", "at", "category"]).assign(criterion="hostile", corpus=seed)
    frame["record_id"] = [f"{seed}-{i}" for i in frame["at"]]
    frame["cluster"] = [f"{seed}-{posts[i]['author']}" for i in frame["at"]]
    frame["flagged"] = frame.category.map({"yes": True, "no": False}).astype("boolean")
    ferry = pd.DataFrame({"ferry": [post["issue"] == "ferry" for post in posts]})
    return frame, ferry.set_axis([f"{seed}-{i}" for i in ferry.index], axis=0)


def test_posts_400_has_its_true_share_in_the_corrected_intervals_and_the_judge_is_off_by_a_quarter(posts_generator):
    frame, x = corpus(posts_generator, posts_generator.SEED, 200)
    found = corrected_estimate(frame, judge="ben", sampled="simple random").set_index("estimator")
    assert found.value["naive"] > 0.0625 * 1.2
    for name in CORRECTED:
        assert found.low[name] < 0.0625 < found.high[name]
        assert abs(found.value[name] - 0.0625) < abs(found.value["naive"] - 0.0625)
    rows = corrected_estimate(frame, judge="ben", sampled="simple random", of="regression", covariates=x)
    ferry = rows[rows.term == "ferry"].set_index("estimator")
    assert ferry.low["dsl"] < 1.03 < ferry.high["dsl"]
    assert abs(ferry.value["dsl"] - 1.03) < abs(ferry.value["naive"] - 1.03)
    assert found.note.str.contains("53 of 400 records").all()
    assert found.n_clusters["naive"] == 60


def test_corpora_like_posts_400_have_the_declared_share_and_ferry_ratio_on_average(posts_generator):
    parts = [corpus(posts_generator, seed, 300) for seed in range(1, 61)]
    frame = pd.concat([part for part, _ in parts], ignore_index=True)
    x = pd.concat([ferry for _, ferry in parts])
    asked = {"judge": "ben", "by": ["criterion", "corpus"], "sampled": "simple random"}
    rates = posts_generator.marginal(True), posts_generator.marginal(False)
    truth = 0.45 * rates[0] + 0.55 * rates[1]
    shares = summed_up(corrected_estimate(frame, **asked), truth)
    assert shares["mean"]["naive"] > truth + 0.015
    for name in CORRECTED:
        assert shares["mean"][name] == pytest.approx(truth, abs=0.004)
        assert shares.covers[name] > 0.85  # 18 findings among the codes, which the note calls rough
    rows = corrected_estimate(frame, **asked, of="regression", covariates=x).query("term == 'ferry'")
    ferry = summed_up(rows[rows.value.notna()], posts_generator.log_odds_ratio(*rates))
    middle = rows.groupby("estimator").value.median()
    assert middle["naive"] < 0.75
    assert middle["dsl"] == pytest.approx(1.03, abs=0.2)
    assert ferry.covers["dsl"] > 0.91
    assert ferry.covers["naive"] < 0.88
