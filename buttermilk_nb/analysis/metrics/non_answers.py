"""Whether non-answers depend on the truth, or on a column of the records.

A test counts each record once, as lacking an answer if any of its replicates lacks one. Pearson's chi-square without a
correction if every expected count is 5 or more (Cochran 1954), else Fisher's exact test of a 2 x 2 table; p-values are
adjusted over all tests of the table (Holm 1979).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..._internal.arguments import check_arguments
from ...errors import SetupError, nearest
from ..coefficients.arrays import IntArray
from ..shared.multiple_testing import holm_adjusted
from ..shared.notes import join_sentences
from ..shared.ratings_frame import as_ratings
from .pair_with_truth import PairedCoder, paired_coders
from .question import CONTINUOUS_LEVELS, as_text

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = (
    "coder", "variable", "category", "n", "n_planned", "n_without", "share", "test", "statistic", "df", "p", "p_holm",
    "n_tests", "note",
)  # fmt: skip
MIN_EXPECTED = 5


class IndependenceTest(NamedTuple):
    """A test of independence."""

    test: str | None
    statistic: float
    df: int | None
    p: float
    note: str


class Variable(NamedTuple):
    """A variable to compare by: its name, its categories, and the category of each answer (-1: none)."""

    name: str
    categories: list[str]
    code: IntArray


@check_arguments
def non_answers(
    ratings: pd.DataFrame,
    *,
    truth: str = "truth",
    by: Sequence[str] = ("criterion",),
    group: str | None = None,
) -> pd.DataFrame:
    """The share without a usable answer, by truth and by a column, and a test of whether it depends on them.

    Parameters
    ----------
    ratings
        As for `metrics`.
    truth, by
        As for `metrics`.
    group
        A column of the ratings to compare by, in addition to the truth: usually a metadata column of the records.

    Returns
    -------
    pandas.DataFrame
        One row per group x coder x variable (`truth`, and the column) x category: `n` records, `n_planned` answers,
        `n_without` of them without a usable answer, their `share` (0 to 1); and, the same on all rows of a variable,
        the test: `chi-square` or `Fisher's exact`, `statistic` (chi-square, or the odds ratio), `df`, `p`, `p_holm`,
        and `n_tests` in the whole table. NaN and None if there is no test, and `note` says why. A truth in numbers
        counts as flagged or not, and is left out if no flag is declared.

    Raises
    ------
    SetupError
        As for `metrics`; or there is no column `group`, or a record has two values in it.

    Examples
    --------
    >>> import pandas as pd
    >>> answers = ["y", None] * 8 + ["y"] * 24
    >>> rows = [(i, c, a) for i in range(40) for c, a in (("truth", "yn"[i % 2]), ("judge", answers[i]))]
    >>> frame = pd.DataFrame(rows, columns=["record_id", "coder", "category"]).assign(criterion="tone")
    >>> result = non_answers(frame)
    >>> result[["category", "n_without", "share", "test"]].values.tolist()
    [['n', 8, 0.4, "Fisher's exact"], ['y', 0, 0.0, "Fisher's exact"]]
    """
    import pandas as pd

    ratings = as_ratings(ratings)
    if group is not None and group not in ratings.columns:
        raise SetupError(f"the ratings have no column `{group}`; {nearest(group, map(str, ratings.columns))}")
    rows: list[dict[str, Any]] = []
    tested_rows: list[int] = []  # the first row of each variable with a test
    for coder in paired_coders(ratings, truth, by, None, "each"):
        for variable in _compared_variables(coder, group):
            test = _test_independence(coder, variable)
            first = len(rows)
            tested_rows += [first] if not np.isnan(test.p) else []
            key = dict(zip(by, coder.key, strict=True)) | {"variable": variable.name}
            rows += [key | row | test._asdict() | {"first": first} for row in _non_answer_shares(coder, variable)]
    table = pd.DataFrame(rows, columns=[*by, *COLUMNS, "first"])
    p = np.array([rows[i]["p"] for i in tested_rows])
    adjusted = dict(zip(tested_rows, holm_adjusted(p).tolist(), strict=True))
    table["p_holm"] = [adjusted.get(i, np.nan) for i in table["first"]]
    table["n_tests"] = len(tested_rows)
    return table.drop(columns="first").astype({"df": "Int64"})


def _compared_variables(coder: PairedCoder, group: str | None) -> list[Variable]:
    question, variables = coder.question, []
    if question.flags is not None and question.level in CONTINUOUS_LEVELS:
        flag = np.where(coder.truth < 0, -1, question.flags[coder.truth])
        variables.append(Variable("truth", ["not flagged", "flagged"], flag))
    elif question.level not in CONTINUOUS_LEVELS:
        variables.append(Variable("truth", list(question.categories), coder.truth))
    if group is not None:
        variables.append(_group_variable(coder, group))
    return variables


def _group_variable(coder: PairedCoder, group: str) -> Variable:
    values = coder.table[group].iloc[coder.answers.row]
    texts = [None if is_missing else as_text(value) for value, is_missing in zip(values, values.isna(), strict=True)]
    categories = sorted({text for text in texts if text is not None})
    index = {name: i for i, name in enumerate(categories)}
    code = np.array([-1 if text is None else index[text] for text in texts], np.intp)
    is_same_record = np.diff(coder.answers.record) == 0
    if (is_same_record & (np.diff(code) != 0)).any():
        raise SetupError(f"a record has two values in `{group}`: compare by a column that belongs to records.")
    return Variable(group, categories, code)


def _non_answer_shares(coder: PairedCoder, variable: Variable) -> list[dict[str, Any]]:
    rows = []
    for i, category in enumerate(variable.categories):
        is_member = variable.code == i
        n_without = int((coder.answers.code[is_member] < 0).sum())
        if n_planned := int(is_member.sum()):
            rows.append(
                {
                    "coder": coder.coder,
                    "category": category,
                    "n": len(np.unique(coder.answers.record[is_member])),
                    "n_planned": n_planned,
                    "n_without": n_without,
                    "share": n_without / n_planned,
                }
            )
    return rows


def _test_independence(coder: PairedCoder, variable: Variable) -> IndependenceTest:
    has_category = variable.code >= 0
    records, first, index = np.unique(coder.answers.record[has_category], return_index=True, return_inverse=True)
    is_missing = np.zeros(len(records), np.intp)
    np.maximum.at(is_missing, index, (coder.answers.code[has_category] < 0).astype(np.intp))
    record_category = variable.code[has_category][first]
    counts = np.bincount(record_category * 2 + is_missing, minlength=2 * len(variable.categories)).reshape(-1, 2)
    test = _independence_test(counts[counts.sum(axis=1) > 0])
    has_replicates = int(has_category.sum()) > len(records)
    is_clustered = len(np.unique(coder.clusters[records])) < len(records)
    note = join_sentences(
        test.note,
        "The test counts a record as without an answer if any replicate is." if test.test and has_replicates else "",
        "The test treats the records of a cluster as independent." if test.test and is_clustered else "",
    )
    return test._replace(note=note)


def _independence_test(counts: IntArray) -> IndependenceTest:
    """A test of a table of categories x (answered, without)."""
    from scipy.stats import chi2_contingency, fisher_exact

    def no_test(note: str) -> IndependenceTest:
        return IndependenceTest(None, np.nan, None, np.nan, note)

    if len(counts) < 2:
        return no_test("There is only one category, so there is nothing to compare.")
    if not (total := counts.sum(axis=0)).all():
        return no_test("Every record has an answer." if not total[1] else "No record has an answer in every replicate.")
    expected = np.outer(counts.sum(axis=1), total) / counts.sum()
    if expected.min() >= MIN_EXPECTED:
        result = chi2_contingency(counts, correction=False)
        return IndependenceTest("chi-square", float(result.statistic), int(result.dof), float(result.pvalue), "")
    if counts.shape == (2, 2):
        exact = fisher_exact(counts)
        return IndependenceTest("Fisher's exact", float(exact.statistic), None, float(exact.pvalue), "")
    return no_test(f"There is no test: expected counts are below {MIN_EXPECTED} in a table larger than 2 x 2.")
