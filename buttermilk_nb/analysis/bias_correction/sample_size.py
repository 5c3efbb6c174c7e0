"""How wide the intervals would be with more coded records: a projection from the variances in hand.

Coding more records takes away the part of the variance that is due to not having coded all of them; what records and
clusters vary by stays. With inclusion probabilities p, and e what is left of a code once the judge is used, the first
part is the sum of e squared (1 - p) / p, over the square of the number of records.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from ...errors import SetupError
from . import means
from .coded_samples import CodedSample, ReplicateMode, coded_samples
from .corrected_estimate import check_estimand
from .influence import FloatArray, InfluenceEstimate, n_clusters, standard_errors, t_quantile
from .outcome_values import OutcomeName

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

COLUMNS = ("estimator", "additional", "n_coded", "se", "half_width", "width", "wanted", "n_judged", "note")
PROJECTION_NOTE = (
    "A projection: it takes what was coded so far as typical, and further records as drawn in the same way."
)


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
    """How wide each interval would be with more coded records, and how many a wanted width needs.

    Parameters
    ----------
    ratings, judge, coder, by, of, sampled, replicate_mode, confidence
        As in `corrected_estimate`.
    additional
        Numbers of further coded records.
    width
        The wanted half-width, in the unit of the estimate (0.03: three points to either side). Adds a row for each
        estimator with the least number of further records that reaches it.

    Returns
    -------
    pandas.DataFrame
        One row per group, estimator (`human sample`, `ppi++`, `dsl`) and number: `by`..., `estimator`, `additional` (0
        first: what there is), `n_coded` (then), `se`, `half_width`, `width` (twice that), `wanted` (the half-width
        asked for; NaN elsewhere), `n_judged` and `note`, which says that later rows are projections. NaN where more
        records would be coded than there are, or where even all of them do not reach what is wanted.

    Raises
    ------
    SetupError
        As in `corrected_estimate`; or a number or width is not above 0.

    Notes
    -----
    Särndal, Swensson and Wretman (1992), ch. 2 and 6, for the two parts of a variance. The power of `ppi++` is held
    where it is. Inclusion probabilities grow in proportion, to 1 at most. What is left once everything is coded is due
    to records and clusters being some of many, and more coding does not narrow it. With few findings or errors so far
    the projection is as rough as the estimate.

    Examples
    --------
    >>> import pandas as pd
    >>> judged = pd.DataFrame({"record_id": range(300), "coder": "judge", "flagged": [i % 10 < 5 for i in range(300)]})
    >>> coded = pd.DataFrame({"record_id": range(0, 300, 3), "coder": "truth"})
    >>> coded["flagged"] = [i % 10 < 4 for i in range(0, 300, 3)]
    >>> ratings = pd.concat([judged, coded]).assign(criterion="calm")
    >>> ratings["category"] = ratings.flagged.map({True: "yes", False: "no"})
    >>> found = sample_size(ratings, judge="judge", sampled="simple random", additional=[50, 100])
    >>> found[found.estimator == "ppi++"][["additional", "half_width"]].round(2).values.tolist()
    [[0.0, 0.07], [50.0, 0.06], [100.0, 0.06]]
    """
    import pandas as pd

    check_estimand(of, ("prevalence", "mean"), confidence)
    if wrong := [n for n in additional if n < 1 or n != int(n)]:
        raise SetupError(f"additional: {wrong[0]} is not a number of further records; write whole numbers above 0.")
    if width is not None and not width > 0:
        raise SetupError(f"width={width}: the wanted half-width is above 0, such as 0.03.")
    asked: OutcomeName = "flag" if of == "prevalence" else "number"
    rows: list[dict[str, Any]] = []
    for sample in coded_samples(ratings, judge, coder, by, asked, sampled, replicate_mode):
        for name, one, left in _estimators_with_residuals(sample):
            half = _project_half_width(sample, one, left, confidence)
            rows += [
                sample.key | {"estimator": name} | row for row in _projection_rows(sample, half, additional, width)
            ]
    return pd.DataFrame(rows, columns=[*([by] if isinstance(by, str) else by), *COLUMNS])


def _estimators_with_residuals(sample: CodedSample) -> Iterator[tuple[str, InfluenceEstimate, FloatArray]]:
    """Each estimator with what is left of the codes once the judge is used."""
    tuned = means.prediction_powered(sample)
    for name, one, power in (
        ("human sample", means.human_sample(sample), 0.0),
        ("ppi++", tuned, tuned.power),
    ):
        left = np.where(sample.has_code, sample.coded - power * sample.judged, 0.0)
        centre = (sample.weights * left).sum() / sample.weights.sum()
        yield name, one, np.where(sample.has_code, left - centre, 0.0)
    yield "dsl", means.dsl(sample), np.where(sample.has_code, sample.coded - sample.judged, 0.0)


def _project_half_width(
    sample: CodedSample, one: InfluenceEstimate, left: FloatArray, confidence: float
) -> Callable[[int], tuple[float, float]]:
    """A function from a number of further records to standard error and half-width."""
    now = float(standard_errors(one, sample.clusters)[0]) ** 2
    coded, records = int(sample.has_code.sum()), len(sample.records)
    clusters, all_clusters = n_clusters(one, sample.clusters), int(sample.clusters.max()) + 1
    chances = sample.inclusion[sample.has_code]
    squares = (left**2 * sample.weights)[sample.has_code] / records**2

    def by_coding(times: float) -> float:
        then = np.minimum(chances * times, 1.0)
        return float((squares * (1 - then) / then).sum())

    first = by_coding(1.0)
    # what stays is never less than with independent records: where chance makes the whole too small, it shrinks to that
    stays = min(now, max(now - first, _weighted_variance(sample) / records))

    def projected(further: int) -> tuple[float, float]:
        times = (coded + further) / coded
        se = math.sqrt(stays + (now - stays) * (by_coding(times) / first if first else 1.0))
        return se, t_quantile(confidence, min(all_clusters, clusters * times) - 1) * se

    return projected


def _weighted_variance(sample: CodedSample) -> float:
    """Of the codes, weighted."""
    codes, weights = sample.coded[sample.has_code], sample.weights[sample.has_code]
    return float(np.average((codes - np.average(codes, weights=weights)) ** 2, weights=weights))


def _projection_rows(
    sample: CodedSample, half: Callable[[int], tuple[float, float]], additional: Sequence[int], width: float | None
) -> Iterator[dict[str, Any]]:
    coded = int(sample.has_code.sum())
    left = len(sample.records) - coded
    for further in (0, *additional):
        fits = further <= left
        why = "" if not further else PROJECTION_NOTE if fits else f"Only {left:,} records are left to be coded."
        yield _projection_row(sample, further, half(further) if fits else (math.nan, math.nan), why)
    if width is None:
        return
    needed = _least_additional(half, width, left)
    if needed is None:
        least = half(left)[1]
        why = f"Even with all {left:,} other records coded the half-width would be about {least:.2g}. {PROJECTION_NOTE}"
        yield _projection_row(sample, math.nan, (math.nan, math.nan), why, width)
    else:
        yield _projection_row(
            sample, needed, half(needed), PROJECTION_NOTE if needed else "It is reached already.", width
        )


def _projection_row(
    sample: CodedSample, additional: float, found: tuple[float, float], note: str, wanted: float = math.nan
) -> dict[str, Any]:
    return {
        "additional": additional,
        "n_coded": int(sample.has_code.sum()) + additional,
        "se": found[0],
        "half_width": found[1],
        "width": 2 * found[1],
        "wanted": wanted,
        "n_judged": int(sample.has_answer.sum()),
        "note": note,
    }


def _least_additional(half: Callable[[int], tuple[float, float]], width: float, left: int) -> int | None:
    """The least number of further records with which an interval is narrow enough; widths fall with each."""
    if not half(left)[1] <= width:
        return None
    low, high = -1, left
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if half(middle)[1] <= width else (middle, high)
    return high
