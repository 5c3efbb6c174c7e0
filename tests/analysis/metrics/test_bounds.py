"""The bounds hold whatever the hidden answers are; on few records they are compared with all that could have been."""

from __future__ import annotations

import json
from itertools import combinations, product

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings, strategies as st

from buttermilk_nb.analysis.metrics import metrics

quick = settings(max_examples=12, deadline=None)
SETS = [json.dumps(list(some)) for n in range(3) for some in combinations("ab", n)]
KINDS = {
    "yes/no": (["yes", "no"], {"yes"}),
    "a | b | c": (["a", "b", "c"], {"a", "c"}),
    "1-4": (["1", "2", "3", "4"], {"3", "4"}),
    "labels: a | b": (SETS, {'["a"]', '["a", "b"]'}),
}
SHARP = {"spearman"}  # an outer bound need not be reached


def frame(coders, scale, flag):
    """The answers of each coder, by name; one of them is `truth`."""
    rows = [
        {
            "record_id": record,
            "criterion": "tone",
            "coder": name,
            "category": answer,
            "flagged": None if answer is None else answer in flag,
            "scale": scale,
        }
        for name, answers in coders.items()
        for record, answer in enumerate(answers)
    ]
    return pd.DataFrame(rows)


def table(ratings, coder="judge"):
    """The metrics of one coder by basis."""
    found = metrics(ratings, n_boot=0)
    found = found[found.coder == coder]
    return found.pivot_table(index="metric", columns="basis", values="value", dropna=False, observed=True, sort=False)


def answered(ratings):
    """The metrics of each coder over the records with an answer."""
    found = metrics(ratings, n_boot=0)
    found = found[found.basis == "answered"]
    return found.pivot_table(index="metric", columns="coder", values="value", dropna=False, observed=True, sort=False)


@pytest.mark.parametrize("scale", KINDS)
@quick
@given(data=st.data())
def test_bounds_are_the_least_and_greatest_of_all_answers_that_could_have_been(scale, data):
    offered, flag = KINDS[scale]
    answer = st.sampled_from(offered)
    truth = data.draw(st.lists(answer, min_size=2, max_size=6))
    coder = data.draw(st.lists(answer, min_size=len(truth), max_size=len(truth)))
    hidden = data.draw(st.integers(1, 2))
    bounds = table(frame({"truth": truth, "judge": [*coder[hidden:], *[None] * hidden]}, scale, flag))
    every = {f"judge {i}": [*coder[hidden:], *some] for i, some in enumerate(product(offered, repeat=hidden))}
    values = answered(frame({"truth": truth, **every}, scale, flag))
    assert len(values.columns) == len(every)
    low, high = values.min(axis=1), values.max(axis=1)
    assert (bounds["lowest"].isna() == low.isna()).all()
    assert (bounds["lowest"] - low < 1e-9).where(low.notna(), other=True).all()
    assert (bounds["highest"] - high > -1e-9).where(low.notna(), other=True).all()
    sharp = [name for name in bounds.index if name not in SHARP]
    np.testing.assert_allclose(bounds.loc[sharp, "lowest"], low[sharp], atol=1e-9)
    np.testing.assert_allclose(bounds.loc[sharp, "highest"], high[sharp], atol=1e-9)


@settings(max_examples=50, deadline=None)
@given(
    pairs=st.lists(st.tuples(st.integers(0, 10), st.integers(0, 10)), min_size=3, max_size=12), hidden=st.integers(1, 5)
)
@example(pairs=[(1, 0), (1, 1), (0, 0)], hidden=2)
@example(pairs=[(0, 0), (0, 1), (1, 0)], hidden=2)
def test_bounds_bracket_what_numbers_turn_out_to_be(pairs, hidden):
    hidden = min(hidden, len(pairs) - 1)

    rows = [
        (i, name, x)
        for i, (true, said) in enumerate(pairs)
        for name, x in (("truth", true), ("judge", None if i < hidden else said), ("revealed", said))
    ]
    ratings = pd.DataFrame(rows, columns=["record_id", "coder", "value"])
    ratings = ratings.assign(criterion="tone", category=None, scale="0..10")
    known, revealed = table(ratings), answered(ratings)["revealed"].dropna()
    assert (known.loc[revealed.index, "lowest"] <= revealed + 1e-6).all()
    assert (known.loc[revealed.index, "highest"] >= revealed - 1e-6).all()


@pytest.mark.parametrize("seed", range(4))
def test_bounds_of_pearson_are_found_by_a_search_too(seed):
    from scipy.optimize import minimize

    draw = np.random.default_rng(seed)
    truth = draw.random(12)
    coder = np.clip(truth * draw.choice([1, -1]) + draw.normal(0, 0.4, 12), 0, 1)
    rows = [(i, "truth", t) for i, t in enumerate(truth)]
    rows += [(i, "judge", a if i > 3 else None) for i, a in enumerate(coder)]
    ratings = pd.DataFrame(rows, columns=["record_id", "coder", "value"])
    found = table(ratings.assign(criterion="tone", category=None, scale="0..1")).loc["pearson"]
    for sign, bound in ((1, found["lowest"]), (-1, found["highest"])):

        def away(x, sign=sign):
            return sign * np.corrcoef(truth, [*x, *coder[4:]])[0, 1]

        best = min(minimize(away, draw.choice([0.0, 0.5, 1.0], 4), bounds=[(0, 1)] * 4).fun for _ in range(12))
        assert bound == pytest.approx(sign * best, abs=1e-5)


@pytest.mark.parametrize("direction", [1, -1])
@pytest.mark.parametrize("seed", range(10))
def test_bounds_of_pearson_over_equal_truths_are_those_of_every_pattern_of_ends(seed, direction):
    """If no correlation of the other sign is possible, every non-answer is at an end of the range."""
    draw = np.random.default_rng(seed)
    truth = np.array([*draw.choice([0, 1], 5), *[0] * 8, *[3] * 8])
    coder = np.clip(direction * (truth - 1.5) + 1.5 + draw.choice([0, 0, 0, 1, -1], len(truth)), 0, 3)
    rows = [(i, "truth", t) for i, t in enumerate(truth)]
    rows += [(i, "judge", a if i > 4 else None) for i, a in enumerate(coder)]
    ratings = pd.DataFrame(rows, columns=["record_id", "coder", "value"])
    bounds = table(ratings.assign(criterion="tone", category=None, scale="0..3")).loc["pearson"]
    every = [np.corrcoef(truth, [*ends, *coder[5:]])[0, 1] for ends in product([0, 3], repeat=5)]
    if direction > 0:
        assert 0 < min(every) == pytest.approx(bounds["lowest"])
    else:
        assert 0 > max(every) == pytest.approx(bounds["highest"])


def test_without_non_answers_all_bases_are_the_same_but_for_the_outer_bounds_of_nothing():
    found = table(frame({"truth": ["1", "2", "4", "3"], "judge": ["1", "3", "4", "4"]}, "1-4", {"4"}))
    for basis in ("planned", "lowest", "highest"):
        np.testing.assert_allclose(found[basis], found["answered"], atol=1e-9)
