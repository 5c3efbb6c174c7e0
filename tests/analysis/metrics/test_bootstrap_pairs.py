"""Intervals: clusters are drawn, draws are seeded, and each draw equals the metric of the records it drew."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from buttermilk_nb.analysis.metrics import answer_pairs, metrics
from buttermilk_nb.analysis.metrics.answer_pairs import AnswerPairs
from buttermilk_nb.analysis.metrics.base import BASES
from buttermilk_nb.analysis.metrics.metric_registry import metrics_for
from buttermilk_nb.analysis.metrics.pair_with_truth import paired_coders
from buttermilk_nb.analysis.shared import bootstrap
from buttermilk_nb.analysis.shared.bootstrap import sample_and_cluster_weights


def study(records, kind, coders=1, seed=0, missing=0.1, clusters=None):
    draw = np.random.default_rng(seed)
    truth, parts = draw.integers(0, 5, records), []
    for name in ("truth", *(f"judge {i}" for i in range(coders))):
        said = np.clip(truth + draw.integers(-1, 2, records) * (name != "truth"), 0, 4)
        answer = {"yes/no": np.where(said > 2, "yes", "no"), "1-5": (said + 1).astype(str), "0..4": said.astype(str)}
        part = pd.DataFrame({"record_id": [f"r{i}" for i in range(records)], "criterion": "tone", "coder": name})
        part["category"] = pd.Series(answer[kind], dtype=object)
        part["flagged"] = pd.Series(said > 2, dtype="boolean")
        if name != "truth":
            part.loc[draw.random(records) < missing, ["category", "flagged"]] = None
        if clusters:
            part["cluster"] = [f"author {i % clusters}" for i in range(records)]
        parts.append(part)
    return pd.concat(parts, ignore_index=True).assign(scale=kind)


@pytest.mark.parametrize("kind", ["yes/no", "1-5", "0..4"])
@pytest.mark.parametrize("few", [0, 64])
def test_a_weight_counts_a_record_as_often_as_if_it_stood_there_so_often(kind, few, monkeypatch):
    monkeypatch.setattr(answer_pairs, "_FEW", few)
    (one,) = paired_coders(study(25, kind), "truth", ["criterion"], None, "each")
    (weights,) = list(sample_and_cluster_weights(25, 6, seed=3))[1:]
    index = np.arange(25)
    for metric in metrics_for(one.question):

        def estimate(truth, answer, cluster, rows, metric=metric):
            pairs = AnswerPairs.from_answers(truth, answer, cluster, 25)
            view = pairs.truth, pairs.answer, pairs.pair_weights(rows)
            if metric.uses_flag:
                flagged, said, which = pairs.to_flag_pairs(one.question.flags)
                view = flagged, said, view[2] @ which
            return [metric.estimate(one.question, *view, basis) for basis in BASES]

        drawn = np.array(estimate(one.truth, one.answers.code, index, weights))
        for column, row in zip(drawn.T, weights.astype(int), strict=True):
            stands = np.repeat(index, row)
            alone = estimate(one.truth[stands], one.answers.code[stands], np.zeros(row.sum(), int), np.ones((1, 25)))
            skip = 2 if metric.name == "pearson" else 4  # its ends are tried record by record
            np.testing.assert_allclose(column[:skip], np.concatenate(alone)[:skip], atol=1e-9)


def test_clusters_give_wider_intervals_than_records_where_records_of_a_cluster_are_alike():
    draw = np.random.default_rng(5)
    right = np.repeat(draw.random(12) < 0.6, 10)
    rows = [(i, name, "a" if name == "truth" or right[i] else "b") for i in range(120) for name in ("truth", "judge")]
    alone = pd.DataFrame(rows, columns=["record_id", "coder", "category"]).assign(criterion="tone")
    together = alone.assign(cluster=alone.record_id // 10)
    widths, clusters = [], []
    for ratings in (alone, together):
        row = metrics(ratings, n_boot=400).iloc[0]
        widths.append(row.high - row.low)
        clusters.append(row.n_clusters)
    assert clusters == [120, 12]
    assert widths[1] > 2 * widths[0]


def test_the_interval_of_a_share_is_about_as_wide_as_its_normal_one():
    rows = [(i, name, "a" if name == "truth" or i % 4 else "b") for i in range(400) for name in ("truth", "judge")]
    row = metrics(pd.DataFrame(rows, columns=["record_id", "coder", "category"]).assign(criterion="tone")).iloc[0]
    normal = 1.96 * np.sqrt(0.75 * 0.25 / 400)
    assert row.value == 0.75
    assert row.high - row.low == pytest.approx(2 * normal, rel=0.12)


def test_a_seed_gives_the_same_table_and_another_seed_another():
    ratings = study(40, "yes/no")
    pd.testing.assert_frame_equal(metrics(ratings, n_boot=50), metrics(ratings, n_boot=50))
    assert not metrics(ratings, n_boot=50).low.equals(metrics(ratings, n_boot=50, seed=2).low)


@pytest.mark.parametrize("limits", [{"_MAX_BLOCK": 70}, {"_MAX_BLOCK": 70, "_MAX_STORED": 0}, {"_MAX_STORED": 0}])
def test_blocks_of_resamples_are_the_same_resamples(monkeypatch, limits):
    ratings = study(30, "1-5", clusters=10)
    whole = metrics(ratings, n_boot=50)
    bootstrap._stored_counts.cache_clear()
    for name, limit in limits.items():
        monkeypatch.setattr(bootstrap, name, limit)
    pd.testing.assert_frame_equal(metrics(ratings, n_boot=50), whole)


def test_undefined_resamples_are_counted_and_left_out_of_the_interval():
    rows = [(i, "truth", "yes" if i == 0 else "no") for i in range(10)] + [(i, "judge", "no") for i in range(10)]
    ratings = pd.DataFrame(rows, columns=["record_id", "coder", "category"]).assign(criterion="tone", scale="yes/no")
    ratings["flagged"] = ratings.category == "yes"
    row = metrics(ratings, only=["recall"]).iloc[0]
    assert 250 < row.n_undefined < 450  # 0.9 ** 10 of 1000
    assert (row.low, row.value, row.high) == (0, 0, 0)


def test_one_cluster_has_no_interval_and_says_so():
    row = metrics(study(20, "yes/no").assign(cluster="one"), n_boot=20).iloc[0]
    assert np.isnan(row.low)
    assert "All records are in one cluster, so there is no interval." in row.note
