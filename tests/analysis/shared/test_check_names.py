"""Names of coders and records in frames of one's own: what makes one person two, or one record two, is refused."""

from __future__ import annotations

import ast

import numpy as np
import pandas as pd
import pytest

import buttermilk_nb as bm


def frame(ids, other_ids, coders=("ana", "ben")):
    rows = [(name, "q", coders[0], "yes") for name in ids] + [(name, "q", coders[1], "no") for name in other_ids]
    return pd.DataFrame(rows, columns=["record_id", "criterion", "coder", "category"])


def n_units(ratings):
    return bm.agreement(ratings, n_boot=0, coefficients="percent_agreement").n_units.iloc[0]


IDS = [f"{n:03}" for n in range(91, 111)]


@pytest.mark.parametrize("change", [str.lstrip, None], ids=["without zeros", "as numbers with decimals"])
def test_ids_that_a_program_rewrote_are_refused(change):
    other = [name.lstrip("0") for name in IDS] if change else [f"{int(name)}.0" for name in IDS]
    with pytest.raises(bm.SetupError, match=r"of coder `ana` have ids that no other coder has, such as `09\d`"):
        n_units(frame(IDS, other))


def test_blanks_at_the_ends_are_no_part_of_a_name():
    assert n_units(frame(["r1", "r2"], [" r1", "r2 "])) == 2
    assert n_units(frame(["r1", "r2"], ["r1", "r2"], coders=("ana", "ben "))) == 2


@pytest.mark.parametrize(
    ("ids", "other_ids", "n"),
    [
        (["1", "2", "01", "02"], ["1", "2", "01", "02"], 4),
        (["r1", "r2"], ["r2", "r3"], 1),
        (["1", "2", "3"], ["2", "3", "004"], 2),
        (["001", "2"], ["1", "2"], 1),
        ([1, 2], ["1", "2"], 2),
    ],
)
def test_other_ids_are_other_records(ids, other_ids, n):
    assert n_units(frame(ids, other_ids)) == n


def test_coders_that_differ_only_in_case_are_refused_with_the_line_that_maps_them():
    with pytest.raises(bm.SetupError, match=r"ratings.replace\(\{'coder': \{'Ana': 'ana'\}\}\)"):
        n_units(frame(["r1"], ["r1"], coders=("ana", "Ana ")))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("yes", "yes\u200b"), ("don't know", "don\u2019t know"), ("non-hateful", "non\u2011hateful"),
        ("not  sure", "not sure"), ("non-hateful", "non\u2013hateful"),
    ],
)  # fmt: skip
def test_codes_that_look_the_same_are_refused_with_the_line_that_maps_them(one, other):
    ratings = frame(["a", "b"], ["a", "b"]).assign(category=[one, "no", other, "no"])
    with pytest.raises(bm.SetupError, match="differ only in signs that look the same") as error:
        n_units(ratings)
    mapping = str(error.value).split("write ratings.replace(")[1].split("); if")[0]
    assert n_units(ratings.replace(ast.literal_eval(mapping))) == 2


@pytest.mark.parametrize("missing", [99, -9, 999, 88])
def test_a_number_that_may_mean_nothing_is_named_and_is_no_part_of_the_scale(missing):
    codes = [1, 2, 3, 4, 5, missing]
    ratings = frame(list("abcdef"), list("abcdef")).assign(category=codes * 2)
    note = bm.agreement(ratings, n_boot=0).note.iloc[0]
    assert "ratings.assign(scale='1-5')" in note
    assert f"`{missing}` may mean a missing answer" in note
    mapping = note.split("answer: ratings.replace(")[1].split(", None) drops")[0]
    plain = ratings.assign(category=ratings.category.astype(str))
    assert plain.replace(ast.literal_eval(mapping), None).category.isna().sum() == 2


def test_a_scale_that_reaches_so_far_is_left_alone():
    codes = list(np.arange(0, 101, 11))
    ids = [str(n) for n in range(len(codes))]
    note = bm.agreement(frame(ids, ids).assign(category=codes * 2), n_boot=0).note.iloc[0]
    assert "may mean" not in note
