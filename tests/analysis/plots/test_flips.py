"""A flip matrix shows every flip once, at the place of its two answers."""

import matplotlib as mpl

mpl.use("agg")

import matplotlib.pyplot as plt
import pandas as pd
import pytest

import buttermilk_nb as bm
from buttermilk_nb.analysis.plots import plot_flips

pytestmark = pytest.mark.usefixtures("closed_figures")


def flips(first, second, **columns):
    """The answers of two models, one string for each replicate."""
    rows = [
        (f"r{i}", "calm", f"judge · {m}", m, n, code)
        for m, replicates in (("m1", first), ("m2", second))
        for n, codes in enumerate([replicates] if isinstance(replicates, str) else replicates)
        for i, code in enumerate(codes)
    ]
    made = pd.DataFrame(rows, columns=["record_id", "criterion", "coder", "model", "replicate", "category"])
    return bm.flips(made.assign(**columns), factor="model", a="m1", b="m2")


def shown(ax):
    """The number in each cell, by the two answers."""
    across = [label.get_text() for label in ax.get_xticklabels()]
    down = [label.get_text() for label in ax.get_yticklabels()]
    return {(down[int(t.get_position()[1])], across[int(t.get_position()[0])]): t.get_text() for t in ax.texts}


def depth(ax, text):
    """How dark the cell under a text is."""
    at = next(one.get_position() for one in ax.texts if one.get_text() == text)
    square = next(p for p in ax.patches if (round(p.get_x() + 0.48), round(p.get_y() + 0.48)) == at)
    return 1 - square.get_facecolor()[0]


def test_every_flip_stands_at_its_two_answers():
    ax = plot_flips(flips("aaaabbc", "abbccba"), a="one", b="other")
    assert shown(ax) == {("a", "b"): "2", ("a", "c"): "1", ("b", "c"): "1", ("c", "a"): "1"}
    assert (ax.get_ylabel(), ax.get_xlabel()) == ("answer of one", "answer of other")
    assert ax.get_title(loc="left") == "calm: 5 records flip"
    assert depth(ax, "2") > depth(ax, "1") > 0
    assert len(ax.lines) == 3


def test_answers_that_are_numbers_are_in_their_order():
    made = flips("29", "92").assign(answer_a=["10", "9"], answers_a=[("10",), ("9",)])
    ax = plot_flips(made)
    assert [label.get_text() for label in ax.get_xticklabels()] == ["2", "9", "10"]
    assert shown(ax) == {("10", "9"): "1", ("9", "2"): "1"}


def test_answers_that_tie_stand_apart_also_where_the_flag_is_the_same():
    flagged = [True, True, False, False]  # replicates of m1 say x and y, both flagged; those of m2 say n
    found = flips(["x", "y"], ["n", "n"], flagged=flagged)
    ax = plot_flips(found)
    assert shown(ax) == {("(tied)", "n"): "1"}
    assert [label.get_text() for label in ax.get_xticklabels()] == ["n", "(tied)"]


def test_ordinal_numbers_that_tie_are_no_answer_of_their_own():
    found = flips(["1", "2"], ["5", "5"], scale="1-10")
    assert found.answer_a.tolist() == ["1.5"]
    assert shown(plot_flips(found)) == {("(tied)", "5"): "1"}


def test_a_picture_is_drawn_where_it_is_told_to_be():
    _, ax = plt.subplots()
    assert plot_flips(flips("ab", "ba"), ax=ax) is ax
    assert len(plt.get_fignums()) == 1


def test_what_cannot_be_drawn_is_a_sentence():
    found = flips("ab", "ba")
    with pytest.raises(bm.SetupError, match="no record flips"):
        plot_flips(found.iloc[:0])
    with pytest.raises(bm.SetupError, match="there are 2 values in `criterion`; choose one"):
        plot_flips(pd.concat([found, found.assign(criterion="loud")]))
    many = pd.concat([found.assign(answer_a=f"x{i}", answers_a=[("x",)] * 2) for i in range(30)])
    with pytest.raises(bm.SetupError, match="there are 32 different answers"):
        plot_flips(many)
