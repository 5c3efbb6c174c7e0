"""Agreement of coders: people with people, people with judges, judges with judges.

A pure function of the ratings. Replicates are never coders: a coefficient is computed within each replicate and
averaged, or the mode of the replicates is taken as an instrument of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Literal

from ...errors import SetupError, nearest
from ..coefficients import COEFFICIENTS, Coefficient, ReliabilityMatrix, specific_agreement
from ..coefficients.reliability_matrix import NUMERIC
from ..shared.bootstrap import percentile_interval, unit_weights
from ..shared.ratings_frame import groups, modal_ratings, prepare_ratings, usable_rows
from ..shared.reliability_data import ReliabilityData, reliability_data
from .coder_sets import CoderSet, coder_sets
from .notes import agreement_note

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    Estimates = NDArray[np.float64]

USUAL_COEFFICIENTS: dict[str, tuple[str, ...]] = {
    "nominal": ("percent_agreement", "krippendorff_alpha", "gwet_ac1", "cohen_kappa"),
    "ordinal": ("percent_agreement", "krippendorff_alpha", "gwet_ac2_quadratic", "cohen_kappa_quadratic"),
    "interval": ("krippendorff_alpha", "icc_2_1"),
    "ratio": ("krippendorff_alpha", "icc_2_1"),
    "set": ("percent_agreement", "krippendorff_alpha_masi"),
}
"""What is computed at each level of measurement unless others are asked for."""


def agreement(
    ratings: pd.DataFrame,
    *,
    by: Sequence[str] = ("criterion",),
    coders: Sequence[str] | None = None,
    replicate_mode: Literal["each", "modal"] = "each",
    coefficients: Sequence[str] | Literal["usual", "all"] = "usual",
    pool: Sequence[str] = (),
    n_boot: int = 1000,
    seed: int = 1,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """Agreement with intervals, one tidy row per group, comparison and coefficient.

    Parameters
    ----------
    ratings
        The long frame of `run.ratings()`, or one with `record_id`, `criterion`, `coder` and `category`.
    by
        Columns to part the frame by. Criteria are never pooled.
    coders
        Whom to compare, by name; by default everybody.
    replicate_mode
        `each`: within each replicate, then averaged. `modal`: the answer that most replicates of an instrument gave,
        which is another, named instrument; where two are as frequent there is none.
    coefficients
        Names in `buttermilk_nb.analysis.coefficients.COEFFICIENTS`; `usual` are those that fit the level of
        measurement and are mostly reported, `all` every one that fits.
    pool
        `["criteria_hash"]` takes codes that were made under different wordings together, and marks it.
    n_boot, seed, confidence
        Resamples of whole clusters, their seed, and the level of the percentile interval.

    Returns
    -------
    pandas.DataFrame
        `by`..., `comparison` (`people`, `instruments`, `all coders`, two names, or people with an instrument in the
        place of one), `between` (`human-human`, `judge-human`, `judge-judge`, `mixed`), `coefficient`, `category`
        (where the row is about one), `value`, `low`, `high`, `n_units` (records with two codes or more), `n_excluded`
        (the others), `n_coders`, `n_codes`, `n_clusters`, `n_undefined` (resamples without a value),
        `most_frequent` and its `share` of the codes, `dependent` (they have seen each other), `note`.

    Raises
    ------
    SetupError
        Criteria or wordings would be pooled; a coder is unknown; only replicates of one judge are there.

    Notes
    -----
    Pairs that have seen each other's answers are shown apart and kept out of what is pooled. A coefficient that is
    undefined is NaN, and `note` says why. Each coefficient's docstring names its source.

    Examples
    --------
    >>> import pandas as pd
    >>> rows = [(f"r{i}", "calm", who, code) for who in ("ana", "ben") for i, code in enumerate(["yes", "no"] * 20)]
    >>> ratings = pd.DataFrame(rows, columns=["record_id", "criterion", "coder", "category"])
    >>> found = agreement(ratings, n_boot=50)
    >>> found.loc[found.coefficient == "Krippendorff's alpha", ["comparison", "value", "n_units"]].values.tolist()
    [['ana ~ ben', 1.0, 40]]
    """
    import pandas as pd

    frame = prepare_ratings(ratings, by)
    wordings = frame.groupby("criterion").criteria_hash.nunique()
    frame = _pool_wordings(frame, pool)
    rows = []
    for key, part in groups(frame, by):
        chosen = _select_coders(modal_ratings(part) if replicate_mode == "modal" else part, coders)
        data = reliability_data(chosen, part)
        wanted = _select_coefficients(coefficients, data.level)
        named = dict(zip(by, key, strict=True))
        several = int(wordings[part.criterion.iloc[0]]) if pool else 1
        taught = int(part.record_id[part.in_edge_cases.fillna(value=False).astype(bool)].nunique())
        rows += [named | row for row in _agreement_rows(data, wanted, several, taught, n_boot, seed, confidence)]
    return pd.DataFrame(rows)


def _pool_wordings(ratings: pd.DataFrame, pool: Sequence[str]) -> pd.DataFrame:
    for name in pool:
        if name != "criteria_hash":
            raise SetupError(f"pool: `{name}` cannot be pooled; only different wordings can, pool=['criteria_hash'].")
    return ratings.assign(criteria_hash="pooled") if pool else ratings


def _select_coders(part: pd.DataFrame, coders: Sequence[str] | None) -> pd.DataFrame:
    known = list(part.coder.unique())
    for name in coders or ():
        if name not in known:
            raise SetupError(f"coders: there is no coder `{name}`; {nearest(name, known)}")
    chosen = part if coders is None else part[part.coder.isin(list(coders))]
    if chosen.coder.nunique() == 1 and usable_rows(chosen).replicate.nunique() > 1:
        raise SetupError(
            f"only replicates of `{chosen.coder.iloc[0]}` are here, and a replicate is not a coder: "
            "bm.stability(ratings) says how far one judge agrees with itself."
        )
    if chosen.coder.nunique() < 2:
        raise SetupError(
            f"criterion `{part.criterion.iloc[0]}`: agreement needs two coders, and there is "
            f"{'one, ' + repr(known[0]) if known else 'none'}."
        )
    return chosen


def _select_coefficients(coefficients: Sequence[str] | str, level: str) -> list[Coefficient]:
    if coefficients == "usual":
        return [COEFFICIENTS[name] for name in USUAL_COEFFICIENTS[level]]
    if coefficients == "all":
        return [found for found in COEFFICIENTS.values() if level in found.levels]
    names = [coefficients] if isinstance(coefficients, str) else list(coefficients)
    for name in names:
        if name not in COEFFICIENTS:
            raise SetupError(f"coefficients: there is no `{name}`; {nearest(name, COEFFICIENTS)}")
        if level not in COEFFICIENTS[name].levels:
            fits = ", ".join(f"`{one}`" for one, found in COEFFICIENTS.items() if level in found.levels)
            raise SetupError(f"`{name}` does not fit {level} answers; these do: {fits}.")
    return [COEFFICIENTS[name] for name in names]


class _CoefficientJob:
    """One coefficient of one comparison."""

    def __init__(self, comparison: CoderSet, coefficient: Coefficient, codes: list[ReliabilityMatrix]) -> None:
        self.comparison = comparison
        self.coefficient = coefficient
        self.codes = codes
        self.resampled: list[Estimates] = []

    def estimate(self, rows: Estimates | None = None) -> Estimates:
        """Within each replicate, then averaged over those in which it is defined."""
        import numpy as np

        each = np.stack([self.coefficient.estimate(codes, rows) for codes in self.codes])
        known = ~np.isnan(each)
        n = known.sum(axis=0)
        return np.where(n > 0, np.where(known, each, 0.0).sum(axis=0) / np.maximum(n, 1), np.nan)


def _agreement_rows(
    data: ReliabilityData,
    wanted: Sequence[Coefficient],
    wordings: int,
    taught: int,
    n_boot: int,
    seed: int,
    confidence: float,
) -> Iterator[dict[str, object]]:
    import numpy as np

    tasks = list(_jobs(data, wanted))
    for block in unit_weights(data.clusters, n_boot, seed):
        for task in tasks:
            task.resampled.append(task.estimate(block))
    values = {(id(task.comparison), task.coefficient.name): float(task.estimate()[0]) for task in tasks}
    for task in tasks:
        first, counted = task.codes[0], task.coefficient.sample_counts(task.codes[0])
        value = float(task.estimate()[0])
        resampled = np.concatenate(task.resampled) if task.resampled else np.empty(0)
        low, high, undefined = percentile_interval(resampled, confidence)
        frequent, share = _most_frequent(first)
        category = getattr(task.coefficient, "category", None)
        percent = values.get((id(task.comparison), "percent_agreement"), float("nan"))
        why = (
            None
            if not np.isnan(value)
            else next(filter(None, map(task.coefficient.undefined_reason, task.codes)), None)
        )
        units = (first.matrix >= 0).sum(axis=1) >= 2
        yield {
            "comparison": task.comparison.name,
            "comparison_type": task.comparison.comparison_type,
            "coefficient": task.coefficient.title,
            "category": category,
            "value": value,
            "low": low,
            "high": high,
            "n_units": counted.units,
            "n_excluded": counted.n_excluded,
            "n_coders": first.matrix.shape[1],
            "n_codes": counted.codes,
            "n_clusters": len(np.unique(data.clusters[units])),
            "n_undefined": undefined,
            "most_frequent": frequent,
            "share": share,
            "dependent": task.comparison.dependent,
            "note": agreement_note(
                task.coefficient,
                value,
                percent,
                frequent,
                share,
                counted.units,
                why,
                task.comparison.dependent,
                wordings,
                taught,
            ),
        }


def _jobs(data: ReliabilityData, wanted: Sequence[Coefficient]) -> Iterator[_CoefficientJob]:
    for comparison in coder_sets(data):
        places = [data.coders.index(name) for name in comparison.coders]
        codes = [data.codes_of(replicate, places) for replicate in range(data.replicates)]
        pair = len(places) == 2
        for coefficient in wanted:
            if coefficient.coders == "any" or pair:
                yield _CoefficientJob(comparison, coefficient, codes)
        if data.level in ("nominal", "ordinal") and comparison.each_category:
            for one in specific_agreement(codes[0]):
                yield _CoefficientJob(comparison, one, codes)


def _most_frequent(codes: ReliabilityMatrix) -> tuple[str | None, float]:
    import numpy as np

    given = codes.matrix[codes.matrix >= 0]
    if not len(given) or codes.level in NUMERIC[1:]:
        return None, float("nan")
    counts = np.bincount(given, minlength=len(codes.categories))
    return codes.categories[int(counts.argmax())], float(counts.max() / counts.sum())
