"""Agreement of real coders equals what was published or recomputed of them."""

from __future__ import annotations

import json

import pandas as pd
import pytest
from support.paths import SHARED

import buttermilk_nb as bm


def data(name):
    path = SHARED / name
    if not path.exists():
        pytest.skip(f"../shared/data/{name} is not here; it is used for checking with real corpora only")
    return path


def long(wide):
    """From a column per coder to ratings."""
    wide = wide.rename_axis("record_id").reset_index()
    return wide.melt("record_id", var_name="coder", value_name="category").assign(criterion="code")


def found(ratings, comparison, *names):
    rows = bm.agreement(ratings, coefficients=list(names), n_boot=0)
    return rows[(rows.comparison == comparison) & rows.category.isna()].set_index("coefficient")


def test_hatecheck_s_five_coders_of_ten():
    wide = pd.read_csv(data("hatecheck/all_annotations.csv"))[[f"label_{n}" for n in range(1, 11)]]
    rows = found(long(wide), "people", "fleiss_kappa", "krippendorff_alpha")
    assert rows.value["Fleiss' kappa"] == pytest.approx(0.928512, abs=1e-6)
    assert rows.value["Krippendorff's alpha"] == pytest.approx(0.928516, abs=1e-6)
    assert rows.n_units.tolist() == [3901, 3901]
    assert rows.n_coders.tolist() == [10, 10]


@pytest.fixture(scope="module")
def davidson():
    """Only counts were published, so who is who is arbitrary; none of these coefficients asks."""
    counts = pd.read_csv(data("davidson/labeled_data.csv"), index_col=0)
    classes = ["hate_speech", "offensive_language", "neither"]
    codes = [[name for name in classes for _ in range(row[name])] for row in counts[classes].to_dict("records")]
    most = max(map(len, codes))
    wide = pd.DataFrame([row + [None] * (most - len(row)) for row in codes], index=counts.index)
    return wide.rename(columns=lambda place: f"coder {place + 1}"), counts["count"]


def test_davidson_s_tweets_with_three_coders(davidson):
    wide, counts = davidson
    rows = found(long(wide[counts == 3].iloc[:, :3]), "people", "fleiss_kappa")
    assert rows.value["Fleiss' kappa"] == pytest.approx(0.549470, abs=1e-6)
    assert rows.n_units.tolist() == [22807]


def test_davidson_s_tweets_with_unequal_numbers_of_coders(davidson):
    wide, _ = davidson
    rows = found(long(wide), "people", "fleiss_kappa", "krippendorff_alpha")
    assert rows.value["Krippendorff's alpha"] == pytest.approx(0.542799, abs=1e-6)
    assert pd.isna(rows.value["Fleiss' kappa"])
    assert "equally many codes" in rows.note["Fleiss' kappa"]


def test_pandalm_s_three_coders():
    items = json.loads(data("pandalm/testset-v1.json").read_text(encoding="utf-8"))
    wide = pd.DataFrame([{n: str(item[f"annotator{n}"]) for n in (1, 2, 3)} for item in items])
    rows = bm.agreement(long(wide), coefficients=["cohen_kappa"], n_boot=0)
    pairs = rows[rows.coefficient == "Cohen's kappa"].set_index("comparison").value.round(4)
    assert sorted(pairs) == [0.8520, 0.8617, 0.8789]
