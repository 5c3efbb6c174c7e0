"""Samples for people to code: each record's probability is known, above 0, and kept."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from buttermilk_nb.analysis.bias_correction import corrected_estimate
from buttermilk_nb.corpus.corpus import Corpus
from buttermilk_nb.errors import SetupError
from buttermilk_nb.human_coding.samples import draw_sample, samples
from buttermilk_nb.human_coding.strata import draw
from buttermilk_nb.project import session


@pytest.fixture(autouse=True)
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    session.close()
    yield session.init("study", path=tmp_path / "study")
    session.close()


def corpus(n=100, **columns):
    rows = [{"id": f"r{i:03}", "text": f"Text {i}."} | {k: v[i % len(v)] for k, v in columns.items()} for i in range(n)]
    return Corpus.from_records(rows, content="text", record_id="id")


def ratings(said, criterion="calm", flags=True, **columns):
    """One row for each coder, replicate and record; the answers of a coder are strings, one for each replicate."""
    rows = [
        {
            "record_id": f"r{i:03}",
            "criterion": criterion,
            "coder": who,
            "replicate": r,
            "category": code,
            "kind": "judge",
        }
        for who, replicates in said.items()
        for r, codes in enumerate([replicates] if isinstance(replicates, str) else replicates)
        for i, code in enumerate(codes)
    ]
    made = pd.DataFrame(rows).assign(**columns)
    made["category"] = made.category.map({"y": "yes", "n": "no", "?": "cannot tell", "m": "maybe"})
    flagged = made.category.map({"yes": True, "no": False, "maybe": False})
    return made.assign(flagged=flagged.astype("boolean") if flags else None)


def strata(frame):
    return frame.groupby("stratum").inclusion_p.agg(["size", "first", "nunique"]).to_dict("index")


def test_a_random_sample_gives_every_record_the_same_probability():
    found = draw_sample(corpus(), 30, seed=1)
    assert list(found.columns) == ["record_id", "stratum", "inclusion_p", "position", "sample_id"]
    assert found.record_id.nunique() == 30
    assert set(found.inclusion_p) == {0.3}
    assert found.position.tolist() == list(range(1, 31))
    assert found.sample_id.nunique() == 1


def test_strata_are_drawn_in_proportion_and_none_is_left_out():
    made = corpus(100, outlet=["Bell"] * 70 + ["Echo"] * 29 + ["Tin"])
    # one each, and 19 x 70 / 99 = 13.4 to 5.6 of what is left
    assert strata(draw_sample(made, 20, method="stratified", by="outlet", seed=1)) == {
        "Bell": {"size": 13, "first": 13 / 70, "nunique": 1},
        "Echo": {"size": 6, "first": 6 / 29, "nunique": 1},
        "Tin": {"size": 1, "first": 1.0, "nunique": 1},
    }


def test_equal_strata_take_what_a_small_one_does_not_have_from_the_others():
    made = corpus(100, outlet=["Bell"] * 70 + ["Echo"] * 26 + ["Tin"] * 4)
    sizes = strata(draw_sample(made, 24, method="stratified", by=["outlet"], allocation="equal", seed=1))
    assert {name: of["size"] for name, of in sizes.items()} == {"Bell": 10, "Echo": 10, "Tin": 4}
    assert sizes["Tin"]["first"] == 1.0


def test_several_fields_make_strata_together_and_a_missing_value_is_one():
    made = corpus(40, outlet=["Bell", "Echo"], year=[1990, 1990, 2000, ""])
    sizes = strata(draw_sample(made, 8, method="stratified", by=["outlet", "year"], seed=1))
    assert set(sizes) == {"Bell · 1990", "Echo · 1990", "Bell · 2000", "Echo · (none)"}


def test_flagged_records_are_drawn_so_many_times_as_often_whatever_the_instrument_and_replicate():
    # flagged: r000-r003 by one judge once, r002-r005 by the other
    said = {"a": ["yyyy" + "n" * 86, "n" * 90], "b": "nnyyyy" + "n" * 84}
    found = draw_sample(corpus(), 20, method="boosted", ratings=ratings(said), boost=5, seed=1)
    sizes = strata(found)
    # 94 + 5 x 6 = 124 parts of 20: 4.8 and 15.2
    assert sizes["flagged"] == {"size": 5, "first": pytest.approx(5 / 6), "nunique": 1}
    assert sizes["others"] == {"size": 15, "first": pytest.approx(15 / 94), "nunique": 1}
    assert set(found.record_id[found.stratum == "flagged"]) <= {f"r{i:03}" for i in range(6)}


def test_a_boost_beyond_what_there_is_takes_all_of_the_flagged():
    said = {"a": "yyyy" + "n" * 96}
    sizes = strata(draw_sample(corpus(), 50, method="boosted", ratings=ratings(said), boost=1000, seed=1))
    assert sizes["flagged"]["first"] == 1.0
    assert sizes["others"] == {"size": 46, "first": 46 / 96, "nunique": 1}


def test_disagreement_is_between_instruments_at_what_most_replicates_say():
    # r000: differ; r001: a differs from itself but mostly says what b says; r002: b gave no answer; r003: people differ
    said = {"a": ["yynn" + "n" * 36, "ynnn" + "n" * 36, "ynnn" + "n" * 36], "b": "nn?n" + "n" * 36}
    people = ratings({"kf": "yyyy", "lm": "nnnn"}).assign(kind="human")
    frame = pd.concat([ratings(said), people], ignore_index=True)
    found = draw_sample(corpus(40), 40, method="disagreement", ratings=frame, seed=1)
    assert found.record_id[found.stratum == "disagreement"].tolist() == ["r000"]
    assert set(found.inclusion_p) == {1.0}


def test_disagreement_goes_by_the_flag_where_there_is_one_and_else_by_the_answer():
    said = {"a": "ymn" + "n" * 37, "b": "nnn" + "n" * 37}
    for flags, expected in ((True, ["r000"]), (False, ["r000", "r001"])):
        found = draw_sample(corpus(40), 40, method="disagreement", ratings=ratings(said, flags=flags), seed=1)
        assert sorted(found.record_id[found.stratum == "disagreement"]) == expected


def test_neither_the_order_of_the_corpus_nor_of_the_ratings_matters():
    made, frame = corpus(60), ratings({"a": "yyyyy" + "n" * 55})
    turned = Corpus.from_records(reversed(made.records))
    first = draw_sample(made, 20, method="boosted", ratings=frame, seed=4)
    pd.testing.assert_frame_equal(first, draw_sample(turned, 20, method="boosted", ratings=frame[::-1], seed=4))
    assert set(draw_sample(made, 20, method="boosted", ratings=frame, seed=5).record_id) != set(first.record_id)


def test_a_larger_sample_of_the_same_seed_holds_the_smaller_one():
    made = corpus(100, outlet=["Bell"] * 70 + ["Echo"] * 30)
    drawn = [set(draw_sample(made, n, method="stratified", by="outlet", seed=3).record_id) for n in (10, 11, 40, 99)]
    assert all(small < large for small, large in pairwise(drawn))


def test_the_order_to_code_in_is_no_order_of_strata():
    said = {"a": "y" * 50 + "n" * 50}
    found = draw_sample(corpus(), 60, method="boosted", ratings=ratings(said), seed=2)
    half = found[found.position <= 30].stratum.eq("flagged").mean()
    assert abs(half - found.stratum.eq("flagged").mean()) < 0.15
    assert found.record_id.tolist() != sorted(found.record_id)


def test_records_are_drawn_as_often_as_their_probability_says():
    ids = [f"r{i}" for i in range(60)]
    parts = ["rare"] * 6 + ["others"] * 54
    times, position, total = Counter(), Counter(), []
    y = {one: (i * 7) % 13 for i, one in enumerate(ids)}
    for seed in range(3000):
        drawn = draw(ids, parts, {"rare": 30.0, "others": 54.0}, 14, seed)
        times.update(ids[one.place] for one in drawn)
        position[drawn[0].stratum] += 1
        assert sum(1 / one.inclusion_p for one in drawn) == pytest.approx(60)
        total.append(sum(y[ids[one.place]] / one.inclusion_p for one in drawn))
        chances = {one.stratum: one.inclusion_p for one in drawn}
    assert chances == {"rare": 5 / 6, "others": 9 / 54}
    for one, part in zip(ids, parts, strict=True):  # five standard errors
        p = chances[part]
        assert abs(times[one] / 3000 - p) < 5 * np.sqrt(p * (1 - p) / 3000)
    assert abs(np.mean(total) - sum(y.values())) < 5 * np.std(total) / np.sqrt(3000)
    assert abs(position["rare"] / 3000 - 5 / 14) < 5 * np.sqrt(5 / 14 * 9 / 14 / 3000)


def test_a_sample_is_kept_once_with_its_records_and_its_seed(project):
    made = corpus(50, outlet=["Bell", "Echo"])
    first = draw_sample(made, 10, method="stratified", by="outlet", seed=7, name="validation")
    pd.testing.assert_frame_equal(
        first, draw_sample(made, 10, method="stratified", by="outlet", seed=7, name="validation", project=project)
    )
    kept = project.sql("select * from samples order by position")
    assert kept.record_id.tolist() == first.record_id.tolist()
    assert kept.inclusion_p.tolist() == first.inclusion_p.tolist()
    assert set(kept.seed) == {7}
    assert set(kept.sample_id) == set(first.sample_id)
    assert kept.record_hash.tolist() == [made[one].record_hash for one in kept.record_id]
    assert len(project.sql("select * from records")) == 10
    draw_sample(made, 10, seed=8)
    listed = samples(project)
    assert listed[["name", "method", "seed", "n_records", "n_strata", "least_p", "most_p"]].values.tolist() == [
        ["validation", "stratified by outlet, proportional", 7, 10, 2, 0.2, 0.2],
        ["random 10, seed 8", "random", 8, 10, 1, 0.2, 0.2],
    ]


def test_a_text_that_has_changed_makes_another_sample():
    made = corpus(20)
    changed = Corpus.from_records([made[0].model_copy(update={"content": "Other."}), *made.records[1:]])
    assert set(draw_sample(made, 5, seed=1).sample_id).isdisjoint(draw_sample(changed, 5, seed=1).sample_id)


def test_a_name_means_one_sample():
    draw_sample(corpus(20), 5, seed=1, name="validation")
    with pytest.raises(SetupError, match="another sample is called `validation`"):
        draw_sample(corpus(20), 5, seed=2, name="validation")


FEW = {"a": "yy" + "n" * 18}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"n": 21}, "n=21: the sample can have 1 to 20 records"),
        ({"n": 0}, "n=0: the sample can have 1 to 20 records"),
        ({"method": "strata"}, "there is no `strata`; did you mean `stratified`?"),
        ({"method": "stratified"}, 'needs a metadata field, by="outlet"'),
        ({"method": "stratified", "by": "outlett"}, "no record has the metadata `outlett`; did you mean `outlet`?"),
        ({"method": "stratified", "by": "outlet", "n": 1}, "there are 2 strata, and each needs one record at least"),
        ({"method": "stratified", "by": "outlet", "allocation": "optimal"}, "write `proportional` or `equal`"),
        ({"by": "outlet"}, "by: method `random` does not read it"),
        ({"allocation": "equal"}, "allocation: method `random` does not read it"),
        ({"ratings": ratings(FEW)}, "ratings: method `random` does not read it"),
        ({"criterion": "calm"}, "criterion: method `random` does not read it"),
        ({"method": "boosted"}, "ratings=run.ratings"),
        ({"method": "boosted", "ratings": ratings(FEW), "boost": 0.5}, "boost=0.5"),
        ({"method": "boosted", "ratings": ratings(FEW), "boost": float("nan")}, "boost=nan"),
        (
            {"method": "boosted", "ratings": ratings({"a": "n" * 20})},
            "0 records of 20 would be in the stratum `flagged`",
        ),
        ({"method": "boosted", "ratings": ratings(FEW, flags=False)}, "criterion `calm` has no flag"),
        ({"method": "boosted", "ratings": ratings(FEW, kind="human")}, "needs answers of instruments"),
        ({"method": "boosted", "ratings": ratings(FEW), "criterion": "clam"}, "did you mean `calm`?"),
        (
            {"method": "boosted", "ratings": pd.concat([ratings(FEW), ratings(FEW, criterion="fair")])},
            "there are 2 criteria; choose one, criterion='calm'",
        ),
        ({"method": "disagreement", "ratings": ratings(FEW)}, "0 records of 20 would be in the stratum `disagreement`"),
    ],
)
def test_what_cannot_be_drawn_is_a_sentence(project, words, said):
    with pytest.raises(SetupError, match=said):
        draw_sample(corpus(20, outlet=["Bell", "Echo"]), **{"n": 5, "seed": 1} | words)
    assert len(samples(project)) == 0


def test_one_of_several_criteria_can_be_chosen():
    both = pd.concat([ratings(FEW), ratings({"a": "n" * 19 + "y"}, criterion="fair")])
    found = draw_sample(corpus(20), 20, method="boosted", ratings=both, criterion="fair", seed=1)
    assert found.record_id[found.stratum == "flagged"].tolist() == ["r019"]
    assert samples().method.tolist() == ["boosted 5x on fair"]


def test_a_biased_judge_is_corrected_by_the_codes_of_a_boosted_sample():
    """10,000 records of which 6 % have the finding; the judge misses one in five, and flags 6 % of the rest."""
    rng = np.random.default_rng(11)
    repetitions, size = 60, 10_000
    true = np.arange(size) < size * 0.06
    said = np.where(true, rng.random(size) < 0.8, rng.random(size) < 0.06)
    ids = [f"r{i:05}" for i in range(size)]
    parts = ["flagged" if one else "others" for one in said]
    weights = {"flagged": 5.0 * said.sum(), "others": float((~said).sum())}
    judge = pd.DataFrame({"record_id": ids, "coder": "judge", "kind": "instrument", "flagged": said})
    covered, estimates = Counter(), []
    for seed in range(repetitions):
        drawn = draw(ids, parts, weights, 400, seed)
        places = [one.place for one in drawn]
        codes = pd.DataFrame({"record_id": [ids[i] for i in places], "flagged": true[places]})
        codes = codes.assign(coder="kf", kind="human", inclusion_p=[one.inclusion_p for one in drawn])
        frame = pd.concat([judge, codes], ignore_index=True).assign(criterion="calm")
        frame["category"] = np.where(frame.flagged, "yes", "no")
        found = corrected_estimate(frame, judge="judge", coder="kf").set_index("estimator")
        for name, row in found.iterrows():
            covered[name] += row.low <= 0.06 <= row.high
        estimates.append(found.value["dsl"])
    assert covered["naive"] == 0
    assert np.mean(estimates) == pytest.approx(0.06, abs=5 * np.std(estimates) / np.sqrt(repetitions))
    # of 60 intervals that cover in 95 % of all cases, fewer than 51 do in 0.07 % of all cases
    for name in ("human sample", "dsl", "ppi++"):
        assert covered[name] >= 51, name
