"""Read a ratings frame into arrays: which answers are usable, and why others are not.

A planned answer is a row: coder x record x criterion x replicate. A usable answer has status `ok` and is not empty, not
`not applicable` and not `cannot tell`; all others have a `reason`. All names are sorted before they become numbers, so
that the order of the rows changes nothing, not even a resample.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ...errors import SetupError, nearest
from ..coefficients.arrays import BoolArray, FloatArray, IntArray
from ..shared.ratings_frame import prepare_ratings
from ..shared.ratings_groups import check_one_criterion
from .question import non_answer

if TYPE_CHECKING:
    import pandas as pd

NO_ANSWER = "no answer"
TextArray = NDArray[np.object_]


@dataclass(frozen=True, eq=False)
class RatingArrays:
    """A ratings frame as arrays, with one entry per row if not said otherwise.

    Parameters
    ----------
    table
        The frame itself, in the same order.
    record, coder, replicate
        The record (a number), the coder (a name), and the number of the replicate.
    category
        An index into `texts`; -1 without a category.
    texts
        The distinct categories.
    value
        The number; NaN without one.
    flag
        1 flagged, 0 not, -1 unknown.
    has_answer
        Whether the answer is usable.
    reason
        Why it is not; empty if it is.
    clusters
        The cluster of each record, as a number; one entry per record.
    unequal_probabilities
        Whether records were drawn with unequal probabilities.
    """

    table: pd.DataFrame
    record: IntArray
    coder: TextArray
    replicate: IntArray
    category: IntArray
    texts: tuple[str, ...]
    value: FloatArray
    flag: IntArray
    has_answer: BoolArray
    reason: TextArray
    clusters: IntArray
    unequal_probabilities: bool


def read_ratings(ratings: pd.DataFrame, truth: str, by: Sequence[str], coders: Sequence[str] | None) -> RatingArrays:
    """The rows of the truth and of the coders to compare.

    Raises
    ------
    SetupError
        A column or a coder is missing, criteria would be pooled, or a record has two clusters.
    """
    import pandas as pd

    _check_by(by)
    table = _select_coders(prepare_ratings(ratings, by, unique_codes=False), truth, coders)
    if "criterion" not in by:
        check_one_criterion(list(table["criterion"].unique()))
    record = pd.factorize(table["record_id"], sort=True)[0].astype(np.intp)
    category, distinct = _category_codes(table["category"])
    texts = tuple(map(str, distinct))
    value = _as_numbers(table["value"])
    non_answers = np.array([*(non_answer(text) or "" for text in texts), ""], object)[category]
    has_content = (category >= 0) | ~np.isnan(value)
    status = table["status"].astype(object).to_numpy()
    status = np.where(table["status"].isna().to_numpy(), np.where(has_content, "ok", NO_ANSWER), status)
    has_answer = (status == "ok") & has_content & (non_answers == "")
    reason = np.where(non_answers != "", non_answers, np.where(status == "ok", NO_ANSWER, status))
    inclusion = _as_numbers(table["inclusion_p"])
    return RatingArrays(
        table=table,
        record=record,
        coder=table["coder"].astype(object).to_numpy(),
        replicate=np.nan_to_num(_as_numbers(table["replicate"])).astype(np.intp),
        category=category,
        texts=texts,
        value=value,
        flag=_as_flags(table["flagged"]),
        has_answer=has_answer.astype(np.bool_),
        reason=np.where(has_answer, "", reason).astype(object),
        clusters=_cluster_numbers(table, record),
        unequal_probabilities=len(np.unique(inclusion[~np.isnan(inclusion)])) > 1,
    )


def _select_coders(ratings: pd.DataFrame, truth: str, coders: Sequence[str] | None) -> pd.DataFrame:
    """The rows of the truth and of the coders."""
    if isinstance(coders, str):
        raise SetupError(f'`coders` takes several names: write `coders=["{coders}"]`.')
    names = sorted({str(name) for name in ratings["coder"].dropna().unique()})
    selected = [name for name in names if name != truth] if coders is None else list(coders)
    if truth == "truth" and truth not in names:  # the default
        shown = ", ".join(f'truth="{name}"' for name in names[:3])
        raise SetupError(
            f"the ratings have no coder `{truth}`, so there is nothing to compare with. Say whose codes count as the "
            f"truth: {shown}."
        )
    for name in (truth, *selected):
        if name not in names:
            raise SetupError(f"there is no coder `{name}` in the ratings; {nearest(name, names)}")
    if truth in selected:
        raise SetupError(f"`{truth}` is the truth, and cannot be compared with itself: leave it out of `coders`.")
    return ratings[ratings["coder"].isin([truth, *selected])].reset_index(drop=True)


def _category_codes(category: pd.Series) -> tuple[IntArray, Sequence[object]]:
    import pandas as pd

    codes, distinct = pd.factorize(category)
    return codes.astype(np.intp), list(distinct)


def _as_numbers(column: pd.Series) -> FloatArray:
    import pandas as pd

    try:
        return pd.to_numeric(column, errors="raise").to_numpy(np.float64, na_value=np.nan)
    except (TypeError, ValueError):
        raise SetupError(f"column `{column.name}` of the ratings contains values that are not numbers.") from None


def _as_flags(column: pd.Series) -> IntArray:
    """1, 0, or -1 without a flag."""
    try:
        return column.astype("boolean").to_numpy(np.float64, na_value=-1.0).astype(np.intp)
    except (TypeError, ValueError):
        raise SetupError("column `flagged` of the ratings contains values other than true and false.") from None


def _check_by(by: Sequence[str]) -> None:
    if isinstance(by, str):
        raise SetupError(f'`by` takes several columns: write `by=("{by}",)`.')
    if "coder" in by:
        raise SetupError("`coder` is always a column of the result: leave it out of `by`.")


def _cluster_numbers(table: pd.DataFrame, record: IntArray) -> IntArray:
    """The cluster of each record, as a number."""
    import pandas as pd

    codes = pd.factorize(table["resampling_unit"], sort=True)[0]
    clusters = np.zeros(int(record.max(initial=-1)) + 1, np.intp)
    clusters[record] = codes
    return clusters
