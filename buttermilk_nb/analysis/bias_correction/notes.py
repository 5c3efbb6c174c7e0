"""What stands beside a corrected number: what it takes for granted, and when it is rough."""

from __future__ import annotations

import numpy as np

from ..shared.notes import join_sentences
from ..shared.ratings_frame import FEW
from .coded_samples import CodedSample
from .inclusion_probability import ALL, ASSUMED
from .influence import InfluenceEstimate, n_clusters

RARE = 20
"""Fewer findings, or fewer errors, among the coded records than this leave the normal approximation rough.

In corpora like posts_400, with 12 findings among 200 codes, intervals of 95 % cover about 91 %.
"""


def estimate_note(
    sample: CodedSample, name: str, estimate: InfluenceEstimate, *, is_possible: bool, is_wider: bool
) -> str:
    """The sentences beside one row."""
    if estimate.undefined_reason:
        return estimate.undefined_reason
    alone = name == "naive"
    corrected = not alone and name != "human sample"
    return join_sentences(
        "Not corrected: the judge's answers are taken as right." if alone else _sampling_note(sample),
        _cluster_note(n_clusters(estimate, sample.clusters)),
        "" if alone else _rare_finding_note(sample),
        _few_errors_note(sample) if corrected else "",
        _missing_answer_note(sample, alone),
        "" if alone else _missing_code_note(sample),
        "" if alone else _not_blind_note(sample),
        _zero_power_note(sample, estimate) if name == "ppi++" else "",
        "The scale is ordinal: its steps are taken as equal."
        if sample.outcome.level == "ordinal" and not sample.outcome.is_flag
        else "",
        "The judge errs too often to help: the human sample alone has the smaller standard error."
        if corrected and is_wider
        else "",
        "" if is_possible else "The value is no possible share: too few records are coded.",
    )


def _sampling_note(sample: CodedSample) -> str:
    if sample.inclusion_source == ALL:
        return "Every record is coded, so there is nothing to correct."
    return (
        "The coded records are taken as a simple random sample, as said." if sample.inclusion_source == ASSUMED else ""
    )


def _cluster_note(clusters: int) -> str:
    if clusters < 2:
        return "All are in one cluster, so no interval can be given."
    return f"With {clusters} clusters alone the interval is rough." if clusters < FEW else ""


def _rare_finding_note(sample: CodedSample) -> str:
    if not sample.outcome.is_flag:
        return ""
    codes = sample.coded[sample.has_code]
    found = int(codes.sum())
    rarer = min(found, len(codes) - found)
    if rarer >= RARE:
        return ""
    what = "findings" if found == rarer else "codes that are no finding"
    return f"There are {rarer} {what} among {len(codes):,} codes, so the interval is rough."


def _few_errors_note(sample: CodedSample) -> str:
    apart = int((np.abs(sample.coded - sample.judged)[sample.has_code] > 1e-12).sum())
    if apart == 0:
        return "Judge and coder differ on no coded record, so the interval knows of no error and may be too narrow."
    return f"Judge and coder differ on {apart} coded records alone, so the interval is rough." if apart < RARE else ""


def _missing_answer_note(sample: CodedSample, alone: bool) -> str:
    missing = int((~sample.has_answer).sum())
    if not missing:
        return ""
    said = f"The judge has no answer on {missing:,} of {len(sample.records):,} records"
    if alone:
        return f"{said}, which are left out."
    coded = int((sample.has_code & ~sample.has_answer).sum())
    if not coded:
        return f"{said}; its mean answer stands in, and none of them is coded, so nothing corrects that."
    return f"{said}; its mean answer stands in, and the {coded:,} of them that are coded correct that."


def _missing_code_note(sample: CodedSample) -> str:
    lacks = sample.n_drawn - int(sample.has_code.sum())
    if not lacks:
        return ""
    return f"{lacks:,} of {sample.n_drawn:,} chosen records have no usable code; they are taken as missing at random."


def _not_blind_note(sample: CodedSample) -> str:
    return (
        f"{sample.n_not_blind:,} codes were given after seeing answers, and may lean to the judge."
        if sample.n_not_blind
        else ""
    )


def _zero_power_note(sample: CodedSample, estimate: InfluenceEstimate) -> str:
    if estimate.power or sample.has_code.all():
        return ""
    return "The judge's answers add nothing here (power 0)."
