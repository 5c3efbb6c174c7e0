"""The ratings frame as arrays: what is required, what stands in for a missing column, and what is refused.

A planned cell is a row: coder x record x criterion x replicate. A usable answer is one with status `ok` that is neither
empty nor `not applicable` nor `cannot tell`; everything else has a `reason`. All names are sorted before they become
numbers, so that the order of the rows changes nothing, not even a resample.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ...errors import SetupError, nearest
from ..shared.ratings_frame import prepare_ratings
from .question import FloatArray, IntArray, as_text, non_answer

if TYPE_CHECKING:
    import pandas as pd

NO_ANSWER = "no answer"
TextArray = NDArray[np.object_]


@dataclass(frozen=True, eq=False)
class RatingArrays:
    """A ratings frame: one entry per row, but `clusters`, which has one per record, and `texts`.

    `category` points into `texts` (-1: none); `flag` is 1, 0 or -1; `unequal` says whether records came into the
    sample with unequal probability; `table` is the frame itself, in the same order.
    """

    table: pd.DataFrame
    record: IntArray
    coder: TextArray
    replicate: IntArray
    category: IntArray
    texts: tuple[str, ...]
    value: FloatArray
    flag: IntArray
    has_answer: NDArray[np.bool_]
    reason: TextArray
    clusters: IntArray
    unequal_probabilities: bool


def read_ratings(ratings: pd.DataFrame, truth: str, by: Sequence[str], coders: Sequence[str] | None) -> RatingArrays:
    """The rows of the truth and of the coders that are compared.

    Raises
    ------
    SetupError
        A column or a coder is missing, criteria would be pooled, or a record has two clusters.
    """
    import pandas as pd

    _check_by(by)
    ratings = prepare_ratings(ratings, by, unique_codes=False)
    if isinstance(coders, str):
        raise SetupError(f'`coders` is several names: write `coders=["{coders}"]`.')
    names = sorted({str(one) for one in ratings["coder"].dropna().unique()})
    asked = [one for one in names if one != truth] if coders is None else list(coders)
    for name in (truth, *asked):
        if name not in names:
            raise SetupError(f"there is no coder `{name}` in the ratings; {nearest(name, names)}")
    if truth in asked:
        raise SetupError(f"`{truth}` is the truth, and cannot be compared with itself: leave it out of `coders`.")
    table = ratings[ratings["coder"].isin([truth, *asked])].reset_index(drop=True)
    if "criterion" not in by and table["criterion"].nunique() > 1:
        raise SetupError(
            "criteria are never pooled: put `criterion` into `by`, or filter the ratings to one criterion."
        )
    n = len(table)

    def column(name: str) -> pd.Series:
        return table[name] if name in table else pd.Series([pd.NA] * n, dtype=object, name=name)

    record = pd.factorize(table["record_id"].map(as_text), sort=True)[0].astype(np.intp)
    category, distinct = _category_codes(table["category"])
    texts = tuple(as_text(one) for one in distinct)
    value = _as_numbers(column("value"))
    outside = np.array([*(non_answer(text) or "" for text in texts), ""], object)[category]
    given = (category >= 0) | ~np.isnan(value)
    status = column("status").astype(object).to_numpy()
    status = np.where(column("status").isna().to_numpy(), np.where(given, "ok", NO_ANSWER), status)
    answered = (status == "ok") & given & (outside == "")
    reason = np.where(outside != "", outside, np.where(status == "ok", NO_ANSWER, status))
    inclusion = _as_numbers(column("inclusion_p"))
    return RatingArrays(
        table,
        record,
        table["coder"].astype(object).to_numpy(),
        np.nan_to_num(_as_numbers(column("replicate"))).astype(np.intp),
        category,
        texts,
        value,
        _as_flags(column("flagged")),
        answered.astype(np.bool_),
        np.where(answered, "", reason).astype(object),
        _cluster_numbers(table, record),
        len(np.unique(inclusion[~np.isnan(inclusion)])) > 1,
    )


def _category_codes(category: pd.Series) -> tuple[IntArray, Sequence[object]]:
    import pandas as pd

    try:
        codes, distinct = pd.factorize(category)
    except TypeError:
        raise SetupError("column `category` holds lists; write a set of labels as its JSON text.") from None
    return codes.astype(np.intp), list(distinct)


def _as_numbers(column: pd.Series) -> FloatArray:
    import pandas as pd

    try:
        return pd.to_numeric(column, errors="raise").to_numpy(np.float64, na_value=np.nan)
    except (TypeError, ValueError):
        raise SetupError(f"column `{column.name}` of the ratings holds something that is not a number.") from None


def _as_flags(column: pd.Series) -> IntArray:
    """1, 0, or -1 for nothing."""
    try:
        return column.astype("boolean").to_numpy(np.float64, na_value=-1.0).astype(np.intp)
    except (TypeError, ValueError):
        raise SetupError("column `flagged` of the ratings holds something that is neither true nor false.") from None


def _check_by(by: Sequence[str]) -> None:
    if isinstance(by, str):
        raise SetupError(f'`by` is several columns: write `by=("{by}",)`.')
    if "coder" in by:
        raise SetupError("`coder` is a column of the result in any case: leave it out of `by`.")


def _cluster_numbers(table: pd.DataFrame, record: IntArray) -> IntArray:
    """The cluster of each record, as a number."""
    import pandas as pd

    codes = pd.factorize(table["kin"], sort=True)[0]
    found = np.zeros(int(record.max(initial=-1)) + 1, np.intp)
    found[record] = codes
    return found
