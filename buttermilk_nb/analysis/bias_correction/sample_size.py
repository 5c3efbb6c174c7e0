"""Project the width of the intervals with more coded records, from the present variances.

Coding more records reduces the part of the variance that comes from not having coded all of them; the variance of
records and clusters remains. With inclusion probabilities p, and e the residual of a code after the judge is used, the
first part is the sum of e squared (1 - p) / p, over the square of the number of records.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from ..._internal.arguments import check_arguments
from ...errors import SetupError
from ..coefficients.arrays import FloatArray
from ..shared.ratings_groups import column_names
from ..shared.replicate_mode import ReplicateMode
from . import means
from .coded_samples import CodedSample, coded_samples
from .corrected_estimate import check_estimand
from .influence import InfluenceEstimate, n_clusters, standard_errors, t_quantile

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ("estimator", "additional", "n_coded", "se", "half_width", "width", "target_half_width", "n_judged", "note")
PROJECTION_NOTE = (
    "A projection: it assumes that the coded records are typical, and that further records are drawn in the same way."
)
Projection = Callable[[int], tuple[float, float]]
"""From a number of further coded records to the standard error and the half-width."""


@check_arguments
def sample_size(
    ratings: pd.DataFrame,
    *,
    judge: str,
    coder: str = "truth",
    by: str | Sequence[str] = ("criterion",),
    of: Literal["prevalence", "mean"] = "prevalence",
    additional: Sequence[int] = (25, 50, 100, 200),
    width: float | None = None,
    sampled: Literal["simple random"] | None = None,
    replicate_mode: ReplicateMode = "each",
    confidence: float = 0.95,
) -> pd.DataFrame:
    """Project how wide each interval would be with more coded records, and how many a target width needs.

    Parameters
    ----------
    ratings, judge, coder, by, of, sampled, replicate_mode, confidence
        As in `corrected_estimate`.
    additional
        Numbers of further coded records, each above 0.
    width
        A target half-width, in the unit of the estimate (0.03: three points on either side). It adds a row for each
        estimator, with the smallest number of further records that reaches it.

    Returns
    -------
    pandas.DataFrame
        One row per group, estimator (`human sample`, `ppi++`, `dsl`) and number: `by`..., `estimator`, `additional` (0
        first: the present sample), `n_coded` (the resulting number), `se`, `half_width`, `width` (twice that),
        `target_half_width` (NaN in the other rows), `n_judged` and `note`, which says that later rows are
        projections. NaN if there are not that many records, or if even all of them do not reach the target.

    Raises
    ------
    SetupError
        As in `corrected_estimate`; or a number or width is not above 0.

    Notes
    -----
    Särndal, Swensson and Wretman (1992), ch. 2 and 6, for the two parts of a variance. The power of `ppi++` stays
    as it is. Inclusion probabilities grow in proportion, to 1 at most. The variance that remains when every record is
    coded comes from the sampling of records and clusters, and more coding does not reduce it. With few findings or
    errors so far the projection is as rough as the estimate.

    Examples
    --------
    >>> import pandas as pd
    >>> judged = pd.DataFrame({"record_id": range(300), "coder": "judge", "flagged": [i % 10 < 5 for i in range(300)]})
    >>> coded = pd.DataFrame({"record_id": range(0, 300, 3), "coder": "truth"})
    >>> coded["flagged"] = [i % 10 < 4 for i in range(0, 300, 3)]
    >>> ratings = pd.concat([judged, coded]).assign(criterion="calm")
    >>> ratings["category"] = ratings.flagged.map({True: "yes", False: "no"})
    >>> result = sample_size(ratings, judge="judge", sampled="simple random", additional=[50, 100])
    >>> result[result.estimator == "ppi++"][["additional", "half_width"]].round(2).values.tolist()
    [[0.0, 0.07], [50.0, 0.06], [100.0, 0.06]]
    """
    import pandas as pd

    check_estimand(of, ("prevalence", "mean"), confidence)
    if invalid := [n for n in additional if n < 1 or n != int(n)]:
        raise SetupError(f"additional: {invalid[0]} is not a number of further records; write whole numbers above 0.")
    if width is not None and not width > 0:
        raise SetupError(f"width={width}: the target half-width is above 0, such as 0.03.")
    rows: list[dict[str, Any]] = []
    outcome: Literal["flag", "number"] = "flag" if of == "prevalence" else "number"
    for sample in coded_samples(ratings, judge, coder, by, outcome, sampled, replicate_mode):
        for name, estimate, residuals in _estimators_with_residuals(sample):
            project = _projection(sample, estimate, residuals, confidence)
            rows += [
                sample.key | {"estimator": name} | row for row in _projection_rows(sample, project, additional, width)
            ]
    return pd.DataFrame(rows, columns=[*column_names(by), *COLUMNS])


def _estimators_with_residuals(sample: CodedSample) -> Iterator[tuple[str, InfluenceEstimate, FloatArray]]:
    """Each estimator, with the residuals of the codes after the judge is used."""
    tuned = means.prediction_powered(sample)
    for name, estimate, power in (
        ("human sample", means.human_sample(sample), 0.0),
        ("ppi++", tuned, tuned.power),
    ):
        residuals = np.where(sample.has_code, sample.coded - power * sample.judged, 0.0)
        centre = (sample.weights * residuals).sum() / sample.weights.sum()
        yield name, estimate, np.where(sample.has_code, residuals - centre, 0.0)
    yield "dsl", means.dsl(sample), np.where(sample.has_code, sample.coded - sample.judged, 0.0)


def _projection(
    sample: CodedSample, estimate: InfluenceEstimate, residuals: FloatArray, confidence: float
) -> Projection:
    variance = float(standard_errors(estimate, sample.clusters)[0]) ** 2
    n_coded, n_records = int(sample.has_code.sum()), len(sample.records)
    n_used_clusters, n_all_clusters = n_clusters(estimate, sample.clusters), int(sample.clusters.max()) + 1
    inclusion = sample.inclusion[sample.has_code]
    squares = (residuals**2 * sample.weights)[sample.has_code] / n_records**2

    def sampling_variance(factor: float) -> float:
        """The part of the variance due to coding a sample, if `factor` times as many records are coded."""
        probability = np.minimum(inclusion * factor, 1.0)
        return float((squares * (1 - probability) / probability).sum())

    present = sampling_variance(1.0)
    # The rest is never less than with independent records; if chance makes the total too small, it is the total.
    remaining = min(variance, max(variance - present, _weighted_variance(sample) / n_records))

    def project(additional: int) -> tuple[float, float]:
        factor = (n_coded + additional) / n_coded
        ratio = sampling_variance(factor) / present if present else 1.0
        se = math.sqrt(remaining + (variance - remaining) * ratio)
        return se, t_quantile(confidence, min(n_all_clusters, n_used_clusters * factor) - 1) * se

    return project


def _weighted_variance(sample: CodedSample) -> float:
    """The variance of the codes."""
    codes, weights = sample.coded[sample.has_code], sample.weights[sample.has_code]
    return float(np.average((codes - np.average(codes, weights=weights)) ** 2, weights=weights))


def _projection_rows(
    sample: CodedSample, project: Projection, additional: Sequence[int], width: float | None
) -> Iterator[dict[str, Any]]:
    n_uncoded = len(sample.records) - int(sample.has_code.sum())
    for n in (0, *additional):
        is_possible = n <= n_uncoded
        too_many = f"Only {n_uncoded:,} records are left to be coded."
        note = "" if not n else PROJECTION_NOTE if is_possible else too_many
        yield _projection_row(sample, n, project(n) if is_possible else (math.nan, math.nan), note)
    if width is None:
        return
    needed = _least_additional(project, width, n_uncoded)
    if needed is None:
        least = project(n_uncoded)[1]
        note = f"Even with all {n_uncoded:,} other records coded the half-width would be about {least:.2g}."
        yield _projection_row(sample, math.nan, (math.nan, math.nan), f"{note} {PROJECTION_NOTE}", width)
    else:
        note = PROJECTION_NOTE if needed else "The present sample reaches it."
        yield _projection_row(sample, needed, project(needed), note, width)


def _projection_row(
    sample: CodedSample, additional: float, projected: tuple[float, float], note: str, target: float = math.nan
) -> dict[str, Any]:
    se, half_width = projected
    return {
        "additional": additional,
        "n_coded": int(sample.has_code.sum()) + additional,
        "se": se,
        "half_width": half_width,
        "width": 2 * half_width,
        "target_half_width": target,
        "n_judged": int(sample.has_answer.sum()),
        "note": note,
    }


def _least_additional(project: Projection, width: float, n_uncoded: int) -> int | None:
    """The smallest number of further records with an interval narrow enough; the width falls with each record."""
    if not project(n_uncoded)[1] <= width:
        return None
    low, high = -1, n_uncoded
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if project(middle)[1] <= width else (middle, high)
    return high
