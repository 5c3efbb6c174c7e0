"""Each judge's agreement with each group, its interval, and the group's own agreement behind it."""

import matplotlib as mpl

mpl.use("agg")

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

import buttermilk_nb as bm
from buttermilk_nb.analysis.plots import plot_perspectives

pytestmark = pytest.mark.usefixtures("closed_figures")

GROUPS = {"ana": "targeted", "ben": "targeted", "eva": "bystander"}


@pytest.fixture(scope="module")
def found():
    said = {"ana": "yyynn", "ben": "yynnn", "eva": "ynnnn", "m1": "yyynn", "m2": "nnnnn"}
    rows = [(f"r{i}", "hurtful", who, codes[i % 5]) for who, codes in said.items() for i in range(40)]
    ratings = pd.DataFrame(rows, columns=["record_id", "criterion", "coder", "category"])
    return bm.perspectives(ratings, groups=GROUPS, judges=["m1", "m2"], n_boot=50)


def marks(ax):
    """Place and value of each estimate."""
    shapes = [line for line in ax.lines if line.get_marker() not in ("None", "")]
    return [(float(line.get_ydata()[0]), float(line.get_xdata()[0]), line.get_marker()) for line in shapes]


def test_groups_stand_under_each_judge_with_their_coders_and_records(found):
    ax = plot_perspectives(found)
    own = ["bystander, 1 coder (n = 40)", "targeted, 2 coders (n = 40)"]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["m1", *own, "m2", *own]
    assert [label.get_fontweight() for label in ax.get_yticklabels()] == ["bold", "normal", "normal"] * 2
    assert [place for place, _, _ in marks(ax)] == [1, 2, 4, 5]
    assert [value for _, value, _ in marks(ax)] == pytest.approx(found.agreement.tolist())
    assert [shape for _, _, shape in marks(ax)] == ["o", "s", "o", "s"]


def test_intervals_and_the_yardstick_are_drawn_where_they_are(found):
    ax = plot_perspectives(found)
    lines = [tuple(np.round(line.get_xdata(), 6)) for line in ax.lines]
    for row in found.itertuples():
        assert tuple(np.round((row.agreement_low, row.agreement_high), 6)) in lines
    within = found[found.within_agreement.notna()]
    assert [(p.get_x(), p.get_width()) for p in ax.patches] == [
        (row.within_agreement_low, pytest.approx(row.within_agreement_high - row.within_agreement_low))
        for row in within.itertuples()
    ]
    assert [p.get_y() + p.get_height() / 2 for p in ax.patches] == [2, 5]
    said = [text.get_text() for text in ax.get_legend().get_texts()]
    assert said == ["judge with bystander", "judge with targeted", "within the group", "its interval"]


def test_alpha_has_its_own_axis(found):
    ax = plot_perspectives(found, measure="alpha")
    assert ax.get_xlabel() == "Krippendorff's alpha"
    assert [value for _, value, _ in marks(ax)] == pytest.approx(found.alpha.tolist(), nan_ok=True)
    assert ax.get_xlim()[0] < found.alpha_low.min()


def test_a_picture_is_drawn_where_it_is_told_to_be(found):
    _, ax = plt.subplots()
    assert plot_perspectives(found, ax=ax) is ax
    assert len(plt.get_fignums()) == 1


def test_what_must_be_chosen_is_a_sentence(found):
    both = pd.concat([found, found.assign(criterion="loud")])
    with pytest.raises(bm.SetupError, match="there are 2 values in `criterion`; choose one"):
        plot_perspectives(both)
    assert plot_perspectives(both, criterion="loud").get_title(loc="left") == "loud"
    with pytest.raises(bm.SetupError, match="write `agreement` or `alpha`, and not `kappa`"):
        plot_perspectives(found, measure="kappa")
