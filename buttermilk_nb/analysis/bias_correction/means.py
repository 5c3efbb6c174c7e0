"""Five estimators of a mean from a judge's answers and a coded sample.

The mean of a flag is a prevalence. `ppi` and `ppi++` are prediction-powered inference (Angelopoulos, Bates, Fannjiang,
Jordan and Zrnic 2023, Science 382; Angelopoulos, Duchi and Zrnic 2023, PPI++), here for coded records that are a
probability sample *of* the judged ones, with means weighted by 1 / inclusion probability; in survey statistics they are
the difference estimator and the regression estimator (Särndal, Swensson and Wretman 1992, ch. 6). `dsl` is design-based
supervised learning (Egami, Hinck, Stewart and Wei 2023).
"""

from __future__ import annotations

import numpy as np

from ..coefficients.arrays import FloatArray
from .coded_samples import CodedSample
from .influence import InfluenceEstimate, cluster_sums


def naive(sample: CodedSample) -> InfluenceEstimate:
    """The mean of the judge's answers, taken as right."""
    used = sample.has_answer
    value = sample.judged[used].mean()
    influence = np.where(used, sample.judged - value, 0.0) / used.sum()
    return InfluenceEstimate(np.array([value]), influence[:, None], used)


def human_sample(sample: CodedSample) -> InfluenceEstimate:
    """The weighted mean of the human codes (Hájek 1971)."""
    value, influence = _weighted_mean(sample, sample.coded)
    return InfluenceEstimate(np.array([value]), influence[:, None], sample.has_code)


def ppi(sample: CodedSample) -> InfluenceEstimate:
    """The judge's mean over all records, plus the weighted mean of (code - judge's answer) in the sample."""
    return prediction_powered(sample, 1.0)


def prediction_powered(sample: CodedSample, power: float | None = None) -> InfluenceEstimate:
    """The mean of the codes, plus `power` times (the judge's mean over all records - its mean in the sample).

    Parameters
    ----------
    sample
        The judge's answers and the codes.
    power
        The paper's lambda: 0 ignores the judge, 1 is `ppi`. None: the value with the least estimated variance, over
        clusters; it may be outside 0 to 1.
    """
    coded_mean, coded_influence = _weighted_mean(sample, sample.coded)
    sample_mean, sample_influence = _weighted_mean(sample, sample.judged)
    judge_mean = sample.judged.mean()
    judge_influence = (sample.judged - judge_mean) / len(sample.judged) - sample_influence
    if power is None:
        power = _tuned_power(sample, coded_influence, judge_influence)
    value = coded_mean + power * (judge_mean - sample_mean)
    influence = coded_influence + power * judge_influence
    return InfluenceEstimate(np.array([value]), influence[:, None], sample.has_code, float(power))


def dsl(sample: CodedSample) -> InfluenceEstimate:
    """The mean of the design-adjusted outcome, judge's answer + coded / inclusion_p x (code - judge's answer).

    If every record has the same inclusion probability and this is the share of coded records, it equals `ppi`, with a
    standard error that also includes the variation of the sample size.
    """
    outcome = sample.adjusted_outcome
    value = outcome.mean()
    return InfluenceEstimate(np.array([value]), (outcome - value)[:, None] / len(outcome), sample.has_code)


def _weighted_mean(sample: CodedSample, numbers: FloatArray) -> tuple[float, FloatArray]:
    """The weighted mean over coded records, and the influence of each record."""
    weights, values = sample.weights, np.where(sample.has_code, numbers, 0.0)
    mean = float((weights * values).sum() / weights.sum())
    return mean, weights * (values - mean) / weights.sum()


def _tuned_power(sample: CodedSample, coded_influence: FloatArray, judge_influence: FloatArray) -> float:
    coded_sums, judge_sums = cluster_sums(np.stack([coded_influence, judge_influence], axis=1), sample.clusters).T
    variance = float(judge_sums @ judge_sums)
    if variance <= 1e-20 * float((sample.judged**2).mean() + 1):
        return 0.0  # every record is coded, or the judge gives all records the same answer
    return -float(coded_sums @ judge_sums) / variance
