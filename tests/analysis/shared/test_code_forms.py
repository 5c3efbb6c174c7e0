"""Frames of one's own: the forms that codes have in them, each as one code, and what is said about it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import buttermilk_nb as bm


def frame(*codes, criterion="q", **columns):
    """A coder for each list of codes, one code for each record."""
    rows = [
        (str(record), criterion, f"c{coder}", code)
        for coder, own in enumerate(codes)
        for record, code in enumerate(own)
    ]
    return pd.DataFrame(rows, columns=["record_id", "criterion", "coder", "category"]).assign(**columns)


def percent(ratings, **options):
    return bm.agreement(ratings, n_boot=0, coefficients="percent_agreement", **options).iloc[0]


STATISTICS = {
    "agreement": lambda ratings: bm.agreement(ratings, n_boot=0),
    "metrics": lambda ratings: bm.metrics(ratings, truth="c0", n_boot=0),
    "compare": lambda ratings: bm.compare_levels(
        ratings.assign(prompt=ratings.coder, coder="judge"), factor="prompt", n_boot=10
    ),
    "stability": lambda ratings: bm.stability(
        ratings.assign(replicate=ratings.coder.str[1].astype(int), coder="judge"), n_boot=10
    ),
    "soft labels": lambda ratings: bm.soft_labels(ratings),
}


def test_equal_numbers_are_one_code_and_it_is_said():
    row = percent(frame([1, 2, 1, 2, 1], ["1.0", "2.0", "1", "2", 1.0]))
    assert row.value == 1.0
    assert "Equal numbers in different forms are one code: `1` ('1', '1.0', 1)" in row.note


@pytest.mark.parametrize("name", STATISTICS)
def test_codes_that_differ_only_in_case_are_refused_with_the_line_that_maps_them(name):
    ratings = frame(["Yes", "No"] * 20, ["yes", "no"] * 20)
    with pytest.raises(bm.SetupError, match=r"differ only in case.*write ratings\.replace") as caught:
        STATISTICS[name](ratings)
    line = str(caught.value).partition("write ")[2].partition("; if")[0]
    mapped = ratings.replace({"category": {"No": "no", "Yes": "yes"}})
    assert line == "ratings.replace({'category': {'No': 'no', 'Yes': 'yes'}})"
    assert percent(mapped).value == 1.0


@pytest.mark.parametrize("name", STATISTICS)
def test_blanks_at_the_ends_are_no_part_of_a_code(name):
    clean = STATISTICS[name](frame(["yes", "no"] * 20, ["yes", "no"] * 20))
    pd.testing.assert_frame_equal(STATISTICS[name](frame(["yes ", "no"] * 20, [" yes", "no\t"] * 20)), clean)


def test_an_empty_text_is_no_code():
    row = percent(frame(["yes", "", "yes", "no"], ["yes", "no", "  ", "no"]))
    assert (row.value, row.n_units, row.n_excluded) == (1.0, 2, 2)


@pytest.mark.parametrize("name", STATISTICS)
def test_words_for_nothing_are_named_with_the_line_that_makes_them_missing(name):
    ratings = frame(["yes", "nan", "N/A", "no"] * 10, ["yes", "no", "NA", "no"] * 10)
    notes = STATISTICS[name](ratings).note
    assert notes.str.contains("`N/A`, `NA`, `nan` (30 rows) counted as codes", regex=False).any()
    line = "ratings.replace({'category': ['N/A', 'NA', 'nan']}, None)"
    assert notes.str.contains(line, regex=False).any()
    missing = ratings.replace({"category": ["N/A", "NA", "nan"]}, None)
    assert percent(missing).n_units == 20


@pytest.mark.parametrize("name", STATISTICS)
def test_numbers_without_a_scale_are_names_and_the_note_says_how_to_declare_one(name):
    codes = ["1", "2", "10", "9", "5", "10", "2", "1"] * 5
    ratings = frame(codes, codes)
    notes = STATISTICS[name](ratings).note
    assert notes.str.contains("ratings.assign(scale='1-10')", regex=False).any()
    declared = STATISTICS[name](ratings.assign(scale="1-10")).note
    assert not declared.str.contains("no scale is declared").any()


def test_two_numbers_need_no_order():
    assert "no scale" not in percent(frame(["0", "1"] * 20, ["1", "0"] * 20)).note


def test_numbers_on_a_scale_may_be_written_in_any_way():
    codes = [1, "2", 3.0, "4.0", "５"] * 8
    row = bm.agreement(frame(codes, [1, 2, 3, 4, 5] * 8, scale="1-5"), n_boot=0).iloc[0]
    assert row.value == 1.0
    assert "names without order" not in row.note


@pytest.mark.parametrize(
    ("scale", "code", "same"),
    [
        ("yes/no", "YES", "yes"), ("yes/no", True, "yes"), ("yes/no", "FALSE", "no"), ("1-5", "3.0", "3"),
        ("0..1", "0,5", 0.5), ("0..1", "0.5", 0.5), ("labels: a | b", ["b", "a"], '["a", "b"]'),
        ("labels: a | b", "b; a", '["a", "b"]'), ("labels: a | b", "none", "[]"), ("hope | fear", ["hope"], "hope"),
    ],
)  # fmt: skip
def test_codes_on_a_scale_are_its_answers(scale, code, same):
    ratings = frame([code] * 40, [same] * 40, scale=scale)
    if isinstance(same, float):
        ratings["value"] = np.where(ratings.coder == "c1", same, np.nan)
        ratings["category"] = ratings.category.mask(ratings.coder == "c1")
    assert percent(ratings).value == 1.0


@pytest.mark.parametrize(
    ("wide", "line"),
    [
        (pd.DataFrame({"record_id": ["1", "2", "3"], "ana": list("yny"), "ben": list("ynn")}),
         'ratings.melt("record_id", var_name="coder", value_name="category").assign(criterion="...")'),
        (pd.DataFrame({"record_id": ["1", "2"], "criterion": "q", "ana": list("yn"), "ben": list("yn")}),
         'ratings.melt(["record_id", "criterion"], var_name="coder", value_name="category")'),
    ],
)  # fmt: skip
def test_a_wide_frame_is_refused_with_the_line_that_makes_it_long(wide, line):
    with pytest.raises(bm.SetupError) as caught:
        bm.agreement(wide)
    assert f"write {line}." in str(caught.value)
    keys = [name for name in ("record_id", "criterion") if name in wide]
    long = wide.melt(keys, var_name="coder", value_name="category")
    assert percent(long if "criterion" in keys else long.assign(criterion="q")).n_units == len(wide)


def test_a_criterion_without_answers_does_not_end_the_table():
    ratings = pd.concat(
        [
            frame(["yes", "no"] * 20, ["yes", "no"] * 20),
            frame(["cannot tell"] * 40, ["cannot tell"] * 40, criterion="unclear"),
            frame(["yes"] * 40, criterion="alone"),
        ]
    )
    table = bm.agreement(ratings, n_boot=0).set_index("criterion")
    assert table.value["q"].iloc[0] == 1.0
    assert table.value["unclear"].isna().all()
    assert set(table.note["unclear"]) <= {"No unit was coded twice.", "No unit was coded by every coder."}
    assert table.note["alone"] == "criterion `alone`: agreement needs two coders, and there is one, 'c0'."
    with pytest.raises(bm.SetupError, match="needs two coders"):
        bm.agreement(ratings[ratings.criterion == "alone"])


def test_labels_of_the_project_can_be_given_to_every_statistic(offline_project, short_texts):
    tone = bm.Criteria(
        "tone", "?", criteria={"calm": {"question": "Is it calm?"}, "heat": {"question": "How hot?", "scale": "1-5"}}
    )
    codes = pd.DataFrame(
        {"record_id": ["r0", "r1", "r2"] * 2, "coder": ["ana"] * 3 + ["ben"] * 3,
         "criterion": "heat", "category": [1, 3, "cannot tell", 1, 4, 2]}
    )  # fmt: skip
    bm.import_labels(codes, short_texts, tone)
    labels = bm.labels()
    assert set(labels.scale) == {"1-5"}
    assert set(labels.status) == {"coded", "cannot_tell"}
    row = bm.agreement(labels, n_boot=0).iloc[0]
    assert (row.value, row.n_units, row.n_excluded) == (0.5, 2, 1)


def test_a_non_answer_in_capital_letters_is_one_too():
    row = percent(frame(["yes", "Cannot tell", "no"], ["yes", "yes", "no"]))
    assert (row.value, row.n_units, row.n_excluded) == (1.0, 2, 1)
