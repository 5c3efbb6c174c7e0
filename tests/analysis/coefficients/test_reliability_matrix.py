"""Codes, made from a table of answers or from arrays, and the registry."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from buttermilk_nb.analysis import coefficients
from buttermilk_nb.analysis.coefficients import COEFFICIENTS, ReliabilityMatrix
from buttermilk_nb.errors import SetupError


def test_missing_codes_are_none_nan_and_pandas_na():
    codes = ReliabilityMatrix.from_rows([["a", None], [float("nan"), "b"], [pd.NA, pd.NaT]], "nominal")
    assert codes.matrix.tolist() == [[0, -1], [-1, 1], [-1, -1]]


def test_declared_categories_keep_their_order_and_need_not_be_used():
    codes = ReliabilityMatrix.from_rows([["mid", "low"]], "ordinal", ["low", "mid", "high"])
    assert codes.matrix.tolist() == [[1, 0]]
    assert codes.values.tolist() == [1, 2, 3]


def test_numbers_are_the_same_code_whatever_their_type():
    codes = ReliabilityMatrix.from_rows([[4, 4.0], [np.int64(4), "4"], [np.float32(2), 2]], "ordinal", range(1, 6))
    assert codes.matrix.tolist() == [[3, 3], [3, 3], [1, 1]]
    assert codes.categories == ("1", "2", "3", "4", "5")


def test_ordinal_numbers_are_sorted_as_numbers():
    codes = ReliabilityMatrix.from_rows([[10, 9], [-2, 1]], "ordinal")
    assert codes.categories == ("-2", "1", "9", "10")
    assert codes.values.tolist() == [-2, 1, 9, 10]


def test_ordinal_numbers_declared_out_of_order_are_ranked():
    assert ReliabilityMatrix.from_rows([[3, 1]], "ordinal", [3, 1, 2]).values.tolist() == [1, 2, 3]
    assert ReliabilityMatrix.from_rows([[3, 1]], "ordinal", [3, 2, 1]).values.tolist() == [3, 2, 1]


def test_the_values_of_an_interval_are_the_distinct_numbers():
    codes = ReliabilityMatrix.from_rows([[0.5, "0.25"], [1, 0.5]], "interval")
    assert codes.categories == ("0.25", "0.5", "1")
    assert codes.values.tolist() == [0.25, 0.5, 1]
    assert codes.matrix.tolist() == [[1, 0], [2, 1]]


def test_a_set_is_any_collection_of_labels_or_its_json_and_the_empty_one_is_an_answer():
    codes = ReliabilityMatrix.from_rows(
        [[["b", "a"], '["a", "b"]'], [{"a"}, ("a", "a")], [[], None]], "set", ["a", "b", "c"]
    )
    assert codes.matrix.tolist() == [[0, 0], [1, 1], [2, -1]]
    assert codes.sets == (frozenset("ab"), frozenset("a"), frozenset())


@pytest.mark.parametrize(
    ("rows", "level", "categories", "said"),
    [
        ([["a", "b"], ["a"]], "nominal", None, "write None for a missing code"),
        ([["yse", "yes"]], "nominal", ["yes", "no"], "the code `yse` is not one of the categories; did you mean `yes`"),
        ([["low", "high"]], "ordinal", None, "need `categories`, from lowest to highest"),
        ([["low", 1]], "interval", None, "the code `low` is not a number"),
        ([[[1], 1]], "ratio", None, "is not a number"),
        ([[float("inf"), 1]], "interval", None, "is not finite"),
        ([["a, b", ["a"]]], "set", None, "a collection of labels, or its JSON"),
        ([[["a"], ["d"]]], "set", ["a", "b"], "the label `d` is not one of the categories"),
        ([["a", "b"]], "nominall", None, "there is no level of measurement `nominall`; did you mean `nominal`"),
    ],
)
def test_answers_that_do_not_fit_are_a_setup_error(rows, level, categories, said):
    with pytest.raises(SetupError, match=said):
        ReliabilityMatrix.from_rows(rows, level, categories)


@pytest.mark.parametrize(
    ("matrix", "level", "values", "said"),
    [
        ([0, 1], "nominal", None, "units x coders"),
        ([[0.5, 1]], "nominal", None, "whole numbers"),
        ([[0, 3]], "nominal", None, "beyond the 3"),
        ([[0, -2]], "nominal", None, "beyond the 3"),
        ([[0, 1]], "interval", None, "in `values`"),
        ([[0, 1]], "interval", [1, 2], "in `values`"),
        ([[0, 1]], "interval", [3, 2, 1], "ascending"),
        ([[0, 1]], "ordinal", [1, 1, 2], "ascending"),
        ([[0, 1]], "ratio", [1, 2, float("nan")], "finite"),
        ([[0, 1]], "set", None, "in `sets`"),
        ([[0, 1]], "nominall", None, "did you mean `nominal`"),
    ],
)
def test_arrays_that_do_not_fit_each_other_are_a_setup_error(matrix, level, values, said):
    with pytest.raises(SetupError, match=said):
        ReliabilityMatrix(np.array(matrix), level, ("a", "b", "c"), None if values is None else np.array(values, float))


def test_every_coefficient_says_what_it_is():
    for name, one in COEFFICIENTS.items():
        assert one.name == name
        assert one.title
        assert one.source[-4:].isdigit()
        assert set(one.levels) <= {"nominal", "ordinal", "interval", "ratio", "set"}
        assert one.coders in ("two", "any")
        assert one.missing in ("used", "dropped", "refused")
    assert len({one.title for one in COEFFICIENTS.values()}) == len(COEFFICIENTS)


def test_all_is_what_is_exported():
    assert sorted(coefficients.__all__) == sorted(set(coefficients.__all__))
    for name in coefficients.__all__:
        assert hasattr(coefficients, name)


def test_importing_the_coefficients_imports_neither_scipy_nor_pandas():
    code = (
        "import sys, json, buttermilk_nb.analysis.coefficients; "
        "print(json.dumps([name for name in ('scipy', 'pandas') if name in sys.modules]))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(found.stdout) == []
