"""Who is left without an answer: whether non-answers depend on the truth, or on what the records are.

A test takes each record once, as lacking an answer where any of its replicates lacks one. Pearson's chi-square without
a correction where every expected count is 5 or more (Cochran 1954), else Fisher's exact test of a 2 x 2 table; P values
are adjusted over all tests of the table (Holm 1979).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ...errors import SetupError, nearest
from ..shared.multiple_testing import holm_adjusted
from .pair_with_truth import PairedCoder, paired_coders
from .question import CONTINUOUS_LEVELS, IntArray, as_text

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


def non_answers(
    ratings: pd.DataFrame,
    *,
    truth: str = "truth",
    by: Sequence[str] = ("criterion",),
    group: str | None = None,
) -> pd.DataFrame:
    """Share without a usable answer, by truth and by a column, and a test of whether it depends on it.

    Parameters
    ----------
    ratings
        As for `metrics`.
    truth, by
        As for `metrics`.
    group
        A column of the ratings to compare by, beside the truth: a metadata column of the records, as a rule.

    Returns
    -------
    pandas.DataFrame
        One row per group x coder x variable (`truth`, and the column) x category: `n` records, `n_planned` cells,
        `n_without` of them a usable answer, their `share`; and, the same on all rows of a variable, the test:
        `chi-square` or `Fisher's exact`, `statistic` (chi-square, or the odds ratio), `df`, `p`, `p_holm`, and
        `n_tests` in the whole table. NaN and None where there is no test, and `note` says why. A truth in numbers is
        taken as flagged or not, and left out where no flag is declared.

    Raises
    ------
    SetupError
        As for `metrics`; or there is no column `group`, or it says two things of one record.

    Examples
    --------
    >>> import pandas as pd
    >>> said = ["y", None] * 8 + ["y"] * 24
    >>> rows = [(i, c, a) for i in range(40) for c, a in (("truth", "yn"[i % 2]), ("judge", said[i]))]
    >>> frame = pd.DataFrame(rows, columns=["record_id", "coder", "category"]).assign(criterion="tone")
    >>> found = non_answers(frame)
    >>> found[["category", "n_without", "share", "test"]].values.tolist()
    [['n', 8, 0.4, "Fisher's exact"], ['y', 0, 0.0, "Fisher's exact"]]
    """
    import pandas as pd

    if group is not None and group not in ratings.columns:
        raise SetupError(f"the ratings have no column `{group}`; {nearest(group, map(str, ratings.columns))}")
    rows: list[dict[str, Any]] = []
    tests: list[int] = []
    for one in paired_coders(ratings, truth, by, None, "each"):
        for variable, names, place in _compared_variables(one, group):
            tested = _test_independence(one, names, place)
            tests += [len(rows)] if not np.isnan(tested.p) else []
            start = len(rows)
            rows += [
                dict(zip(by, one.key, strict=True)) | {"variable": variable} | row | tested._asdict() | {"first": start}
                for row in _non_answer_shares(one, names, place)
            ]
    table = pd.DataFrame(rows, columns=[*by, *COLUMNS, "first"])
    adjusted = dict(zip(tests, holm_adjusted(np.array([rows[at]["p"] for at in tests])).tolist(), strict=True))
    table["p_holm"] = [adjusted.get(at, np.nan) for at in table["first"]]
    table["n_tests"] = len(tests)
    return table.drop(columns="first").astype({"df": "Int64"})


def _compared_variables(one: PairedCoder, group: str | None) -> list[tuple[str, list[str], IntArray]]:
    """What to compare by: its name, its categories, and for each cell which it is (-1: none)."""
    question, found = one.question, []
    if question.flags is not None and question.level in CONTINUOUS_LEVELS:
        found.append(("truth", ["not flagged", "flagged"], np.where(one.truth < 0, -1, question.flags[one.truth])))
    elif question.level not in CONTINUOUS_LEVELS:
        found.append(("truth", list(question.categories), one.truth))
    if group is not None:
        given = one.table[group].iloc[one.answers.row]
        texts = [None if missing else as_text(cell) for cell, missing in zip(given, given.isna(), strict=True)]
        names = sorted({text for text in texts if text is not None})
        at = {name: i for i, name in enumerate(names)}
        place = np.array([-1 if text is None else at[text] for text in texts], np.intp)
        same = np.diff(one.answers.record) == 0
        if (same & (np.diff(place) != 0)).any():
            raise SetupError(f"`{group}` says two things of one record: compare by a column that belongs to records.")
        found.append((group, names, place))
    return found


def _non_answer_shares(one: PairedCoder, names: list[str], place: IntArray) -> list[dict[str, Any]]:
    rows = []
    for i, name in enumerate(names):
        here = place == i
        without = int((one.answers.code[here] < 0).sum())
        if cells := int(here.sum()):
            records = len(np.unique(one.answers.record[here]))
            counted = {"n": records, "n_planned": cells, "n_without": without, "share": without / cells}
            rows.append({"coder": one.coder, "category": name} | counted)
    return rows


def _test_independence(one: PairedCoder, names: list[str], place: IntArray) -> IndependenceTest:
    kept = place >= 0
    records, first, at = np.unique(one.answers.record[kept], return_index=True, return_inverse=True)
    lacks = np.zeros(len(records), np.intp)
    np.maximum.at(lacks, at, (one.answers.code[kept] < 0).astype(np.intp))
    counts = np.bincount(place[kept][first] * 2 + lacks, minlength=2 * len(names)).reshape(-1, 2)
    tested = _independence_test(counts[counts.sum(axis=1) > 0])
    said = [tested.note] if tested.note else []
    if tested.test and int(kept.sum()) > len(records):
        said.append("The test takes a record as without an answer where any replicate is.")
    if tested.test and len(np.unique(one.clusters[records])) < len(records):
        said.append("The test takes the records of a cluster as independent.")
    return tested._replace(note=" ".join(said))


def _independence_test(counts: IntArray) -> IndependenceTest:
    """A test of a table of categories x (answered, without)."""
    from scipy.stats import chi2_contingency, fisher_exact

    def none(note: str) -> IndependenceTest:
        return IndependenceTest(None, np.nan, None, np.nan, note)

    if len(counts) < 2:
        return none("One category only: nothing to compare.")
    if not (total := counts.sum(axis=0)).all():
        return none("Every record has an answer." if not total[1] else "No record has an answer in every replicate.")
    expected = np.outer(counts.sum(axis=1), total) / counts.sum()
    if expected.min() >= MIN_EXPECTED:
        found = chi2_contingency(counts, correction=False)
        return IndependenceTest("chi-square", float(found.statistic), int(found.dof), float(found.pvalue), "")
    if counts.shape == (2, 2):
        exact = fisher_exact(counts)
        return IndependenceTest("Fisher's exact", float(exact.statistic), None, float(exact.pvalue), "")
    return none(f"Expected counts below {MIN_EXPECTED} in a table larger than 2 x 2: no test.")
