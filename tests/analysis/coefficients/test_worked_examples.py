"""Small cases worked out by hand, one or more for each coefficient; the fractions are exact."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from buttermilk_nb.analysis.coefficients import COEFFICIENTS, ReliabilityMatrix, WeightedAlpha, specific_agreement

TABLE = [["yes", "yes"]] * 20 + [["yes", "no"]] * 5 + [["no", "yes"]] * 10 + [["no", "no"]] * 15
THREE = ["aaa", "aab", "bbb", "bbb"]
ORDERED = [[1, 1], [1, 2], [2, 2], [3, 3]]
APART = [[1, 1], [1, 2], [1, 3], [2, 3]]
OFFSET = [[1, 2], [2, 3], [3, 4], [5, 6]]
LABELS = [[["a"], ["a"]], [["a", "b"], ["b"]], [[], []]]


def nominal(rows, categories=None):
    return ReliabilityMatrix.from_rows([list(row) for row in rows], "nominal", categories)


CASES = [
    # (20 + 15) of 50 agree; by chance 25/50 x 30/50 + 25/50 x 20/50 = 0.5
    ("cohen_kappa", nominal(TABLE), Fraction(2, 5)),
    # the share of yes is 0.55: by chance 0.55^2 + 0.45^2 = 0.505
    ("scott_pi", nominal(TABLE), Fraction(13, 33)),
    ("fleiss_kappa", nominal(TABLE), Fraction(13, 33)),
    ("conger_kappa", nominal(TABLE), Fraction(2, 5)),
    # 1 - (1 - pi) x 99 / 100
    ("krippendorff_alpha", nominal(TABLE), Fraction(2, 5)),
    # linear weights 1, 1/2, 0: observed 7/8, by chance 9/16; quadratic 1, 3/4, 0: 15/16 and 11/16
    ("cohen_kappa_linear", ReliabilityMatrix.from_rows(ORDERED, "ordinal", [1, 2, 3]), Fraction(5, 7)),
    ("cohen_kappa_quadratic", ReliabilityMatrix.from_rows(ORDERED, "ordinal", [1, 2, 3]), Fraction(4, 5)),
    # shares 3/8, 3/8, 2/8; T = 5: by chance 5/6 x 42/64
    ("gwet_ac2_linear", ReliabilityMatrix.from_rows(ORDERED, "ordinal", [1, 2, 3]), Fraction(21, 29)),
    # T = 3 + 4 x 3/4: by chance 42/64
    ("gwet_ac2_quadratic", ReliabilityMatrix.from_rows(ORDERED, "ordinal", [1, 2, 3]), Fraction(9, 11)),
    # ordinal weights 1, 2/3, 0: observed 11/12; T = 17/3, by chance 17/18 x 42/64
    ("gwet_ac2_ordinal", ReliabilityMatrix.from_rows(ORDERED, "ordinal", [1, 2, 3]), Fraction(57, 73)),
    # the mean weights are 5/9, 6/9 and 17/27
    ("brennan_prediger_linear", ReliabilityMatrix.from_rows(ORDERED, "ordinal", [1, 2, 3]), Fraction(23, 32)),
    ("brennan_prediger_quadratic", ReliabilityMatrix.from_rows(ORDERED, "ordinal", [1, 2, 3]), Fraction(13, 16)),
    ("brennan_prediger_ordinal", ReliabilityMatrix.from_rows(ORDERED, "ordinal", [1, 2, 3]), Fraction(31, 40)),
    # 3/4 agree, by chance 1/3 of three declared categories, 1/2 of two
    ("brennan_prediger", nominal(["aa", "ab", "bb", "bb"], "abc"), Fraction(5, 8)),
    ("brennan_prediger", nominal(["aa", "ab", "bb", "bb"]), Fraction(1, 2)),
    # mean over units (1 + 1/3 + 1 + 1) / 4 = 5/6; shares 5/12 and 7/12; chance 35/72
    ("percent_agreement", nominal(THREE), Fraction(5, 6)),
    ("gwet_ac1", nominal(THREE), Fraction(25, 37)),
    # chance 1/2: coders 1 and 2 use both evenly
    ("conger_kappa", nominal(THREE), Fraction(2, 3)),
    # pairs 1, 1/2, 1/2
    ("light_kappa", nominal(THREE), Fraction(2, 3)),
    # 7/9 agree; shares 5/9 and 4/9
    ("fleiss_kappa", nominal(THREE[:3]), Fraction(11, 20)),
    ("fleiss_kappa_generalised", nominal(THREE[:3]), Fraction(11, 20)),
    # a third unit without a pair that agrees, a fourth with one code: (1 + 1/3 + 0) / 3
    ("percent_agreement", nominal([*THREE[:2], ["a", "b", None], ["a", None, None]]), Fraction(4, 9)),
    # counts 4, 2, 2 of 8 codes; observed 2 x the distances within, expected 2 x n x n x those among all
    ("krippendorff_alpha", ReliabilityMatrix.from_rows(APART, "nominal"), 1 - 7 * Fraction(6, 40)),
    # midranks 2.5, 5.5, 7.5: squared differences 9, 4, 25
    ("krippendorff_alpha", ReliabilityMatrix.from_rows(APART, "ordinal"), 1 - 7 * Fraction(76, 576)),
    ("krippendorff_alpha", ReliabilityMatrix.from_rows(APART, "interval"), 1 - 7 * Fraction(12, 88)),
    # 1/9, 1/25 and 1/4
    ("krippendorff_alpha", ReliabilityMatrix.from_rows(APART, "ratio"), 1 - 7 * Fraction(361, 2744)),
    # {a, b} and {b}: Jaccard 1/2, MASI 1 - 1/2 x 2/3
    ("krippendorff_alpha_jaccard", ReliabilityMatrix.from_rows(LABELS, "set"), 1 - 5 * Fraction(1, 23)),
    ("krippendorff_alpha_masi", ReliabilityMatrix.from_rows(LABELS, "set"), 1 - 5 * Fraction(4, 3) / 24),
    # between units 35/6, within 1/2, between coders 2, residual 0
    ("icc_1_1", ReliabilityMatrix.from_rows(OFFSET, "interval"), Fraction(16, 19)),
    ("icc_2_1", ReliabilityMatrix.from_rows(OFFSET, "interval"), Fraction(35, 41)),
    ("icc_3_1", ReliabilityMatrix.from_rows(OFFSET, "interval"), Fraction(1)),
    ("icc_1_k", ReliabilityMatrix.from_rows(OFFSET, "interval"), Fraction(32, 35)),
    ("icc_2_k", ReliabilityMatrix.from_rows(OFFSET, "interval"), Fraction(35, 38)),
    ("icc_3_k", ReliabilityMatrix.from_rows(OFFSET, "interval"), Fraction(1)),
    # rank sums 4, 5, 9
    ("kendall_w", ReliabilityMatrix.from_rows([[1, 2, 1], [2, 1, 2], [3, 3, 3]], "ordinal"), Fraction(7, 9)),
    # ranks 1.5, 1.5, 3 and 1, 2, 3: 12 x 6.5 / (4 x 24 - 2 x 6)
    ("kendall_w", ReliabilityMatrix.from_rows([[1, 1], [1, 2], [2, 3]], "ordinal"), Fraction(13, 14)),
]


@pytest.mark.parametrize(
    ("name", "codes", "worked_out"), CASES, ids=lambda value: value if isinstance(value, str) else ""
)
def test_a_case_worked_out_by_hand(name, codes, worked_out):
    assert COEFFICIENTS[name].undefined_reason(codes) is None
    assert COEFFICIENTS[name].estimate(codes)[0] == pytest.approx(float(worked_out), abs=1e-12)


def test_every_coefficient_has_a_case():
    assert {name for name, _, _ in CASES} == set(COEFFICIENTS)


@pytest.mark.parametrize(
    ("name", "published"),
    [("icc_1_1", 0.17), ("icc_2_1", 0.29), ("icc_3_1", 0.71), ("icc_1_k", 0.44), ("icc_2_k", 0.62), ("icc_3_k", 0.91)],
)
def test_the_six_correlations_of_shrout_and_fleiss(name, published):
    four_judges = [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]]
    assert COEFFICIENTS[name].estimate(ReliabilityMatrix.from_rows(four_judges, "interval"))[0] == pytest.approx(
        published, abs=5e-3
    )


def test_missing_codes_leave_units_out_that_have_no_pair_and_are_counted():
    codes = nominal(["aaa", ["a", "b", None], ["b", "b", None], ["b", None, None]])
    # 7 pairable codes, 4 and 3: 1 - 6 x 2 / 24
    assert COEFFICIENTS["krippendorff_alpha"].estimate(codes)[0] == pytest.approx(0.5)
    assert COEFFICIENTS["krippendorff_alpha"].sample_counts(codes) == (3, 7, 1)
    assert COEFFICIENTS["cohen_kappa"].sample_counts(nominal(["ab", ["a", None]])) == (1, 2, 1)


def test_units_that_are_not_complete_are_dropped_from_correlations_and_concordance():
    rows = [*OFFSET, [9, None], [None, None]]
    for name in ("icc_1_1", "icc_2_k", "icc_3_1", "kendall_w"):
        whole = COEFFICIENTS[name].estimate(ReliabilityMatrix.from_rows(OFFSET, "interval"))
        part = ReliabilityMatrix.from_rows(rows, "interval")
        np.testing.assert_allclose(COEFFICIENTS[name].estimate(part), whole, atol=1e-12)
        assert COEFFICIENTS[name].sample_counts(part) == (4, 8, 2)


def test_a_declared_category_that_nobody_used_still_keeps_its_neighbours_apart():
    rows = [[1, 1], [1, 2], [2, 2], [4, 4]]
    kappa = COEFFICIENTS["cohen_kappa_linear"]
    # over 1 to 4: observed distance 1/4, expected 5/4; over the three that were used: 1/4 and 7/8
    assert kappa.estimate(ReliabilityMatrix.from_rows(rows, "ordinal", [1, 2, 3, 4]))[0] == pytest.approx(4 / 5)
    as_r_irr_does = replace(ReliabilityMatrix.from_rows(rows, "ordinal"), values=np.array([1.0, 2.0, 3.0]))
    assert kappa.estimate(as_r_irr_does)[0] == pytest.approx(5 / 7)


def test_names_in_order_are_ranked_and_numbers_count_as_they_are():
    words = [["low", "low"], ["low", "mid"], ["mid", "mid"], ["high", "high"]]
    named = ReliabilityMatrix.from_rows(words, "ordinal", ["low", "mid", "high"])
    assert COEFFICIENTS["cohen_kappa_linear"].estimate(named)[0] == pytest.approx(5 / 7)


def test_alpha_with_gwets_weights_is_what_irrcac_prints():
    # distances 1/2, 1/2, 1; counts 3, 1, 2
    codes = ReliabilityMatrix.from_rows([[1, 1], [1, 2], [3, 3]], "ordinal")
    assert WeightedAlpha(scheme="linear").estimate(codes)[0] == pytest.approx(12 / 17)
    interval = COEFFICIENTS["krippendorff_alpha"].estimate(replace(codes, level="interval"))
    np.testing.assert_allclose(WeightedAlpha(scheme="quadratic").estimate(codes), interval)


def test_specific_agreement_of_two_is_positive_and_negative_agreement():
    yes, no = specific_agreement(nominal(TABLE, ["yes", "no"]))
    assert yes.estimate(nominal(TABLE))[0] == pytest.approx(2 * 20 / (2 * 20 + 5 + 10))
    assert no.estimate(nominal(TABLE))[0] == pytest.approx(2 * 15 / (2 * 15 + 5 + 10))
    assert yes.sample_counts(nominal(TABLE)) == (35, 55, 15)


def test_specific_agreement_of_many_counts_pairs():
    # a: 3 x 2 + 2 x 1 of 3 x 2 + 2 x 2 ordered pairs; the last unit has no pair
    a, b = specific_agreement(nominal(["aaa", "aab", "bbb", ["a", None, None]]))
    codes = nominal(["aaa", "aab", "bbb", ["a", None, None]])
    assert a.estimate(codes)[0] == pytest.approx(8 / 10)
    assert b.estimate(codes)[0] == pytest.approx(6 / 8)
    assert a.sample_counts(codes) == (2, 5, 2)


def test_a_very_wide_set_of_labels_is_compared_label_by_label():
    many = [f"l{i}" for i in range(150)]
    codes = ReliabilityMatrix.from_rows([[many, many[:75]], [many[75:], many[75:]], [many[:1], many[:1]]], "set")
    # Jaccard 1/2, 1/2, 149/150, 1, 74/75 and 1 between sizes 150, 75, 75 (twice), 1 (twice)
    expected = 2 * (Fraction(1, 2) + 2 * Fraction(1, 2) + 2 * Fraction(149, 150) + 2 * 1 + 2 * Fraction(74, 75) + 4 * 1)
    worked_out = float(1 - 5 * 2 * Fraction(1, 2) / expected)
    assert COEFFICIENTS["krippendorff_alpha_jaccard"].estimate(codes)[0] == pytest.approx(worked_out)
