"""The verdict on each judge."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from ..coefficients.base import FloatArray
from ..shared.bootstrap import percentile_interval, unit_weights
from ..shared.notes import join_sentences, sample_note
from ..stability.stability import check_resampling
from .hypothesis_test import PASSING_RATE, JudgeTest, judge_tests

if TYPE_CHECKING:
    import pandas as pd
if TYPE_CHECKING:
    import pandas as pd


def alt_test(
    ratings: pd.DataFrame,
    *,
    by: str | Sequence[str] = ("criterion",),
    judges: Sequence[str] | None = None,
    coders: Sequence[str] | None = None,
    epsilon: float = 0.2,
    significance: float = 0.05,
    replicate_mode: Literal["each", "modal"] = "each",
    n_boot: int = 1000,
    seed: int = 1,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """The alternative annotator test: may the judge stand in for the people? One row per group and judge.

    Parameters
    ----------
    ratings
        The long frame of `run.ratings()`, or one with `record_id`, `criterion`, `coder` and `category`.
    by
        Columns to part the frame by. Criteria and wordings are never pooled.
    judges
        The judges, by name; by default every coder of kind `instrument`.
    coders
        The people, by name, three or more; by default all who have not seen the judges' answers. `truth` is the code
        that came with the data, and not a coder here.
    epsilon
        What the judge's lower cost is worth, as a difference of shares: the judge may have the advantage that much
        less often than the person. The authors advise 0.2 where the people are experts, 0.15 where they are skilled
        (trained students), 0.1 for crowd workers, and less where the people agree little. Choose it, and say why,
        before you look.
    significance
        The false discovery rate over the people.
    replicate_mode
        `each`: the indicators below are computed within each replicate and averaged, record by record. `modal`: the
        answer that most replicates gave, which is another, named instrument; where two are as frequent there is none.
    n_boot, seed, confidence
        Resamples of whole clusters, their seed, and the level of the percentile interval of `rho`.

    Returns
    -------
    pandas.DataFrame
        `by`..., `judge`, `omega` (the winning rate: the share of people against whom the judge wins), `passes`
        (`omega` is 0.5 or more), `rho` (the average advantage probability: how likely the judge is at least as near
        to the others as a person is), `rho_low` and `rho_high`, `rho_least` and `rho_most` (had the judge lost, or
        won, each record that it was asked about and did not answer), `n_coders` (people tested), `n_records`,
        `epsilon`, `alpha`, `n_excluded` (the other records), `n_clusters`, `n_undefined` (resamples without a rho) and
        `note`, which also says where a judge that always gave the same answer would have passed.

    Raises
    ------
    SetupError
        There are fewer than three people, fewer than 30 records that the judge and two of them answered, or fewer
        than three people with 30 of these; criteria or wordings would be pooled; a coder is unknown.

    Notes
    -----
    After Calderon, Reichart and Dror (2025), with these conventions:

    - Nearness of a code to those of the other people on a record: for names the share of them who gave the same
      (accuracy), for ordinal and continuous answers the negative root mean squared distance (of ranks, where ordinal
      answers are words), for sets of labels the mean Jaccard similarity.
    - A person is left out in turn. On each record that this person, another one and the judge answered, the judge has
      the advantage (1) where it is at least as near to the others as the person left out, and the person likewise, so
      that a tie counts for both. `rho_judge` and `rho_coder` are their means.
    - H0 is that `rho_judge` is no more than `rho_coder` less epsilon: a one-sided t-test of the paired differences.
      Records in one cluster are not independent, and the standard error is then that of clusters.
    - The p-values are adjusted over the people after Benjamini and Yekutieli (2001).
    - A person with fewer than 30 such records is not tested, but stays among the others. (The authors name Wilcoxon's
      test for that case. It compares ranks, and as most differences are ties it rejects far too often.)
    - Where the difference is the same on every record, p is 0 below epsilon, else 1, and the note says so.

    Examples
    --------
    >>> import pandas as pd
    >>> said = {"ana": "yyn", "ben": "yny", "eva": "nyy", "judge": "yyy"}  # over and over: each errs on one in three
    >>> rows = [(i, "calm", who, codes[i % 3]) for who, codes in said.items() for i in range(60)]
    >>> ratings = pd.DataFrame(rows, columns=["record_id", "criterion", "coder", "category"])
    >>> found = alt_test(ratings, judges=["judge"], n_boot=50)
    >>> found[["judge", "omega", "passes", "rho", "n_coders", "n_records"]].values.tolist()
    [['judge', 1.0, True, 1.0, 3, 60]]
    """
    import pandas as pd

    check_resampling(n_boot, confidence)
    found = judge_tests(ratings, by, judges, coders, epsilon, significance, replicate_mode)
    rows = [one.key | _judge_row(one, epsilon, significance, n_boot, seed, confidence) for one in found]
    return pd.DataFrame(rows).astype({"passes": "boolean"})


def _judge_row(
    one: JudgeTest, epsilon: float, significance: float, n_boot: int, seed: int, confidence: float
) -> dict[str, Any]:
    import pandas as pd

    n, n_clusters = len(one.clusters), int(one.clusters.max(initial=-1)) + 1
    omega = one.omega(significance)
    drawn = [_rho(one, rows) for rows in unit_weights(one.clusters, n_boot, seed)] if n_clusters > 1 else []
    low, high, undefined = (
        percentile_interval(np.concatenate(drawn), confidence) if drawn else (float("nan"), float("nan"), 0)
    )
    least, most = (_rho(one, np.ones((1, n)), won)[0] for won in (0.0, 1.0))
    return {
        "judge": one.judge,
        "omega": omega,
        "passes": pd.NA if np.isnan(omega) else omega >= PASSING_RATE,
        "rho": float(_rho(one, np.ones((1, n)))[0]),
        "rho_low": low,
        "rho_high": high,
        "rho_least": float(least),
        "rho_most": float(most),
        "n_coders": sum(not np.isnan(against.p) for against in one.coder_tests),
        "n_records": n,
        "epsilon": epsilon,
        "alpha": significance,
        "n_excluded": one.n_excluded,
        "n_clusters": n_clusters,
        "n_undefined": undefined,
        "note": _judge_note(one, n, n_clusters),
    }


def _rho(one: JudgeTest, rows: FloatArray, unanswered: float | None = None) -> FloatArray:
    """The mean advantage probability over the people, in each resample; with unanswered records as lost or won."""
    known = ~np.isnan(one.advantages.judge[:, one.is_tested])
    n = rows @ known
    won = rows @ np.where(known, one.advantages.judge[:, one.is_tested], 0.0)
    if unanswered is not None:
        n = n + one.n_unanswered[one.is_tested]
        won = won + unanswered * one.n_unanswered[one.is_tested]
    return np.asarray(np.divide(won, n, out=np.full(n.shape, np.nan), where=n > 0).mean(axis=1))


def _judge_note(one: JudgeTest, n: int, n_clusters: int) -> str:
    untested = [against.coder for against in one.coder_tests if np.isnan(against.p)]
    same = [against.coder for against in one.coder_tests if against.note.startswith("The difference")]
    return join_sentences(
        f"Passes, but so would a judge that always says `{one.constant_answer}`: look at agreement per category."
        if one.constant_answer
        else "",
        f"Not tested against {_code_names(untested)}: see alt_test_coders." if untested else "",
        f"The difference from {_code_names(same)} is the same on every record: see alt_test_coders." if same else "",
        sample_note(n, n_clusters),
        f"Records are in {n_clusters:,} clusters, which the test allows for." if 1 < n_clusters < n else "",
        f"{_code_names(one.excluded_coders)} saw the judges' answers and is left out."
        if len(one.excluded_coders) == 1
        else "",
        f"{_code_names(one.excluded_coders)} saw the judges' answers and are left out."
        if len(one.excluded_coders) > 1
        else "",
        f"{_code_names(one.non_blind)} saw the judges' answers, which helps the judge." if one.non_blind else "",
        f"Computed within each of {one.n_replicates} replicates and averaged." if one.n_replicates > 1 else "",
        "Records were drawn with unequal probability, and are not weighted here." if one.unequal_probabilities else "",
    )


def _code_names(found: Sequence[str]) -> str:
    return ", ".join(f"`{name}`" for name in found)


def alt_test_coders(
    ratings: pd.DataFrame,
    *,
    by: str | Sequence[str] = ("criterion",),
    judges: Sequence[str] | None = None,
    coders: Sequence[str] | None = None,
    epsilon: float = 0.2,
    significance: float = 0.05,
    replicate_mode: Literal["each", "modal"] = "each",
) -> pd.DataFrame:
    """The tests behind `alt_test`: one row per group, judge and person.

    Parameters
    ----------
    ratings, by, judges, coders, epsilon, significance, replicate_mode
        As in `alt_test`, and so is the source.

    Returns
    -------
    pandas.DataFrame
        `by`..., `judge`, `coder` (the person left out), `rho_judge` and `rho_coder` (the share of records on which each
        is at least as near to the other people; ties count for both), `difference` (`rho_judge` less `rho_coder`; H0
        is that it is no more than minus epsilon), `p` (one-sided), `p_adjusted` (Benjamini and Yekutieli 2001, over
        the people), `rejected` (`p_adjusted` is no higher than alpha: the judge wins), `n` (records that this person,
        another one and the judge answered) and `note`. A person who was not tested has NaN, and the note says why.

    Raises
    ------
    SetupError
        As in `alt_test`.

    Examples
    --------
    >>> import pandas as pd
    >>> said = {"ana": "yyn", "ben": "yny", "eva": "nyy", "judge": "yyy"}
    >>> rows = [(i, "calm", who, codes[i % 3]) for who, codes in said.items() for i in range(60)]
    >>> ratings = pd.DataFrame(rows, columns=["record_id", "criterion", "coder", "category"])
    >>> found = alt_test_coders(ratings, judges=["judge"])
    >>> found[["coder", "rho_judge", "rho_coder", "rejected"]].round(2).values.tolist()
    [['ana', 1.0, 0.67, True], ['ben', 1.0, 0.67, True], ['eva', 1.0, 0.67, True]]
    """
    import pandas as pd

    rows = [
        one.key
        | {
            "judge": one.judge,
            "coder": against.coder,
            "rho_judge": against.rho_judge,
            "rho_coder": against.rho_coder,
            "difference": against.rho_judge - against.rho_coder,
            "p": against.p,
            "p_adjusted": against.p_adjusted,
            "rejected": pd.NA if np.isnan(against.p) else against.p_adjusted <= significance,
            "n": against.n,
            "note": against.note,
        }
        for one in judge_tests(ratings, by, judges, coders, epsilon, significance, replicate_mode)
        for against in one.coder_tests
    ]
    return pd.DataFrame(rows).astype({"rejected": "boolean"})
