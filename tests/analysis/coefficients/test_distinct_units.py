"""Units with the same codes are counted together, and every coefficient stays what it is."""

from __future__ import annotations

import numpy as np
import pytest

from buttermilk_nb.analysis.coefficients import COEFFICIENTS, ReliabilityMatrix
from buttermilk_nb.analysis.coefficients.distinct_units import distinct_units

LEVELS = {"nominal": None, "ordinal": [1.0, 2.0, 3.0], "interval": [0.0, 0.25, 4.0], "ratio": [0.5, 1.0, 8.0]}


def codes(level: str, coders: int, missing: float) -> ReliabilityMatrix:
    draw = np.random.default_rng(5)
    matrix = draw.integers(0, 3, (200, coders))
    matrix[draw.random(matrix.shape) < missing] = -1
    values = LEVELS[level]
    return ReliabilityMatrix(matrix, level, ("a", "b", "c"), None if values is None else np.array(values))


@pytest.mark.parametrize("missing", [0.0, 0.3])
@pytest.mark.parametrize("coders", [2, 3])
@pytest.mark.parametrize("name", sorted(COEFFICIENTS))
def test_a_coefficient_of_distinct_units_is_that_of_all_units(name, coders, missing):
    coefficient = COEFFICIENTS[name]
    weights = np.random.default_rng(6).multinomial(200, np.full(200, 1 / 200), size=30).astype(float)
    for level in set(coefficient.levels) & set(LEVELS):
        all_units = codes(level, coders, missing)
        units = distinct_units(all_units, is_by_coder=coefficient.is_by_coder)
        assert len(units.codes.matrix) <= 4**coders
        expected = coefficient.estimate(all_units, weights)
        result = coefficient.estimate(units.codes, units.weights(weights))
        np.testing.assert_allclose(result, expected, rtol=1e-10, atol=1e-12, equal_nan=True)


def test_who_gave_a_code_matters_to_some_coefficients_only():
    two = ReliabilityMatrix.from_rows([["a", "b"], ["b", "a"]] * 10, "nominal")
    assert len(distinct_units(two, is_by_coder=True).codes.matrix) == 2
    assert len(distinct_units(two, is_by_coder=False).codes.matrix) == 1
    by_coder = {name for name, coefficient in COEFFICIENTS.items() if coefficient.is_by_coder}
    assert {"cohen_kappa", "conger_kappa", "light_kappa", "kendall_w", "icc_2_1"} <= by_coder
    assert {"krippendorff_alpha", "gwet_ac1", "fleiss_kappa", "scott_pi"}.isdisjoint(by_coder)


def test_units_that_are_mostly_distinct_are_left_as_they_are():
    numbers = ReliabilityMatrix(np.arange(40).reshape(20, 2), "interval", tuple("x" * 40), np.arange(40.0))
    units = distinct_units(numbers, is_by_coder=False)
    assert units.index is None
    assert units.codes is numbers
    many_coders = ReliabilityMatrix(np.zeros((10, 90), np.intp), "nominal", ("a", "b"))
    assert distinct_units(many_coders, is_by_coder=True).index is None  # their key would be too large a number
