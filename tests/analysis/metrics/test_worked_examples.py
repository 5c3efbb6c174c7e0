"""Small cases worked out by hand for each metric on each basis; fractions are exact."""

from __future__ import annotations

import json
import math

import numpy as np
import pandas as pd
import pytest

from buttermilk_nb.analysis.metrics import metrics


def frame(truth, coder, scale=None, flag=None, value=False):
    """A truth and one coder, answers in order; `?` is no answer."""
    rows = []
    for name, answers in (("truth", truth), ("judge", coder)):
        for record, answer in enumerate(answers):
            given = None if answer == "?" else answer
            row = {"record_id": str(record), "criterion": "tone", "coder": name, "category": given}
            if value:
                row |= {"category": None, "value": given}
            if flag is not None:
                row["flagged"] = None if given is None else given in flag
            rows.append(row)
    found = pd.DataFrame(rows)
    return found if scale is None else found.assign(scale=scale)


def values(found, metric):
    return found[found.metric == metric].set_index("basis")["value"].to_dict()


def check(found, metric, answered, planned, lowest, highest):
    want = {"answered": answered, "planned": planned, "lowest": lowest, "highest": highest}
    assert values(found, metric) == pytest.approx(want, nan_ok=True)


# Truth y flags; answered: tp 3, fn 1, fp 2, tn 4; without an answer: 2 of truth y, 1 of truth n.
TRUTH = ["yes"] * 6 + ["no"] * 7
CODER = ["yes"] * 3 + ["no"] + ["?"] * 2 + ["yes"] * 2 + ["no"] * 4 + ["?"]
BINARY = [
    ("accuracy", 7 / 10, 7 / 13, 7 / 13, 10 / 13),
    ("recall", 3 / 4, 3 / 6, 3 / 6, 5 / 6),
    ("specificity", 4 / 6, 4 / 7, 4 / 7, 5 / 7),
    ("balanced_accuracy", (3 / 4 + 4 / 6) / 2, (3 / 6 + 4 / 7) / 2, (3 / 6 + 4 / 7) / 2, (5 / 6 + 5 / 7) / 2),
    ("precision", 3 / 5, 3 / 5, 3 / 6, 5 / 7),
    # 2 tp / (2 tp + fp + fn): planned adds the two findings that were missed
    ("f1", 6 / 9, 6 / 11, 6 / 12, 10 / 13),
    ("prevalence_truth", 4 / 10, 6 / 13, 6 / 13, 6 / 13),
    ("prevalence_coder", 5 / 10, 5 / 13, 5 / 13, 8 / 13),
    # (tp tn - fp fn) / sqrt((tp + fp)(tp + fn)(tn + fp)(tn + fn)); planned is Gorodkin's of three answers:
    # (7 x 13 - 6 x 5 - 7 x 5) / sqrt((169 - 25 - 25 - 9)(169 - 36 - 49))
    (
        "mcc",
        (12 - 2) / math.sqrt(5 * 4 * 6 * 5),
        (91 - 30 - 35) / math.sqrt(110 * 84),
        (3 * 4 - 3 * 3) / math.sqrt(6 * 6 * 7 * 7),
        (5 * 5 - 2 * 1) / math.sqrt(7 * 6 * 7 * 6),
    ),
]


@pytest.mark.parametrize(("metric", "answered", "planned", "lowest", "highest"), BINARY)
def test_metrics_of_a_flag(metric, answered, planned, lowest, highest):
    found = metrics(frame(TRUTH, CODER, "yes/no", {"yes"}), n_boot=0)
    check(found, metric, answered, planned, lowest, highest)


def test_every_number_says_what_it_rests_on_and_what_it_leaves_out():
    found = metrics(frame(TRUTH, CODER, "yes/no", {"yes"}), n_boot=0, only=["f1"]).set_index("basis")
    counts = found[["n", "n_planned", "n_excluded", "n_positive", "n_clusters"]]
    assert counts.loc["answered"].tolist() == [10, 13, 3, 4, 10]
    assert counts.loc["planned"].tolist() == counts.loc["lowest"].tolist() == [13, 13, 0, 6, 13]
    assert all("below 30 no conclusion follows." in note for note in found.note)


def test_the_flag_decides_what_is_positive():
    flipped = metrics(frame(TRUTH, CODER, "yes/no", {"no"}), n_boot=0)
    plain = metrics(frame(TRUTH, CODER, "yes/no", {"yes"}), n_boot=0)
    assert values(flipped, "recall") == values(plain, "specificity")


def test_non_answers_that_are_answers_stay_outside_and_count_as_planned():
    found = metrics(frame(["yes", "yes", "no"], ["yes", "cannot tell", "not applicable"], "yes/no"), n_boot=0)
    check(found, "accuracy", 1, 1 / 3, 1 / 3, 1)


def test_a_truth_that_is_no_answer_is_left_out_everywhere():
    found = metrics(frame(["yes", "not applicable", "?"], ["yes", "yes", "yes"], "yes/no"), n_boot=0)
    check(found, "accuracy", 1, 1, 1, 1)
    assert set(found.n_excluded) == {2}


def test_accuracy_of_categories_without_a_flag():
    found = metrics(frame("aabbc", "abb?c", "a | b | c"), n_boot=0)
    check(found, "accuracy", 3 / 4, 3 / 5, 3 / 5, 4 / 5)
    assert found.n_positive.isna().all()


def test_more_than_two_categories_with_a_flag_have_accuracy_of_the_flag_and_exact_agreement():
    found = metrics(frame("aabbc", "abb?b", "a | b | c", {"a"}), n_boot=0)
    check(found, "accuracy", 3 / 4, 3 / 5, 3 / 5, 4 / 5)
    check(found, "exact_agreement", 2 / 4, 2 / 5, 2 / 5, 3 / 5)
    assert "This is about the flag" in found.query("metric == 'accuracy'").note.iloc[0]


def quadratic_kappa(truth, coder):
    """From its definition: 1 - observed over expected squared distance."""
    t, a = np.array(truth, float), np.array(coder, float)
    return 1 - ((t - a) ** 2).mean() / ((t[:, None] - a[None, :]) ** 2).mean()


def test_ordinal_metrics():
    # 1, 2, 4 of truths 1, 2, 3; the truth of the non-answer is 3, from which 1 and 5 are as far: the lower stands
    found = metrics(frame("1233", "124?", "1-5"), n_boot=0)
    check(found, "exact_agreement", 2 / 3, 2 / 4, 2 / 4, 3 / 4)
    check(found, "mae", 1 / 3, (1 + 2) / 4, 1 / 4, (1 + 2) / 4)
    kappas = [quadratic_kappa([1, 2, 3, 3], [1, 2, 4, answer]) for answer in range(1, 6)]
    check(found, "weighted_kappa", quadratic_kappa([1, 2, 3], [1, 2, 4]), kappas[0], min(kappas), max(kappas))
    # three pairs in the same order; planned: ranks 1, 2, 3.5, 3.5 and 1.5, 3, 4, 1.5
    answered, planned = values(found, "spearman")["answered"], values(found, "spearman")["planned"]
    t, a = np.array([1, 2, 3.5, 3.5]) - 2.5, np.array([1.5, 3, 4, 1.5]) - 2.5
    assert answered == pytest.approx(1)
    assert planned == pytest.approx((t * a).sum() / math.sqrt((t**2).sum() * (a**2).sum()))
    assert "precision" not in set(found.metric)
    assert "precision" in set(metrics(frame("1233", "124?", "1-5", {"4", "5"}), n_boot=0).metric)


def test_spearman_takes_ties_at_their_mean_rank():
    found = metrics(frame("1223", "1323", "1-5"), n_boot=0, only=["spearman"])
    # ranks 1, 2.5, 2.5, 4 and 1, 3.5, 2, 3.5: 3.75 / sqrt(4.5 x 4.5)
    assert values(found, "spearman")["answered"] == pytest.approx(3.75 / 4.5)


def test_metrics_of_numbers():
    found = metrics(frame([0.0, 0.5, 1.0, 0.25], [0.0, 1.0, 1.0, "?"], "0..1", value=True), n_boot=0)
    check(found, "mae", 0.5 / 3, 1.25 / 4, 0.5 / 4, 1.25 / 4)
    check(found, "rmse", math.sqrt(0.25 / 3), math.sqrt(0.8125 / 4), math.sqrt(0.25 / 4), math.sqrt(0.8125 / 4))
    check(found, "bias", 0.5 / 3, 1.25 / 4, 0.25 / 4, 1.25 / 4)
    pearson = values(found, "pearson")
    assert pearson["answered"] == pytest.approx(np.corrcoef([0, 0.5, 1], [0, 1, 1])[0, 1])
    tried = [np.corrcoef([0, 0.5, 1, 0.25], [0, 1, 1, x])[0, 1] for x in np.linspace(0, 1, 2001)]
    assert pearson["planned"] == pytest.approx(tried[-1])
    assert pearson["lowest"] == pytest.approx(min(tried), abs=1e-6)
    assert pearson["highest"] == pytest.approx(max(tried), abs=1e-6)
    # ranks 1, 2, 3 and 1, 2.5, 2.5
    assert values(found, "spearman")["answered"] == pytest.approx(1.5 / math.sqrt(2 * 1.5))


def sets(*answers):
    return [one if one == "?" else json.dumps(sorted(one)) for one in answers]


def test_metrics_of_sets():
    # label a: tp 1, fp 1, fn 1; b: tp 1, fp 0, fn 0; c: none. The non-answer's truth is {b}.
    truth, coder = sets("a", "ab", "", "b"), sets("a", "b", "a", "?")
    found = metrics(frame(truth, coder, "labels: a | b | c"), n_boot=0)
    check(found, "exact_match", 1 / 3, 1 / 4, 1 / 4, 2 / 4)
    check(found, "jaccard", (1 + 1 / 2 + 0) / 3, 1.5 / 4, 1.5 / 4, 2.5 / 4)
    check(found, "precision[a]", 1 / 2, 1 / 2, 1 / 3, 1 / 2)
    check(found, "recall[b]", 1, 1 / 2, 1 / 2, 1)
    # micro: tp 2, fp 1, fn 1; the non-answer adds at worst fp 2 and fn 1, at best tp 1
    check(found, "precision_micro", 2 / 3, 2 / 3, 2 / 5, 3 / 4)
    check(found, "recall_micro", 2 / 3, 2 / 4, 2 / 4, 3 / 4)
    check(found, "f1_micro", 4 / 6, 4 / 7, 4 / 9, 6 / 8)
    # macro over the labels for which it is defined: c can become precision 0 by a wrong answer
    check(found, "precision_macro", (1 / 2 + 1) / 2, (1 / 2 + 1) / 2, (1 / 3 + 1 + 0) / 3, (1 / 2 + 1) / 2)
    check(found, "recall_macro", (1 / 2 + 1) / 2, (1 / 2 + 1 / 2) / 2, (1 / 2 + 1 / 2) / 2, (1 / 2 + 1) / 2)
    assert values(found, "precision[c]")["answered"] is not None
    assert found.query("metric == 'recall[c]'").note.str.startswith("The truth names no such label.").all()


def test_two_empty_sets_are_the_same():
    check(metrics(frame(sets("", "a"), sets("", "b"), "labels: a | b"), n_boot=0), "jaccard", *[1 / 2] * 4)


@pytest.mark.parametrize(
    ("truth", "coder", "metric", "reason"),
    [
        (["yes", "no"], ["no", "no"], "precision", "The coder flagged nothing."),
        (["no", "no"], ["yes", "no"], "recall", "The truth flags nothing."),
        (["yes", "yes"], ["yes", "no"], "specificity", "The truth flags everything."),
        (["no", "no"], ["no", "no"], "f1", "Neither truth nor coder flagged anything."),
        (["yes", "no"], ["no", "no"], "mcc", "The truth or the coder gave the same answer throughout."),
        (["no", "no"], ["yes", "no"], "balanced_accuracy", "The truth has only findings, or none."),
        (["yes", "no"], ["?", "?"], "accuracy", "No record has both a truth and an answer."),
        (["?", "?"], ["yes", "no"], "accuracy", "No record has a truth."),
    ],
)
def test_what_is_undefined_is_nan_and_says_why(truth, coder, metric, reason):
    ratings = frame([*truth, "?"], [*coder, "yes"], "yes/no", {"yes"})
    row = metrics(ratings, n_boot=20).query("metric == @metric and basis == 'answered'").iloc[0]
    assert math.isnan(row.value)
    assert math.isnan(row.low)
    assert row.note.startswith(reason)
    assert row.n_undefined == 20


def test_f1_is_0_where_all_findings_were_missed_as_its_counts_say():
    found = metrics(frame(["yes", "no"], ["no", "no"], "yes/no", {"yes"}), n_boot=0)
    assert values(found, "f1")["answered"] == 0
