"""How far one instrument agrees with itself: flips, and Krippendorff's alpha over its repeats."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import SetupError
from ..coefficients import COEFFICIENTS, Coefficient, ReliabilityMatrix
from ..coefficients.base import FloatArray
from ..shared.bootstrap import percentile_interval, unit_weights
from ..shared.groups import wordings_note
from ..shared.modes import Modes, row_modes
from ..shared.notes import join_sentences, sample_note, unequal_note
from .repeated_ratings import RepeatedGroup, repeated_groups

if TYPE_CHECKING:
    import pandas as pd


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
        The column along which the instrument repeats itself: `replicate`, or another such as a prompt's name. With
        another, everything is computed within each replicate and averaged, unless `by` has `replicate`. Rows in which
        it is missing are set aside.
    n_boot, seed, confidence
        Resamples of whole clusters, their seed, and the level of the percentile intervals. Each group starts from the
        seed, so that it does not depend on the others.

    Returns
    -------
    pandas.DataFrame
        `by`..., then, over the `n` records with two usable answers or more:

        - `flip_rate`: share of records whose repeats are not all the same (numbers: not the same number), with
          `flip_rate_low` and `flip_rate_high`. `flip_rate_least` and `flip_rate_most` are bounds over all planned
          records: had every missing answer agreed, or differed;
        - `modal_share`: mean share of a record's repeats that are its most frequent answer, `off_mode_share`: mean
          share that are not. A tie counts as one of those tied;
        - `intra_judge_alpha`, with `_low` and `_high`: Krippendorff's alpha (2019) over the repeats, at the level of
          measurement in `scale_level`; for sets with the MASI distance;
        - `n`, `n_excluded` (records with fewer than two usable answers), `n_answers_excluded` (missing answers,
          `not applicable` and `cannot tell`), `repeats_min` and `repeats_max` (usable answers of the `n` records),
          `n_clusters`, `n_undefined` (resamples without an alpha) and `note`.

        A person who answered once has no row. What is undefined is NaN, and `note` says why. Records drawn with unequal
        probability are not weighted, and `note` says so.

    Raises
    ------
    SetupError
        Nothing is repeated; criteria or wordings would be pooled; a record has two answers in one cell.

    Examples
    --------
    >>> import pandas as pd
    >>> said = {"r1": "aaa", "r2": "aab", "r3": "bbb", "r4": "bbb"}
    >>> rows = [(r, "calm", "judge · m", i, code) for r, codes in said.items() for i, code in enumerate(codes)]
    >>> ratings = pd.DataFrame(rows, columns=["record_id", "criterion", "coder", "replicate", "category"])
    >>> stability(ratings)[["flip_rate", "off_mode_share", "intra_judge_alpha", "n"]].round(4).values.tolist()
    [[0.25, 0.0833, 0.6857, 4.0]]
    """
    import pandas as pd

    check_resampling(n_boot, confidence)
    marked = wordings_note(over)
    rows = [
        one.key | _stability_row(one, over, marked, n_boot, seed, confidence)
        for one in repeated_groups(ratings, by, over)
    ]
    return pd.DataFrame(rows)


def check_resampling(n_boot: int, confidence: float) -> None:
    """Raise SetupError where an interval cannot be made so."""
    if n_boot < 1:
        raise SetupError(f"n_boot={n_boot}: an interval needs resamples; the default is 1000.")
    if not 0 < confidence < 1:
        raise SetupError(f"confidence={confidence}: the level of an interval is between 0 and 1, such as 0.95.")


def _stability_row(
    one: RepeatedGroup, over: str, marked: str, n_boot: int, seed: int, confidence: float
) -> dict[str, Any]:
    slices = [one.table.select_columns(places) for places in one.slices.values()]
    found = [row_modes(codes.matrix) for codes in slices]
    used = np.any([each.n_codes >= 2 for each in found], axis=0)
    alpha = _alpha(slices[0].level)
    clusters = np.unique(one.table.clusters[used], return_inverse=True)[1]
    n, n_clusters = int(used.sum()), int(clusters.max(initial=-1)) + 1
    only = np.ones((1, n))
    flips, alphas = _flip_rates(found, used, only), _alphas(alpha, slices, used, only)
    flip_rate, values = _mean(flips)[0], _mean(alphas)[0]
    flip_ends, alpha_ends, undefined = (np.nan, np.nan), (np.nan, np.nan), 0
    if n_clusters > 1:
        drawn = [
            (_mean(_flip_rates(found, used, rows)), _mean(_alphas(alpha, slices, used, rows)))
            for rows in unit_weights(clusters, n_boot, seed)
        ]
        flip_ends = percentile_interval(np.concatenate([flip for flip, _ in drawn]), confidence)[:2]
        *ends, undefined = percentile_interval(np.concatenate([one for _, one in drawn]), confidence)
        alpha_ends = (ends[0], ends[1]) if not np.isnan(values) else alpha_ends
    least, most = _flip_rate_bounds(found, [codes.matrix.shape[1] for codes in slices])
    off = _mean(_off_mode_shares(found))[0]
    repeats = np.concatenate([each.n_codes[each.n_codes >= 2] for each in found])
    why = None if not np.isnan(values) else _undefined_alpha_note(alpha, slices, over)
    return {
        "flip_rate": flip_rate,
        "flip_rate_low": flip_ends[0],
        "flip_rate_high": flip_ends[1],
        "flip_rate_least": least,
        "flip_rate_most": most,
        "modal_share": 1 - off,
        "off_mode_share": off,
        "scale_level": slices[0].level,
        "intra_judge_alpha": values,
        "intra_judge_alpha_low": alpha_ends[0],
        "intra_judge_alpha_high": alpha_ends[1],
        "n": n,
        "n_excluded": int((~used).sum()),
        "n_answers_excluded": one.table.n_excluded,
        "repeats_min": int(repeats.min(initial=repeats.max(initial=0))),
        "repeats_max": int(repeats.max(initial=0)),
        "n_clusters": n_clusters,
        "n_undefined": undefined,
        "note": join_sentences(
            why,
            sample_note(n, n_clusters),
            _averaged_note(alphas, slices),
            unequal_note(one.table),
            _no_flip_note(flip_rate, n_clusters),
            _undefined_resamples_note(undefined, n_boot) if why is None else "",
            marked,
        ),
    }


def _alpha(level: str) -> Coefficient:
    return COEFFICIENTS["krippendorff_alpha_masi" if level == "set" else "krippendorff_alpha"]


def _flip_rates(found: Sequence[Modes], used: Any, rows: FloatArray) -> FloatArray:
    """The flip rate in each slice (down) and resample (across)."""
    rates = []
    for each in found:
        twice = (each.n_codes >= 2)[used]
        flip = twice & (each.n_mode < each.n_codes)[used]
        n = rows @ twice
        rates.append(np.divide(rows @ flip, n, out=np.full(len(rows), np.nan), where=n > 0))
    return np.array(rates)


def _alphas(alpha: Coefficient, slices: Sequence[ReliabilityMatrix], used: Any, rows: FloatArray) -> FloatArray:
    return np.array([alpha.estimate(replace(codes, matrix=codes.matrix[used]), rows) for codes in slices])


def _off_mode_shares(found: Sequence[Modes]) -> FloatArray:
    shares = [(1 - each.n_mode / np.maximum(each.n_codes, 1))[each.n_codes >= 2] for each in found]
    return np.array([[share.mean() if len(share) else np.nan] for share in shares])


def _mean(each: FloatArray) -> FloatArray:
    """The mean over the slices in which it is defined."""
    known = ~np.isnan(each)
    n = known.sum(axis=0)
    total = np.where(known, each, 0.0).sum(axis=0)
    return np.asarray(np.divide(total, n, out=np.full(each.shape[1], np.nan), where=n > 0))


def _flip_rate_bounds(found: Sequence[Modes], planned: Sequence[int]) -> tuple[float, float]:
    """The flip rate over all records, had the missing answers all agreed, and had they differed."""
    flips = [each.n_mode < each.n_codes for each in found]
    open_ = [(each.n_codes < repeats) & (repeats > 1) for each, repeats in zip(found, planned, strict=True)]
    least = np.mean([flip.mean() for flip in flips])
    most = np.mean([(flip | may).mean() for flip, may in zip(flips, open_, strict=True)])
    return (float(least), float(most)) if max(planned) > 1 else (float("nan"), float("nan"))


def _undefined_alpha_note(alpha: Coefficient, slices: Sequence[ReliabilityMatrix], over: str) -> str:
    if all(codes.matrix.shape[1] < 2 for codes in slices):
        return f"There is one `{over}` only."
    reasons = (alpha.undefined_reason(codes) for codes in slices)
    return next((reason for reason in reasons if reason), "").replace("No unit was coded", "No record was answered")


def _averaged_note(alphas: FloatArray, slices: Sequence[ReliabilityMatrix]) -> str:
    if len(slices) < 2:
        return ""
    known = int((~np.isnan(alphas)).sum())
    some = f", alpha over the {known} in which it is defined" if 0 < known < len(slices) else ""
    return f"Computed within each of {len(slices)} replicates and averaged{some}."


def _no_flip_note(flip_rate: float, n_clusters: int) -> str:
    if flip_rate != 0 or n_clusters < 2:
        return ""
    return (
        "No record flips, so the resamples cannot either; the rate may still be up to about "
        f"{min(1.0, 3 / n_clusters):.2g} (rule of three, Hanley and Lippman-Hand 1983)."
    )


def _undefined_resamples_note(undefined: int, n_boot: int) -> str:
    if undefined == 0:
        return ""
    much = "no interval is given" if undefined * 2 > n_boot else "the interval is that of the others"
    return f"Alpha is undefined in {undefined:,} of {n_boot:,} resamples, and {much}."
