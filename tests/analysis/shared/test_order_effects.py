"""What the order in which texts are shown does to the answers."""

import math

import pandas as pd
import pytest

import buttermilk_nb as bm
from buttermilk_nb.analysis.shared.order_effects import wilson_interval


def ratings(*said, coder="compare · m", **columns):
    """Ratings from (pair, given, swapped), or (pair, given, swapped, replicate)."""
    rows = [
        {"record_id": one[0], "criterion": "kinder", "coder": f"{coder} ({order} order)", "order": order,
         "category": answer, "replicate": one[3] if len(one) > 3 else 0, **columns}
        for one in said for order, answer in zip(("given", "swapped"), one[1:3], strict=True)
    ]  # fmt: skip
    return pd.DataFrame(rows)


FOUR = ("p1", "first", "first"), ("p2", "first", "second"), ("p3", "second", "tie"), ("p4", "tie", None)


def test_each_pair_stands_with_its_answers_in_both_orders():
    found = bm.order_flips(ratings(*FOUR))
    assert found.coder.unique().tolist() == ["compare · m"]
    rows = found[["record_id", "given", "swapped", "flipped"]].astype(object)
    assert rows.where(rows.notna(), None).to_numpy().tolist() == [
        ["p1", "first", "first", False],
        ["p2", "first", "second", True],
        ["p3", "second", "tie", True],
        ["p4", "tie", None, None],
    ]


def test_what_has_no_answer_in_one_order_is_counted_and_bounds_the_rate():
    row = bm.order_bias(ratings(*FOUR)).iloc[0]
    assert (row.n, row.n_flipped, row.n_excluded) == (3, 2, 1)
    assert row.flip_rate == pytest.approx(2 / 3)
    assert (row.flip_rate_least, row.flip_rate_most) == (0.5, 0.75)
    assert row.note == "This is based on 3 pairs; below 30 no conclusion follows."


def test_a_non_answer_is_no_answer():
    found = bm.order_bias(ratings(("p1", "first", "first"), ("p2", "cannot tell", "first"))).iloc[0]
    assert (found.n, found.n_excluded, found.flip_rate) == (1, 1, 0.0)


def test_the_place_that_is_favoured_shows():
    always_first = [(f"p{i}", "first", "second") for i in range(40)]
    always_second = [(f"p{i}", "second", "first") for i in range(40)]
    assert bm.order_bias(ratings(*always_first)).chose_first_shown.item() == 1.0
    assert bm.order_bias(ratings(*always_second)).chose_first_shown.item() == 0.0
    both = bm.order_bias(ratings(("p1", "first", "first"), ("p2", "second", "second")))
    assert both.chose_first_shown.item() == 0.5
    assert math.isnan(bm.order_bias(ratings(("p1", "tie", "tie"))).chose_first_shown.item())


def test_replicates_are_averaged_within_a_pair_and_never_counted_as_pairs():
    said = ("p1", "first", "second", 0), ("p1", "first", "first", 1), ("p2", "tie", "tie", 0), ("p2", "tie", "tie", 1)
    row = bm.order_bias(ratings(*said)).iloc[0]
    assert (row.n, row.n_flipped, row.flip_rate) == (2, 1, 0.25)


def test_instruments_and_wordings_are_never_pooled():
    parts = [
        ratings(("p1", "first", "second"), coder="compare · m", model="m", criteria_hash="c1-x"),
        ratings(("p1", "first", "first"), coder="compare · n", model="n", criteria_hash="c1-x"),
        ratings(("p1", "tie", "tie"), coder="compare · n", model="n", criteria_hash="c1-y"),
    ]
    found = bm.order_bias(pd.concat(parts))
    assert found[["model", "criteria_hash", "flip_rate"]].to_numpy().tolist() == [
        ["m", "c1-x", 1.0], ["n", "c1-x", 0.0], ["n", "c1-y", 0.0],
    ]  # fmt: skip


def test_pairs_of_one_cluster_are_said_to_be_taken_as_independent():
    said = [(f"p{i}", "first", "first") for i in range(40)]
    assert bm.order_bias(ratings(*said, cluster="q")).note.item() == "Pairs of one cluster are treated as independent."
    assert bm.order_bias(ratings(*said)).note.item() == ""


def test_ratings_without_both_orders_are_refused():
    for frame in (ratings(("p1", "first", "first")).query("order == 'given'"), ratings(*FOUR).drop(columns="order")):
        with pytest.raises(bm.SetupError, match="no pair was shown in both orders"):
            bm.order_bias(frame)
    with pytest.raises(bm.SetupError, match="between 0 and 1"):
        bm.order_bias(ratings(*FOUR), confidence=95)


@pytest.mark.parametrize(
    ("share", "n", "low", "high"),
    [(0.0, 10, 0.0, 0.2775), (0.05, 100, 0.0215, 0.1118), (81 / 263, 263, 0.2553, 0.3662), (1.0, 1, 0.2065, 1.0)],
)
def test_wilson_s_interval_is_that_of_the_books(share, n, low, high):
    assert wilson_interval(share, n) == pytest.approx((low, high), abs=5e-5)  # 81 of 263: Newcombe 1998, table I


def test_without_any_answer_nothing_is_known():
    row = bm.order_bias(ratings(("p1", None, "first"))).iloc[0]
    assert row.n == 0
    assert row[["flip_rate", "flip_rate_low", "flip_rate_high"]].isna().all()
    assert (row.flip_rate_least, row.flip_rate_most) == (0.0, 1.0)
    assert row.note == "No pair has an answer in both orders."
