"""The answers of one instrument on each record, the least stable first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..._internal.arguments import check_arguments
from ..coefficients import ReliabilityMatrix
from ..coefficients.arrays import FloatArray
from ..shared.modes import row_modes
from .repeated_ratings import RepeatedGroup, repeated_groups

if TYPE_CHECKING:
    import pandas as pd


@check_arguments
def replicate_answers(
    ratings: pd.DataFrame, *, by: str | Sequence[str] = ("criterion", "coder"), over: str = "replicate"
) -> pd.DataFrame:
    """Every answer of one instrument on each record.

    Parameters
    ----------
    ratings
        The long frame of `run.ratings()`, or one with `record_id`, `criterion`, `coder`, `category` and `over`.
    by, over
        As in `stability`.

    Returns
    -------
    pandas.DataFrame
        One row per record and group, the least stable first (the smallest `mode_share`, then for numbers the widest
        range, then the most answers): `by`..., `replicate` (only if `over` is another column and there are several
        replicates), `record_id`, `mode` (the most frequent answer; missing if several are as frequent), `mode_share`
        (its share of the usable answers, 0 to 1; NaN with fewer than two), `n_repeats` (usable answers), `tie`, and
        `answers`: a tuple of all answers in the order of `over` (numbers ascending, else names from A to Z), with
        non-answers as they are and None if there is no answer.

    Raises
    ------
    SetupError
        As in `stability`.

    Examples
    --------
    >>> import pandas as pd
    >>> answers = {"r1": ["yes", "yes", "yes"], "r2": ["yes", "no", "yes"], "r3": ["no", "cannot tell", "yes"]}
    >>> rows = [(r, "calm", "judge · m", i, code) for r, codes in answers.items() for i, code in enumerate(codes)]
    >>> ratings = pd.DataFrame(rows, columns=["record_id", "criterion", "coder", "replicate", "category"])
    >>> result = replicate_answers(ratings)
    >>> result[["record_id", "mode", "n_repeats", "tie"]].fillna("-").values.tolist()
    [['r3', '-', 2, True], ['r2', 'yes', 3, False], ['r1', 'yes', 3, False]]
    >>> result.answers.iloc[0]
    ('no', 'cannot tell', 'yes')
    """
    import pandas as pd

    tables = [table for group in repeated_groups(ratings, by, over) for table in _answer_tables(group)]
    result = pd.concat(tables, ignore_index=True)
    keys = list(result.columns[: list(result.columns).index("record_id") + 1])
    order, ascending = ["mode_share", "number_range", "n_repeats", *keys], [True, False, False, *[True] * len(keys)]
    result = result.sort_values(order, ascending=ascending, kind="stable", ignore_index=True)
    return result.drop(columns="number_range")


def _answer_tables(group: RepeatedGroup) -> list[pd.DataFrame]:
    import pandas as pd

    tables = []
    categories = np.array([*group.table.codes.categories, None], object)  # a mode of -1 is the index of the None
    for replicate, columns in group.slices.items():
        modes = row_modes(group.table.codes.matrix[:, columns])
        key = group.key if replicate is None else group.key | {"replicate": replicate}
        rows = {
            "record_id": group.table.records,
            "mode": pd.Series(categories[modes.mode], dtype="str"),
            "mode_share": np.where(modes.n_codes > 1, modes.n_mode / np.maximum(modes.n_codes, 1), np.nan),
            "n_repeats": modes.n_codes.astype(np.int64),
            "tie": modes.is_tie,
            "answers": [tuple(row) for row in group.table.labels[:, columns]],
            "number_range": _number_ranges(group.table.select_columns(columns)),
        }
        tables.append(pd.DataFrame(key | rows))
    return tables


def _number_ranges(codes: ReliabilityMatrix) -> FloatArray:
    """The highest minus the lowest number of each record; 0 if answers are names."""
    if codes.values is None or not len(codes.values):
        return np.zeros(len(codes.matrix))
    has_code, numbers = codes.matrix >= 0, codes.values[codes.matrix]
    highest = np.where(has_code, numbers, -np.inf).max(axis=1)
    lowest = np.where(has_code, numbers, np.inf).min(axis=1)
    return np.where(has_code.any(axis=1), highest - lowest, 0.0)
