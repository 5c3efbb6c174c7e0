"""No coefficient is silently 1.0: where it is undefined it is NaN, and a sentence says why."""

from __future__ import annotations

import numpy as np
import pytest

from buttermilk_nb.analysis.coefficients import COEFFICIENTS, ReliabilityMatrix, SpecificAgreement, WeightedAlpha
from buttermilk_nb.errors import SetupError

ALL_YES = ReliabilityMatrix.from_rows([["yes", "yes"], ["yes", "yes"]], "nominal", ["yes", "no"])


def sentence(name, rows, level, categories=None):
    codes = ReliabilityMatrix.from_rows(rows, level, categories)
    assert np.isnan(COEFFICIENTS[name].estimate(codes, np.ones((2, len(rows))))).all()
    return COEFFICIENTS[name].undefined_reason(codes)


@pytest.mark.parametrize(
    "name",
    [
        "cohen_kappa", "conger_kappa", "fleiss_kappa", "fleiss_kappa_generalised", "krippendorff_alpha", "light_kappa",
        "scott_pi",
    ],
)  # fmt: skip
def test_with_one_category_in_use_there_is_no_agreement_beyond_chance(name):
    said = sentence(name, [["yes", "yes"], ["yes", "yes"]], "nominal", ["yes", "no"])
    assert "very code is `yes`; with one category in use, no agreement beyond chance can show." in said


@pytest.mark.parametrize("name", ["gwet_ac1", "brennan_prediger", "percent_agreement"])
def test_chance_that_does_not_go_by_use_leaves_full_agreement_at_1_by_definition(name):
    assert COEFFICIENTS[name].undefined_reason(ALL_YES) is None
    assert COEFFICIENTS[name].estimate(ALL_YES)[0] == 1


@pytest.mark.parametrize(
    ("name", "rows", "level", "said"),
    [
        ("cohen_kappa", [["a", "b", "a"], ["b", "b", "b"]], "nominal",
         "Cohen's kappa compares exactly two coders, and there are 3."),
        ("krippendorff_alpha", [["a"], ["b"]], "nominal", "Agreement needs two coders, and there are fewer."),
        ("krippendorff_alpha", [["a", None], [None, "b"]], "nominal", "No unit was coded twice."),
        ("krippendorff_alpha", [], "nominal", "Agreement needs two coders, and there are fewer."),
        ("cohen_kappa", [["a", None], [None, "b"]], "nominal", "No unit was coded by every coder."),
        ("cohen_kappa", [[1.5, 2], [3, 2]], "interval",
         "Cohen's kappa is for nominal or ordinal codes, and these are interval."),
        ("krippendorff_alpha", [[["a"], ["b"]]], "set",
         "Krippendorff's alpha is for nominal, ordinal, interval or ratio codes, and these are set."),
        ("krippendorff_alpha", [[-1, 2], [3, 2]], "ratio", "Ratios need values of 0 or more."),
        ("krippendorff_alpha", [[2, 2], [2, None], [3, None]], "interval",
         "Every code is `2`; with one category in use, no agreement beyond chance can show."),
        ("fleiss_kappa", [["a", "b", "a"], ["b", "b", None]], "nominal",
         "Fleiss' kappa needs equally many codes in every unit, and there are 2 to 3; use Krippendorff's "
         "alpha."),
        ("light_kappa", [["a", "b", None], [None, "b", "a"]], "nominal", "Coders 1 and 3 have no unit in common."),
        ("light_kappa", [["a", "a", "a"], ["a", "a", "b"]], "nominal",
         "Between coders 1 and 2: every code is `a`; with one category in use, no agreement beyond chance can show."),
        ("gwet_ac1", [["a", "a"]], "nominal",
         "Gwet's AC1 depends on the number of declared categories, and there is only `a`."),
        ("brennan_prediger", [["a", "a"]], "nominal",
         "Brennan-Prediger depends on the number of declared categories, and there is only `a`."),
        ("icc_2_1", [[1, 2], [3, None]], "interval",
         "ICC(2,1), two-way random, absolute agreement needs two units that every coder coded, and there is one."),
        ("icc_2_1", [[3, 3], [3, 3]], "interval", "Every code is `3`: the units do not differ."),
        ("icc_2_k", [[1, 2], [2, 1]], "interval",
         "The units differ no more than the coders do on each: the variance in the denominator is not above 0."),
        ("kendall_w", [[1, 2], [2, None]], "ordinal",
         "Kendall's W needs two units that every coder coded, and there is one."),
        ("kendall_w", [[1, 2], [1, 2]], "ordinal",
         "No coder distinguished any units: there is no order to compare."),
        ("kendall_w", [[1, 1], [1, 1]], "ordinal",
         "Every code is `1`; with one category in use, no agreement beyond chance can show."),
    ],
)  # fmt: skip
def test_the_sentence_says_why(name, rows, level, said):
    assert sentence(name, rows, level) == said


def test_a_resample_in_which_it_is_undefined_is_nan_and_the_others_are_not():
    codes = ReliabilityMatrix.from_rows([["a", "a"], ["b", "b"], ["a", "b"]], "nominal")
    weights = np.array([[1, 1, 1], [3, 0, 0], [0, 0, 0], [0, 3, 1]])
    for name in ("krippendorff_alpha", "cohen_kappa", "scott_pi", "fleiss_kappa", "conger_kappa", "light_kappa"):
        assert np.isnan(COEFFICIENTS[name].estimate(codes, weights)).tolist() == [False, True, True, False]


def test_perfect_agreement_is_exactly_1_and_never_more():
    for level in ("nominal", "ordinal", "interval", "ratio"):
        codes = ReliabilityMatrix.from_rows([[0.1, 0.1, 0.1], [0.3, 0.3, 0.3], [0.7, 0.7, 0.7]], level)
        assert COEFFICIENTS["krippendorff_alpha"].estimate(codes)[0] == 1


def test_specific_agreement_on_a_category_that_nobody_used_is_undefined():
    codes = ReliabilityMatrix.from_rows([["a", "a"], ["b", None]], "nominal", ["a", "b", "c"])
    for category in ("b", "c"):
        one = SpecificAgreement(category=category)
        assert one.undefined_reason(codes) == f"Nobody used `{category}` in a unit that was coded twice."
        assert np.isnan(one.estimate(codes)[0])
    assert SpecificAgreement(category="a").undefined_reason(ReliabilityMatrix.from_rows([["a"]], "nominal")) == (
        "Agreement needs two coders, and there are fewer."
    )
    with pytest.raises(SetupError, match="there is no category `d`"):
        SpecificAgreement(category="d").estimate(codes)


def test_a_scheme_of_weights_that_there_is_not_is_a_setup_error():
    codes = ReliabilityMatrix.from_rows([[1, 2], [2, 2]], "ordinal")
    with pytest.raises(SetupError, match="there is no scheme of weights `quadratc`; did you mean `quadratic`"):
        WeightedAlpha(scheme="quadratc").estimate(codes)


@pytest.mark.parametrize(
    ("weights", "said"),
    [
        (np.ones(2), "weights must be resamples x 2 units, and are 2."),
        (np.ones((4, 3)), "weights must be resamples x 2 units, and are 4 x 3."),
        (np.array([[1, -1]]), "cannot be negative or missing"),
        (np.array([[1, np.nan]]), "cannot be negative or missing"),
    ],
)
def test_weights_that_do_not_fit_are_a_setup_error(weights, said):
    with pytest.raises(SetupError, match=said):
        COEFFICIENTS["percent_agreement"].estimate(ALL_YES, weights)
