"""The test of one judge against each person, with p-values adjusted over the people.

The paper's t-test treats records as independent. If they are in clusters, its standard error is computed over clusters
(Liang and Zeger 1986, with G / (G - 1)) and its degrees of freedom are the number of clusters minus one; if each record
is a cluster of its own, this is the paper's test, number by number.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ...errors import SetupError
from ..coefficients import ReliabilityMatrix
from ..coefficients.arrays import BoolArray, FloatArray, IntArray
from ..coefficients.reliability_matrix import NUMERIC
from ..shared.coder_roles import coder_codes, human_coders, judge_names, non_blind_coders
from ..shared.notes import FEW, codes_note
from ..shared.ratings_frame import prepare_ratings, usable_rows
from ..shared.ratings_groups import column_names, ratings_groups
from ..shared.replicate_mode import ReplicateMode, check_replicate_mode
from .advantage_probability import Advantages, advantages

if TYPE_CHECKING:
    import pandas as pd

MIN_CODERS = 3
"""With fewer people there is no group to which the judge could be near."""
PASSING_RATE = 0.5
"""The winning rate from which a judge passes."""
_NO_VARIANCE = 1e-12


class CoderTest(NamedTuple):
    """The test against one person; p is NaN if the person is not tested."""

    coder: str
    rho_judge: float
    rho_coder: float
    p: float
    p_adjusted: float
    n: int
    note: str


@dataclass(frozen=True, eq=False)
class JudgeTest:
    """The test of one judge on one question.

    Parameters
    ----------
    key
        The values of `by`.
    judge
        The name of the judge.
    coder_tests
        The test against each person.
    advantages, clusters
        The indicators and the cluster of each record that the test uses.
    n_unanswered
        For each person, the number of records that the judge was meant to answer and did not.
    n_excluded
        The number of records that the test does not use.
    non_blind
        The people tested who had seen the judges' answers.
    excluded_coders
        The people left out because they had seen the judges' answers.
    unequal_probabilities
        Whether the records were drawn with unequal probabilities.
    n_replicates
        The number of replicates of the judge.
    constant_answer
        An answer with which a judge that gives no other would pass; None if there is none, or if this judge fails.
    codes_note
        What was done to the forms of the codes.
    """

    key: dict[str, Any]
    judge: str
    coder_tests: tuple[CoderTest, ...]
    advantages: Advantages
    clusters: IntArray
    n_unanswered: IntArray
    n_excluded: int
    non_blind: tuple[str, ...]
    excluded_coders: tuple[str, ...]
    unequal_probabilities: bool
    n_replicates: int
    constant_answer: str | None
    codes_note: str

    def omega(self, significance: float) -> float:
        """The winning rate; NaN if nobody is tested."""
        return winning_rate([test.p_adjusted for test in self.coder_tests], significance)

    @property
    def is_tested(self) -> BoolArray:
        """Which people were compared on enough records."""
        return np.array([test.n >= FEW for test in self.coder_tests])


def judge_tests(
    ratings: pd.DataFrame,
    by: str | Sequence[str],
    judges: Sequence[str] | None,
    coders: Sequence[str] | None,
    epsilon: float,
    significance: float,
    replicate_mode: ReplicateMode,
) -> Iterator[JudgeTest]:
    """The test of each group and judge, sorted. The parameters are those of `alt_test`.

    Raises
    ------
    SetupError
        There are too few people or records, or a parameter is out of range or unknown.
    """
    if not 0 <= epsilon < 1:
        raise SetupError(f"epsilon={epsilon}: it is a difference of two shares, from 0 to below 1, such as 0.2.")
    if not 0 < significance < 1:
        raise SetupError(f"significance={significance}: it is between 0 and 1, such as 0.05.")
    check_replicate_mode(replicate_mode)
    by = column_names(by)
    for key, part in ratings_groups(prepare_ratings(ratings, by), by):
        people = human_coders(part, judges, coders)
        for judge in judge_names(part, judges):
            yield _test_judge(
                key, part, judge, people, coders is None, epsilon, significance, replicate_mode == "modal"
            )


def winning_rate(adjusted: Sequence[float], significance: float) -> float:
    """The share of adjusted p-values, without NaN, that are at most `significance`.

    Examples
    --------
    >>> winning_rate([0.01, 0.2, float("nan")], 0.05)
    0.5
    """
    defined = np.array(adjusted)[~np.isnan(adjusted)]
    return float((defined <= significance).mean()) if len(defined) else float("nan")


def _test_judge(
    key: dict[str, Any],
    part: pd.DataFrame,
    judge: str,
    people: list[str],
    is_everybody: bool,
    epsilon: float,
    significance: float,
    modal: bool,
) -> JudgeTest:
    description = f"criterion `{part.criterion.iloc[0]}`, judge `{judge}`"
    non_blind = non_blind_coders(part)
    excluded = tuple(name for name in sorted(non_blind) if name not in people) if is_everybody else ()
    if len(people) < MIN_CODERS:
        _raise_too_few_people(description, people, excluded)
    data, column = coder_codes(part, [judge, *people], modal=modal)
    judge_codes = [codes.matrix[:, column[judge]] for codes in data.codes]
    panel = [data.codes_of(r, [column[name] for name in people]) for r in range(data.replicates)]
    has_answer = np.any([codes >= 0 for codes in judge_codes], axis=0)
    has_two_codes = np.any([(codes.matrix >= 0).sum(axis=1) >= 2 for codes in panel], axis=0)
    used = has_answer & has_two_codes
    indicators = advantages(panel, judge_codes)
    n = (~np.isnan(indicators.judge)).sum(axis=0)
    if used.sum() < FEW or (n >= FEW).sum() < MIN_CODERS:
        _raise_too_few_records(description, int(used.sum()), dict(zip(people, n.tolist(), strict=True)))
    was_planned = part.record_id.drop_duplicates().sort_values().isin(part.record_id[part.coder == judge]).to_numpy()
    has_code = np.any([codes.matrix >= 0 for codes in panel], axis=0)
    used_indicators = Advantages(indicators.judge[used], indicators.coder[used])
    clusters = np.unique(data.clusters[used], return_inverse=True)[1]
    used_panel = [replace(codes, matrix=codes.matrix[used]) for codes in panel]
    tests = _test_coders(people, used_indicators, clusters, epsilon)
    return JudgeTest(
        key=key,
        judge=data.coders[column[judge]],
        coder_tests=tuple(tests),
        advantages=used_indicators,
        clusters=clusters,
        n_unanswered=(has_code & (was_planned & ~has_answer & has_two_codes)[:, None]).sum(axis=0),
        n_excluded=int((~used).sum()),
        non_blind=tuple(name for name in people if name in non_blind),
        excluded_coders=excluded,
        unequal_probabilities=part.inclusion_p.nunique() > 1,
        n_replicates=1 if modal else int(usable_rows(part[part.coder == judge]).replicate.nunique()),
        codes_note=codes_note(part),
        constant_answer=_passing_constant(people, used_panel, tests, clusters, epsilon, significance),
    )


def _passing_constant(
    people: Sequence[str],
    panel: Sequence[ReliabilityMatrix],
    tests: Sequence[CoderTest],
    clusters: IntArray,
    epsilon: float,
    significance: float,
) -> str | None:
    """The people's most frequent answer, if the judge passes and a judge that always gives that answer does too."""
    codes = _constant_codes(panel[0].matrix)
    constant_tests = _test_coders(people, advantages(panel, [codes] * len(panel)), clusters, epsilon)
    rates = [winning_rate([test.p_adjusted for test in own], significance) for own in (tests, constant_tests)]
    is_passing = min(rates) >= PASSING_RATE and panel[0].level not in NUMERIC[1:]
    return panel[0].categories[codes[0]] if is_passing else None


def _test_coders(people: Sequence[str], indicators: Advantages, clusters: IntArray, epsilon: float) -> list[CoderTest]:
    """The test against each person, with p-values adjusted over the people (Benjamini and Yekutieli 2001)."""
    from scipy.stats import false_discovery_control

    tests = []
    for i, name in enumerate(people):
        compared = ~np.isnan(indicators.judge[:, i])
        n = int(compared.sum())
        rho_judge, rho_coder = (
            float(advantage[compared, i].mean()) if n else float("nan")
            for advantage in (indicators.judge, indicators.coder)
        )
        p, note = float("nan"), f"Not tested: {n} records, and the t-test needs {FEW}."
        if n >= FEW:
            p, note = t_test(indicators.difference[compared, i], clusters[compared], epsilon)
        tests.append(CoderTest(name, rho_judge, rho_coder, p, float("nan"), n, note))
    tested = [i for i, test in enumerate(tests) if not np.isnan(test.p)]
    adjusted = false_discovery_control([tests[i].p for i in tested], method="by") if tested else []
    for i, p in zip(tested, adjusted, strict=True):
        tests[i] = tests[i]._replace(p_adjusted=float(p))
    return tests


def t_test(difference: FloatArray, clusters: IntArray, epsilon: float) -> tuple[float, str]:
    """The one-sided p of H0, that the mean difference is epsilon or more, and a note on it.

    Examples
    --------
    >>> p, note = t_test(np.array([0.0, 0.0, 1.0, -1.0]), np.arange(4), epsilon=0.2)  # t = -0.2 / 0.4082, 3 df
    >>> round(p, 4), note
    (0.3289, '')
    """
    from scipy.stats import t

    n, mean = len(difference), float(difference.mean())
    sums = np.bincount(clusters, difference - mean)[np.unique(clusters)]
    if len(sums) < 2:
        return float("nan"), "Not tested: all records are in one cluster."
    error = float(np.sqrt(len(sums) / (len(sums) - 1) * (sums**2).sum()) / n)
    if error > _NO_VARIANCE:
        return float(t.cdf((mean - epsilon) / error, len(sums) - 1)), ""
    if np.ptp(difference) > _NO_VARIANCE:
        return float("nan"), "Not tested: the differences cancel out in each cluster."
    note = f"The difference is {-mean + 0.0:g} on every record, so p is the limit of the t-test"
    if mean >= epsilon:
        return 1.0, f"{note}."
    return 0.0, f"{note}; exactly, it is at most {((1 - epsilon) / (1 - mean)) ** len(sums):.2g}."


def _constant_codes(matrix: IntArray) -> IntArray:
    """The people's most frequent code, on every record."""
    return np.full(len(matrix), np.bincount(matrix[matrix >= 0]).argmax(), np.intp)


def _raise_too_few_people(description: str, people: Sequence[str], excluded: Sequence[str]) -> None:
    listed = f" ({', '.join(f'`{name}`' for name in people)})" if people else ""
    not_counted = f", not counting those who have seen the answers ({', '.join(excluded)})" if excluded else ""
    raise SetupError(
        f"{description}: the alternative annotator test needs {MIN_CODERS} human coders, so that a group remains when "
        f"one is left out, and there are {len(people)}{listed}{not_counted}; have another person code the records, or "
        "use bm.agreement(ratings)."
    )


def _raise_too_few_records(description: str, n_used: int, n: dict[str, int]) -> None:
    if n_used < FEW:
        raise SetupError(
            f"{description}: the alternative annotator test needs {FEW} records that the judge and two people or more "
            f"answered, better 50 to 100, and there are {n_used}; have people code more of them, or name other judges "
            "in judges=[...]."
        )
    counts = ", ".join(f"`{name}` {count}" for name, count in n.items())
    raise SetupError(
        f"{description}: the alternative annotator test needs {MIN_CODERS} people with {FEW} records each that the "
        f"judge and another person answered too, and there are: {counts}; have them code more records."
    )
