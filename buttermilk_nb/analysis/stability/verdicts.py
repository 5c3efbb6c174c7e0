"""The verdicts of one instrument on each record, the least stable first: to be read, beside the texts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..coefficients import ReliabilityMatrix
from ..coefficients.base import FloatArray
from ..shared.modes import row_modes
from .repeated_ratings import RepeatedGroup, repeated_groups

if TYPE_CHECKING:
    import pandas as pd


def replicate_answers(
    ratings: pd.DataFrame, *, by: str | Sequence[str] = ("criterion", "coder"), over: str = "replicate"
) -> pd.DataFrame:
    """What one instrument said on each record, each time it was asked.

    Parameters
    ----------
    ratings
        The long frame of `run.ratings()`, or one with `record_id`, `criterion`, `coder`, `category` and `over`.
    by, over
        As in `stability`.

    Returns
    -------
    pandas.DataFrame
        One row per record and group, the least stable first (the smallest `mode_share`, of numbers then the furthest
        apart, then the most answers): `by`..., `replicate` (only where `over` is another
        column and there are several), `record_id`, `mode` (the most frequent answer; missing where several are as
        frequent), `mode_share` (its share of the usable answers, 0 to 1; NaN with fewer than two), `n_repeats`
        (usable answers), `tie`, and `answers`: all of them, a tuple in the order of `over` (numbers ascending, else
        names from A to Z), with non-answers as they are and None where there is no answer.

    Raises
    ------
    SetupError
        As in `stability`.

    Examples
    --------
    >>> import pandas as pd
    >>> said = {"r1": ["yes", "yes", "yes"], "r2": ["yes", "no", "yes"], "r3": ["no", "cannot tell", "yes"]}
    >>> rows = [(r, "calm", "judge · m", i, code) for r, codes in said.items() for i, code in enumerate(codes)]
    >>> ratings = pd.DataFrame(rows, columns=["record_id", "criterion", "coder", "replicate", "category"])
    >>> found = replicate_answers(ratings)
    >>> found[["record_id", "mode", "n_repeats", "tie"]].fillna("-").values.tolist()
    [['r3', '-', 2, True], ['r2', 'yes', 3, False], ['r1', 'yes', 3, False]]
    >>> found.answers.iloc[0]
    ('no', 'cannot tell', 'yes')
    """
    import pandas as pd

    found = pd.concat(
        [part for one in repeated_groups(ratings, by, over) for part in _answer_tables(one)], ignore_index=True
    )
    keys = list(found.columns[: list(found.columns).index("record_id") + 1])
    order, upwards = ["mode_share", "apart", "n_repeats", *keys], [True, False, False, *[True] * len(keys)]
    found = found.sort_values(order, ascending=upwards, kind="stable", ignore_index=True)
    return found.drop(columns="apart")


def _answer_tables(one: RepeatedGroup) -> list[pd.DataFrame]:
    import pandas as pd

    parts = []
    categories = np.array([*one.table.codes.categories, None], object)  # a mode of -1 finds the None
    for replicate, places in one.slices.items():
        found = row_modes(one.table.codes.matrix[:, places])
        key = one.key if replicate is None else one.key | {"replicate": replicate}
        rows = {
            "record_id": one.table.records,
            "mode": pd.Series(categories[found.mode], dtype="str"),
            "mode_share": np.where(found.n_codes > 1, found.n_mode / np.maximum(found.n_codes, 1), np.nan),
            "n_repeats": found.n_codes.astype(np.int64),
            "tie": found.is_tie,
            "answers": [tuple(row) for row in one.table.labels[:, places]],
            "apart": _number_ranges(one.table.select_columns(places)),
        }
        parts.append(pd.DataFrame(key | rows))
    return parts


def _number_ranges(codes: ReliabilityMatrix) -> FloatArray:
    """The distance of the highest from the lowest number of each record; 0 where answers are names."""
    if codes.values is None or not len(codes.values):
        return np.zeros(len(codes.matrix))
    given, numbers = codes.matrix >= 0, codes.values[codes.matrix]
    highest, lowest = np.where(given, numbers, -np.inf).max(axis=1), np.where(given, numbers, np.inf).min(axis=1)
    return np.where(given.any(axis=1), highest - lowest, 0.0)
