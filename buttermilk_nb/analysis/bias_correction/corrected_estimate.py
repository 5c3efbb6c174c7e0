"""Prevalence, mean or regression of a judge's answers, corrected by a human-coded sample."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, get_args

from ..._internal.arguments import check_arguments
from ...errors import SetupError
from ..coefficients.arrays import FloatArray
from ..shared.bootstrap import check_confidence
from ..shared.ratings_groups import column_names
from ..shared.replicate_mode import ReplicateMode
from . import means, regressions
from .coded_samples import CodedSample, coded_samples
from .covariates import INTERCEPT, design_matrix, prepare_covariates
from .influence import InfluenceEstimate, degrees_of_freedom, n_clusters, standard_errors, t_quantile
from .notes import estimate_note
from .outcome_values import OutcomeName

if TYPE_CHECKING:
    import pandas as pd

Of = Literal["prevalence", "mean", "regression"]
COLUMNS = (
    "estimator", "term", "value", "low", "high", "se", "power", "n_judged", "n_coded", "n_clusters", "n_excluded",
    "note",
)  # fmt: skip
_REGRESSIONS: Mapping[str, Callable[[CodedSample, FloatArray, regressions.Kind], InfluenceEstimate]] = {
    "naive": regressions.naive,
    "human sample": regressions.human_sample,
    "dsl": regressions.dsl,
}


@check_arguments
def corrected_estimate(
    ratings: pd.DataFrame,
    *,
    judge: str,
    coder: str = "truth",
    by: str | Sequence[str] = ("criterion",),
    of: Of = "prevalence",
    covariates: pd.DataFrame | None = None,
    kind: regressions.Kind | None = None,
    sampled: Literal["simple random"] | None = None,
    replicate_mode: ReplicateMode = "each",
    power: float | None = None,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """Estimate a prevalence, mean or regression from a judge's answers, corrected by a human-coded sample.

    Parameters
    ----------
    ratings
        The long frame of `run.ratings()`, or one with `record_id`, `criterion`, `coder`, `category` and the
        column to estimate (`flagged` or `value`). The rows of `coder` have `inclusion_p`, the probability with which
        each coded record was chosen from the judged ones.
    judge, coder
        The instrument that judged every record, and the person whose codes of a sample of them are taken as right.
    by
        Columns that make the groups. Criteria are never pooled.
    of
        `prevalence`: the share of records with the declared flag. `mean`: of the numbers of ordinal, interval and ratio
        scales. `regression`: the coefficients of the label on `covariates`.
    covariates
        For a regression: numbers, indexed by record_id, one row for each judged record. An intercept is added.
    kind
        `logistic`, of the flag (coefficients are log odds ratios); `linear`, of the number if the scale has numbers,
        else of the flag as 0 or 1. None: `logistic` if a flag is declared, else `linear`.
    sampled
        `"simple random"`: the coded records are a simple random sample of the judged ones, so that `inclusion_p` is the
        share that is coded. Nothing is assumed unless this is written.
    replicate_mode
        `each`: a record's answer is the mean of its replicates' answers, so that a prevalence or mean is the average
        over replicates. `modal`: the answer that most replicates gave, and no answer if two are as frequent.
    power
        Lambda of `ppi++`; None tunes it to the least variance.
    confidence
        The level of the interval, between 0 and 1.

    Returns
    -------
    pandas.DataFrame
        One row per group, estimator and term: `by`..., `estimator`, `term` (in a regression, `intercept` and each
        covariate; else None), `value`, `low`, `high`, `se`, `power` (ppi and ppi++), `n_judged` (records with an answer
        of the judge), `n_coded` (records with a usable code), `n_clusters` (clusters with a coded record; for `naive`,
        with an answer), `n_excluded` (for `naive`, records without an answer; else drawn records without a usable code)
        and `note`. The estimators are:

        - `naive`: only the judge, as if it were right; its interval ignores its errors;
        - `human sample`: only the coded records, weighted by 1 / inclusion_p (Hájek);
        - `ppi`, `ppi++` (prevalence and mean): prediction-powered inference, and with power tuning;
        - `dsl` (all three): design-based supervised learning, the label is replaced by judge's answer + coded /
          inclusion_p x (code - answer), and then the ordinary equations are solved.

    Raises
    ------
    SetupError
        Neither `inclusion_p` nor `sampled` says how records were chosen; codes are of records that were never judged;
        fewer than 30 records are coded; no flag is declared, or answers have no numbers; covariates are missing or
        collinear; criteria or wordings would be pooled.

    Notes
    -----
    Angelopoulos et al. (2023), Prediction-powered inference; Angelopoulos, Duchi and Zrnic (2023), PPI++; Egami, Hinck,
    Stewart and Wei (2023), Using imperfect surrogates for downstream inference. In the first two the coded records are
    separate from the judged ones; here they are a sample of them, and the variances are those of that design. In the
    third a model of the codes may be fitted in between; here the judge's answer is itself the prediction. If all
    inclusion probabilities equal the coded share, `dsl` has the value of `ppi`, and the same standard error or a larger
    one.

    The target is the process that the records come from, so each interval includes the sampling of records, and is wide
    for these records alone. Variances are by linearisation over clusters (for regressions the cluster-robust sandwich),
    times m / (m - terms), with Student's t of m - terms degrees, m being `n_clusters`. Intervals are symmetric, as in
    the papers; the ends of a prevalence are limited to 0 and 1 (NaN if the interval is wholly outside), and with fewer
    than about 20 findings they cover less often than their level says, and `note` warns of it. A record without an
    answer of the judge counts in every corrected estimate: the judge's mean answer replaces the missing one.
    Corrections are valid for any judge, and take the codes of `coder` as right.

    Examples
    --------
    Of 300 records 40 % have the finding, and the judge finds it in 50 %; 100 were coded, by chance.

    >>> import pandas as pd
    >>> judged = pd.DataFrame({"record_id": range(300), "coder": "judge", "flagged": [i % 10 < 5 for i in range(300)]})
    >>> coded = pd.DataFrame({"record_id": range(0, 300, 3), "coder": "truth"})
    >>> coded["flagged"] = [i % 10 < 4 for i in range(0, 300, 3)]
    >>> ratings = pd.concat([judged, coded]).assign(criterion="calm")
    >>> ratings["category"] = ratings.flagged.map({True: "yes", False: "no"})
    >>> result = corrected_estimate(ratings, judge="judge", sampled="simple random")
    >>> result[["estimator", "value", "se"]].round(3).values.tolist()[:3]
    [['naive', 0.5, 0.029], ['human sample', 0.4, 0.049], ['ppi', 0.4, 0.038]]
    """
    import pandas as pd

    check_estimand(of, get_args(Of), confidence)
    if power is not None and not math.isfinite(power):
        raise SetupError(f"power={power}: write a number, such as 1, or None to have it tuned.")
    if of == "regression":
        covariates = prepare_covariates(covariates)
    rows: list[dict[str, Any]] = []
    for sample in coded_samples(ratings, judge, coder, by, _outcome_name(of, kind), sampled, replicate_mode):
        if of == "regression" and covariates is not None:
            rows += _regression_rows(sample, covariates, kind, confidence)
        else:
            rows += _estimate_rows(sample, mean_estimates(sample, power), confidence)
    return pd.DataFrame(rows, columns=[*column_names(by), *COLUMNS])


def check_estimand(of: str, offered: Sequence[str], confidence: float) -> None:
    """Check the estimand and the level of the interval.

    Raises
    ------
    SetupError
        The estimand is not offered, or the level is not between 0 and 1.
    """
    if of not in offered:
        raise SetupError(f"of: write {' or '.join(f'`{name}`' for name in offered)}, and not `{of}`.")
    check_confidence(confidence)


def mean_estimates(sample: CodedSample, power: float | None = None) -> dict[str, InfluenceEstimate]:
    """Every estimator of a mean, by name."""
    return {
        "naive": means.naive(sample),
        "human sample": means.human_sample(sample),
        "ppi": means.ppi(sample),
        "ppi++": means.prediction_powered(sample, power),
        "dsl": means.dsl(sample),
    }


def _outcome_name(of: Of, kind: regressions.Kind | None) -> OutcomeName:
    if of != "regression":
        return "flag" if of == "prevalence" else "number"
    if kind not in (None, *get_args(regressions.Kind)):
        raise SetupError(f"kind: write `logistic` or `linear`, and not `{kind}`.")
    return "flag first" if kind is None else "flag" if kind == "logistic" else "number first"


def _regression_rows(
    sample: CodedSample, covariates: pd.DataFrame, kind: regressions.Kind | None, confidence: float
) -> Iterator[dict[str, Any]]:
    kind = kind or ("logistic" if sample.outcome.is_flag else "linear")
    x = design_matrix(covariates, sample.records, sample.description)
    estimates = {name: regression(sample, x, kind) for name, regression in _REGRESSIONS.items()}
    return _estimate_rows(sample, estimates, confidence, [INTERCEPT, *covariates.columns])


def _estimate_rows(
    sample: CodedSample,
    estimates: Mapping[str, InfluenceEstimate],
    confidence: float,
    terms: Sequence[str | None] = (None,),
) -> Iterator[dict[str, Any]]:
    errors = {name: standard_errors(estimate, sample.clusters).tolist() for name, estimate in estimates.items()}
    for name, estimate in estimates.items():
        quantile = t_quantile(confidence, degrees_of_freedom(estimate, sample.clusters))
        for term, value, se, sample_se in zip(
            terms, estimate.values.tolist(), errors[name], errors["human sample"], strict=True
        ):
            is_share = term is None and sample.outcome.is_flag
            is_possible = not is_share or -1e-12 <= value <= 1 + 1e-12
            low, high = _interval(value, quantile * se, is_share=is_share)
            is_wider = se > sample_se * (1 + 1e-9)
            yield sample.key | {
                "estimator": name,
                "term": term,
                "value": value,
                "low": low,
                "high": high,
                "se": se,
                "power": estimate.power,
                **_sample_sizes(sample, name, estimate),
                "note": estimate_note(sample, name, estimate, is_possible=is_possible, is_wider=is_wider),
            }


def _interval(value: float, half_width: float, *, is_share: bool) -> tuple[float, float]:
    low, high = value - half_width, value + half_width
    if not is_share:
        return low, high
    return (max(low, 0.0), min(high, 1.0)) if high > 0 and low < 1 else (math.nan, math.nan)


def _sample_sizes(sample: CodedSample, name: str, estimate: InfluenceEstimate) -> dict[str, int]:
    n_judged, n_coded = int(sample.has_answer.sum()), int(sample.has_code.sum())
    return {
        "n_judged": n_judged,
        "n_coded": n_coded,
        "n_clusters": n_clusters(estimate, sample.clusters),
        "n_excluded": len(sample.records) - n_judged if name == "naive" else sample.n_drawn - n_coded,
    }
