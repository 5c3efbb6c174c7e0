"""Agreement of coders: people with people, people with judges, judges with judges.

A pure function of the ratings. Replicates are never coders: a coefficient is computed within each replicate and
averaged, or the modal answer of the replicates becomes an instrument of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from ..._internal.arguments import check_arguments
from ...errors import SetupError, nearest
from ..coefficients import COEFFICIENTS, Coefficient, ReliabilityMatrix, specific_agreement
from ..coefficients.arrays import FloatArray, mean_of_defined
from ..coefficients.distinct_units import DistinctUnits, distinct_units
from ..coefficients.reliability_matrix import NUMERIC
from ..shared.bootstrap import check_resampling, percentile_interval, unit_weights
from ..shared.modes import modal_ratings
from ..shared.notes import add_codes_notes
from ..shared.ratings_frame import prepare_ratings, usable_rows
from ..shared.ratings_groups import ratings_groups
from ..shared.reliability_data import ReliabilityData, reliability_data
from ..shared.replicate_mode import ReplicateMode, check_replicate_mode
from .coder_sets import CoderSet, coder_sets
from .notes import agreement_note

if TYPE_CHECKING:
    import pandas as pd

USUAL_COEFFICIENTS: dict[str, tuple[str, ...]] = {
    "nominal": ("percent_agreement", "krippendorff_alpha", "gwet_ac1", "cohen_kappa"),
    "ordinal": ("percent_agreement", "krippendorff_alpha", "gwet_ac2_quadratic", "cohen_kappa_quadratic"),
    "interval": ("krippendorff_alpha", "icc_2_1"),
    "ratio": ("krippendorff_alpha", "icc_2_1"),
    "set": ("percent_agreement", "krippendorff_alpha_masi"),
}
"""The default coefficients at each level of measurement."""


@check_arguments
def agreement(
    ratings: pd.DataFrame,
    *,
    by: Sequence[str] = ("criterion",),
    coders: Sequence[str] | None = None,
    replicate_mode: ReplicateMode = "each",
    coefficients: Sequence[str] | Literal["usual", "all"] = "usual",
    pool: Sequence[str] = (),
    n_boot: int = 1000,
    seed: int = 1,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """Agreement with intervals: one tidy row per group, comparison and coefficient.

    Parameters
    ----------
    ratings
        The long frame of `run.ratings()`, or one with `record_id`, `criterion`, `coder` and `category`.
    by
        Columns that make the groups. Criteria are never pooled.
    coders
        The coders to compare, by name; by default everybody.
    replicate_mode
        `each`: compute within each replicate, then average. `modal`: take the answer that most replicates of an
        instrument gave, as another instrument with its own name; if two answers are as frequent, there is no answer.
    coefficients
        Names in `buttermilk_nb.analysis.coefficients.COEFFICIENTS`; `usual` are those that fit the level of
        measurement and are reported most, `all` every one that fits.
    pool
        `["criteria_hash"]` pools codes that were made under different wordings, and says so in `note`.
    n_boot, seed, confidence
        The number of resamples of whole clusters, their seed, and the level of the percentile interval (0 to 1).

    Returns
    -------
    pandas.DataFrame
        `by`..., `comparison` (`people`, `instruments`, `all coders`, two names, or people with an instrument in the
        place of one person), `comparison_type` (`human-human`, `judge-human`, `judge-judge`, `mixed`), `coefficient`,
        `category` (if the row is about one category), `value`, `low`, `high`, `n_units` (records with two codes or
        more), `n_excluded` (the other records), `n_coders`, `n_codes`, `n_clusters`, `n_undefined` (resamples without a
        value), `most_frequent` and its `share` of the codes, `dependent` (whether one has seen the other's answers),
        `note`.

    Raises
    ------
    SetupError
        Criteria or wordings would be pooled; a coder is unknown; no criterion has two coders. If only some criteria
        have fewer, each of these has one row without a value, and `note` says why.

    Notes
    -----
    Pairs that have seen each other's answers have rows of their own and stay out of the larger sets. A coefficient that
    is undefined is NaN, and `note` says why. The docstring of each coefficient names its source.

    Examples
    --------
    >>> import pandas as pd
    >>> rows = [(f"r{i}", "calm", who, code) for who in ("ana", "ben") for i, code in enumerate(["yes", "no"] * 20)]
    >>> ratings = pd.DataFrame(rows, columns=["record_id", "criterion", "coder", "category"])
    >>> result = agreement(ratings, n_boot=50)
    >>> result.loc[result.coefficient == "Krippendorff's alpha", ["comparison", "value", "n_units"]].values.tolist()
    [['ana ~ ben', 1.0, 40]]
    """
    import pandas as pd

    check_resampling(n_boot, confidence, least=0)
    check_replicate_mode(replicate_mode)
    frame = prepare_ratings(ratings, by)
    n_wordings = frame.groupby("criterion").criteria_hash.nunique()
    rows, problems = [], []
    groups = ratings_groups(_pool_wordings(frame, pool), by)
    for key, part in groups:
        try:
            selected = _select_coders(modal_ratings(part) if replicate_mode == "modal" else part, coders)
        except _TooFewCoders as error:
            problems.append(error)
            rows.append(key | {"value": float("nan"), "note": str(error)})
            continue
        data = reliability_data(selected, part)
        group_note = {
            "n_wordings": int(n_wordings[part.criterion.iloc[0]]) if pool else 1,
            "n_in_edge_cases": int(part.record_id[part.in_edge_cases.fillna(value=False).astype(bool)].nunique()),
        }
        jobs = list(_jobs(data, _select_coefficients(coefficients, data.level)))
        rows += [key | row for row in _agreement_rows(data, jobs, group_note, n_boot, seed, confidence)]
    if len(problems) == len(groups):
        raise problems[0]
    return add_codes_notes(pd.DataFrame(rows), frame)


class _TooFewCoders(SetupError):
    """A criterion has no two coders. It ends the table only if no other criterion has two."""


def _pool_wordings(ratings: pd.DataFrame, pool: Sequence[str]) -> pd.DataFrame:
    for name in pool:
        if name != "criteria_hash":
            raise SetupError(f"pool: `{name}` cannot be pooled; only different wordings can, pool=['criteria_hash'].")
    return ratings.assign(criteria_hash="pooled") if pool else ratings


def _select_coders(part: pd.DataFrame, coders: Sequence[str] | None) -> pd.DataFrame:
    names = list(part.coder.unique())
    for name in coders or ():
        if name not in names:
            raise SetupError(f"coders: there is no coder `{name}`; {nearest(name, names)}")
    selected = part if coders is None else part[part.coder.isin(list(coders))]
    if selected.coder.nunique() == 1 and usable_rows(selected).replicate.nunique() > 1:
        raise _TooFewCoders(
            f"there are only replicates of `{selected.coder.iloc[0]}`, and a replicate is not a coder; "
            "bm.stability(ratings) says how far one judge agrees with itself."
        )
    if selected.coder.nunique() < 2:
        raise _TooFewCoders(
            f"criterion `{part.criterion.iloc[0]}`: agreement needs two coders, and there is "
            f"{'one, ' + repr(names[0]) if names else 'none'}."
        )
    return selected


def _select_coefficients(coefficients: Sequence[str] | str, level: str) -> list[Coefficient]:
    if coefficients == "usual":
        return [COEFFICIENTS[name] for name in USUAL_COEFFICIENTS[level]]
    if coefficients == "all":
        return [coefficient for coefficient in COEFFICIENTS.values() if level in coefficient.levels]
    names = [coefficients] if isinstance(coefficients, str) else list(coefficients)
    for name in names:
        if name not in COEFFICIENTS:
            raise SetupError(f"coefficients: there is no `{name}`; {nearest(name, COEFFICIENTS)}")
        if level not in COEFFICIENTS[name].levels:
            fitting = ", ".join(f"`{key}`" for key, value in COEFFICIENTS.items() if level in value.levels)
            raise SetupError(f"`{name}` does not fit {level} answers; these do: {fitting}.")
    return [COEFFICIENTS[name] for name in names]


_Units = tuple[DistinctUnits, ...]
"""The distinct units of each replicate; coefficients that share them share their weights too."""


class _CoefficientJob:
    """One coefficient of one set of coders, with its resampled values."""

    def __init__(
        self, coder_set: CoderSet, coefficient: Coefficient, codes: list[ReliabilityMatrix], units: _Units
    ) -> None:
        self.coder_set = coder_set
        self.coefficient = coefficient
        self.codes = codes
        self.units = units
        self.resampled: list[FloatArray] = []

    @cached_property
    def value(self) -> float:
        """The coefficient within each replicate, averaged over those in which it is defined."""
        return float(mean_of_defined([self.coefficient.estimate(codes) for codes in self.codes])[0])

    def resample(self, weights: Sequence[FloatArray]) -> None:
        """Add the same for some resamples, given as the weights of the distinct units of each replicate."""
        values = [self.coefficient.resample(own.codes, rows) for own, rows in zip(self.units, weights, strict=True)]
        self.resampled.append(mean_of_defined(values))

    def undefined_reason(self) -> str | None:
        """Why it is undefined, in the first replicate in which it is."""
        return next(filter(None, map(self.coefficient.undefined_reason, self.codes)), None)


def _jobs(data: ReliabilityData, coefficients: Sequence[Coefficient]) -> Iterator[_CoefficientJob]:
    for coder_set in coder_sets(data):
        columns = [data.coders.index(name) for name in coder_set.coders]
        codes = [data.codes_of(replicate, columns) for replicate in range(data.replicates)]
        own = [coefficient for coefficient in coefficients if coefficient.coders == "any" or len(columns) == 2]
        if data.level in ("nominal", "ordinal") and coder_set.each_category:
            own += specific_agreement(codes[0])
        units: dict[bool, _Units] = {}
        for coefficient in own:
            is_by_coder = coefficient.is_by_coder
            if is_by_coder not in units:
                units[is_by_coder] = tuple(distinct_units(each, is_by_coder=is_by_coder) for each in codes)
            yield _CoefficientJob(coder_set, coefficient, codes, units[is_by_coder])


def _agreement_rows(
    data: ReliabilityData,
    jobs: Sequence[_CoefficientJob],
    group_note: dict[str, int],
    n_boot: int,
    seed: int,
    confidence: float,
) -> Iterator[dict[str, Any]]:
    jobs_of_units: dict[_Units, list[_CoefficientJob]] = {}
    for job in jobs:
        jobs_of_units.setdefault(job.units, []).append(job)
    for weights in unit_weights(data.clusters, n_boot, seed):
        for units, own_jobs in jobs_of_units.items():
            unit_counts = [each.weights(weights) for each in units]
            for job in own_jobs:
                job.resample(unit_counts)
    percent_agreement = {id(job.coder_set): job.value for job in jobs if job.coefficient.name == "percent_agreement"}
    for job in jobs:
        codes, counts = job.codes[0], job.coefficient.sample_counts(job.codes[0])
        value = job.value
        low, high, n_undefined = percentile_interval(
            np.concatenate(job.resampled) if job.resampled else np.empty(0), confidence
        )
        most_frequent, share = _most_frequent(codes)
        has_pair = (codes.matrix >= 0).sum(axis=1) >= 2
        yield {
            "comparison": job.coder_set.name,
            "comparison_type": job.coder_set.comparison_type,
            "coefficient": job.coefficient.title,
            "category": getattr(job.coefficient, "category", None),
            "value": value,
            "low": low,
            "high": high,
            "n_units": counts.units,
            "n_excluded": counts.n_excluded,
            "n_coders": codes.matrix.shape[1],
            "n_codes": counts.codes,
            "n_clusters": len(np.unique(data.clusters[has_pair])),
            "n_undefined": n_undefined,
            "most_frequent": most_frequent,
            "share": share,
            "dependent": job.coder_set.dependent,
            "note": agreement_note(
                job.coefficient,
                value,
                percent_agreement=percent_agreement.get(id(job.coder_set), float("nan")),
                most_frequent=most_frequent,
                share=share,
                n_units=counts.units,
                undefined_reason=job.undefined_reason() if np.isnan(value) else None,
                is_dependent=job.coder_set.dependent,
                **group_note,
            ),
        }


def _most_frequent(codes: ReliabilityMatrix) -> tuple[str | None, float]:
    used = codes.matrix[codes.matrix >= 0]
    if not len(used) or codes.level in NUMERIC[1:]:
        return None, float("nan")
    counts = np.bincount(used, minlength=len(codes.categories))
    return codes.categories[int(counts.argmax())], float(counts.max() / counts.sum())
