"""A specification curve shows every estimate with its interval, and beneath it what was chosen."""

import matplotlib as mpl

mpl.use("agg")

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

import buttermilk_nb as bm
from buttermilk_nb.analysis.multiverse import multiverse
from buttermilk_nb.analysis.plots import plot_multiverse

pytestmark = pytest.mark.usefixtures("closed_figures")


@pytest.fixture(scope="module")
def found():
    said = {"m1": "yyyynnnn", "m2": "yyn?nnny", "m3": "ynnnnyyn"}
    rows = [(f"r{i}", "calm", f"judge · {m}", m, c) for m, codes in said.items() for i, c in enumerate(codes * 5)]
    ratings = pd.DataFrame(rows, columns=["record_id", "criterion", "coder", "model", "category"])
    ratings["category"] = ratings.category.where(ratings.category != "?", "cannot tell")
    flagged = ratings.category.map({"y": True, "n": False}).astype("boolean")
    return multiverse(ratings.assign(kind="instrument", flagged=flagged), n_boot=50)


def rows_of(below):
    """The specifications that each row of the matrix marks."""
    names = [label.get_text() for label in below.get_yticklabels()]
    marked = [line for line in below.lines if line.get_marker() == "|"]
    return {names[int(line.get_ydata()[0])]: list(map(int, line.get_xdata())) for line in marked}


def test_every_estimate_stands_with_its_interval(found):
    ax = plot_multiverse(found, above=0.5)
    dots = next(line for line in ax.lines if line.get_marker() == "o")
    assert dots.get_ydata().tolist() == found.estimate.tolist()
    drawn = [segment[:, 1].tolist() for segment in ax.collections[0].get_segments()]
    assert drawn == [[low, high] for low, high in zip(found.low, found.high, strict=True)]
    across = [line.get_ydata()[0] for line in ax.lines if line is not dots]
    assert across == [found.estimate.median(), 0.5]
    assert ax.get_title(loc="left") == "calm: 12 specifications, n = 35 to 40 records"
    assert ax.get_ylabel() == "share flagged"


def test_the_matrix_marks_what_was_chosen_and_leaves_out_what_does_not_differ(found):
    below = plot_multiverse(found).figure.axes[1]
    heads = [label.get_text() for label in below.get_yticklabels() if label.get_fontweight() == "bold"]
    assert heads == ["models", "rule", "non-answers"]
    marked = rows_of(below)
    for column in ("models", "rule", "non_answers"):
        for value in found[column].unique():
            assert marked[value] == found.index[found[column] == value].tolist()
    medians = found.groupby("models").estimate.median().sort_values()
    assert [name for name in marked if name in set(found.models)] == medians.index.tolist()
    assert {f"{value:.2f}" for value in medians} <= {text.get_text() for text in below.texts}


def test_rows_are_sorted_and_those_without_an_estimate_are_left_out(found):
    mixed = pd.concat([found.iloc[::-1], found.iloc[:1].assign(estimate=np.nan)])
    ax = plot_multiverse(mixed)
    dots = next(line for line in ax.lines if line.get_marker() == "o")
    assert dots.get_ydata().tolist() == found.estimate.tolist()
    assert dots.get_xdata().tolist() == list(range(12))
    with pytest.raises(bm.SetupError, match="no specification has an estimate"):
        plot_multiverse(found.assign(estimate=np.nan))


@pytest.mark.parametrize("free", [True, False])
def test_a_picture_is_drawn_in_the_room_that_it_is_given(found, free):
    figure = plt.figure(figsize=(8, 6))
    ax = figure.add_axes((0.1, 0.5, 0.3, 0.4)) if free else figure.add_subplot(1, 2, 1)
    room = ax.get_position()
    assert plot_multiverse(found, ax=ax) is ax
    figure.canvas.draw()
    below = figure.axes[1].get_position()
    assert len(plt.get_fignums()) == 1
    assert below.y1 <= ax.get_position().y0 + 1e-9
    assert below.x0 == pytest.approx(ax.get_position().x0)
    assert (below.y0, ax.get_position().y1) == pytest.approx((room.y0, room.y1))


def test_one_specification_has_no_matrix(found):
    ax = plot_multiverse(found.iloc[:1])
    assert len(ax.figure.axes) == 1
    assert ax.get_title(loc="left") == "calm: 1 specification, n = 40 records"
