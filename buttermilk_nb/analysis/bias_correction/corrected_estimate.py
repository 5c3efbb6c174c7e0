"""Prevalence, mean or regression of a judge's answers, corrected by a human-coded sample, as one tidy table."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, get_args

from ...errors import SetupError
from . import means, regressions
from .coded_samples import CodedSample, ReplicateMode, coded_samples
from .covariates import INTERCEPT, design_matrix, prepare_covariates
from .influence import FloatArray, InfluenceEstimate, degrees_of_freedom, n_clusters, standard_errors, t_quantile
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
    """What a judge's answers amount to once human codes of a probability sample have corrected them.

    Parameters
    ----------
    ratings
        The long frame of `run.ratings()`, or one with `record_id`, `criterion`, `coder`, `category` and what is
        estimated (`flagged` or `value`). The rows of `coder` carry `inclusion_p`, the probability with which each coded
        record was chosen from the judged ones.
    judge, coder
        The instrument that judged every record, and whose codes of a sample of them are right.
    by
        Columns to part the frame by. Criteria are never pooled.
    of
        `prevalence`: the share of records with the declared flag. `mean`: of the numbers of ordinal, interval and ratio
        scales. `regression`: the coefficients of the label on `covariates`.
    covariates
        For a regression: numbers, indexed by record_id, one row for each judged record. An intercept is added.
    kind
        `logistic`, of the flag (coefficients are log odds ratios); `linear`, of the number where the scale has numbers
        and else of the flag as 0 or 1. None: `logistic` where a flag is declared, else `linear`.
    sampled
        `"simple random"`: the coded records are a simple random sample of the judged ones, so that `inclusion_p` is the
        share that is coded. Nothing is assumed unless this is written.
    replicate_mode
        `each`: a record's answer is the mean of its replicates', so that a prevalence or mean is the average over
        replicates. `modal`: the answer that most replicates gave, and none where two are as frequent.
    power
        Lambda of `ppi++`; None tunes it to the least variance.
    confidence
        Of the interval.

    Returns
    -------
    pandas.DataFrame
        One row per group, estimator and term: `by`..., `estimator`, `term` (None but for a regression: `intercept` and
        each covariate), `value`, `low`, `high`, `se`, `power` (ppi and ppi++), `n_judged` (records with an answer of
        the judge), `n_coded` (records with a usable code), `n_clusters` (clusters with a coded record; for `naive` with
        an answer), `n_excluded` (records without an answer for `naive`, else chosen records without a usable code) and
        `note`. Estimators:

        - `naive`: the judge alone, as if it were right; its interval knows nothing of its errors;
        - `human sample`: the coded records alone, weighted by 1 / inclusion_p (Hájek);
        - `ppi`, `ppi++` (prevalence and mean): prediction-powered inference, and with power tuning;
        - `dsl` (all three): design-based supervised learning, judge's answer + coded / inclusion_p x (code - answer) in
          the place of the label, and then the ordinary equations.

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
    apart from the judged ones; here they are a sample of them, and variances are of that design. In the third a model
    of the codes may be fitted in between; here the judge's answer is itself the prediction. Where all inclusion
    probabilities are the coded share, `dsl` has the value of `ppi`, and a standard error like it or larger.

    What is estimated is the process that the records come from, so each interval has the sampling of records in it, and
    is wide for these records alone. Variances are by linearisation over clusters (for regressions the cluster-robust
    sandwich), times m / (m - terms), with Student's t of m - terms degrees, m being `n_clusters`. Intervals are
    symmetric, as in the papers; the ends of a prevalence are kept within 0 and 1 (NaN where no part is there), and with
    fewer than about 20 findings they cover less often than they say, which `note` marks. A record without an answer of
    the judge counts in every corrected estimate: the judge's mean answer stands in. Corrections hold for any judge, and
    take the codes of `coder` as right.

    Examples
    --------
    Of 300 records 40 % have the finding, and the judge finds it in 50 %; 100 were coded, by chance.

    >>> import pandas as pd
    >>> judged = pd.DataFrame({"record_id": range(300), "coder": "judge", "flagged": [i % 10 < 5 for i in range(300)]})
    >>> coded = pd.DataFrame({"record_id": range(0, 300, 3), "coder": "truth"})
    >>> coded["flagged"] = [i % 10 < 4 for i in range(0, 300, 3)]
    >>> ratings = pd.concat([judged, coded]).assign(criterion="calm")
    >>> ratings["category"] = ratings.flagged.map({True: "yes", False: "no"})
    >>> found = corrected_estimate(ratings, judge="judge", sampled="simple random")
    >>> found[["estimator", "value", "se"]].round(3).values.tolist()[:3]
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
    return pd.DataFrame(rows, columns=[*([by] if isinstance(by, str) else by), *COLUMNS])


def check_estimand(of: str, offered: Sequence[str], confidence: float) -> None:
    """Raise SetupError where what is asked for is not offered."""
    if of not in offered:
        raise SetupError(f"of: write {' or '.join(f'`{name}`' for name in offered)}, and not `{of}`.")
    if not 0 < confidence < 1:
        raise SetupError(f"confidence={confidence}: the level of an interval is between 0 and 1, such as 0.95.")


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
    found = {name: fit(sample, x, kind) for name, fit in _REGRESSIONS.items()}
    return _estimate_rows(sample, found, confidence, [INTERCEPT, *covariates.columns])


def _estimate_rows(
    sample: CodedSample,
    found: Mapping[str, InfluenceEstimate],
    confidence: float,
    terms: Sequence[str | None] = (None,),
) -> Iterator[dict[str, Any]]:
    errors = {name: standard_errors(one, sample.clusters).tolist() for name, one in found.items()}
    for name, one in found.items():
        reach = t_quantile(confidence, degrees_of_freedom(one, sample.clusters))
        for term, value, se, alone in zip(
            terms, one.values.tolist(), errors[name], errors["human sample"], strict=True
        ):
            ends = _interval(sample, term, value, reach * se)
            possible = term is not None or not sample.outcome.is_flag or -1e-12 <= value <= 1 + 1e-12
            yield sample.key | {
                "estimator": name,
                "term": term,
                "value": value,
                "low": ends[0],
                "high": ends[1],
                "se": se,
                "power": one.power,
                **_sample_sizes(sample, name, one),
                "note": estimate_note(sample, name, one, is_possible=possible, is_wider=se > alone * (1 + 1e-9)),
            }


def _interval(sample: CodedSample, term: str | None, value: float, reach: float) -> tuple[float, float]:
    low, high = value - reach, value + reach
    if term is not None or not sample.outcome.is_flag:
        return low, high
    return (max(low, 0.0), min(high, 1.0)) if high > 0 and low < 1 else (math.nan, math.nan)


def _sample_sizes(sample: CodedSample, name: str, one: InfluenceEstimate) -> dict[str, int]:
    judged, coded = int(sample.has_answer.sum()), int(sample.has_code.sum())
    return {
        "n_judged": judged,
        "n_coded": coded,
        "n_clusters": n_clusters(one, sample.clusters),
        "n_excluded": len(sample.records) - judged if name == "naive" else sample.n_drawn - coded,
    }
