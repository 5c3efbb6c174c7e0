"""Pictures show what the frames say: every comparison, its interval, its number of records."""

import matplotlib as mpl

mpl.use("agg")

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

import buttermilk_nb as bm

pytestmark = pytest.mark.usefixtures("closed_figures")


@pytest.fixture(scope="module")
def found():
    codes = {"ana": list("yyynnnyynn") * 4, "ben": list("yyynnnnnny") * 4, "chi": list("yynnnnyynn") * 4}
    codes["judge · toy"] = list("yyynnnyyyy") * 4
    rows = [(f"r{i}", "calm", who, code) for who, given in codes.items() for i, code in enumerate(given)]
    ratings = pd.DataFrame(rows, columns=["record_id", "criterion", "coder", "category"])
    ratings["kind"] = np.where(ratings.coder.str.startswith("judge"), "instrument", "human")
    return bm.agreement(ratings, n_boot=50)


def test_a_forest_shows_every_comparison_with_its_interval(found):
    ax = bm.plot_agreement(found)
    rows = found[found.coefficient == "Krippendorff's alpha"]
    assert [label.get_text() for label in ax.get_yticklabels()] == [f"{name}  (n = 40)" for name in rows.comparison]
    marks = [line for line in ax.lines if line.get_marker() not in ("None", "")]
    assert [mark.get_xdata()[0] for mark in marks] == pytest.approx(rows.value.tolist())
    intervals = [line for line in ax.lines[1:] if line.get_marker() in ("None", "")]
    assert [tuple(line.get_xdata()) for line in intervals] == list(zip(rows.low, rows.high, strict=True))
    said = [text.get_text() for text in ax.get_legend().get_texts()]
    assert said == ["people with people", "people with a judge", "everybody", "interval of the people"]


def test_a_heat_map_shows_every_pair_with_its_records(found):
    ax = bm.plot_pairs(found, coefficient="Percent agreement")
    texts = [text.get_text() for text in ax.texts]
    assert len(texts) == 6
    assert "0.70\nn = 40" in texts


@pytest.mark.parametrize("plot", [bm.plot_agreement, bm.plot_pairs])
def test_a_picture_is_drawn_where_it_is_told_to_be(found, plot):
    _, ax = plt.subplots()
    assert plot(found, ax=ax) is ax
    assert len(plt.get_fignums()) == 1


@pytest.mark.parametrize("plot", [bm.plot_agreement, bm.plot_pairs])
def test_what_must_be_chosen_is_a_sentence(found, plot):
    with pytest.raises(bm.SetupError, match="there is no coefficient `Cohens kappa` here; did you mean"):
        plot(found, coefficient="Cohens kappa")
    both = pd.concat([found, found.assign(criterion="loud")])
    with pytest.raises(bm.SetupError, match="there are 2 values in `criterion`; choose one, criterion='calm'"):
        plot(both)
    assert plot(both, criterion="loud").get_title(loc="left").startswith("loud")


def test_what_is_undefined_has_no_mark_and_says_so():
    rows = [(f"r{i}", "calm", who, "y") for who in ("ana", "ben") for i in range(40)]
    ratings = pd.DataFrame(rows, columns=["record_id", "criterion", "coder", "category"])
    found = bm.agreement(ratings, n_boot=10)
    assert bm.plot_pairs(found).texts[0].get_text() == "undefined\nn = 40"
    assert bm.plot_agreement(found) is not None


@pytest.fixture
def crossed():
    codes = {"truth": list("yyynnnnn"), "ana": list("yynnnnny"), "ben": ["y", "y", "cannot tell", *"nnnnn"]}
    rows = [(f"r{i}", "calm", who, code) for who, given in codes.items() for i, code in enumerate(given)]
    return bm.confusion(pd.DataFrame(rows, columns=["record_id", "criterion", "coder", "category"]))


def test_a_confusion_shows_counts_and_the_share_of_the_row(crossed):
    ax = bm.plot_confusion(crossed, coder="ana")
    shown = {(text.get_position()): text.get_text() for text in ax.texts}
    names = [label.get_text() for label in ax.get_xticklabels()]
    place = {name: at for at, name in enumerate(names)}
    truths = [label.get_text() for label in ax.get_yticklabels()]
    assert shown[place["y"], truths.index("y")] == "2\n67%"
    assert shown[place["y"], truths.index("n")] == "1\n20%"
    assert ax.get_xlabel() == "answer of ana"


def test_what_is_no_usable_answer_stands_on_the_right(crossed):
    names = [label.get_text() for label in bm.plot_confusion(crossed, coder="ben").get_xticklabels()]
    assert names[-1] == "cannot tell"


def test_a_coder_must_be_chosen(crossed):
    with pytest.raises(bm.SetupError, match="there are 2 values in `coder`; choose one, coder='ana'"):
        bm.plot_confusion(crossed)
