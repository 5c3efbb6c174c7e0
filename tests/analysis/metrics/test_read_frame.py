"""What a ratings frame may look like, what is refused, and how replicates and common records are taken."""

from __future__ import annotations

import pandas as pd
import pytest

from buttermilk_nb.analysis.metrics import confusion, metrics, non_answers
from buttermilk_nb.errors import SetupError

EVERY = [lambda f, **k: metrics(f, n_boot=20, **k), confusion, non_answers]
every = pytest.mark.parametrize("function", EVERY, ids=["metrics", "confusion", "non_answers"])


def starred(**coders):
    """Only the starred columns: answers by coder, a letter each; `?` is none."""
    rows = [
        {"record_id": f"r{i}", "criterion": "tone", "coder": name, "category": None if answer == "?" else answer}
        for name, answers in coders.items()
        for i, answer in enumerate(answers)
    ]
    return pd.DataFrame(rows)


def answered(found, metric="accuracy"):
    return found.query("metric == @metric and basis == 'answered'").set_index("coder")["value"].to_dict()


@every
def test_the_starred_columns_are_enough(function):
    assert len(function(starred(truth="aabb", judge="aab?", kim="abbb")))


@every
def test_the_order_of_rows_does_not_matter(function):
    ratings = starred(truth="aabbab" * 6, judge="aab?bb" * 6, kim="abbb?a" * 6)
    ratings["cluster"] = ratings.record_id.str[-1].where(ratings.record_id != "r3")
    pd.testing.assert_frame_equal(function(ratings.sample(frac=1, random_state=4)), function(ratings))


@every
def test_the_frame_is_left_as_it_was(function):
    ratings = starred(truth="ab", judge="a?")
    before = ratings.copy()
    function(ratings)
    pd.testing.assert_frame_equal(ratings, before)


def test_truth_may_be_any_coder_and_the_experts_are_then_compared_too():
    ratings = starred(truth="aabb", judge="aaab", kim="abbb")
    assert answered(metrics(ratings, n_boot=0)) == {"judge": 0.75, "kim": 0.75}
    assert answered(metrics(ratings, truth="kim", n_boot=0)) == {"judge": 0.5, "truth": 0.75}
    assert answered(metrics(ratings, truth="kim", coders=["judge"], n_boot=0)) == {"judge": 0.5}


def test_numbers_as_text_and_whole_numbers_are_the_same_answers():
    ratings = starred(truth="1245", judge="1255").assign(scale="1-5")
    as_numbers = ratings.assign(category=ratings.category.astype(float))
    pd.testing.assert_frame_equal(metrics(ratings, n_boot=0), metrics(as_numbers, n_boot=0))


def test_a_status_says_that_there_is_no_answer():
    ratings = starred(truth="ab", judge="ab").assign(status=["ok", "ok", "ok", "refused"])
    assert metrics(ratings, n_boot=0).set_index("basis").n["answered"] == 1


def test_by_makes_groups_and_criteria_stand_apart():
    one = starred(truth="aabb", judge="aaab")
    ratings = pd.concat([one, one.assign(criterion="care")]).assign(outlet=lambda f: f.record_id.map({"r0": "x"}))
    found = metrics(ratings, by=["criterion", "outlet"], n_boot=0).query("basis == 'answered'")
    assert found[["criterion", "value", "n"]].values.tolist() == [
        ["care", 1, 1],
        ["care", 2 / 3, 3],
        ["tone", 1, 1],
        ["tone", 2 / 3, 3],
    ]
    with pytest.raises(SetupError, match="criteria are never pooled"):
        metrics(ratings, by=["outlet"])


REPLICATES = pd.concat(
    [
        starred(truth="aab"),
        *(starred(judge=answers).assign(replicate=k) for k, answers in enumerate(("aab", "abb", "b?b", "bba"))),
    ]
)


def test_metrics_are_computed_within_each_replicate_and_averaged():
    row = metrics(REPLICATES, n_boot=50).iloc[0]
    assert row.value == pytest.approx((1 + 2 / 3 + 1 / 2 + 0) / 4)
    assert row[["n", "n_planned", "n_excluded", "n_clusters"]].tolist() == [3, 12, 1, 3]
    assert row.low <= row.value <= row.high


def test_modal_answers_are_another_instrument_and_a_tie_is_no_answer():
    # r0: a a b b is a tie; r1: a b b is b; r2: b b b a is b
    found = metrics(REPLICATES, replicate_mode="modal", n_boot=0).set_index("basis")
    assert found.value.to_dict() == pytest.approx(
        {"answered": 0.5, "planned": 1 / 3, "lowest": 1 / 3, "highest": 2 / 3}
    )
    assert found.n_planned.tolist() == [3] * 4
    assert all("1 records have no modal answer (ties)." in note for note in found.note)


def test_an_average_over_the_replicates_that_are_defined_says_so():
    ratings = pd.concat([starred(truth="ab"), starred(judge="ab"), starred(judge="??").assign(replicate=1)])
    row = metrics(ratings, n_boot=0).iloc[0]
    assert row.value == 1
    assert row.note.startswith("The mean of 1 of 2 replicates; in the others: No record has both")


def test_a_truth_with_replicates_is_refused_unless_its_mode_is_asked_for():
    with pytest.raises(SetupError, match="in several replicates, and a truth is one answer"):
        metrics(REPLICATES, truth="judge")
    assert answered(metrics(REPLICATES, truth="judge", replicate_mode="modal", n_boot=0)) == {"truth": 0.5}


def test_on_common_records_all_coders_are_compared_on_the_same():
    ratings = starred(truth="aabb?", judge="ab?ba", kim="bab?a")
    found = metrics(ratings, on="common", n_boot=0)
    assert found[["coder", "basis", "value", "n", "n_planned", "n_excluded"]].values.tolist() == [
        ["judge", "answered", 0.5, 2, 5, 3],
        ["kim", "answered", 0.5, 2, 5, 3],
    ]


FLAGGED = starred(truth="aab", judge="abb").assign(flagged=[True, True, False, True, False, False])


@pytest.mark.parametrize(
    ("change", "options", "match"),
    [
        (lambda f: f.drop(columns="coder"), {}, "no column `coder`"),
        (lambda f: f, {"by": ("criterion", "outlit")}, "no column `outlit`"),
        (lambda f: f, {"truth": "truht"}, "no coder `truht` in the ratings; did you mean `truth`"),
        (lambda f: f, {"coders": ["truth"]}, "cannot be compared with itself"),
        (lambda f: f, {"by": ("criterion", "coder")}, "leave it out of `by`"),
        (lambda f: f, {"by": "criterion"}, "several columns"),
        (lambda f: f.assign(criteria_hash=list("ppq" * 2)), {}, "2 wordings \\(`criteria_hash`: `p`, `q`\\)"),
        (lambda f: f.assign(scale="x | y"), {}, "the answer `a` of .* is not on its scale"),
        (lambda f: f.assign(scale=["a | b"] * 3 + ["a | b | c"] * 3), {}, "has two scales"),
        (lambda f: pd.concat([f, f]), {}, "has two rows for record `r0`"),
        (lambda f: f.assign(cluster=list("xyzxyy")), {}, "record `r2` is in two clusters"),
    ],
)
@every
def test_what_does_not_fit_is_refused_in_one_sentence(function, change, options, match):
    if function is non_answers and "coders" in options:
        return
    with pytest.raises(SetupError, match=match):
        function(change(starred(truth="aab", judge="abb")), **options)


@pytest.mark.parametrize(
    ("ratings", "options", "match"),
    [
        (FLAGGED.drop(columns="flagged"), {"only": ["precision"]}, "`tone` declares no flag"),
        (FLAGGED.assign(flagged=None), {"only": ["f1"]}, "`tone` declares no flag"),
        (FLAGGED, {"only": ["mae"]}, "no metric `mae` for criterion `tone`, whose answers are nominal"),
        (FLAGGED, {"only": "f1"}, "several names"),
        (FLAGGED.assign(flagged=[True, True, True, True, False, False]), {}, "true on some rows and false on others"),
        (FLAGGED.assign(flagged=[True, True, None, True, None, None]), {}, "the answer `b` has no `flagged`"),
        (FLAGGED, {"on": "shared"}, "on: write `own` or `common`"),
        (FLAGGED, {"replicate_mode": "all"}, 'write "each" or "modal"'),
        (FLAGGED, {"confidence": 95}, "the level of an interval is between 0 and 1"),
        (FLAGGED, {"coders": "judge"}, "`coders` takes several names"),
        (FLAGGED.assign(flagged="maybe"), {}, "values other than true and false"),
        (FLAGGED.assign(value="much"), {}, "column `value` of the ratings contains values that are not numbers"),
        (FLAGGED, {"n_boot": -1}, "write a number of resamples, 0 or more"),
    ],
)
def test_metrics_that_cannot_be_are_refused(ratings, options, match):
    with pytest.raises(SetupError, match=match):
        metrics(ratings, **options)


def test_a_flag_said_once_holds_for_the_same_answer_of_everyone():
    ratings = FLAGGED.assign(flagged=pd.array([None] * 3 + [True, False, False], dtype="boolean"))
    pd.testing.assert_frame_equal(metrics(ratings, n_boot=0), metrics(FLAGGED, n_boot=0))


def test_wordings_in_by_are_apart_and_a_truth_without_one_belongs_to_each():
    judged = [starred(judge=answers).assign(criteria_hash=one) for one, answers in (("p", "ab"), ("q", "bb"))]
    ratings = pd.concat([starred(truth="ab").assign(criteria_hash=None), *judged])
    found = metrics(ratings, by=["criterion", "criteria_hash"], n_boot=0).query("basis == 'answered'")
    assert found[["criteria_hash", "value"]].values.tolist() == [["p", 1], ["q", 0.5]]


def test_unequal_probabilities_are_said_and_not_silently_left_aside():
    note = metrics(FLAGGED.assign(inclusion_p=[0.1, 0.5, 1.0] * 2), n_boot=0).note.iloc[0]
    assert "Records were drawn with unequal probabilities, and are not weighted." in note


@every
def test_without_anyone_to_compare_the_table_is_empty(function):
    assert function(starred(truth="ab")).empty
