"""The alternative annotator test of each judge, and the tests against each person."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..._internal.arguments import check_arguments
from ..coefficients.arrays import FloatArray
from ..shared.bootstrap import check_resampling, percentile_interval, unit_weights
from ..shared.notes import join_sentences, replicates_note, sample_note, unequal_note
from ..shared.replicate_mode import ReplicateMode
from .hypothesis_test import PASSING_RATE, JudgeTest, judge_tests

if TYPE_CHECKING:
    import pandas as pd


@check_arguments
def alt_test(
    ratings: pd.DataFrame,
    *,
    by: str | Sequence[str] = ("criterion",),
    judges: Sequence[str] | None = None,
    coders: Sequence[str] | None = None,
    epsilon: float = 0.2,
    significance: float = 0.05,
    replicate_mode: ReplicateMode = "each",
    n_boot: int = 1000,
    seed: int = 1,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """The alternative annotator test: may the judge replace the people? One row per group and judge.

    Parameters
    ----------
    ratings
        The long frame of `run.ratings()`, or one with `record_id`, `criterion`, `coder` and `category`.
    by
        Columns that make the groups. Criteria and wordings are never pooled.
    judges
        The judges, by name; by default every coder of kind `instrument`.
    coders
        The people, by name, three or more; by default all who have not seen the judges' answers. `truth` is the code
        that came with the data, and not a coder here.
    epsilon
        What the lower cost of the judge is worth, as a difference of shares (0 to below 1): the judge may have the
        advantage less often than the person by this much. The authors advise 0.2 if the people are experts, 0.15 if
        they are skilled (trained students), 0.1 for crowd workers, and less if the people agree little. Choose it, and
        give the reason, before you look at the results.
    significance
        The false discovery rate over the people, between 0 and 1.
    replicate_mode
        `each`: compute the indicators below within each replicate and average them, record by record. `modal`: take the
        answer that most replicates gave, as another instrument with its own name; if two answers are as frequent, there
        is no answer.
    n_boot, seed, confidence
        The number of resamples of whole clusters, their seed, and the level of the percentile interval of `rho`.

    Returns
    -------
    pandas.DataFrame
        `by`..., `judge`, `omega` (the winning rate: the share of people against whom the judge wins), `passes`
        (whether `omega` is 0.5 or more), `rho` (the average advantage probability: how likely the judge is at least as
        near to the other people as a person is), `rho_low` and `rho_high`, `rho_least` and `rho_most` (if the judge had
        lost, or won, every record that it was meant to answer and did not), `n_coders` (people tested), `n_records`,
        `epsilon`, `alpha`, `n_excluded` (the other records), `n_clusters`, `n_undefined` (resamples without a rho) and
        `note`, which also says if a judge that always gave the same answer would have passed.

    Raises
    ------
    SetupError
        There are fewer than three people, fewer than 30 records that the judge and two of them answered, or fewer
        than three people with 30 of these; criteria or wordings would be pooled; a coder is unknown.

    Notes
    -----
    After Calderon, Reichart and Dror (2025), with these conventions:

    - Nearness of a code to the codes of the other people on a record: for names, the share of people who gave the same
      code (accuracy); for ordinal and continuous answers, the negative root mean squared distance (of ranks, if ordinal
      answers are words); for sets of labels, the mean Jaccard similarity.
    - Each person is left out in turn. On each record that this person, another person and the judge answered, the judge
      has the advantage (1) if it is at least as near to the other people as the left-out person, and the person has it
      under the same rule, so that a tie counts for both. `rho_judge` and `rho_coder` are the means.
    - H0 says that `rho_judge` is no more than `rho_coder` minus epsilon: a one-sided t-test of the paired differences.
      Records in one cluster are not independent, and the standard error is then computed over clusters.
    - The p-values are adjusted over the people after Benjamini and Yekutieli (2001).
    - A person with fewer than 30 such records is not tested, but still counts among the other people. (The authors name
      Wilcoxon's test for that case. It compares ranks, and as most differences are ties it rejects far too often.)
    - If the difference is the same on every record, p is 0 below epsilon, else 1, and the note says so.

    Examples
    --------
    >>> import pandas as pd
    >>> answers = {"ana": "yyn", "ben": "yny", "eva": "nyy", "judge": "yyy"}  # repeated: each errs on one in three
    >>> rows = [(i, "calm", who, codes[i % 3]) for who, codes in answers.items() for i in range(60)]
    >>> ratings = pd.DataFrame(rows, columns=["record_id", "criterion", "coder", "category"])
    >>> result = alt_test(ratings, judges=["judge"], n_boot=50)
    >>> result[["judge", "omega", "passes", "rho", "n_coders", "n_records"]].values.tolist()
    [['judge', 1.0, True, 1.0, 3, 60]]
    """
    import pandas as pd

    check_resampling(n_boot, confidence)
    tests = judge_tests(ratings, by, judges, coders, epsilon, significance, replicate_mode)
    rows = [test.key | _judge_row(test, epsilon, significance, n_boot, seed, confidence) for test in tests]
    return pd.DataFrame(rows).astype({"passes": "boolean"})


@check_arguments
def alt_test_coders(
    ratings: pd.DataFrame,
    *,
    by: str | Sequence[str] = ("criterion",),
    judges: Sequence[str] | None = None,
    coders: Sequence[str] | None = None,
    epsilon: float = 0.2,
    significance: float = 0.05,
    replicate_mode: ReplicateMode = "each",
) -> pd.DataFrame:
    """The tests behind `alt_test`: one row per group, judge and person.

    Parameters
    ----------
    ratings, by, judges, coders, epsilon, significance, replicate_mode
        As in `alt_test`, which also names the source.

    Returns
    -------
    pandas.DataFrame
        `by`..., `judge`, `coder` (the left-out person), `rho_judge` and `rho_coder` (the share of records on which each
        is at least as near to the other people; ties count for both), `difference` (`rho_judge` minus `rho_coder`; H0
        says that it is no more than minus epsilon), `p` (one-sided), `p_adjusted` (Benjamini and Yekutieli 2001, over
        the people), `rejected` (whether `p_adjusted` is at most `significance`: the judge wins), `n` (records that this
        person, another person and the judge answered) and `note`. A person who was not tested has NaN, and `note` says
        why.

    Raises
    ------
    SetupError
        As in `alt_test`.

    Examples
    --------
    >>> import pandas as pd
    >>> answers = {"ana": "yyn", "ben": "yny", "eva": "nyy", "judge": "yyy"}
    >>> rows = [(i, "calm", who, codes[i % 3]) for who, codes in answers.items() for i in range(60)]
    >>> ratings = pd.DataFrame(rows, columns=["record_id", "criterion", "coder", "category"])
    >>> result = alt_test_coders(ratings, judges=["judge"])
    >>> result[["coder", "rho_judge", "rho_coder", "rejected"]].round(2).values.tolist()
    [['ana', 1.0, 0.67, True], ['ben', 1.0, 0.67, True], ['eva', 1.0, 0.67, True]]
    """
    import pandas as pd

    rows = [
        judge_test.key
        | {
            "judge": judge_test.judge,
            "coder": test.coder,
            "rho_judge": test.rho_judge,
            "rho_coder": test.rho_coder,
            "difference": test.rho_judge - test.rho_coder,
            "p": test.p,
            "p_adjusted": test.p_adjusted,
            "rejected": pd.NA if np.isnan(test.p) else test.p_adjusted <= significance,
            "n": test.n,
            "note": join_sentences(test.note, judge_test.codes_note),
        }
        for judge_test in judge_tests(ratings, by, judges, coders, epsilon, significance, replicate_mode)
        for test in judge_test.coder_tests
    ]
    return pd.DataFrame(rows).astype({"rejected": "boolean"})


def _judge_row(
    test: JudgeTest, epsilon: float, significance: float, n_boot: int, seed: int, confidence: float
) -> dict[str, Any]:
    import pandas as pd

    n, n_clusters = len(test.clusters), int(test.clusters.max(initial=-1)) + 1
    omega = test.omega(significance)
    low, high, n_undefined = float("nan"), float("nan"), 0
    if n_clusters > 1:
        resampled = [_rho(test, weights) for weights in unit_weights(test.clusters, n_boot, seed)]
        low, high, n_undefined = percentile_interval(np.concatenate(resampled), confidence)
    least, most = (_rho(test, np.ones((1, n)), advantage)[0] for advantage in (0.0, 1.0))
    return {
        "judge": test.judge,
        "omega": omega,
        "passes": pd.NA if np.isnan(omega) else omega >= PASSING_RATE,
        "rho": float(_rho(test, np.ones((1, n)))[0]),
        "rho_low": low,
        "rho_high": high,
        "rho_least": float(least),
        "rho_most": float(most),
        "n_coders": sum(not np.isnan(coder_test.p) for coder_test in test.coder_tests),
        "n_records": n,
        "epsilon": epsilon,
        "alpha": significance,
        "n_excluded": test.n_excluded,
        "n_clusters": n_clusters,
        "n_undefined": n_undefined,
        "note": _judge_note(test, n, n_clusters),
    }


def _rho(test: JudgeTest, weights: FloatArray, unanswered_advantage: float | None = None) -> FloatArray:
    """The mean advantage probability over the people, in each resample.

    Parameters
    ----------
    test
        The test of a judge.
    weights
        Resamples x records: how often each record counts.
    unanswered_advantage
        The advantage (0 or 1) to count on records that the judge did not answer; None leaves them out.
    """
    advantage = test.advantages.judge[:, test.is_tested]
    defined = ~np.isnan(advantage)
    n = weights @ defined
    total = weights @ np.where(defined, advantage, 0.0)
    if unanswered_advantage is not None:
        n = n + test.n_unanswered[test.is_tested]
        total = total + unanswered_advantage * test.n_unanswered[test.is_tested]
    return np.asarray(np.divide(total, n, out=np.full(n.shape, np.nan), where=n > 0).mean(axis=1))


def _judge_note(test: JudgeTest, n: int, n_clusters: int) -> str:
    untested = [coder_test.coder for coder_test in test.coder_tests if np.isnan(coder_test.p)]
    constant = [coder_test.coder for coder_test in test.coder_tests if coder_test.note.startswith("The difference")]
    excluded = test.excluded_coders
    verb = "is" if len(excluded) == 1 else "are"
    return join_sentences(
        f"It passes, but so would a judge that always says `{test.constant_answer}`: look at agreement per category."
        if test.constant_answer
        else "",
        f"Not tested against {_code_names(untested)}: see alt_test_coders." if untested else "",
        f"The difference from {_code_names(constant)} is the same on every record: see alt_test_coders."
        if constant
        else "",
        sample_note(n, n_clusters),
        test.codes_note,
        f"Records are in {n_clusters:,} clusters, which the test takes into account." if 1 < n_clusters < n else "",
        f"{_code_names(excluded)} saw the judges' answers and {verb} left out." if excluded else "",
        f"{_code_names(test.non_blind)} saw the judges' answers, which helps the judge." if test.non_blind else "",
        replicates_note(test.n_replicates),
        unequal_note(test.unequal_probabilities),
    )


def _code_names(names: Sequence[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)
