"""How far one instrument agrees with itself: flip rate, and Krippendorff's alpha over its repeats."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..._internal.arguments import check_arguments
from ..coefficients import COEFFICIENTS, Coefficient, ReliabilityMatrix
from ..coefficients.arrays import BoolArray, FloatArray, mean_of_defined
from ..coefficients.distinct_units import distinct_units
from ..shared.bootstrap import check_resampling, percentile_interval, unit_weights
from ..shared.modes import Modes, row_modes
from ..shared.notes import join_sentences, sample_note, unequal_note
from ..shared.ratings_groups import wordings_note
from .repeated_ratings import RepeatedGroup, repeated_groups

if TYPE_CHECKING:
    import pandas as pd


@check_arguments
def stability(
    ratings: pd.DataFrame,
    *,
    by: str | Sequence[str] = ("criterion", "coder"),
    over: str = "replicate",
    n_boot: int = 1000,
    seed: int = 1,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """Agreement of one instrument with itself: one row per group.

    Parameters
    ----------
    ratings
        The long frame of `run.ratings()`, or one with `record_id`, `criterion`, `coder`, `category` and `over`.
    by
        Columns whose values make an instrument and a question. Criteria and wordings are never pooled.
    over
        The column along which the instrument repeats itself: `replicate`, or another such as the name of a prompt. With
        another, everything is computed within each replicate and averaged, unless `by` has `replicate`. Rows without a
        value in it are dropped.
    n_boot, seed, confidence
        The number of resamples of whole clusters, their seed, and the level of the percentile intervals (0 to 1). Each
        group starts from the seed, so that its row does not depend on the other groups.

    Returns
    -------
    pandas.DataFrame
        `by`..., then, over the `n` records with two usable answers or more:

        - `flip_rate`: the share of records whose repeats are not all the same (numbers: not the same number), with
          `flip_rate_low` and `flip_rate_high`. `flip_rate_least` and `flip_rate_most` are bounds over all planned
          records: if every missing answer had agreed, or differed;
        - `modal_share`: the mean share of a record's repeats that are its most frequent answer, `off_mode_share`: the
          mean share that are not. In a tie, one of the tied answers counts as the most frequent;
        - `intra_judge_alpha`, with `_low` and `_high`: Krippendorff's alpha (2019) over the repeats, at the level of
          measurement in `scale_level`; for sets with the MASI distance;
        - `n`, `n_excluded` (records with fewer than two usable answers), `n_answers_excluded` (missing answers,
          `not applicable` and `cannot tell`), `repeats_min` and `repeats_max` (usable answers of the `n` records),
          `n_clusters`, `n_undefined` (resamples without an alpha) and `note`.

        A person who answered once has no row. Undefined values are NaN, and `note` says why. Records drawn with unequal
        probabilities are not weighted, and `note` says so.

    Raises
    ------
    SetupError
        Nothing is repeated; criteria or wordings would be pooled; a record has two answers for one repeat.

    Examples
    --------
    >>> import pandas as pd
    >>> answers = {"r1": "aaa", "r2": "aab", "r3": "bbb", "r4": "bbb"}
    >>> rows = [(r, "calm", "judge · m", i, code) for r, codes in answers.items() for i, code in enumerate(codes)]
    >>> ratings = pd.DataFrame(rows, columns=["record_id", "criterion", "coder", "replicate", "category"])
    >>> stability(ratings)[["flip_rate", "off_mode_share", "intra_judge_alpha", "n"]].round(4).values.tolist()
    [[0.25, 0.0833, 0.6857, 4.0]]
    """
    import pandas as pd

    check_resampling(n_boot, confidence)
    repeated = repeated_groups(ratings, by, over)
    return pd.DataFrame([group.key | _stability_row(group, over, n_boot, seed, confidence) for group in repeated])


def _stability_row(group: RepeatedGroup, over: str, n_boot: int, seed: int, confidence: float) -> dict[str, Any]:
    slices = [group.table.select_columns(columns) for columns in group.slices.values()]
    modes = [row_modes(codes.matrix) for codes in slices]
    is_repeated = np.any([mode.n_codes >= 2 for mode in modes], axis=0)
    alpha = _alpha(slices[0].level)
    clusters = np.unique(group.table.clusters[is_repeated], return_inverse=True)[1]
    n, n_clusters = int(is_repeated.sum()), int(clusters.max(initial=-1)) + 1
    sample = np.ones((1, n))
    alphas = np.array([alpha.estimate(_repeated_units(codes, is_repeated)) for codes in slices])
    flip_rate = mean_of_defined(_flip_rates(modes, is_repeated, sample))[0]
    alpha_value = mean_of_defined(alphas)[0]
    flip_ends, alpha_ends, n_undefined = (np.nan, np.nan), (np.nan, np.nan), 0
    if n_clusters > 1:
        units = [distinct_units(_repeated_units(codes, is_repeated), is_by_coder=alpha.is_by_coder) for codes in slices]
        flip_rates, resampled = [], []
        for weights in unit_weights(clusters, n_boot, seed):
            flip_rates.append(mean_of_defined(_flip_rates(modes, is_repeated, weights)))
            resampled.append(mean_of_defined(alpha.resample(own.codes, own.weights(weights)) for own in units))
        flip_ends = percentile_interval(np.concatenate(flip_rates), confidence)[:2]
        *ends, n_undefined = percentile_interval(np.concatenate(resampled), confidence)
        alpha_ends = (ends[0], ends[1]) if not np.isnan(alpha_value) else alpha_ends
    least, most = _flip_rate_bounds(modes, [codes.matrix.shape[1] for codes in slices])
    off_mode = mean_of_defined(_off_mode_shares(modes))[0]
    repeats = np.concatenate([mode.n_codes[mode.n_codes >= 2] for mode in modes])
    reason = None if not np.isnan(alpha_value) else _undefined_alpha_note(alpha, slices, over)
    return {
        "flip_rate": flip_rate,
        "flip_rate_low": flip_ends[0],
        "flip_rate_high": flip_ends[1],
        "flip_rate_least": least,
        "flip_rate_most": most,
        "modal_share": 1 - off_mode,
        "off_mode_share": off_mode,
        "scale_level": slices[0].level,
        "intra_judge_alpha": alpha_value,
        "intra_judge_alpha_low": alpha_ends[0],
        "intra_judge_alpha_high": alpha_ends[1],
        "n": n,
        "n_excluded": int((~is_repeated).sum()),
        "n_answers_excluded": group.table.n_excluded,
        "repeats_min": int(repeats.min(initial=repeats.max(initial=0))),
        "repeats_max": int(repeats.max(initial=0)),
        "n_clusters": n_clusters,
        "n_undefined": n_undefined,
        "note": join_sentences(
            reason,
            sample_note(n, n_clusters),
            _averaged_note(alphas, slices),
            unequal_note(group.table.unequal_probabilities),
            _no_flip_note(flip_rate, n_clusters),
            _undefined_resamples_note(n_undefined, n_boot) if reason is None else "",
            wordings_note(over),
            group.table.codes_note,
        ),
    }


def _alpha(level: str) -> Coefficient:
    return COEFFICIENTS["krippendorff_alpha_masi" if level == "set" else "krippendorff_alpha"]


def _flip_rates(modes: Sequence[Modes], is_repeated: BoolArray, weights: FloatArray) -> FloatArray:
    """Slices x resamples: the flip rate."""
    rates = []
    for mode in modes:
        has_two = (mode.n_codes >= 2)[is_repeated]
        flips = has_two & (mode.n_mode < mode.n_codes)[is_repeated]
        n = weights @ has_two
        rates.append(np.divide(weights @ flips, n, out=np.full(len(weights), np.nan), where=n > 0))
    return np.array(rates)


def _repeated_units(codes: ReliabilityMatrix, is_repeated: BoolArray) -> ReliabilityMatrix:
    return replace(codes, matrix=codes.matrix[is_repeated])


def _off_mode_shares(modes: Sequence[Modes]) -> FloatArray:
    """Slices x 1: the mean share of repeats that are not the most frequent answer."""
    shares = [(1 - mode.n_mode / np.maximum(mode.n_codes, 1))[mode.n_codes >= 2] for mode in modes]
    return np.array([[share.mean() if len(share) else np.nan] for share in shares])


def _flip_rate_bounds(modes: Sequence[Modes], n_planned: Sequence[int]) -> tuple[float, float]:
    """The flip rate over all records, if the missing answers had all agreed, and if they had differed."""
    flips = [mode.n_mode < mode.n_codes for mode in modes]
    could_flip = [(mode.n_codes < n) & (n > 1) for mode, n in zip(modes, n_planned, strict=True)]
    least = np.mean([flip.mean() for flip in flips])
    most = np.mean([(flip | could).mean() for flip, could in zip(flips, could_flip, strict=True)])
    return (float(least), float(most)) if max(n_planned) > 1 else (float("nan"), float("nan"))


def _undefined_alpha_note(alpha: Coefficient, slices: Sequence[ReliabilityMatrix], over: str) -> str:
    if all(codes.matrix.shape[1] < 2 for codes in slices):
        return f"There is only one `{over}`."
    reasons = (alpha.undefined_reason(codes) for codes in slices)
    return next((reason for reason in reasons if reason), "").replace("No unit was coded", "No record was answered")


def _averaged_note(alphas: FloatArray, slices: Sequence[ReliabilityMatrix]) -> str:
    if len(slices) < 2:
        return ""
    n_defined = int((~np.isnan(alphas)).sum())
    defined = f", alpha over the {n_defined} in which it is defined" if 0 < n_defined < len(slices) else ""
    return f"Computed within each of {len(slices)} replicates and averaged{defined}."


def _no_flip_note(flip_rate: float, n_clusters: int) -> str:
    if flip_rate != 0 or n_clusters < 2:
        return ""
    return (
        "No record flips, so the resamples cannot either; the rate may still be up to about "
        f"{min(1.0, 3 / n_clusters):.2g} (rule of three, Hanley and Lippman-Hand 1983)."
    )


def _undefined_resamples_note(n_undefined: int, n_boot: int) -> str:
    if n_undefined == 0:
        return ""
    result = "there is no interval" if n_undefined * 2 > n_boot else "the interval is from the other resamples"
    return f"Alpha is undefined in {n_undefined:,} of {n_boot:,} resamples, and {result}."
