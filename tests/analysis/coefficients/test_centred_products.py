"""Sums about the mean: right for every resample, whatever rounding would do to them."""

from __future__ import annotations

import numpy as np

from buttermilk_nb.analysis.coefficients.centred_products import CentredProducts, sum_of_squares


def test_a_sum_of_squares_survives_an_outlier_that_is_not_in_the_resample():
    numbers = np.array([1e12, 1.0, 2.0, 4.0])
    weights = np.array([[0.0, 1, 1, 1], [1, 1, 1, 1]])
    expected = [((numbers[1:] - numbers[1:].mean()) ** 2).sum(), ((numbers - numbers.mean()) ** 2).sum()]
    np.testing.assert_allclose(sum_of_squares(numbers, weights), expected, rtol=1e-9)


def test_a_sum_of_squares_of_near_numbers_far_from_the_median_is_not_lost_to_rounding():
    numbers = np.array([0.0, 0.0, 0.0, 1.0, 1.0 + 1e-7])
    np.testing.assert_allclose(sum_of_squares(numbers, np.array([[0.0, 0, 0, 1, 1]])), [0.5e-14], rtol=1e-6)


def test_products_about_the_means_are_those_of_the_units_as_often_as_they_count():
    draw = np.random.default_rng(3)
    numbers, counts = draw.normal([[1e7], [0]], size=(2, 30)), draw.integers(0, 3, 30).astype(float)
    weights = draw.integers(0, 3, (5, 30)).astype(float)
    n, products = CentredProducts(numbers, counts).of(weights)
    for own, own_n, own_products in zip(weights * counts, n, products, strict=True):
        assert own_n == own.sum()
        np.testing.assert_allclose(own_products, np.cov(numbers, fweights=own.astype(int), ddof=0) * own_n, rtol=1e-9)
