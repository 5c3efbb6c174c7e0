"""The note on a corrected estimate: its assumptions, and when it is rough."""

from __future__ import annotations

import numpy as np

from ..shared.notes import few_clusters_note, join_sentences
from .coded_samples import CodedSample
from .inclusion_probability import ALL, ASSUMED
from .influence import InfluenceEstimate, n_clusters

RARE = 20
"""With fewer findings, or fewer errors, among the coded records the normal approximation is rough.

In corpora like posts_400, with 12 findings among 200 codes, intervals of 95 % cover about 91 %.
"""


def estimate_note(
    sample: CodedSample, name: str, estimate: InfluenceEstimate, *, is_possible: bool, is_wider: bool
) -> str:
    """The sentences for one row.

    Parameters
    ----------
    sample, name, estimate
        The group, the name of the estimator, and the estimate.
    is_possible
        Whether the value is a possible one: a share between 0 and 1.
    is_wider
        Whether the standard error is larger than that of the human sample alone.
    """
    if estimate.undefined_reason:
        return estimate.undefined_reason
    is_naive = name == "naive"
    is_corrected = not is_naive and name != "human sample"
    return join_sentences(
        "Not corrected: the judge's answers are taken as right." if is_naive else _sampling_note(sample),
        _cluster_note(n_clusters(estimate, sample.clusters)),
        "" if is_naive else _rare_finding_note(sample),
        _few_errors_note(sample) if is_corrected else "",
        _missing_answer_note(sample, is_naive),
        "" if is_naive else _missing_code_note(sample),
        "" if is_naive else _not_blind_note(sample),
        _zero_power_note(sample, estimate) if name == "ppi++" else "",
        "The scale is ordinal: its steps are taken as equal."
        if sample.outcome.level == "ordinal" and not sample.outcome.is_flag
        else "",
        "The judge errs too often to help: the human sample alone has the smaller standard error."
        if is_corrected and is_wider
        else "",
        "" if is_possible else "The value is not a possible share: too few records are coded.",
        sample.codes_note,
    )


def _sampling_note(sample: CodedSample) -> str:
    if sample.inclusion_source == ALL:
        return "Every record is coded, so there is nothing to correct."
    if sample.inclusion_source == ASSUMED:
        return "The coded records are taken as a simple random sample, as `sampled` states."
    return ""


def _cluster_note(clusters: int) -> str:
    if clusters < 2:
        return "All records are in one cluster, so there is no interval."
    return few_clusters_note(clusters)


def _rare_finding_note(sample: CodedSample) -> str:
    if not sample.outcome.is_flag:
        return ""
    codes = sample.coded[sample.has_code]
    n_findings = int(codes.sum())
    n_rarer = min(n_findings, len(codes) - n_findings)
    if n_rarer >= RARE:
        return ""
    noun = "findings" if n_findings == n_rarer else "codes that are not a finding"
    return f"There are {n_rarer} {noun} among {len(codes):,} codes, so the interval is rough."


def _few_errors_note(sample: CodedSample) -> str:
    n_errors = int((np.abs(sample.coded - sample.judged)[sample.has_code] > 1e-12).sum())
    if n_errors == 0:
        return (
            "Judge and coder agree on every coded record, so no error can be estimated; the interval may be too narrow."
        )
    return (
        f"Judge and coder differ on only {n_errors} coded records, so the interval is rough." if n_errors < RARE else ""
    )


def _missing_answer_note(sample: CodedSample, is_naive: bool) -> str:
    n_missing = int((~sample.has_answer).sum())
    if not n_missing:
        return ""
    missing = f"The judge has no answer on {n_missing:,} of {len(sample.records):,} records"
    if is_naive:
        return f"{missing}, which are left out."
    n_coded = int((sample.has_code & ~sample.has_answer).sum())
    if not n_coded:
        return f"{missing}; its mean answer replaces them, and none of them is coded, so nothing corrects that."
    return f"{missing}; its mean answer replaces them, and the {n_coded:,} of them that are coded correct that."


def _missing_code_note(sample: CodedSample) -> str:
    n_missing = sample.n_drawn - int(sample.has_code.sum())
    if not n_missing:
        return ""
    return (
        f"{n_missing:,} of {sample.n_drawn:,} drawn records have no usable code; they are taken as missing at random."
    )


def _not_blind_note(sample: CodedSample) -> str:
    if not sample.n_not_blind:
        return ""
    return f"{sample.n_not_blind:,} codes were given after seeing answers, and may be biased towards the judge."


def _zero_power_note(sample: CodedSample, estimate: InfluenceEstimate) -> str:
    if estimate.power or sample.has_code.all():
        return ""
    return "The judge's answers add nothing here (power 0)."
