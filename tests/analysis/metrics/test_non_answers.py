"""Truth by answer, and whether non-answers depend on the truth or on a column."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2_contingency, fisher_exact

from buttermilk_nb.analysis.metrics import confusion, non_answers
from buttermilk_nb.errors import SetupError


def frame(truth, coder, **columns):
    rows = []
    for name, answers in (("truth", truth), ("judge", coder)):
        for i, answer in enumerate(answers):
            more = {column: said[i] for column, said in columns.items()}
            given = None if answer == "?" else answer
            rows.append({"record_id": i, "criterion": "tone", "coder": name, "category": given, **more})
    return pd.DataFrame(rows)


def test_all_declared_categories_and_each_reason_have_their_cell():
    ratings = frame(["a", "a", "a", "b", "?"], ["a", "b", "cannot tell", "?", "a"]).assign(scale="a | b | c")
    ratings["status"] = ["ok"] * 4 + ["pending"] + ["ok"] * 3 + ["refused", "ok"]
    found = confusion(ratings)
    table = found.pivot_table(index="truth", columns="answer", values="n")
    assert table.loc["a"].to_dict() == {"a": 1, "b": 1, "c": 0, "cannot tell": 1, "refused": 0}
    assert table.loc["b", "refused"] == 1
    assert table.loc["pending", "a"] == 1
    assert found.n.sum() == 5
    shares = found.groupby("truth").share.sum(min_count=1)
    assert shares.drop("c").tolist() == pytest.approx([1, 1, 1])
    assert np.isnan(shares["c"])
    unusable = found[~found.answer_usable].answer.unique().tolist()
    assert unusable == ["cannot tell", "refused"]


def test_replicates_are_cells_of_their_own_in_a_confusion():
    ratings = pd.concat([frame("ab", "ab"), frame("", "bb").assign(replicate=1)])
    assert confusion(ratings).n.tolist() == [1, 1, 0, 2]


@pytest.mark.parametrize("per_cell", [20, 6])
def test_the_test_is_chi_square_where_expected_counts_allow_and_else_fishers(per_cell):
    truth = "a" * per_cell + "b" * per_cell
    coder = "?" * (per_cell // 2) + "a" * (per_cell - per_cell // 2) + "b" * (per_cell - 1) + "?"
    found = non_answers(frame(truth, coder))
    counts = [[per_cell - per_cell // 2, per_cell // 2], [per_cell - 1, 1]]
    assert found[["category", "n", "n_planned", "n_without"]].values.tolist() == [
        ["a", per_cell, per_cell, per_cell // 2],
        ["b", per_cell, per_cell, 1],
    ]
    if per_cell == 20:
        want = chi2_contingency(counts, correction=False)
        assert found.test.tolist() == ["chi-square"] * 2
        assert found.statistic.iloc[0] == pytest.approx(40 * (10 * 1 - 10 * 19) ** 2 / (20 * 20 * 11 * 29))
        assert found.df.tolist() == [1, 1]
    else:
        want = fisher_exact(counts)
        assert found.test.tolist() == ["Fisher's exact"] * 2
    assert found.p.tolist() == pytest.approx([want.pvalue] * 2)


def test_p_values_are_adjusted_over_the_whole_table():
    outlet = ["x", "y"] * 20
    ratings = frame("a" * 20 + "b" * 20, "?" * 9 + "a" * 11 + "b" * 18 + "?" * 2, outlet=outlet)
    found = non_answers(ratings, group="outlet").drop_duplicates("variable").set_index("variable")
    assert found.n_tests.tolist() == [2, 2]
    small, large = sorted(found.p)
    assert sorted(found.p_holm) == pytest.approx([2 * small, max(2 * small, large)])


@pytest.mark.parametrize(
    ("truth", "coder", "note"),
    [
        ("ab", "ab", "Every record has an answer."),
        ("ab", "??", "No record has an answer in every replicate."),
        ("aa", "a?", "There is only one category, so there is nothing to compare."),
        ("abc", "a?c", "There is no test: expected counts are below 5 in a table larger than 2 x 2."),
    ],
)
def test_where_there_is_no_test_the_note_says_why(truth, coder, note):
    found = non_answers(frame(truth, coder))
    assert found.p.isna().all()
    assert found.p_holm.isna().all()
    assert set(found.note) == {note}
    assert set(found.n_tests) == {0}


def test_a_record_is_tested_once_however_many_replicates_it_has():
    one = frame("ab" * 10, "a?" * 10)
    again = one[one.coder == "judge"].assign(replicate=1)
    found = non_answers(pd.concat([one, again]))
    assert found.n.tolist() == [10, 10]
    assert found.n_planned.tolist() == [20, 20]
    assert found.p.tolist() == non_answers(one).p.tolist()
    assert "any replicate" in found.note.iloc[0]


def test_clusters_are_said_to_be_taken_as_independent():
    note = non_answers(frame("ab" * 10, "a?" * 10).assign(cluster="one")).note.iloc[0]
    assert note == "The test treats the records of a cluster as independent."


def test_a_truth_in_numbers_is_taken_by_its_flag():
    ratings = frame(["0.1", "0.9"] * 10, ["0.2", "?"] * 10).assign(scale="0..1")
    assert not len(non_answers(ratings))
    ratings["flagged"] = pd.to_numeric(ratings.category.replace("?", None)).ge(0.5).where(ratings.category.notna())
    found = non_answers(ratings)
    assert found[["category", "share"]].values.tolist() == [["not flagged", 0.0], ["flagged", 1.0]]


def test_a_column_that_is_not_of_the_record_is_refused():
    ratings = frame("ab", "ab").assign(replicate=0)
    ratings = pd.concat([ratings, ratings[ratings.coder == "judge"].assign(replicate=1)])
    ratings["hour"] = range(len(ratings))
    with pytest.raises(SetupError, match="a record has two values in `hour`"):
        non_answers(ratings, group="hour")
    with pytest.raises(SetupError, match="no column `houre`"):
        non_answers(ratings, group="houre")
