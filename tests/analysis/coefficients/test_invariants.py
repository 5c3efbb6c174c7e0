"""What must hold of every coefficient on any codes."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from hypothesis import assume, given, settings, strategies as st

from buttermilk_nb.analysis.coefficients import (
    COEFFICIENTS,
    ReliabilityMatrix,
    WeightedAlpha,
    agreement_counts,
    specific_agreement,
)

quick = settings(max_examples=15, deadline=None)
SETS = tuple(frozenset(some) for n in range(4) for some in combinations("abc", n))
WEIGHTED = [WeightedAlpha(scheme=scheme) for scheme in ("radical", "ratio", "circular", "bipolar")]
EVERY = [(one, level) for one in [*COEFFICIENTS.values(), *WEIGHTED] for level in one.levels]
each = pytest.mark.parametrize(
    ("coefficient", "level"), EVERY, ids=[f"{one.name}-{getattr(one, 'scheme', '')}-{level}" for one, level in EVERY]
)


@st.composite
def codes_at(draw, level, coders=None, missing=True):
    """A few units, two to four coders, two to four categories."""
    m = coders or draw(st.integers(2, 4))
    q = draw(st.integers(2, 4))
    cell = st.integers(-1 if missing else 0, q - 1)
    matrix = np.array(draw(st.lists(st.lists(cell, min_size=m, max_size=m), min_size=1, max_size=8)), np.intp)
    numbers = draw(st.lists(st.integers(0, 30), min_size=q, max_size=q, unique=True))
    values = np.array(sorted(numbers), np.float64)
    return ReliabilityMatrix(
        matrix,
        level,
        tuple("pqrs"[:q]),
        values if level in ("ordinal", "interval", "ratio") else None,
        draw(st.permutations(SETS)).__getitem__(slice(q)) if level == "set" else None,
    )


def drawn(data, coefficient, level, **more):
    return data.draw(codes_at(level, 2 if coefficient.coders == "two" else None, **more))


def same(a, b):
    np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-9)


@each
@quick
@given(data=st.data())
def test_the_order_of_coders_and_of_units_does_not_matter(coefficient, level, data):
    codes = drawn(data, coefficient, level)
    units, coders = (data.draw(st.permutations(range(size))) for size in codes.matrix.shape)
    same(coefficient.estimate(replace(codes, matrix=codes.matrix[units][:, coders])), coefficient.estimate(codes))


@pytest.mark.parametrize("name", [one.name for one, level in EVERY if level == "nominal"])
@quick
@given(data=st.data())
def test_the_names_of_nominal_categories_do_not_matter(name, data):
    codes = drawn(data, COEFFICIENTS[name], "nominal")
    renamed = np.array([*data.draw(st.permutations(range(len(codes.categories)))), -1])
    same(COEFFICIENTS[name].estimate(replace(codes, matrix=renamed[codes.matrix])), COEFFICIENTS[name].estimate(codes))


@pytest.mark.parametrize(
    ("name", "level"),
    [(one.name, level) for one, level in EVERY if one.missing != "dropped" and one.name in COEFFICIENTS],
)
@quick
@given(data=st.data())
def test_a_coder_without_a_code_changes_nothing(name, level, data):
    codes = drawn(data, COEFFICIENTS[name], level)
    more = np.pad(codes.matrix, ((0, 0), (0, 1)), constant_values=-1)
    same(COEFFICIENTS[name].estimate(replace(codes, matrix=more)), COEFFICIENTS[name].estimate(codes))


@each
@quick
@given(data=st.data())
def test_a_weight_counts_a_unit_as_often_as_if_it_stood_there_so_often(coefficient, level, data):
    codes = drawn(data, coefficient, level)
    units = len(codes.matrix)
    weights = np.array(
        data.draw(st.lists(st.lists(st.integers(0, 3), min_size=units, max_size=units), min_size=1, max_size=4))
    )
    repeated = [coefficient.estimate(replace(codes, matrix=np.repeat(codes.matrix, row, axis=0))) for row in weights]
    same(coefficient.estimate(codes, weights), np.concatenate(repeated))


@each
@quick
@given(data=st.data())
def test_a_row_of_ones_is_the_point_estimate_and_it_is_a_number_exactly_where_no_sentence_says_why_not(
    coefficient, level, data
):
    codes = drawn(data, coefficient, level)
    point = coefficient.estimate(codes)
    assert point.shape == (1,)
    same(coefficient.estimate(codes, np.ones((3, len(codes.matrix)))), np.repeat(point, 3))
    assert np.isnan(point[0]) == (coefficient.undefined_reason(codes) is not None)
    assert not np.isinf(point[0])


@each
@quick
@given(data=st.data())
def test_blocks_and_sorting_give_what_whole_tables_give(coefficient, level, data):
    codes = drawn(data, coefficient, level)
    weights = np.array([[1.0] * len(codes.matrix), [i % 3 for i in range(len(codes.matrix))]])
    whole = coefficient.estimate(codes, weights)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(agreement_counts, "_BLOCK", 1)
        patch.setattr(agreement_counts, "_FEW", 0)
        same(coefficient.estimate(codes, weights), whole)


@quick
@given(codes=codes_at("nominal", missing=False))
def test_alpha_of_complete_nominal_data_is_fleiss_kappa_with_the_correction_for_small_samples(codes):
    n = codes.matrix.size
    fleiss = COEFFICIENTS["fleiss_kappa"].estimate(codes)
    same(COEFFICIENTS["krippendorff_alpha"].estimate(codes), 1 - (1 - fleiss) * (n - 1) / n)
    same(COEFFICIENTS["fleiss_kappa_generalised"].estimate(codes), fleiss)


@quick
@given(codes=codes_at("nominal", coders=2, missing=False))
def test_with_two_coders_fleiss_is_scott_and_conger_and_light_are_cohen(codes):
    at = {name: one.estimate(codes) for name, one in COEFFICIENTS.items() if "nominal" in one.levels}
    same(at["fleiss_kappa"], at["scott_pi"])
    same(at["conger_kappa"], at["cohen_kappa"])
    same(at["light_kappa"], at["cohen_kappa"])


@quick
@given(codes=codes_at("ordinal", coders=2), scheme=st.sampled_from(["linear", "quadratic"]))
def test_with_two_categories_weights_do_not_matter(codes, scheme):
    two = replace(codes, matrix=np.minimum(codes.matrix, 1), categories=codes.categories[:2], values=codes.values[:2])
    for plain, weighted in (
        ("cohen_kappa", f"cohen_kappa_{scheme}"),
        ("gwet_ac1", f"gwet_ac2_{scheme}"),
        ("brennan_prediger", f"brennan_prediger_{scheme}"),
    ):
        same(COEFFICIENTS[plain].estimate(two), COEFFICIENTS[weighted].estimate(two))


@quick
@given(codes=codes_at("interval"), shift=st.integers(-1000, 1000), stretch=st.floats(0.01, 1e6))
def test_interval_alpha_and_correlations_know_neither_origin_nor_unit(codes, shift, stretch):
    moved = replace(codes, values=codes.values * stretch + shift)
    assume((np.diff(moved.values) > 0).all())
    for name in ("krippendorff_alpha", "icc_1_1", "icc_2_1", "icc_3_1"):
        np.testing.assert_allclose(COEFFICIENTS[name].estimate(moved), COEFFICIENTS[name].estimate(codes), atol=1e-6)


@pytest.mark.parametrize("name", ["krippendorff_alpha", "icc_1_1", "icc_2_k", "icc_3_1"])
def test_an_outlier_that_a_resample_left_out_costs_no_digits(name):
    rows = [[1, 2], [2, 2], [4, 5], [3, 1], [1e9, 2e9]]
    without = COEFFICIENTS[name].estimate(ReliabilityMatrix.from_rows(rows[:4], "interval"))
    with_it = COEFFICIENTS[name].estimate(ReliabilityMatrix.from_rows(rows, "interval"), np.array([[1, 1, 1, 1, 0]]))
    np.testing.assert_allclose(with_it, without, rtol=1e-6)


@quick
@given(codes=codes_at("ordinal"))
def test_ordinal_alpha_and_concordance_go_by_order_alone(codes):
    steep = replace(codes, values=codes.values**3 + 7)
    downwards = replace(codes, values=-codes.values)
    for name in ("krippendorff_alpha", "kendall_w"):
        same(COEFFICIENTS[name].estimate(steep), COEFFICIENTS[name].estimate(codes))
        same(COEFFICIENTS[name].estimate(downwards), COEFFICIENTS[name].estimate(codes))


@quick
@given(codes=codes_at("nominal"))
def test_agreement_where_each_category_is_weighed_by_its_pairs_is_the_overall_share_of_pairs(codes):
    given_ = (codes.matrix >= 0).sum(axis=1)
    assume((given_ >= 2).any())
    shared = possible = 0.0
    for one in specific_agreement(codes):
        used = (codes.matrix == codes.categories.index(one.category)).sum(axis=1)
        pairs = (used * (given_ - 1))[given_ >= 2].sum()
        assert (one.undefined_reason(codes) is None) == (pairs > 0)
        if pairs:
            shared += one.estimate(codes)[0] * pairs
        possible += pairs
    agreed = sum(((unit == code).sum() - 1) for unit in codes.matrix for code in unit if code >= 0)
    assert shared == pytest.approx(agreed)
    assert possible == (given_ * (given_ - 1)).sum()


@quick
@given(codes=codes_at("nominal"), factor=st.floats(0.1, 10))
def test_fractional_weights_are_allowed_and_their_sum_does_not_move_a_kappa(codes, factor):
    weights = np.full((1, len(codes.matrix)), factor)
    for name in ("percent_agreement", "conger_kappa", "gwet_ac1", "fleiss_kappa_generalised"):
        same(COEFFICIENTS[name].estimate(codes, weights), COEFFICIENTS[name].estimate(codes))
