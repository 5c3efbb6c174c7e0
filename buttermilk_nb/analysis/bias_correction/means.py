"""Five estimates of a mean (of flags: a prevalence) from what a judge says and a sample of human codes.

`ppi` and `ppi++` are prediction-powered inference (Angelopoulos, Bates, Fannjiang, Jordan and Zrnic 2023, Science 382;
Angelopoulos, Duchi and Zrnic 2023, PPI++), here for coded records that are a probability sample *of* the judged ones,
with means weighted by 1 / inclusion probability; survey statistics knows them as the difference and the regression
estimator (Särndal, Swensson and Wretman 1992, ch. 6). `dsl` is design-based supervised learning (Egami, Hinck,
Stewart and Wei 2023).
"""

from __future__ import annotations

import numpy as np

from .coded_samples import CodedSample
from .influence import FloatArray, InfluenceEstimate, cluster_sums


def naive(sample: CodedSample) -> InfluenceEstimate:
    """The mean of the judge's answers, taken as right."""
    used = sample.has_answer
    value = sample.judged[used].mean()
    influence = np.where(used, sample.judged - value, 0.0) / used.sum()
    return InfluenceEstimate(np.array([value]), influence[:, None], used)


def human_sample(sample: CodedSample) -> InfluenceEstimate:
    """The weighted mean of the human codes alone (Hájek 1971)."""
    value, influence = _weighted_mean(sample, sample.coded)
    return InfluenceEstimate(np.array([value]), influence[:, None], sample.has_code)


def ppi(sample: CodedSample) -> InfluenceEstimate:
    """The judge's mean over all records, plus the weighted mean of (code - judge's answer) in the sample."""
    return prediction_powered(sample, 1.0)


def prediction_powered(sample: CodedSample, power: float | None = None) -> InfluenceEstimate:
    """The human sample's mean, plus `power` times the judge's mean over all records less its mean in the sample.

    Parameters
    ----------
    sample
        What the judge said, and the codes.
    power
        The paper's lambda: 0 leaves the judge out, 1 is `ppi`. None: the one with the least estimated variance, by
        clusters; it is not held within 0 and 1.
    """
    value, influence = _weighted_mean(sample, sample.coded)
    in_sample, by_sampling = _weighted_mean(sample, sample.judged)
    everywhere = sample.judged.mean()
    apart = (sample.judged - everywhere) / len(sample.judged) - by_sampling
    if power is None:
        power = _tuned_power(sample, influence, apart)
    found = value + power * (everywhere - in_sample)
    return InfluenceEstimate(np.array([found]), (influence + power * apart)[:, None], sample.has_code, float(power))


def dsl(sample: CodedSample) -> InfluenceEstimate:
    """The mean of the design-adjusted outcome, judge's answer + coded / inclusion_p x (code - judge's answer).

    Where every record has the same inclusion probability and the fraction coded is just that, it is `ppi`, with a
    standard error that also counts what a sample of another size would have changed.
    """
    outcome = sample.adjusted_outcome
    value = outcome.mean()
    return InfluenceEstimate(np.array([value]), (outcome - value)[:, None] / len(outcome), sample.has_code)


def _weighted_mean(sample: CodedSample, numbers: FloatArray) -> tuple[float, FloatArray]:
    """The weighted mean over coded records, and each record's part in its error."""
    weights, known = sample.weights, np.where(sample.has_code, numbers, 0.0)
    value = float((weights * known).sum() / weights.sum())
    return value, weights * (known - value) / weights.sum()


def _tuned_power(sample: CodedSample, influence: FloatArray, apart: FloatArray) -> float:
    of_codes, of_judge = cluster_sums(np.stack([influence, apart], axis=1), sample.clusters).T
    least = float(of_judge @ of_judge)
    if least <= 1e-20 * float((sample.judged**2).mean() + 1):
        return 0.0  # everything is coded, or the judge says the same of all
    return -float(of_codes @ of_judge) / least
