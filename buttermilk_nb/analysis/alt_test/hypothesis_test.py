"""The test of one judge: against each person in turn, corrected for there being several.

The paper's t-test takes records as independent. Where they are in clusters, its standard error is taken over clusters
(Liang and Zeger 1986, with G / (G - 1)) and its degrees of freedom are the clusters less one; where each record is a
cluster of its own this is the paper's test, number by number.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...errors import SetupError
from ..coefficients.agreement_counts import IntArray
from ..coefficients.base import FloatArray
from ..coefficients.reliability_matrix import NUMERIC
from ..shared.coder_roles import coder_codes, human_coders, judge_names, non_blind_coders
from ..shared.groups import column_names
from ..shared.ratings_frame import FEW, groups, prepare_ratings, usable_rows
from .advantage_probability import Advantages, advantages

if TYPE_CHECKING:
    import pandas as pd

MIN_CODERS = 3
"""Fewer people leave no group for the judge to be near to."""
PASSING_RATE = 0.5
"""The winning rate from which the judge passes."""


class CoderTest(NamedTuple):
    """The test against one person; p is NaN where there is none."""

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

    `found` and `clusters` are of the records that it rests on; `unanswered` counts, for each person, the records that
    the judge was asked about and did not answer; `always` is an answer with which a judge who gave no other would
    pass, None where there is none.
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

    def omega(self, significance: float) -> float:
        """The winning rate; NaN where there is no test."""
        return winning_rate([one.p_adjusted for one in self.coder_tests], significance)

    @property
    def is_tested(self) -> NDArray[np.bool_]:
        """Which people have been compared on enough records."""
        return np.array([one.n >= FEW for one in self.coder_tests])


def judge_tests(
    ratings: pd.DataFrame,
    by: str | Sequence[str],
    judges: Sequence[str] | None,
    coders: Sequence[str] | None,
    epsilon: float,
    significance: float,
    replicate_mode: Literal["modal", "each"],
) -> Iterator[JudgeTest]:
    """The tests of each group and judge, in order.

    Raises
    ------
    SetupError
        There are too few people or records, or something asked for is not there.
    """
    if not 0 <= epsilon < 1:
        raise SetupError(f"epsilon={epsilon}: it is a difference of two shares, from 0 to below 1, such as 0.2.")
    if not 0 < significance < 1:
        raise SetupError(f"significance={significance}: it is between 0 and 1, such as 0.05.")
    if replicate_mode not in ("modal", "each"):
        raise SetupError(f'replicate_mode="{replicate_mode}": write "modal" or "each".')
    by = column_names(by)
    for key, part in groups(prepare_ratings(ratings, by), by):
        people = human_coders(part, judges, coders)
        for judge in judge_names(part, judges):
            named = dict(zip(by, key, strict=True))
            yield _test_judge(
                named, part, judge, people, coders is None, epsilon, significance, replicate_mode == "modal"
            )


def winning_rate(adjusted: Sequence[float], significance: float) -> float:
    """The share of adjusted p-values, NaN left out, that are no higher than alpha.

    Examples
    --------
    >>> winning_rate([0.01, 0.2, float("nan")], 0.05)
    0.5
    """
    known = np.array(adjusted)[~np.isnan(adjusted)]
    return float((known <= significance).mean()) if len(known) else float("nan")


def _test_judge(
    key: dict[str, Any],
    part: pd.DataFrame,
    judge: str,
    people: list[str],
    everybody: bool,
    epsilon: float,
    significance: float,
    mode: bool,
) -> JudgeTest:
    where = f"criterion `{part.criterion.iloc[0]}`, judge `{judge}`"
    seen = non_blind_coders(part)
    if len(people) < MIN_CODERS:
        _raise_too_few_people(where, people, [name for name in sorted(seen) if name not in people] if everybody else [])
    data, place = coder_codes(part, [judge, *people], modal=mode)
    columns = [place[name] for name in people]
    own = [codes.matrix[:, place[judge]] for codes in data.codes]
    panel = [data.codes_of(r, columns) for r in range(data.replicates)]
    answered = np.any([said >= 0 for said in own], axis=0)
    shared = np.any([(codes.matrix >= 0).sum(axis=1) >= 2 for codes in panel], axis=0)
    used = answered & shared
    found = advantages(panel, own)
    n = (~np.isnan(found.judge)).sum(axis=0)
    if used.sum() < FEW or (n >= FEW).sum() < MIN_CODERS:
        _raise_too_few_records(where, int(used.sum()), dict(zip(people, n.tolist(), strict=True)))
    asked = part.record_id.drop_duplicates().sort_values().isin(part.record_id[part.coder == judge]).to_numpy()
    coded = np.any([codes.matrix >= 0 for codes in panel], axis=0)
    kept = Advantages(found.judge[used], found.coder[used])
    clusters = np.unique(data.clusters[used], return_inverse=True)[1]
    against = _test_coders(people, kept, clusters, epsilon)
    always = _constant_codes(panel[0].matrix[used])
    constant = advantages([replace(codes, matrix=codes.matrix[used]) for codes in panel], [always] * len(panel))
    passed = [
        winning_rate([x.p_adjusted for x in one], significance)
        for one in (against, _test_coders(people, constant, clusters, epsilon))
    ]
    return JudgeTest(
        key,
        data.coders[place[judge]],
        tuple(against),
        kept,
        clusters,
        (coded & (asked & ~answered & shared)[:, None]).sum(axis=0),
        int((~used).sum()),
        tuple(name for name in people if name in seen),
        tuple(name for name in sorted(seen) if name not in people) if everybody else (),
        part.inclusion_p.nunique() > 1,
        1 if mode else int(usable_rows(part[part.coder == judge]).replicate.nunique()),
        panel[0].categories[always[0]] if min(passed) >= PASSING_RATE and panel[0].level not in NUMERIC[1:] else None,
    )


def _test_coders(people: Sequence[str], found: Advantages, clusters: IntArray, epsilon: float) -> list[CoderTest]:
    """Each person's test, with p-values adjusted over the people (Benjamini and Yekutieli 2001)."""
    from scipy.stats import false_discovery_control

    rows = []
    for place, name in enumerate(people):
        here = ~np.isnan(found.judge[:, place])
        n = int(here.sum())
        rho_judge, rho_coder = (
            float(one[here, place].mean()) if n else float("nan") for one in (found.judge, found.coder)
        )
        p, said = float("nan"), f"Not tested: {n} records, and the t-test needs {FEW}."
        if n >= FEW:
            p, said = t_test(found.difference[here, place], clusters[here], epsilon)
        rows.append(CoderTest(name, rho_judge, rho_coder, p, float("nan"), n, said))
    tested = [i for i, row in enumerate(rows) if not np.isnan(row.p)]
    adjusted = false_discovery_control([rows[i].p for i in tested], method="by") if tested else []
    for i, p in zip(tested, adjusted, strict=True):
        rows[i] = rows[i]._replace(p_adjusted=float(p))
    return rows


def t_test(difference: FloatArray, clusters: IntArray, epsilon: float) -> tuple[float, str]:
    """One-sided p of H0, that the mean difference is epsilon or more, and what is to be said of it.

    Examples
    --------
    >>> p, said = t_test(np.array([0.0, 0.0, 1.0, -1.0]), np.arange(4), epsilon=0.2)  # t = -0.2 / 0.4082, 3 df
    >>> round(p, 4), said
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
    same = f"The difference is {-mean + 0.0:g} on every record, so p is the limit of the t-test"
    if mean >= epsilon:
        return 1.0, f"{same}."
    return 0.0, f"{same}; exactly, it is at most {((1 - epsilon) / (1 - mean)) ** len(sums):.2g}."


_NO_VARIANCE = 1e-12


def _constant_codes(matrix: IntArray) -> IntArray:
    """The people's most frequent code, on every record."""
    return np.full(len(matrix), np.bincount(matrix[matrix >= 0]).argmax(), np.intp)


def _raise_too_few_people(where: str, people: Sequence[str], set_aside: Sequence[str]) -> None:
    listed = f" ({', '.join(f'`{name}`' for name in people)})" if people else ""
    seen = f", not counting who has seen the answers ({', '.join(set_aside)})" if set_aside else ""
    raise SetupError(
        f"{where}: the alternative annotator test needs {MIN_CODERS} human coders, so that a group is left when one is "
        f"left out, and there are {len(people)}{listed}{seen}; have another person code the records, or read "
        "bm.agreement(ratings)."
    )


def _raise_too_few_records(where: str, used: int, n: dict[str, int]) -> None:
    each = ", ".join(f"`{name}` {count}" for name, count in n.items())
    if used >= FEW:
        what = (
            f"{MIN_CODERS} people with {FEW} records each that the judge and another person answered too, and there are"
        )
        raise SetupError(f"{where}: the alternative annotator test needs {what}: {each}; have them code more records.")
    raise SetupError(
        f"{where}: the alternative annotator test needs {FEW} records that the judge and two people or more answered, "
        f"better 50 to 100, and there are {used}; have people code more of them, or name other judges in judges=[...]."
    )
